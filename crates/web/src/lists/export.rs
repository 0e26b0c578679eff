//! A list as a file (清单导出): its columns, its rows, with who took it, when, where and for what inside, and journalled.
//!
//! Deliberately absent: choosing rows; they are those of the page, with the same filter and order.

use super::{At, List, choice};
use crate::parts::export::{Export, few_enough};
use crate::parts::format;
use crate::problem::Answer;
use crate::visit::Visit;
use sheets::Field;

/// `GET` a list's address with `/export` (导出清单).
///
/// # Errors
/// [`crate::problem::Problem::Conflict`] when there are too many rows; a fault of the database.
pub(crate) async fn file<L: List>(visit: &Visit) -> Answer {
    let about = L::ABOUT;
    let scope = visit.scope_for(about.exports, L::purpose())?;
    let list = L::open(visit, scope).await?;
    let most = visit.app.config.export_rows;
    let found = list.page(visit, 0, most).await?;
    few_enough(visit, found.total)?;
    let columns = choice::of_file::<L>(&visit.query);
    let beside = list.beside(visit, &found.rows).await?;
    let rows = found.rows.iter().map(|row| {
        let at = At {
            visit,
            list: &list,
            beside: &beside,
            row,
        };
        columns.iter().map(|column| (column.field)(&at)).collect()
    });
    let rows: Vec<Vec<Field>> = rows.collect();
    let name = visit.lang.look(about.title);
    let (act, kind) = about.act;
    Export {
        name,
        file: format!("{name}-{}", format::date(visit.today())),
        act,
        subject: (kind, visit.request_id.clone()),
        columns: columns
            .iter()
            .map(|column| column.headed(visit.lang))
            .collect(),
        rows,
        total: found.total,
    }
    .answer(visit, list.scope())
    .await
}
