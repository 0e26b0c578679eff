//! Rows of `casework_decision`: A decision on a case; never changed (决定).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_decision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub kind: String,
    pub determination_id: Option<Uuid>,
    pub decided_on: Date,
    pub from_month: Option<String>,
    pub amount: Option<i64>,
    pub grounds: String,
    pub opinion: String,
    pub officer_id: Uuid,
    pub officer: String,
    pub foreign_number: Option<String>,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
