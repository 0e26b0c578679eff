//! Rows of `casework_evidence`: An evidence file of a case (材料).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_evidence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub region: String,
    pub kind: String,
    pub file_id: String,
    pub name: String,
    pub media: String,
    pub size: i64,
    pub note: String,
    pub officer_id: Uuid,
    pub officer: String,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
