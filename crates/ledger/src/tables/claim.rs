//! A claim row (领取登记行): the wall against paying twice; append-only.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_claim")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) person_id: Uuid,
    pub(crate) programme: String,
    pub(crate) month: String,
    pub(crate) part: String,
    pub(crate) kind: crate::payrun::ItemKind,
    pub(crate) region: String,
    pub(crate) entitlement_id: Uuid,
    pub(crate) line_id: Uuid,
    /// What was claimed, on one row of an item; the other covered persons' rows carry zero.
    pub(crate) amount: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
