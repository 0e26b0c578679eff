//! Rows (数据行): the few ways this crate touches its tables.
//!
//! Guarantees: one case is only ever read through a scope; a case is saved only over the version it was read at.
//! Deliberately absent: deciding anything.

use crate::case::Recorded;
use crate::tables;
use access::Scope;
use anyhow::Context;
use registry::Reading;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use store::{Tx, inside};
use uuid::Uuid;

/// Rows of one INSERT stay below what SQLite can bind.
const PARAMETERS: usize = 30_000;

/// Inserts one row.
pub(crate) async fn insert<E>(tx: &Tx, row: E::Model) -> anyhow::Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    E::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .with_context(|| format!("inserting into {}", E::default().table_name()))?;
    Ok(())
}

/// Inserts many rows, as many a statement as the databases allow.
pub(crate) async fn insert_all<E>(tx: &Tx, rows: Vec<E::Model>) -> anyhow::Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    use sea_orm::Iterable;
    let columns = E::Column::iter().count().max(1);
    let mut rows = rows
        .into_iter()
        .map(IntoActiveModel::into_active_model)
        .peekable();
    while rows.peek().is_some() {
        let some: Vec<E::ActiveModel> = rows.by_ref().take(PARAMETERS / columns).collect();
        E::insert_many(some)
            .exec_without_returning(tx.conn())
            .await
            .with_context(|| format!("inserting into {}", E::default().table_name()))?;
    }
    Ok(())
}

/// A case of the scope; what lies outside is not found.
pub(crate) async fn case_row(
    source: &impl Reading,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Option<tables::case::Model>> {
    tables::case::Entity::find_by_id(id)
        .filter(inside(tables::case::Column::Region, scope.region))
        .one(source.connection())
        .await
        .context("reading a case")
}

/// As [`case_row`], locked for change.
pub(crate) async fn case_row_for_change(
    tx: &Tx,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Option<tables::case::Model>> {
    tables::case::Entity::find_by_id(id)
        .filter(inside(tables::case::Column::Region, scope.region))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a case for change")
}

/// Saves a case over the version it was read at; `false` if somebody was faster.
pub(crate) async fn save_case(
    tx: &Tx,
    row: tables::case::Model,
    read_at: i64,
) -> anyhow::Result<bool> {
    let id = row.id;
    let saved = tables::case::Entity::update_many()
        .set(row.into_active_model().reset_all())
        .filter(tables::case::Column::Id.eq(id))
        .filter(tables::case::Column::Version.eq(read_at))
        .exec(tx.conn())
        .await
        .context("saving a case")?;
    Ok(saved.rows_affected == 1)
}

/// Saves a changed row that has no version of its own; its case's version guards it.
pub(crate) async fn save<E>(tx: &Tx, row: E::Model) -> anyhow::Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    E::update(row.into_active_model().reset_all())
        .validate()
        .with_context(|| format!("preparing a row of {}", E::default().table_name()))?
        .exec(tx.conn())
        .await
        .with_context(|| format!("saving into {}", E::default().table_name()))?;
    Ok(())
}

/// What one table holds of a case (一件的全部行), oldest first: every table of a case has the case and an order of its own.
async fn of_case<E: EntityTrait>(
    source: &impl Reading,
    belongs: E::Column,
    order: E::Column,
    case: Uuid,
) -> anyhow::Result<Vec<E::Model>> {
    E::find()
        .filter(belongs.eq(case))
        .order_by_asc(order)
        .all(source.connection())
        .await
        .with_context(|| format!("reading {} of a case", E::default().table_name()))
}

/// All events of a case, oldest first.
pub(crate) async fn events(
    source: &impl Reading,
    case: Uuid,
) -> anyhow::Result<Vec<tables::event::Model>> {
    use tables::event::{Column, Entity};
    of_case::<Entity>(source, Column::CaseId, Column::Seq, case).await
}

/// The place of the next event of a case; the case's row is held.
pub(crate) async fn next_seq(tx: &Tx, case: Uuid) -> anyhow::Result<i64> {
    let last: Option<Option<i64>> = tables::event::Entity::find()
        .select_only()
        .column_as(tables::event::Column::Seq.max(), "last")
        .filter(tables::event::Column::CaseId.eq(case))
        .into_tuple()
        .one(tx.conn())
        .await
        .context("reading the last event of a case")?;
    Ok(last.flatten().unwrap_or(0) + 1)
}

/// A line on the timeline of a case whose state stays as it is (时间线).
#[derive(Debug, Default)]
pub(crate) struct NewEvent {
    pub(crate) act: String,
    pub(crate) opinion: String,
    /// What was filled in.
    pub(crate) recorded: Recorded,
    pub(crate) determination: Option<Uuid>,
    pub(crate) decision: Option<Uuid>,
}

/// Writes a line on a case's timeline; the case's row is held.
pub(crate) async fn insert_event(
    tx: &Tx,
    scope: &Scope,
    row: &tables::case::Model,
    new: NewEvent,
) -> anyhow::Result<()> {
    let event = tables::event::Model {
        id: tx.new_id(),
        case_id: row.id,
        seq: next_seq(tx, row.id).await?,
        act: new.act,
        at: tx.now(),
        on_day: tx.today(),
        officer_id: scope.actor.officer.0,
        officer: scope.actor.name.clone(),
        from_state: row.state.clone(),
        to_state: row.state.clone(),
        opinion: new.opinion,
        input: serde_json::to_string(&new.recorded)?,
        determination_id: new.determination,
        decision_id: new.decision,
    };
    insert::<tables::event::Entity>(tx, event).await
}

/// All clocks of a case, oldest first.
pub(crate) async fn clocks(
    source: &impl Reading,
    case: Uuid,
) -> anyhow::Result<Vec<tables::clock::Model>> {
    use tables::clock::{Column, Entity};
    of_case::<Entity>(source, Column::CaseId, Column::Id, case).await
}

/// The notices of a case, oldest first.
pub(crate) async fn notices(
    source: &impl Reading,
    case: Uuid,
) -> anyhow::Result<Vec<tables::notice::Model>> {
    use tables::notice::{Column, Entity};
    of_case::<Entity>(source, Column::CaseId, Column::Id, case).await
}

/// The objections to a case, oldest first.
pub(crate) async fn objections(
    source: &impl Reading,
    case: Uuid,
) -> anyhow::Result<Vec<tables::objection::Model>> {
    use tables::objection::{Column, Entity};
    of_case::<Entity>(source, Column::CaseId, Column::Id, case).await
}

/// The oldest objection to a finding of a case that waits for its answer.
pub(crate) async fn open_finding_objection(
    source: &impl Reading,
    case: Uuid,
) -> anyhow::Result<Option<tables::finding_objection::Model>> {
    use tables::finding_objection::{Column, Entity};
    Entity::find()
        .filter(Column::CaseId.eq(case))
        .filter(Column::AnsweredOn.is_null())
        .order_by_asc(Column::Id)
        .one(source.connection())
        .await
        .context("looking for an objection to a finding")
}

/// The evidence files of a case, oldest first.
pub(crate) async fn evidence(
    source: &impl Reading,
    case: Uuid,
) -> anyhow::Result<Vec<tables::evidence::Model>> {
    use tables::evidence::{Column, Entity};
    of_case::<Entity>(source, Column::CaseId, Column::Id, case).await
}

/// The open tasks of a case.
pub(crate) async fn open_tasks(
    source: &impl Reading,
    case: Uuid,
) -> anyhow::Result<Vec<tables::task::Model>> {
    tables::task::Entity::find()
        .filter(tables::task::Column::CaseId.eq(case))
        .filter(tables::task::Column::ClosedAt.is_null())
        .order_by_asc(tables::task::Column::Id)
        .all(source.connection())
        .await
        .context("reading the open tasks of a case")
}
