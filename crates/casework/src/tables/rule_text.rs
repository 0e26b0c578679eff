//! Rows of `casework_rule_text`: Every text that was ever part of the rules in force, once (规则原文).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "casework_rule_text")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sm3: String,
    pub text: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
