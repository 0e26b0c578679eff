//! Filters an officer keeps (保存的筛选): a name for what a list is narrowed to, sorted by and showing; one may be the default.
//!
//! Guarantees: kept for the account; shared only with who holds the same role in the same region, and removed by who saved it
//! alone. The query is sealed: somebody's name may be looked for in it. Deliberately absent: rights; a filter opens nothing that
//! its list does not. Like other preferences it is written without an entry in the journal.

use crate::tables::{default_filter, saved_filter};
use crate::{Actor, Permission, Role};
use anyhow::Context;
use saved_filter::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use store::{Db, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::OfficerId;

/// So many filters are shown of a list, one's own first.
const MOST: u64 = 50;

/// A filter to be kept (新筛选).
#[derive(Debug, Clone)]
pub struct NewFilter {
    /// The list's word.
    pub list: String,
    /// What it is called.
    pub name: String,
    /// Its filter, order and columns.
    pub query: String,
    /// With whom it is shared, if with anybody.
    pub shared: Option<(Role, Region)>,
}

/// A kept filter as an officer sees it (保存的筛选).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFilter {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Its filter, order and columns.
    pub query: String,
    /// Whether this officer saved it.
    pub own: bool,
    /// Whether it is shared.
    pub shared: bool,
    /// Whether it is this officer's default.
    pub default: bool,
}

/// The role and region in which somebody holds a permission (共享范围): colleagues with the same see the same.
pub fn circle(actor: &Actor, permission: Permission) -> Option<(Role, Region)> {
    let region = actor.region_of(permission)?;
    let mut held = actor.roles.iter().copied();
    held.find(|(role, at)| *at == region && actor.carries(permission, *role))
}

/// Keeps a filter (保存筛选); one's own of the same name is replaced and stays what it was, also the default.
///
/// # Errors
/// Faults of the database.
pub async fn save(tx: &mut Tx, officer: OfficerId, new: &NewFilter) -> anyhow::Result<Uuid> {
    let before = Entity::find()
        .filter(Column::OfficerId.eq(officer.0))
        .filter(Column::List.eq(&new.list))
        .filter(Column::Name.eq(&new.name))
        .one(tx.conn())
        .await
        .context("looking for a saved filter")?;
    let id = before.as_ref().map_or_else(|| tx.new_id(), |row| row.id);
    let row = ActiveModel {
        id: Set(id),
        officer_id: Set(officer.0),
        list: Set(new.list.clone()),
        name: Set(new.name.clone()),
        query: Set(tx.keys().seal(&new.query)),
        shared_role: Set(new.shared.map(|(role, _)| role.code().to_owned())),
        shared_region: Set(new.shared.map(|(_, region)| region.to_string())),
        saved_at: Set(tx.now()),
    };
    let written = if before.is_some() {
        Entity::update_many()
            .set(row)
            .filter(Column::Id.eq(id))
            .exec(tx.conn())
            .await
            .map(drop)
    } else {
        Entity::insert(row)
            .exec_without_returning(tx.conn())
            .await
            .map(drop)
    };
    written.context("saving a filter")?;
    Ok(id)
}

/// One's own and those of colleagues with the same role in the same region.
fn visible(actor: &Actor, list: &str) -> Condition {
    let mut whose = Condition::any().add(Column::OfficerId.eq(actor.officer.0));
    for (role, region) in &actor.roles {
        whose = whose.add(
            Condition::all()
                .add(Column::SharedRole.eq(role.code()))
                .add(Column::SharedRegion.eq(region.to_string())),
        );
    }
    Condition::all().add(Column::List.eq(list)).add(whose)
}

async fn default_id(db: &Db, officer: OfficerId, list: &str) -> anyhow::Result<Option<Uuid>> {
    let found = default_filter::Entity::find_by_id((officer.0, list.to_owned()))
        .one(db.conn())
        .await
        .context("reading a default filter")?;
    Ok(found.map(|row| row.filter_id))
}

fn read(db: &Db, actor: &Actor, default: Option<Uuid>, row: Model) -> anyhow::Result<SavedFilter> {
    Ok(SavedFilter {
        id: row.id,
        name: row.name,
        query: db.keys().unseal(&row.query)?,
        own: row.officer_id == actor.officer.0,
        shared: row.shared_role.is_some(),
        default: default == Some(row.id),
    })
}

/// The filters an officer sees of a list (可用的筛选), one's own first, by name.
///
/// # Errors
/// Faults of the database.
pub async fn seen(db: &Db, actor: &Actor, list: &str) -> anyhow::Result<Vec<SavedFilter>> {
    let rows = Entity::find()
        .filter(visible(actor, list))
        .order_by_desc(Column::OfficerId.eq(actor.officer.0))
        .order_by_asc(Column::Name)
        .order_by_asc(Column::Id)
        .limit(MOST)
        .all(db.conn())
        .await
        .context("reading saved filters")?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let default = default_id(db, actor.officer, list).await?;
    rows.into_iter()
        .map(|row| read(db, actor, default, row))
        .collect()
}

/// What a list opens with for this officer (默认筛选), as long as it is there to be seen.
///
/// # Errors
/// Faults of the database.
pub async fn default_of(db: &Db, actor: &Actor, list: &str) -> anyhow::Result<Option<SavedFilter>> {
    let Some(id) = default_id(db, actor.officer, list).await? else {
        return Ok(None);
    };
    Entity::find()
        .filter(visible(actor, list))
        .filter(Column::Id.eq(id))
        .one(db.conn())
        .await
        .context("reading the default filter")?
        .map(|row| read(db, actor, Some(id), row))
        .transpose()
}

/// Makes one of the filters seen the default of a list, or none (设为默认).
///
/// # Errors
/// Faults of the database.
pub async fn set_default(
    tx: &Tx,
    officer: OfficerId,
    list: &str,
    id: Option<Uuid>,
) -> anyhow::Result<()> {
    use default_filter::{ActiveModel, Column, Entity};
    let Some(id) = id else {
        Entity::delete_by_id((officer.0, list.to_owned()))
            .exec(tx.conn())
            .await
            .context("taking a default filter away")?;
        return Ok(());
    };
    let row = ActiveModel {
        officer_id: Set(officer.0),
        list: Set(list.to_owned()),
        filter_id: Set(id),
    };
    let again = OnConflict::columns([Column::OfficerId, Column::List])
        .update_column(Column::FilterId)
        .to_owned();
    Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(tx.conn())
        .await
        .context("keeping a default filter")?;
    Ok(())
}

/// Removes a filter (删除筛选); `false` for one somebody else saved.
///
/// # Errors
/// Faults of the database.
pub async fn remove(tx: &Tx, officer: OfficerId, id: Uuid) -> anyhow::Result<bool> {
    let removed = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(Column::OfficerId.eq(officer.0))
        .exec(tx.conn())
        .await
        .context("removing a saved filter")?;
    Ok(removed.rows_affected == 1)
}
