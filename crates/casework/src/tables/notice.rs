//! Rows of `casework_notice`: A public notice (公示).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_notice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub programme: String,
    pub region: String,
    pub place: String,
    pub fields: String,
    pub name: String,
    pub member_count: i64,
    pub amount: Option<i64>,
    pub article: String,
    pub posted_on: Date,
    pub ends_on: Date,
    pub taken_down_on: Option<Date>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
