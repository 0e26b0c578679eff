//! Rows of `casework_determination`: The rule book's stored answer; never changed (认定结果).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_determination")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub programme: String,
    pub origin: String,
    pub outcome: String,
    pub amount: Option<i64>,
    pub as_of: Date,
    pub known_at: DateTimeUtc,
    pub pack_version: String,
    pub pack_hash: String,
    pub canonical: String,
    pub sm3: String,
    pub excerpt: String,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
