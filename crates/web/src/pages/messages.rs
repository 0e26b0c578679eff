//! 告知消息: who was told what, by which way, and how far it came; what was not brought can be found and sent again beside its case.
//!
//! Guarantees: names masked, no numbers, no texts; the texts stand beside their case. Deliberately absent: sending.

use crate::lists::{About, Column, Found, List, column};
use crate::locale::{Lang, key};
use crate::parts::form::field;
use crate::parts::{format, listing};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Permission, Purpose, Scope};
use maud::{Markup, html};
use notify::message::{self, MessageFilter, MessageRow, MessageSort};
use notify::{Channel, Happening, State};
use sheets::{Field, Kind};
use store::Page;

/// What is told of, in words.
pub(crate) fn happening(lang: Lang, one: Option<Happening>) -> &'static str {
    let (zh, en) = one.map_or(("", ""), Happening::wording);
    lang.pick(zh, en)
}

/// The way, in words.
pub(crate) fn channel(lang: Lang, one: Channel) -> &'static str {
    let (zh, en) = one.wording();
    lang.pick(zh, en)
}

/// How far it came, in words.
pub(crate) fn state(lang: Lang, one: State) -> &'static str {
    let (zh, en) = one.wording();
    lang.pick(zh, en)
}

/// The colour of a state's number.
const fn tone(one: State) -> &'static str {
    match one {
        State::Failed | State::Dead => "red",
        State::Off | State::NoAddress | State::Lapsed => "yellow",
        _ => "",
    }
}

fn filter(visit: &Visit) -> MessageFilter {
    let query = &visit.query;
    MessageFilter {
        region: listing::chosen_place(visit),
        number: query.get("number").to_owned(),
        channel: query.some("channel").and_then(Channel::from_word),
        happening: query.some("on").and_then(Happening::from_word),
        states: listing::states(visit, &[], State::from_word),
    }
}

/// Messages as somebody asked for them (告知消息); every look is journalled.
pub(crate) struct Messages {
    scope: Scope,
    filter: MessageFilter,
    sort: (MessageSort, bool),
}

impl List for Messages {
    type Row = MessageRow;
    type Beside = ();
    const ABOUT: About = About {
        word: "messages",
        title: key("告知消息"),
        path: "/messages",
        rows: 30,
        sees: Permission::SeeCases,
        exports: Permission::ExportCases,
        act: ("web.export_messages", "messages"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("number", key("办件号"), Kind::Text, 18, |at| {
                Field::text(&at.row.number)
            }),
            column::<Self>("on", key("事由"), Kind::Text, 16, |at| {
                Field::text(happening(at.lang(), at.row.happening))
            }),
            column::<Self>("name", key("告诉谁"), Kind::Text, 10, |at| {
                Field::text(&at.row.name_masked)
            }),
            column::<Self>("channel", key("渠道"), Kind::Text, 10, |at| {
                Field::text(channel(at.lang(), at.row.channel))
            }),
            column::<Self>("state", key("状态"), Kind::Text, 14, |at| {
                Field::text(state(at.lang(), at.row.state))
            })
            .cell(|at| {
                html! {
                    @if tone(at.row.state) == "red" { strong { (state(at.lang(), at.row.state)) } }
                    @else { (state(at.lang(), at.row.state)) }
                    @if !at.row.reason.is_empty() { div.quiet { (at.row.reason) } }
                }
            }),
            column::<Self>("reason", key("未送达原因"), Kind::Text, 24, |at| {
                Field::text(&at.row.reason)
            })
            .aside(),
            column::<Self>("created_at", key("生成时间"), Kind::Text, 18, |at| {
                Field::text(format::instant(at.row.created_at))
            })
            .sorted(),
            column::<Self>("sent_at", key("发出时间"), Kind::Text, 18, |at| {
                at.row
                    .sent_at
                    .map_or(Field::Empty, |when| Field::text(format::instant(when)))
            }),
            column::<Self>("place", key("社区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.region))
            })
            .sorted(),
            column::<Self>("parts", key("短信条数"), Kind::Integer, 10, |at| {
                Field::Integer(at.row.parts)
            })
            .aside(),
            column::<Self>("resent_by", key("重发人"), Kind::Text, 12, |at| {
                Field::text(&at.row.resent_by)
            })
            .aside(),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Review
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            filter: filter(visit),
            sort: (
                MessageSort::from_word(visit.query.get("sort")),
                listing::falls(visit),
            ),
        })
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn page(
        &self,
        visit: &Visit,
        offset: u64,
        limit: u64,
    ) -> anyhow::Result<Page<MessageRow>> {
        let db = &visit.app.db;
        message::list(db, &self.scope, &self.filter, self.sort, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&MessageRow>,
        limit: u64,
    ) -> anyhow::Result<Vec<MessageRow>> {
        let last = last.map(|row| row.id);
        message::after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    fn href(&self, row: &MessageRow) -> Option<String> {
        Some(format!("/cases/{}/messages", row.case))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let list = &found.list;
        let counts = message::counts(&visit.app.db, &list.scope, &list.filter).await?;
        listing::Worklist {
            standings: listing::standings(State::ALL, &counts, |one| {
                (one.word(), state(visit.lang, one), tone(one))
            })
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect(),
            filters: filters(visit),
            to_do: visit.t("全部状态"),
            nothing: (visit.t("没有这样的消息。"), visit.t("看全部消息")),
            acts: html! {},
        }
        .show(visit, &found)
    }
}

fn filters(visit: &Visit) -> Markup {
    let (lang, query) = (visit.lang, &visit.query);
    let on: Vec<(String, String)> = Happening::all()
        .map(|one| (one.word().to_owned(), happening(lang, Some(one)).to_owned()))
        .collect();
    let channels: Vec<(String, String)> = Channel::ALL
        .into_iter()
        .map(|one| (one.word().to_owned(), channel(lang, one).to_owned()))
        .collect();
    html! {
        (field(lang, "number", visit.t("办件号")).value(query.get("number")).text())
        (field(lang, "on", visit.t("事由")).value(query.get("on")).filter(visit.t("全部事由"), &on))
        (field(lang, "channel", visit.t("渠道")).value(query.get("channel")).filter(visit.t("全部渠道"), &channels))
    }
}
