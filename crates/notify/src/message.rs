//! Messages to people (告知消息): who was told what, when, by which way, and how far it came.
//!
//! Guarantees: only of the scope; names masked, texts sealed and shown beside their case only, where the look is journalled; a
//! message that could not leave stays with its reason; sending again is a message of its own, by a named officer. Deliberately
//! absent: the number it went to.

mod list;
mod resend;

pub use list::{MessageFilter, MessageRow, MessageSort, after, counts, list, of_case};
pub use resend::{Refused, resend};

use crate::carrier::Channel;
use crate::contact::{Contact, contacts};
use crate::happening::Happening;
use crate::hours::Quiet;
use crate::tables::message::{Entity, Model};
use crate::text::parts;
use access::{Scope, mask_name};
use anyhow::Context;
use casework::told::Told;
use chrono::{DateTime, Utc};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::Tx;
use store::outbox::{self, NewMessage};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::PersonId;

/// How far a message came (消息状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// 待发送
    Queued,
    /// 等免打扰时段过后发送
    Held,
    /// 已发出
    Sent,
    /// 已送达
    Delivered,
    /// 对方不收
    Failed,
    /// 多次未能发出
    Dead,
    /// 渠道没有接通
    Off,
    /// 没有号码或地址
    NoAddress,
    /// 本人不愿接收
    OptedOut,
    /// 时间已过，不再告知
    Lapsed,
}

impl State {
    /// All, in the order a message may take (全部).
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Held,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Dead,
        Self::Off,
        Self::NoAddress,
        Self::OptedOut,
        Self::Lapsed,
    ];

    /// Its word in tables and addresses (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Off => "off",
            Self::NoAddress => "no_address",
            Self::OptedOut => "opted_out",
            Self::Lapsed => "lapsed",
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Queued => ("待发送", "to be sent"),
            Self::Held => ("等早上发送", "waits for the morning"),
            Self::Sent => ("已发出", "sent"),
            Self::Delivered => ("已送达", "delivered"),
            Self::Failed => ("对方不收", "refused"),
            Self::Dead => ("多次未发出", "could not be sent"),
            Self::Off => ("渠道未接通", "channel not set up"),
            Self::NoAddress => ("没有联系方式", "no number or address"),
            Self::OptedOut => ("本人不愿接收", "not wanted"),
            Self::Lapsed => ("时间已过", "too late"),
        }
    }

    /// Whether it is still to leave (是否待发).
    pub const fn waits(self) -> bool {
        matches!(self, Self::Queued | Self::Held)
    }
}

/// What is known of whoever is to be told.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) person: PersonId,
    pub(crate) name_masked: String,
    has_phone: bool,
    dead: bool,
    pub(crate) contact: Contact,
}

impl Reach {
    /// Why nothing can go this way now; `None` when it can.
    fn hindrance(&self, channel: Channel, on: &BTreeSet<Channel>) -> Option<State> {
        let known = match channel {
            Channel::Sms => self.has_phone,
            Channel::Email => !self.contact.email_masked.is_empty(),
        };
        if self.dead || !known {
            Some(State::NoAddress)
        } else if self.contact.objects(channel) {
            Some(State::OptedOut)
        } else if !on.contains(&channel) {
            Some(State::Off)
        } else {
            None
        }
    }
}

/// What is known of the people concerned by some cases, by the identifier the case has.
pub(crate) async fn reached(
    tx: &Tx,
    people: &[PersonId],
) -> anyhow::Result<BTreeMap<PersonId, Reach>> {
    let now = registry::merging::survivors(tx, people).await?;
    let means: Vec<PersonId> = people
        .iter()
        .map(|id| now.get(id).copied().unwrap_or(*id))
        .collect();
    // Whoever has moved away is still told about their case here.
    let scope = Scope::system(Region::NATION);
    let rows = registry::people::rows(tx, &scope, &means).await?;
    let mut wants = contacts(tx, &means).await?;
    let known: BTreeMap<PersonId, Reach> = rows
        .into_iter()
        .map(|row| {
            let reach = Reach {
                person: row.id,
                name_masked: mask_name(&row.name),
                has_phone: row.phone_masked.is_some(),
                dead: row.died_on.is_some(),
                contact: wants.remove(&row.id).unwrap_or_default(),
            };
            (row.id, reach)
        })
        .collect();
    Ok(people
        .iter()
        .zip(means)
        .filter_map(|(asked, means)| Some((*asked, known.get(&means)?.clone())))
        .collect())
}

/// By which ways somebody is told: all that are open; where none is, the first, with what stands in its way.
pub(crate) fn ways(
    reach: &Reach,
    channels: &[Channel],
    on: &BTreeSet<Channel>,
) -> Vec<(Channel, Option<State>)> {
    let all = channels
        .iter()
        .map(|channel| (*channel, reach.hindrance(*channel, on)));
    let open: Vec<_> = all.clone().filter(|(_, why)| why.is_none()).collect();
    if open.is_empty() {
        all.take(1).collect()
    } else {
        open
    }
}

/// A message about to be written.
pub(crate) struct New<'a> {
    pub(crate) once_key: String,
    pub(crate) event_seq: i64,
    pub(crate) happening: Happening,
    pub(crate) channel: Channel,
    pub(crate) urgent: bool,
    pub(crate) told: &'a Told,
    pub(crate) reach: &'a Reach,
    pub(crate) text: String,
    /// What stands in its way.
    pub(crate) hindrance: Option<State>,
    /// The message it sends again, and who does.
    pub(crate) again: Option<(Uuid, &'a str)>,
}

/// Writes a message, and puts it into the outbox if nothing stands in its way.
pub(crate) async fn write(tx: &mut Tx, quiet: Quiet, new: New<'_>) -> anyhow::Result<Uuid> {
    let now = tx.now();
    let until: Option<DateTime<Utc>> = if new.urgent { None } else { quiet.ends(now) };
    let (id, state) = match new.hindrance {
        Some(state) => (tx.new_id(), state),
        None => {
            let message = NewMessage {
                channel: new.channel.word().to_owned(),
                // The number is taken out at sending, not before.
                recipient: new.reach.person.to_string(),
                body: json!({}),
                subject_kind: "case".to_owned(),
                subject_id: new.told.case.to_string(),
                not_before: until,
            };
            let id = outbox::post(tx, message).await?;
            (
                id,
                if until.is_some() {
                    State::Held
                } else {
                    State::Queued
                },
            )
        }
    };
    let row = Model {
        id,
        once_key: new.once_key,
        event_seq: new.event_seq,
        happening: new.happening.word().to_owned(),
        channel: new.channel.word().to_owned(),
        urgent: new.urgent,
        case_id: new.told.case.0,
        case_number: new.told.number.clone(),
        region: new.told.region.to_string(),
        person_id: new.reach.person.0,
        name_masked: new.reach.name_masked.clone(),
        parts: i64::try_from(parts(&new.text))?,
        text_sealed: tx.keys().seal(&new.text),
        state: state.word().to_owned(),
        reason: String::new(),
        created_at: now,
        not_before: until.filter(|_| state == State::Held),
        sent_at: None,
        settled_at: None,
        resends: new.again.map(|(id, _)| id),
        resent_by: new.again.map_or("", |(_, name)| name).to_owned(),
    };
    Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("writing a message")?;
    Ok(id)
}
