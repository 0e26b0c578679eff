//! Rows of `casework_letter_print`: A letter printed together with others (合印记录).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_letter_print")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub printing_id: Uuid,
    pub place: i64,
    pub letter_id: Uuid,
    pub lang: String,
    pub officer_id: Uuid,
    pub officer: String,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
