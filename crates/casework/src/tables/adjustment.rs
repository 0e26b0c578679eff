//! Rows of `casework_adjustment`: A new standard carried through all cases it touches (标准调整).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_adjustment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub region: String,
    pub programmes: String,
    pub from_month: String,
    pub basis: String,
    pub reverses: Option<Uuid>,
    pub state: String,
    pub pack_version: String,
    pub pack_hash: String,
    pub looked_at: i64,
    pub proposed_by: Uuid,
    pub proposer: String,
    pub proposed_at: DateTimeUtc,
    pub approved_by: Option<Uuid>,
    pub approver: Option<String>,
    pub approved_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
