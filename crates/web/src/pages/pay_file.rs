//! The bank's files (银行文件、回盘): a run's file out, marked as sent; the bank's answer in.
//!
//! What comes back becomes a task at the window of the person's place, in the same transaction as the answer itself.

use super::pay_run::{found, page};
use crate::parts::form::{FieldError, fault};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, download};
use crate::words;
use access::{Purpose, Role, Scope};
use casework::procedure::TaskKind;
use casework::task::{NewTask, open_task};
use exchange::bank_file::Refused;
use exchange::bank_return::RowFault;
use exchange::{BankFile, Format};
use ledger::payrun::bank_return::{self, BankReturned};
use ledger::payrun::send;
use maud::{Markup, html};
use std::collections::BTreeMap;
use store::Tx;

/// The media type of xlsx files.
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Rows not taken in that a page shows.
const SHOWN: usize = 200;

/// How the programmes are called on the payees' statements.
fn purposes(visit: &Visit) -> BTreeMap<String, String> {
    visit
        .app
        .desk
        .book
        .programmes()
        .iter()
        .map(|programme| (programme.id.clone(), programme.title_zh.clone()))
        .collect()
}

/// Why there is no file, as faults of the page.
fn why_not(visit: &Visit, refused: &Refused) -> Vec<FieldError> {
    let lang = visit.lang;
    let mut wrong = vec![fault("", words::sentence(lang, &refused.to_string()))];
    if let Refused::Lines(lines) = refused {
        wrong.extend(lines.iter().take(SHOWN).map(|(number, why)| {
            let why = words::sentence(lang, &why.to_string());
            fault(
                "",
                lang.f(
                    "第 {number} 笔：{why}",
                    &[("number", number), ("why", &why)],
                ),
            )
        }));
    }
    wrong
}

async fn the_file(
    visit: &Visit,
    tx: &mut Tx,
    scope: &Scope,
    format: Format,
) -> Result<Result<BankFile, Vec<FieldError>>, Problem> {
    let id = visit.id("id")?;
    let made = exchange::bank_file(&visit.app.db, tx, scope, id, format, &purposes(visit)).await?;
    match made {
        Ok(file) => Ok(Ok(file)),
        Err(Refused::NotFound) => Err(Problem::NotFound),
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => Ok(Err(why_not(visit, &refused))),
    }
}

/// `POST /pay-runs/{id}/file` (下载银行文件): it is made at the first asking, so this is not a mere reading.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn file(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Payment)?;
    let (format, media) = match visit.form.get("format") {
        "xlsx" => (Format::Xlsx, XLSX),
        _ => (Format::CsvGb18030, "text/csv; charset=gb18030"),
    };
    let mut tx = visit.app.db.begin().await?;
    match the_file(visit, &mut tx, &scope, format).await? {
        Ok(file) => {
            tx.commit().await?;
            Ok(download(&file.name, media, file.bytes))
        }
        Err(wrong) => {
            tx.rollback().await?;
            page(visit, &wrong, None).await
        }
    }
}

/// `POST /pay-runs/{id}/sent` (标记已送银行).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn sent(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Payment)?;
    let (_, run) = found(visit).await?;
    let mut tx = visit.app.db.begin().await?;
    let file = match the_file(visit, &mut tx, &scope, Format::CsvGb18030).await? {
        Ok(file) => file,
        Err(wrong) => {
            tx.rollback().await?;
            return page(visit, &wrong, None).await;
        }
    };
    match ledger::mark_sent(&mut tx, &scope, run.id, &file.sm3).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/pay-runs/{}?done=sent", run.id))
        }
        Err(send::Refused::NotFound) => Err(Problem::NotFound),
        Err(send::Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault("", sentence)], None).await
        }
    }
}

/// `POST /pay-runs/{id}/return` (导入回盘).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn answer(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Payment)?;
    let (_, run) = found(visit).await?;
    let Some(upload) = visit.files.first() else {
        return page(
            visit,
            &[fault("file", visit.t("请先选择要上传的文件"))],
            None,
        )
        .await;
    };
    let read = match exchange::bank_return::read(&upload.bytes) {
        Ok(read) => read,
        Err(unreadable) => {
            let sentence = words::sentence(lang, &unreadable.to_string());
            return page(visit, &[fault("file", sentence)], None).await;
        }
    };
    let mut tx = visit.app.db.begin().await?;
    let done = ledger::bank_return(&mut tx, &scope, run.id, &read.sm3, &read.results).await?;
    match done {
        Ok(done) => {
            let tasks = open_tasks(&mut tx, &scope, &done).await?;
            tx.commit().await?;
            page(visit, &[], Some(&result(visit, &done, &read.faults, tasks))).await
        }
        Err(bank_return::Refused::NotFound) => Err(Problem::NotFound),
        Err(bank_return::Refused::Denied(denied)) => Err(denied.into()),
        Err(refused @ bank_return::Refused::NotSent) => {
            tx.rollback().await?;
            let sentence = words::sentence(lang, &refused.to_string());
            page(visit, &[fault("file", sentence)], None).await
        }
    }
}

/// A task for every line that came back, at the window of its case; the answer is how many.
async fn open_tasks(tx: &mut Tx, scope: &Scope, done: &BankReturned) -> anyhow::Result<u64> {
    let mut opened = 0;
    for id in &done.returned_lines {
        let Some(line) = ledger::line(tx.conn(), scope, *id).await? else {
            continue;
        };
        // A payment taken over from elsewhere may quote a decision without a case here; the line itself still shows it.
        let Some(case) = casework::view::by_decision(tx, scope, line.decision).await? else {
            continue;
        };
        let task = NewTask {
            case,
            kind: TaskKind::ReturnedPayment,
            role: Role::WindowOfficer,
            due_on: None,
            detail: line.bank_reason.unwrap_or_default(),
        };
        if open_task(tx, scope, task).await?.is_some() {
            opened += 1;
        }
    }
    Ok(opened)
}

fn result(visit: &Visit, done: &BankReturned, faults: &[RowFault], tasks: u64) -> Markup {
    let lang = visit.lang;
    let count = |number: u64| html! { (format::number(number)) };
    let mut wrong: Vec<(u32, String, String)> = done
        .not_taken
        .iter()
        .map(|row| {
            (
                row.row,
                row.instruction.clone(),
                words::sentence(lang, &row.why.to_string()),
            )
        })
        .chain(faults.iter().map(|row| {
            (
                row.row,
                String::new(),
                words::sentence(lang, &row.why.to_string()),
            )
        }))
        .collect();
    wrong.sort();
    let columns = [
        table::number(visit.t("行")),
        table::text(visit.t("指令号")),
        table::text(visit.t("为什么没有处理，怎么办")),
    ];
    let rows = wrong
        .iter()
        .take(SHOWN)
        .map(|(row, instruction, why)| {
            table::still(vec![
                html! { (row) },
                html! { (instruction) },
                html! { (why) },
            ])
        })
        .collect();
    piece::section(
        visit.t("回盘结果"),
        &html! {
            (piece::facts(&[
                (visit.t("已到账").to_owned(), count(done.settled)),
                (visit.t("银行退回").to_owned(), count(done.returned)),
                (visit.t("以前已导入").to_owned(), count(done.unchanged)),
                (visit.t("还没有回音").to_owned(), count(done.outstanding)),
                (visit.t("没有处理的行").to_owned(), count(wrong.len() as u64)),
            ]))
            @if done.returned > 0 {
                p { (lang.f("退回的 {returned} 笔列在下面；已给窗口登记 {tasks} 条待办，请其联系本人更正账户。账户更正后打开明细点“重发”。", &[
                    ("returned", &done.returned), ("tasks", &tasks),
                ])) }
            }
            @if !wrong.is_empty() { (table::table(lang, visit.t("没有处理的行"), &columns, rows, "", &visit.query)) }
        },
    )
}
