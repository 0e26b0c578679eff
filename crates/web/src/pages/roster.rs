//! Importing a household roster (导入花名册): template, a look through the file without writing anything, then all or
//! only what is right, and the rejected rows to correct.
//!
//! The file is kept sealed between the look and the import, so that it is sent once; its mark is only good in the hands of
//! the officer who sent it. What a row means is decided by the register, not here.

use super::pay_file::XLSX;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, download};
use crate::words;
use access::Purpose;
use anyhow::Context;
use maud::{Markup, html};
use registry::roster::{self, CommitRefused, Committed, Mode, Report, RowError};
use store::files::NewFile;
use vocab::ids::FileId;

/// Errors a page shows; all of them stand in the file of rejected rows.
const SHOWN: usize = 200;
/// What a browser offers to choose.
const KINDS: &str = ".xlsx,.xls,.csv";

/// `GET /roster` (导入花名册).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[], None)
}

fn page(visit: &Visit, errors: &[FieldError], result: Option<&Markup>) -> Answer {
    let lang = visit.lang;
    let body = html! {
        @if let Some(result) = result { (result) }
        (piece::section(visit.t("第一步：下载模板，填好"), &html! {
            p { (visit.t("一行填一人，同一户填同一个户编号。身份证号一列要保持“文本”格式。已有自己的表格也可以直接上传，表头写法相近的会自动认出。")) }
            p { a.button href="/roster/template" { (visit.t("下载模板")) } }
        }))
        (piece::section(visit.t("第二步：上传，先检查"), &html! {
            p { (visit.t("上传后只检查，不写入任何数据。")) }
            form method="post" action="/roster" enctype="multipart/form-data" {
                (form::token(visit))
                (field(lang, "file", visit.t("花名册文件")).hint(html! { (visit.t("xlsx、xls 或 csv，最大 20 MB")) })
                    .errors(errors).file(KINDS))
                (form::act(visit.t("上传并检查")))
            }
        }))
    };
    Ok(visit
        .page(visit.t("导入花名册"))
        .nav("/roster")
        .errors(errors)
        .show(&body))
}

/// `GET /roster/template` (下载模板).
///
/// # Errors
/// A fault of the database.
pub async fn template(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Import)?;
    let bytes = roster::template(&visit.app.db, &scope, visit.today()).await?;
    Ok(download("花名册模板.xlsx", XLSX, bytes))
}

/// The mark of a kept file: without it nobody can name a file, and it differs for every officer.
fn mark(visit: &Visit, file: FileId) -> String {
    visit
        .app
        .db
        .keys()
        .blind("web.roster", &format!("{} {file}", visit.actor().officer))
}

/// The file a form names, if the officer who sends the form is the one who sent the file.
async fn kept(visit: &Visit) -> Result<(FileId, Vec<u8>), Problem> {
    let file: FileId = visit
        .form
        .get("file")
        .parse()
        .map_err(|_| Problem::NotFound)?;
    if visit.form.get("mark") != mark(visit, file) {
        return Err(Problem::NotFound);
    }
    let found = visit
        .app
        .db
        .files()
        .get(visit.app.db.conn(), file)
        .await
        .context("reading an uploaded roster")?;
    let (_, bytes) = found.ok_or(Problem::NotFound)?;
    Ok((file, bytes))
}

/// `POST /roster` (上传并检查): a dry run.
///
/// # Errors
/// A fault of the database.
pub async fn check(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Import)?;
    let Some(upload) = visit.files.first() else {
        return page(
            visit,
            &[fault("file", visit.t("请先选择要上传的文件"))],
            None,
        );
    };
    let report = match roster::dry_run(&visit.app.db, &scope, &upload.bytes).await? {
        Ok(report) => report,
        Err(refused) => {
            let sentence = words::sentence(lang, &refused.to_string());
            return page(visit, &[fault("file", sentence)], None);
        }
    };
    let new = NewFile {
        media_type: "application/octet-stream".to_owned(),
        name: Some(upload.name.clone()),
        bytes: upload.bytes.to_vec(),
    };
    let staged = match visit.app.db.files().stage(new).await? {
        Ok(staged) => staged,
        Err(refused) => {
            let sentence = words::sentence(lang, &refused.to_string());
            return page(visit, &[fault("file", sentence)], None);
        }
    };
    let tx = visit.app.db.begin().await?;
    let file = visit.app.db.files().keep(&tx, staged).await?.id;
    tx.commit().await?;
    let found = html! {
        (summary(visit, &report))
        @if report.imported_before.is_none() && report.rows_accepted > 0 {
            form.buttons method="post" action="/roster/commit" {
                (form::token(visit))
                (carried(visit, file))
                @if report.errors.is_empty() {
                    button.primary type="submit" name="mode" value="all" { (visit.t("导入全部")) }
                } @else {
                    button.primary type="submit" name="mode" value="valid" { (visit.t("只导入无误的户")) }
                    span.quiet { (visit.t("或者下载错误行，改正后把整份文件重新上传。")) }
                }
            }
        }
        @if !report.errors.is_empty() {
            (rejected_form(visit, file))
            (errors_table(visit, &report.errors))
        }
    };
    page(
        visit,
        &[],
        Some(&piece::section(visit.t("检查结果"), &found)),
    )
}

fn carried(visit: &Visit, file: FileId) -> Markup {
    html! {
        input type="hidden" name="file" value=(file);
        input type="hidden" name="mark" value=(mark(visit, file));
    }
}

fn rejected_form(visit: &Visit, file: FileId) -> Markup {
    html! {
        form.buttons method="post" action="/roster/rejected" {
            (form::token(visit))
            (carried(visit, file))
            (form::lesser(visit.t("下载错误行")))
        }
    }
}

fn summary(visit: &Visit, report: &Report) -> Markup {
    let lang = visit.lang;
    let count = |number: usize| html! { (format::number(number as u64)) };
    html! {
        @if let Some(at) = report.imported_before {
            div.note role="status" { (lang.f("这份文件已于 {at} 导入过，再次导入不会改变任何数据。", &[("at", &format::instant(at))])) }
        } @else if report.errors.is_empty() {
            div.note role="status" { (visit.t("没有发现错误，可以导入。还没有写入任何数据。")) }
        } @else {
            div.note.warn role="status" {
                (lang.f("有 {count} 处错误。有错的户整户不导入，免得一家人少算几口。还没有写入任何数据。", &[("count", &report.errors.len())]))
            }
        }
        (piece::facts(&[
            (visit.t("读到的人").to_owned(), count(report.rows_read)),
            (visit.t("读到的户").to_owned(), count(report.households_read)),
            (visit.t("可以导入的人").to_owned(), count(report.rows_accepted)),
            (visit.t("新登记的人").to_owned(), count(report.people_new)),
            (visit.t("已登记、有变化的人").to_owned(), count(report.people_changed)),
            (visit.t("已登记、无变化的人").to_owned(), count(report.people_unchanged)),
            (visit.t("新建的户").to_owned(), count(report.households_new)),
        ]))
        @if !report.unknown_columns.is_empty() {
            p.quiet {
                (visit.t("这些列不认识，没有读取："))
                @for (at, column) in report.unknown_columns.iter().enumerate() {
                    @if at > 0 { (visit.t("、")) }
                    (column)
                }
            }
        }
    }
}

fn errors_table(visit: &Visit, errors: &[RowError]) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("工作表")),
        table::number(visit.t("行")),
        table::text(visit.t("列")),
        table::text(visit.t("填写的内容")),
        table::text(visit.t("错在哪里，怎么改")),
    ];
    let rows = errors
        .iter()
        .take(SHOWN)
        .map(|error| {
            table::still(vec![
                html! { (error.sheet) },
                html! { (error.row) },
                html! { (error.column) },
                html! { (error.value_masked) },
                html! { (words::sentence(lang, &error.reason)) },
            ])
        })
        .collect();
    html! {
        (table::table(lang, visit.t("错误"), &columns, rows, "", &visit.query))
        @if errors.len() > SHOWN {
            p.quiet { (lang.f("只显示前 {shown} 处，全部在“下载错误行”的文件里。", &[("shown", &SHOWN)])) }
        }
    }
}

/// `POST /roster/commit` (导入).
///
/// # Errors
/// [`Problem::NotFound`] for a file somebody else sent.
pub async fn commit(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Import)?;
    let (file, bytes) = kept(visit).await?;
    let mode = match visit.form.get("mode") {
        "valid" => Mode::ValidRowsOnly,
        _ => Mode::AllOrNothing,
    };
    let mut tx = visit.app.db.begin().await?;
    match roster::commit(&mut tx, &scope, &bytes, mode).await? {
        Ok(done) => {
            tx.commit().await?;
            let result = html! {
                (committed(visit, &done))
                @if !done.report.errors.is_empty() {
                    (rejected_form(visit, file))
                    (errors_table(visit, &done.report.errors))
                }
            };
            page(
                visit,
                &[],
                Some(&piece::section(visit.t("导入结果"), &result)),
            )
        }
        Err(refused) => {
            tx.rollback().await?;
            let sentence = words::sentence(lang, &refused.to_string());
            let result = match &refused {
                CommitRefused::HasErrors(report) | CommitRefused::NothingValid(report) => Some(
                    html! { (rejected_form(visit, file)) (errors_table(visit, &report.errors)) },
                ),
                CommitRefused::File(_) => None,
            };
            page(visit, &[fault("file", sentence)], result.as_ref())
        }
    }
}

fn committed(visit: &Visit, done: &Committed) -> Markup {
    let lang = visit.lang;
    let report = &done.report;
    html! {
        div.note role="status" {
            @if done.nothing_to_do {
                (visit.t("这份文件以前已经导入过，没有改变任何数据。"))
            } @else {
                (lang.f("已导入：新建 {households} 户，新登记 {new} 人，更新 {changed} 人，未变 {unchanged} 人。", &[
                    ("households", &report.households_new), ("new", &report.people_new),
                    ("changed", &report.people_changed), ("unchanged", &report.people_unchanged),
                ]))
            }
        }
        p { a.button href="/households" { (visit.t("查看家庭")) } }
    }
}

/// `POST /roster/rejected` (下载错误行).
///
/// # Errors
/// [`Problem::NotFound`] for a file somebody else sent.
pub async fn rejected(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Import)?;
    let (_, bytes) = kept(visit).await?;
    let refused = |why: &dyn std::fmt::Display| Problem::invalid(why.to_string());
    let report = roster::dry_run(&visit.app.db, &scope, &bytes)
        .await?
        .map_err(|why| refused(&why))?;
    let bytes = roster::rejected(&bytes, &report)?.map_err(|why| refused(&why))?;
    Ok(download("花名册错误行.xlsx", XLSX, bytes))
}
