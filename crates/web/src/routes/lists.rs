//! What every list has (清单共用): its columns, the filters officers keep, acts on many rows, and the files made of it in the background.

use super::Need::SignedIn;
use super::Route;
use crate::{lists, pages};

pub(super) static ROUTES: &[Route] = &[
    Route::post(
        "/lists/{list}/columns",
        SignedIn,
        "选择清单的列",
        page!(lists::choice::keep),
    ),
    Route::post(
        "/lists/{list}/filters",
        SignedIn,
        "保存清单的筛选",
        page!(lists::saved::save),
    ),
    Route::post(
        "/lists/{list}/filters/{id}",
        SignedIn,
        "设为默认、删除保存的筛选",
        page!(lists::saved::change),
    ),
    Route::post(
        "/lists/{list}/bulk",
        SignedIn,
        "批量办理：预览，确认后逐条办",
        page!(lists::bulk::of_list),
    )
    .slow(),
    Route::get(
        "/exports",
        SignedIn,
        "我的导出：后台生成的文件",
        page!(pages::exports::show),
    ),
    Route::post(
        "/exports",
        SignedIn,
        "申请在后台生成导出文件",
        page!(pages::exports::post),
    )
    .slow(),
    Route::get(
        "/exports/{id}",
        SignedIn,
        "导出进度",
        page!(pages::exports::one),
    ),
    Route::post(
        "/exports/{id}/cancel",
        SignedIn,
        "取消导出",
        page!(pages::exports::cancel),
    ),
    Route::get(
        "/exports/{id}/file",
        SignedIn,
        "下载导出文件",
        page!(pages::exports::file),
    ),
];
