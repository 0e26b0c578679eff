//! A list as a file (导出清单): at most so many rows, with who took it, when and where inside the file, and journalled.
//!
//! Deliberately absent: choosing rows and columns; each list knows its own.

use super::format;
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, download};
use crate::words;
use access::Scope;
use anyhow::Context;
use serde_json::json;
use sheets::{Column, Field, Table};
use store::Event;

/// Refuses more rows than a file may have (导出上限).
///
/// # Errors
/// [`Problem::Conflict`] saying how many there are and how many a file takes.
pub(crate) fn few_enough(visit: &Visit, total: u64, most: u64) -> Result<(), Problem> {
    if total <= most {
        return Ok(());
    }
    Err(Problem::Conflict(visit.lang.f(
        "一共 {total} 条，一次最多导出 {most} 条。请先用筛选缩小范围。",
        &[("total", &total), ("most", &most)],
    )))
}

/// Who took it, when, where and for what (水印): the first line of every file.
pub(crate) fn watermark(visit: &Visit, scope: &Scope, total: u64) -> String {
    let lang = visit.lang;
    let values: [(&str, &dyn std::fmt::Display); 5] = [
        ("name", &scope.actor.name),
        ("time", &format::instant(visit.app.db.now())),
        ("place", &visit.place(scope.region)),
        ("purpose", &words::sentence(lang, &scope.purpose.text())),
        ("total", &total),
    ];
    lang.f(
        "导出人 {name}，时间 {time}，范围 {place}，事由 {purpose}，共 {total} 条。内部资料，姓名已打码。",
        &values,
    )
}

/// What is taken out of the house (导出内容).
pub(crate) struct Export<'a> {
    /// The name of the sheet.
    pub(crate) name: &'a str,
    /// The file's name without its ending.
    pub(crate) file: String,
    /// How the journal calls it.
    pub(crate) act: &'a str,
    /// What the journal says it is about: kind and identifier.
    pub(crate) subject: (&'a str, String),
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Field>>,
    pub(crate) total: u64,
}

impl Export<'_> {
    /// Writes the file and the journal, and hands the file over (交付文件).
    ///
    /// # Errors
    /// Faults of the database, or of writing the file.
    pub(crate) async fn answer(self, visit: &Visit, scope: &Scope) -> Answer {
        let table = Table {
            name: self.name.to_owned(),
            notes: vec![watermark(visit, scope, self.total)],
            columns: self.columns,
            rows: self.rows,
            open_rows: 0,
        };
        let rows = json!({ "rows": self.total });
        handed_over(
            visit,
            scope,
            &[table],
            &self.file,
            self.act,
            self.subject,
            rows,
        )
        .await
    }
}

/// Hands tables over as one file, and journals it (交付文件).
///
/// # Errors
/// Faults of the database, or of writing the file.
pub(crate) async fn handed_over(
    visit: &Visit,
    scope: &Scope,
    tables: &[Table],
    file: &str,
    act: &str,
    (kind, id): (&str, String),
    detail: serde_json::Value,
) -> Answer {
    let bytes = sheets::xlsx(tables).context("writing the export")?;
    let mut tx = visit.app.db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: kind.to_owned(),
        subject_id: id,
        region: Some(scope.region),
        detail,
    });
    tx.commit().await?;
    Ok(download(
        &format!("{file}.xlsx"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        bytes,
    ))
}
