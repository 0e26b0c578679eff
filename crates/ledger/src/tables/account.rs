//! An account row (账户行): its two running sums, which the audit compares with the transfers.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_account")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) kind: crate::account::Kind,
    pub(crate) programme: String,
    pub(crate) person_id: Option<Uuid>,
    pub(crate) debits: i64,
    pub(crate) credits: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
