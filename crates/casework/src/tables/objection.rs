//! Rows of `casework_objection`: An objection to a notice (异议).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_objection")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub notice_id: Option<Uuid>,
    pub channel: String,
    pub said: Vec<u8>,
    pub contact: Option<Vec<u8>>,
    pub at: DateTimeUtc,
    pub on_day: Date,
    pub settled_on: Option<Date>,
    pub settlement: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
