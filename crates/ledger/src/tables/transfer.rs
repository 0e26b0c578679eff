//! A transfer row (记账分录行): immutable.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transfer")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) batch: Uuid,
    pub(crate) debit_id: Uuid,
    pub(crate) credit_id: Uuid,
    pub(crate) amount: i64,
    pub(crate) code: crate::transfer::Code,
    pub(crate) decision_id: Uuid,
    pub(crate) entitlement_id: Uuid,
    pub(crate) payee_id: Uuid,
    pub(crate) programme: String,
    pub(crate) region: String,
    pub(crate) month: String,
    pub(crate) line_id: Option<Uuid>,
    pub(crate) source_id: Option<Uuid>,
    pub(crate) reverses: Option<Uuid>,
    pub(crate) reference: String,
    pub(crate) posted_at: DateTimeUtc,
    pub(crate) posted_by: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
