//! The first page, signing in, one's own account, and those of colleagues (首页、登录、账号).

use super::Need::{Holds, Public, SignedIn};
use super::Route;
use crate::pages;
use access::Permission as P;

pub(super) static ROUTES: &[Route] = &[
    Route::get(
        "/",
        Public,
        "首页：待办；未登录时为事项目录",
        page!(pages::home::show),
    ),
    // Signing in and one's own account
    Route::get("/sign-in", Public, "登录页", page!(pages::sign_in::show)),
    Route::post("/sign-in", Public, "登录", page!(pages::sign_in::post)),
    Route::get(
        "/sign-in/code",
        Public,
        "动态口令页",
        page!(pages::sign_in::code),
    ),
    Route::post(
        "/sign-in/code",
        Public,
        "验证动态口令",
        page!(pages::sign_in::post_code),
    ),
    Route::post("/sign-out", Public, "退出", page!(pages::sign_in::sign_out)),
    Route::post(
        "/preferences",
        Public,
        "语言、长辈版、配色",
        page!(pages::preferences::post),
    ),
    Route::get(
        "/account",
        SignedIn,
        "我的账号：密码、动态口令、在用会话",
        page!(pages::account::show),
    ),
    Route::post(
        "/account/password",
        SignedIn,
        "修改密码",
        page!(pages::account::password),
    ),
    Route::post(
        "/account/second-factor",
        SignedIn,
        "绑定或停用动态口令",
        page!(pages::account::second_factor),
    ),
    Route::post(
        "/account/sessions/end",
        SignedIn,
        "下线其他设备",
        page!(pages::account::end_session),
    ),
    // Accounts of colleagues
    Route::get(
        "/officers",
        Holds(P::ManageOfficers),
        "账号列表",
        page!(pages::officers::show),
    ),
    Route::post(
        "/officers",
        Holds(P::ManageOfficers),
        "新建账号",
        page!(pages::officers::post),
    ),
    Route::get(
        "/officers/{id}",
        Holds(P::ManageOfficers),
        "账号详情",
        page!(pages::officer::show),
    ),
    Route::post(
        "/officers/{id}/grant",
        Holds(P::ManageOfficers),
        "授岗",
        page!(pages::officer::grant),
    ),
    Route::post(
        "/officers/{id}/revoke",
        Holds(P::ManageOfficers),
        "撤岗",
        page!(pages::officer::revoke),
    ),
    Route::post(
        "/officers/{id}/switch",
        Holds(P::ManageOfficers),
        "启用、停用账号",
        page!(pages::officer::switch),
    ),
    Route::post(
        "/officers/{id}/password",
        Holds(P::ManageOfficers),
        "重置密码",
        page!(pages::officer::password),
    ),
    Route::post(
        "/officers/{id}/sessions/end",
        Holds(P::ManageOfficers),
        "让其在所有设备上退出",
        page!(pages::officer::end_sessions),
    ),
];
