//! The ledger (总账): who is entitled to what from when, what is paid, what came back, and why – to the fen.
//!
//! Guarantees. Every movement of money is a transfer between two accounts and is never changed or deleted; a correction
//! is a new transfer. Every transfer quotes a decision. A person × programme × month × part can be claimed once, and the
//! database itself refuses the second claim, whoever asks, however often, even with two runs at once or after `kill -9`.
//! What a late fact changes in paid months becomes arrears or an overpayment with a recovery; the past stays as it was.
//! Whoever proposes a pay run cannot release it.
//!
//! Deliberately absent: names, account numbers and deaths (the caller says who cannot be paid and why), the rules that
//! decided the amount, bank file formats, pages. A month that is over stays in the amounts of its own day.
//!
//! Reading order: [`entitlement`](mod@entitlement) (the right and its months), [`entitle`](mod@entitle), [`change`](mod@change),
//! [`stop`](mod@stop), [`suspend`](mod@suspend), [`adjust`] (arrears and overpayments), [`recover`]; [`account`],
//! [`transfer`], [`post`] (double entry), [`gate`]; [`payrun`] with its acts; [`correct`](mod@correct);
//! [`statement`](mod@statement), [`totals`](mod@totals), [`figure`], [`stock`], [`audit`](mod@audit); `tables`.
//!
//! ```no_run
//! # async fn example(db: store::Db, first: access::Scope, second: access::Scope) -> anyhow::Result<()> {
//! let new = ledger::NewPayRun { month: "2026-06".parse()?, region: first.region, programmes: None };
//! let obstacles = ledger::Obstacles::default();
//! let mut tx = db.begin().await?;
//! let run = ledger::propose(&mut tx, &first, &new, &obstacles).await??;
//! tx.commit().await?;
//! ledger::release(&db, &second, run.id, "request 17", &obstacles).await??;
//! assert!(ledger::audit(&db, &first, 2026).await?.is_clean());
//! # Ok(()) }
//! ```

pub mod account;
pub mod adjust;
pub mod audit;
pub mod change;
pub mod correct;
pub mod entitle;
pub mod entitlement;
pub mod figure;
pub mod gate;
pub mod payrun;
pub mod post;
pub mod recover;
pub mod relocate;
pub mod rights;
pub mod running;
pub mod statement;
pub mod stock;
pub mod stop;
pub mod suspend;
mod tables;
pub mod totals;
pub mod transfer;

pub use audit::{AuditReport, audit};
pub use change::{NewAmount, change};
pub use correct::correct;
pub use entitle::{NewEntitlement, entitle, entitle_for_year, entitle_many};
pub use entitlement::{
    Entitlement, InPayment, Standing, entitlement, entitlements, entitlements_of, in_payment,
    persons_touched,
};
pub use figure::{LineFigure, LineTotals, line_figures, line_totals};
pub use payrun::bank_return::{BankOutcome, BankResult, bank_return};
pub use payrun::cancel::cancel;
pub use payrun::list::{LineFilter, SummaryRow, line, lines, lines_after, run, runs, summary};
pub use payrun::propose::{NewPayRun, concerned, propose};
pub use payrun::reissue::reissue;
pub use payrun::release::release;
pub use payrun::send::mark_sent;
pub use payrun::{Blocked, Difference, LineState, Obstacles, PayLine, PayRun, RunState};
pub use recover::{
    Recovery, Repayment, open_recoveries, plan_recovery, record_repayment, recoveries_of,
};
pub use relocate::relocate;
pub use rights::rights_within;
pub use running::{running, running_count, settled_in};
pub use statement::{Statement, statement};
pub use stock::{
    RightFigure, RightFilter, RightTotals, right_figures, right_totals, rights_in_payment,
    rights_in_payment_after,
};
pub use stop::{Reinstatement, Stop, reinstate, stop};
pub use suspend::{Resumption, Suspension, resume, suspend};
pub use tables::{MIGRATIONS, migrations};
pub use totals::{TotalRow, totals};
