//! Rows of `casework_review`: When a case is looked at again (定期核查安排).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_review")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub case_id: Uuid,
    pub programme: String,
    pub region: String,
    pub class: String,
    pub counted_from: Date,
    pub due_on: Date,
    pub warn_on: Option<Date>,
    pub shows_from: Date,
    pub provisional: bool,
    pub task_id: Option<Uuid>,
    pub done_on: Option<Date>,
    pub done_by: String,
    pub outcome: Option<String>,
    pub said: String,
    pub determination_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
