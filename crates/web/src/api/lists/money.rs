//! Pay runs, pay lines and rights in payment as lists for programs (发放批次、发放明细、在发待遇).

use super::{rows, text, texts};
use crate::api::kind::Kind;
use crate::api::list::{List, Window, column, filter, perhaps};
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{lists, pages};
use access::Permission;
use ledger::{Entitlement, PayLine, PayRun};
use serde_json::{Value, json};
use store::Page;
use vocab::Money;

/// 发放批次
pub(crate) static PAY_RUNS: List<PayRun> = List {
    name: "pay_runs",
    what: "Pay runs of the area, the newest first",
    personal: true,
    filters: &[filter("month", Kind::Month, "For this month")],
    columns: &[
        column("id", Kind::Id, "The run", |_, row| text(row.id)),
        column("month", Kind::Month, "The month it pays", |_, row| {
            text(row.month)
        }),
        column("region", Kind::Place, "Where", |_, row| text(row.region)),
        perhaps(
            "programmes",
            Kind::Texts,
            "Only these programmes",
            |_, row| json!(row.programmes),
        ),
        column(
            "state",
            Kind::Text,
            "How far it has come: proposed, releasing, released, sent, cancelled",
            |_, row| json!(row.state),
        ),
        column(
            "proposed_at",
            Kind::Instant,
            "When it was proposed",
            |_, row| json!(row.proposed_at),
        ),
        perhaps(
            "released_at",
            Kind::Instant,
            "When it was released",
            |_, row| json!(row.released_at),
        ),
        perhaps(
            "sent_at",
            Kind::Instant,
            "When its file went to the bank",
            |_, row| json!(row.sent_at),
        ),
        perhaps(
            "sent_file",
            Kind::Text,
            "The SM3 of that file, in hex",
            |_, row| json!(row.sent_file),
        ),
    ],
    rows: rows!(runs),
};

async fn runs(visit: &Visit, window: Window) -> Result<Page<PayRun>, Problem> {
    let scope = visit.scope_for(Permission::SeePayRuns, visit.stated()?)?;
    let month = visit.query.some("month").and_then(|text| text.parse().ok());
    Ok(ledger::runs(&visit.app.db, &scope, month, window.offset, window.limit).await?)
}

fn differences() -> Vec<String> {
    pages::pay_lines::DIFFERENCES
        .map(ledger::Difference::word)
        .into()
}

/// 发放明细
pub(crate) static PAY_LINES: List<PayLine> = List {
    name: "pay_lines",
    what: "Pay lines across runs",
    personal: true,
    filters: &[
        filter("month", Kind::Month, "Of runs for this month"),
        filter("month_from", Kind::Month, "Of runs for this month or later"),
        filter("month_to", Kind::Month, "Of runs for this month or before"),
        filter("run", Kind::Id, "Of this run"),
        filter("programme", Kind::Text, "The programme's word"),
        filter("region", Kind::Place, "A place and all under it"),
        filter(
            "difference",
            Kind::Word(differences),
            "How it differs from the month before",
        ),
        filter(
            "released",
            Kind::Word(super::affairs::one),
            "Only what was released and pays something new",
        ),
    ],
    columns: &[
        column("id", Kind::Id, "The line", |_, row| text(row.id)),
        column("run", Kind::Id, "Its run", |_, row| text(row.run)),
        column("seq", Kind::Whole, "Its number in the run", |_, row| {
            json!(row.seq)
        }),
        column(
            "instruction",
            Kind::Text,
            "The number the bank sees; unique for ever",
            |_, row| json!(row.instruction),
        ),
        column("payee", Kind::Id, "Who is paid", |_, row| text(row.payee)),
        column("programme", Kind::Text, "The programme's word", |_, row| {
            json!(row.programme)
        }),
        column("region", Kind::Place, "The place", |_, row| {
            text(row.region)
        }),
        column("month", Kind::Month, "The run's month", |_, row| {
            text(row.month)
        }),
        column(
            "regular",
            Kind::Fen,
            "For the month itself, in fen",
            |_, row| json!(row.regular.fen()),
        ),
        column(
            "arrears",
            Kind::Fen,
            "For months before, in fen",
            |_, row| json!(row.arrears.fen()),
        ),
        column("recovery", Kind::Fen, "Held back, in fen", |_, row| {
            json!(row.recovery.fen())
        }),
        column("net", Kind::Fen, "To the bank, in fen", |_, row| {
            json!(row.net.fen())
        }),
        perhaps(
            "previous",
            Kind::Fen,
            "The month before, in fen",
            |_, row| row.previous.map_or(Value::Null, |one| json!(one.fen())),
        ),
        column(
            "difference",
            Kind::Text,
            "Against the month before",
            |_, row| json!(row.difference.word()),
        ),
        column("state", Kind::Text, "How far it has come", |_, row| {
            json!(row.state)
        }),
        perhaps("bank_code", Kind::Text, "The bank's code", |_, row| {
            json!(row.bank_code)
        }),
        perhaps(
            "reissues",
            Kind::Id,
            "The returned line it sends again",
            |_, row| texts(row.reissues),
        ),
        column("part", Kind::Text, "The part of the programme", |_, row| {
            json!(row.part)
        }),
    ],
    rows: rows!(lists::rows::<pages::pay_lines::Lines>),
};

/// A right with what it comes to in the month asked for.
pub(crate) struct InPayment {
    right: Entitlement,
    amount: Money,
}

/// 在发待遇
pub(crate) static RIGHTS: List<InPayment> = List {
    name: "rights",
    what: "Benefits in payment in a month",
    personal: true,
    filters: &[
        filter(
            "month",
            Kind::Month,
            "In this month; the present one if absent",
        ),
        filter("programme", Kind::Text, "The programme's word"),
        filter("region", Kind::Place, "A place and all under it"),
    ],
    columns: &[
        column("id", Kind::Id, "The right", |_, row| text(row.right.id)),
        column("programme", Kind::Text, "The programme's word", |_, row| {
            json!(row.right.programme)
        }),
        column("part", Kind::Text, "The part of the programme", |_, row| {
            json!(row.right.part)
        }),
        column("payee", Kind::Id, "Who is paid", |_, row| {
            text(row.right.payee)
        }),
        perhaps(
            "household",
            Kind::Id,
            "The household, for a household's benefit",
            |_, row| texts(row.right.household),
        ),
        column("region", Kind::Place, "The place", |_, row| {
            text(row.right.region)
        }),
        column(
            "covered",
            Kind::Whole,
            "How many persons it covers",
            |_, row| json!(row.right.covered.len()),
        ),
        column("from", Kind::Month, "Its first month", |_, row| {
            text(row.right.from)
        }),
        perhaps(
            "until",
            Kind::Month,
            "The first month no longer paid, once known",
            |_, row| texts(row.right.until),
        ),
        column(
            "amount",
            Kind::Fen,
            "What it comes to in the month, in fen",
            |_, row| json!(row.amount.fen()),
        ),
    ],
    rows: rows!(rights),
};

async fn rights(visit: &Visit, window: Window) -> Result<Page<InPayment>, Problem> {
    let scope = visit.scope(visit.stated()?)?;
    let list = <pages::rights::Rights as lists::List>::open(visit, scope).await?;
    let page = lists::List::page(&list, visit, window.offset, window.limit).await?;
    Ok(page.map(|right| InPayment {
        amount: list.amount(&right),
        right,
    }))
}
