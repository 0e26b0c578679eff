//! The auditor (监督).

use super::Need::Holds;
use super::Route;
use crate::{lists, pages};
use access::Permission as P;

pub(super) static ROUTES: &[Route] = &[
    // The auditor
    Route::get(
        "/journal",
        Holds(P::ReadJournal),
        "操作日志",
        page!(lists::show::<pages::journal::Entries>),
    ),
    Route::get(
        "/journal/export",
        Holds(P::ReadJournal),
        "导出操作日志",
        page!(lists::export::file::<pages::journal::Entries>),
    )
    .slow(),
    Route::post(
        "/journal/verify",
        Holds(P::ReadJournal),
        "校验日志链",
        page!(pages::journal::verify),
    )
    .slow(),
    Route::get(
        "/audit",
        Holds(P::ReadJournal),
        "年度审计",
        page!(pages::audit::show),
    )
    .slow(),
];
