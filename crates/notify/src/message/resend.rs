//! Sending again (重发): by an officer, of a message that went, or could not go.
//!
//! Guarantees: what still waits is not doubled; whoever does not want it is not sent it by an officer either. Deliberately absent:
//! changing the text; what was said is said again.

use super::{New, State, reached, write};
use crate::carrier::Channel;
use crate::happening::Happening;
use crate::rules::Rules;
use crate::tables::message::{Column, Entity};
use access::{Permission, Scope};
use anyhow::Context;
use casework::told::{About, told};
use chrono::Duration;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use std::collections::BTreeSet;
use store::{Event, Tx, inside};
use uuid::Uuid;
use vocab::ids::{CaseId, PersonId};

/// After so long a message that never left is taken for lost.
const LOST: Duration = Duration::hours(24);

/// Why it was not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such message in the scope.
    #[error("在您的管辖范围内没有这条消息")]
    NotFound,
    /// The officer may not.
    #[error("您的岗位不能重发消息")]
    Denied,
    /// It has not left yet.
    #[error("这条消息还在等待发送，不用重发")]
    Waits,
    /// It was sent again already.
    #[error("这条消息刚重发过，还在等待发送")]
    Again,
    /// There is no number, or no address.
    #[error("没有联系方式，请先登记手机号或电子邮件")]
    NoAddress,
    /// They do not want it.
    #[error("本人不愿接收，不能重发；请改用电话或当面告知")]
    OptedOut,
    /// The way is not set up.
    #[error("这个渠道还没有接通，请联系系统管理员")]
    Off,
}

/// Sends a message again (重发消息).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn resend(
    tx: &mut Tx,
    scope: &Scope,
    rules: &Rules,
    on: &BTreeSet<Channel>,
    id: Uuid,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let row = Entity::find_by_id(id)
        .filter(inside(Column::Region, scope.region))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a message to send again")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotFound));
    };
    let region = row.region.parse().context("a message's place")?;
    if scope.may(Permission::ActOnCases, region).is_err() {
        return Ok(Err(Refused::Denied));
    }
    let state = State::from_word(&row.state).context("a message's state")?;
    let since = row.not_before.unwrap_or(row.created_at);
    if state.waits() && tx.now() - since < LOST {
        return Ok(Err(Refused::Waits));
    }
    let before = Entity::find()
        .filter(Column::Resends.eq(id))
        .filter(Column::State.is_in([State::Queued.word(), State::Held.word()]))
        .one(tx.conn())
        .await
        .context("looking for a message sent again")?;
    if before.is_some() {
        return Ok(Err(Refused::Again));
    }
    let cases = told(tx, scope, &About::Cases(vec![CaseId(row.case_id)])).await?;
    let people = reached(tx, &[PersonId(row.person_id)]).await?;
    let (Some(case), Some(reach)) = (cases.first(), people.values().next()) else {
        return Ok(Err(Refused::NotFound));
    };
    let channel = Channel::from_word(&row.channel).context("a message's way")?;
    match reach.hindrance(channel, on) {
        None => {}
        Some(State::OptedOut) => return Ok(Err(Refused::OptedOut)),
        Some(State::Off) => return Ok(Err(Refused::Off)),
        Some(_) => return Ok(Err(Refused::NoAddress)),
    }
    let new = New {
        once_key: format!("again:{}", tx.new_id()),
        event_seq: row.event_seq,
        happening: Happening::from_word(&row.happening).context("a message's happening")?,
        channel,
        urgent: row.urgent,
        told: case,
        reach,
        text: tx.keys().unseal(&row.text_sealed)?,
        hindrance: None,
        again: Some((id, &scope.actor.name)),
    };
    let again = write(tx, rules.quiet, new).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "notify.resend".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.case_id.to_string(),
        region: Some(region),
        detail: json!({ "message": id, "again": again, "channel": channel.word() }),
    });
    Ok(Ok(again))
}
