//! Life events (生活事件): what happened in the households of this place, and what each event means for their cases.

use crate::lists::{About, Column, Found, List, column};
use crate::locale::key;
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Permission, Purpose, Scope};
use casework::life_event::{self, EventFilter, Kind, LifeEvent, Line};
use casework::review::Differs;
use maud::{Markup, html};
use sheets::{Field, Kind as Cell};
use store::Page;
use vocab::{Money, Region};

/// What kind of event, in words.
pub(crate) fn kind(visit: &Visit, kind: Kind) -> &'static str {
    let (zh, en) = kind.wording();
    visit.lang.pick(zh, en)
}

/// The kind with its age, fact or place.
pub(crate) fn what(visit: &Visit, event: &LifeEvent) -> String {
    let lang = visit.lang;
    let more = match event.kind {
        Kind::Age => lang.f("{age} 岁", &[("age", &event.detail)]),
        Kind::FactEnded => visit.app.desk.book.fact(&event.detail).map_or_else(
            || event.detail.clone(),
            |fact| lang.pick(&fact.label_zh, &fact.label_en).to_owned(),
        ),
        Kind::Hukou | Kind::House => event
            .detail
            .parse::<Region>()
            .map_or_else(|_| event.detail.clone(), |place| visit.place(place)),
        Kind::Death | Kind::Left | Kind::Joined => String::new(),
    };
    if more.is_empty() {
        kind(visit, event.kind).to_owned()
    } else {
        format!("{} {more}", kind(visit, event.kind))
    }
}

/// Life events as somebody asked for them (生活事件).
pub(crate) struct Events {
    scope: Scope,
    filter: EventFilter,
}

impl List for Events {
    type Row = LifeEvent;
    type Beside = ();
    const ABOUT: About = About {
        word: "life_events",
        title: key("生活事件"),
        path: "/life-events",
        rows: 30,
        sees: Permission::SeeCases,
        exports: Permission::ExportCases,
        act: ("web.export_life_events", "cases"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("what", key("发生了什么"), Cell::Text, 24, |at| {
                Field::text(what(at.visit, at.row))
            }),
            column::<Self>("subject", key("对象"), Cell::Text, 12, |at| {
                Field::text(&at.row.subject)
            }),
            column::<Self>("day", key("哪一天"), Cell::Date, 12, |at| {
                Field::Date(at.row.on)
            }),
            column(
                "source",
                key("谁说的（来源）"),
                Cell::Text,
                20,
                |at| Field::text(&at.row.source),
            ),
            column::<Self>("region", key("区划代码"), Cell::Text, 16, |at| {
                Field::text(at.row.region.to_string())
            })
            .aside(),
            column::<Self>("place", key("社区"), Cell::Text, 16, |at| {
                Field::text(at.visit.place(at.row.region))
            }),
            column::<Self>("recorded", key("登记"), Cell::Text, 28, |at| {
                let at_instant = format::instant(at.row.recorded_at);
                Field::text(format!("{} {at_instant}", at.row.recorder))
            }),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Review
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            filter: EventFilter {
                kind: visit.query.some("kind").and_then(Kind::from_word),
                region: listing::chosen_place(visit),
            },
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
    ) -> anyhow::Result<Page<LifeEvent>> {
        life_event::list(&visit.app.db, &self.scope, &self.filter, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&LifeEvent>,
        limit: u64,
    ) -> anyhow::Result<Vec<LifeEvent>> {
        let last = last.map(|row| row.id);
        life_event::after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    fn href(&self, row: &LifeEvent) -> Option<String> {
        Some(format!("/life-events/{}", row.id))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let lang = visit.lang;
        let kinds: Vec<(String, String)> = Kind::ALL
            .into_iter()
            .map(|one| (one.word(), kind(visit, one).to_owned()))
            .collect();
        let all = piece::Figure {
            label: visit.t("全部事件").to_owned(),
            count: found.page.total,
            href: "/life-events".to_owned(),
            tone: "",
            chosen: true,
        };
        let nothing = piece::empty(
            visit.t("还没有生活事件。死亡和迁移在家庭页登记；满龄和事实到期由系统每天核对。"),
            &html! {},
        );
        let body = html! {
            (piece::figures(&[all]))
            form.filters method="get" action="/life-events" {
                (field(lang, "kind", visit.t("种类")).value(visit.query.get("kind")).filter(visit.t("全部种类"), &kinds))
                (listing::place(visit, found.list.scope.region))
                (lesser(visit.t("筛选")))
            }
            (found.table(visit, &nothing))
        };
        Ok(visit
            .page(visit.t("生活事件"))
            .nav("/life-events")
            .wide()
            .acts(found.export(visit))
            .show(&body))
    }
}

/// `GET /life-events/{id}` (生活事件详情); the look is journalled.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn one(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let (event, lines) = life_event::view(&visit.app.db, &scope, visit.id("id")?)
        .await?
        .ok_or(Problem::NotFound)?;
    let evidence = if event.evidence.is_empty() {
        "—".to_owned()
    } else {
        event.evidence.clone()
    };
    let body = html! {
        (piece::section(visit.t("事件"), &piece::facts(&[
            (visit.t("发生了什么").to_owned(), html! { (what(visit, &event)) }),
            (visit.t("对象").to_owned(), html! { (event.subject) }),
            (visit.t("哪一天").to_owned(), html! { (format::date(event.on)) }),
            (visit.t("谁说的（来源）").to_owned(), html! { (event.source) }),
            (visit.t("证明材料").to_owned(), html! { (evidence) }),
            (visit.t("社区").to_owned(), html! { (visit.place(event.region)) }),
            (visit.t("登记").to_owned(), html! { (event.recorder) " " (format::instant(event.recorded_at)) }),
            (visit.t("问了几个事项").to_owned(), html! { (event.looked_at) }),
        ])))
        (piece::section(visit.t("涉及的事项"), &touched(visit, &lines)))
    };
    let note = (visit.query.get("done") == "recorded")
        .then(|| html! { (visit.t("已登记。涉及的办件已转待办，没有自动改变任何金额。")) });
    let acts = html! {
        a.button href=(format!("/households/{}", event.household)) { (visit.t("打开家庭")) }
    };
    Ok(visit
        .page(what(visit, &event))
        .nav("/life-events")
        .back("/life-events", visit.t("生活事件"))
        .acts(acts)
        .note(note)
        .show(&body))
}

/// What differs, in words.
pub(crate) fn differs(visit: &Visit, differs: Differs) -> &'static str {
    let (zh, en) = differs.wording();
    visit.lang.pick(zh, en)
}

fn each_month(visit: &Visit, amount: Option<Money>) -> String {
    amount.map_or_else(
        || "—".to_owned(),
        |amount| format::money(visit.lang, amount),
    )
}

/// The lines of an event as a table: before, after, from when, and what was paid too much or too little.
pub(crate) fn touched(visit: &Visit, lines: &[Line]) -> Markup {
    let lang = visit.lang;
    if lines.is_empty() {
        return html! { p.quiet { (visit.t("没有涉及在发的办件，也没有可能新符合的事项。")) } };
    }
    let columns = [
        table::text(visit.t("事项")),
        table::text(visit.t("对象")),
        table::text(visit.t("变化")),
        table::number(visit.t("现在每月")),
        table::number(visit.t("以后每月")),
        table::text(visit.t("从哪个月起")),
        table::text(visit.t("已发月份")),
        table::text(visit.t("怎么办")),
    ];
    let rows = lines
        .iter()
        .map(|line| {
            let (zh, en) = visit.app.desk.title(&line.programme);
            let cells = vec![
                html! { (lang.pick(&zh, &en)) @if let Some((_, number)) = &line.case { div.quiet { (number) } } },
                html! { (line.subject) },
                html! { (differs(visit, line.differs)) @if !line.said.is_empty() { div.quiet { (line.said) } } },
                html! { (each_month(visit, line.before)) },
                html! { (each_month(visit, line.after)) },
                html! {
                    @if let Some(from) = line.from.filter(|_| line.differs != Differs::Not) { (from) } @else { "—" }
                },
                html! { (back(visit, line.back)) },
                html! {
                    @if let Some(lead) = line.lead { a href=(format!("/leads/{lead}")) { (next(visit, line)) } }
                    @else { (next(visit, line)) }
                },
            ];
            match &line.case {
                Some((case, _)) => table::row(format!("/cases/{case}"), cells),
                None => table::still(cells),
            }
        })
        .collect();
    table::table(
        lang,
        visit.t("涉及的事项"),
        &columns,
        rows,
        "",
        &visit.query,
    )
}

fn back(visit: &Visit, back: Money) -> Markup {
    let lang = visit.lang;
    let amount = format::money(lang, Money::from_fen(back.fen().saturating_abs()));
    html! {
        @if back > Money::ZERO { (lang.f("应补发 {amount}", &[("amount", &amount)])) }
        @else if back < Money::ZERO { strong { (lang.f("已多发 {amount}", &[("amount", &amount)])) } }
        @else { "—" }
    }
}

fn next(visit: &Visit, line: &Line) -> String {
    if !line.result.is_empty() {
        return format!("{} {}", line.result, line.closed_by);
    }
    match line.differs {
        Differs::Not | Differs::Ended => visit.t("不用办").to_owned(),
        Differs::Lead => visit.t("请社区上门告知，愿意的协助申请").to_owned(),
        Differs::ToVerify => visit.t("转街道核实").to_owned(),
        Differs::More | Differs::Less | Differs::People | Differs::NotMet => {
            visit.t("转待办，重新决定").to_owned()
        }
    }
}
