//! Rows of `casework_adjustment_line`: What a new standard means for one case (调整明细).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_adjustment_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub adjustment_id: Uuid,
    pub case_id: Uuid,
    pub number: String,
    pub programme: String,
    pub region: String,
    pub subject_masked: String,
    pub amount_before: i64,
    pub amount_after: Option<i64>,
    pub difference: String,
    pub result: Option<String>,
    pub said: String,
    pub determination_id: Option<Uuid>,
    pub decision_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
