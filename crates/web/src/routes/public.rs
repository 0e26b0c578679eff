//! The public door and the machine (公众页面与运行状态).

use super::Need::{Public, SignedIn};
use super::Route;
use crate::pages;

pub(super) static ROUTES: &[Route] = &[
    // The public door
    Route::get(
        "/programmes",
        Public,
        "办事事项",
        page!(pages::catalogue::show),
    ),
    Route::get(
        "/programmes/{id}",
        Public,
        "一次性告知单",
        page!(pages::guide::show),
    ),
    Route::get(
        "/programmes/{id}/sheet.pdf",
        Public,
        "一次性告知单 PDF",
        page!(pages::guide::pdf),
    ),
    Route::get("/notices", Public, "近期公示", page!(pages::notices::show)),
    Route::get(
        "/notices/{id}",
        Public,
        "一条公示与异议表",
        page!(pages::notices::one),
    ),
    Route::post(
        "/notices/{id}",
        Public,
        "提出异议",
        page!(pages::notices::object),
    ),
    Route::get(
        "/progress",
        Public,
        "进度查询页",
        page!(pages::progress::show),
    ),
    Route::get(
        "/progress/{code}",
        Public,
        "进度查询页（回执二维码）",
        page!(pages::progress::show),
    ),
    Route::post(
        "/progress",
        Public,
        "查询办理进度",
        page!(pages::progress::post),
    ),
    Route::get("/rate", Public, "评价服务页", page!(pages::rate::show)),
    Route::get(
        "/rate/{code}",
        Public,
        "评价服务页（凭回执编号）",
        page!(pages::rate::show),
    ),
    Route::post("/rate/{code}", Public, "提交评价", page!(pages::rate::post)),
    Route::get(
        "/verify",
        Public,
        "文书核验",
        page!(pages::document_check::show),
    ),
    Route::get(
        "/verify/{code}",
        Public,
        "文书核验（文书二维码）",
        page!(pages::document_check::show),
    ),
    // The machine
    Route::get("/health", Public, "运行状况", page!(pages::health::show)),
    Route::get(
        "/metrics",
        Public,
        "运行指标（只答本机）",
        page!(pages::health::numbers),
    ),
    Route::get(
        "/assets/{*file}",
        Public,
        "样式、脚本、图标",
        page!(crate::assets::show),
    ),
    Route::get("/help", Public, "帮助与快捷键", page!(pages::help::show)),
    Route::get("/style", Public, "界面规范", page!(pages::style::show)),
    Route::post(
        "/demo/clock",
        SignedIn,
        "演示时钟前进（仅演示环境）",
        page!(pages::demo::advance),
    ),
];
