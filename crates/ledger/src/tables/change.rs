//! A change of an entitlement (待遇变更行): append-only; the entitlement's months are what these add up to.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_change")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) entitlement_id: Uuid,
    pub(crate) seq: i64,
    pub(crate) kind: crate::entitlement::ChangeKind,
    pub(crate) from_month: String,
    pub(crate) amount: Option<i64>,
    pub(crate) decision_id: Uuid,
    pub(crate) made_at: DateTimeUtc,
    pub(crate) made_by: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
