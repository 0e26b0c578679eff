//! The one sheet about a programme (一次性告知单): everything an applicant has to know, on paper if wanted.
//!
//! Made from the same packs by which the case is decided, so it cannot promise anything else. What the packs do not say
//! is not made up: a time limit the law does not set is said to be absent.

use super::rule::{in_force, setting};
use super::rules::title;
use crate::locale::Lang;
use crate::parts::{law, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use casework::procedure::{
    Act, Channel, Doer, Limit, LimitUnit, MayApply, Named, NoticeField, NoticePlace, Procedure,
    PublicityRule, Remedy, StateKind,
};
use maud::{Markup, PreEscaped, html};
use policy::{Every, Kind, Programme, phrasing};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use vocab::Citation;

/// `GET /programmes/{id}` (一次性告知单).
///
/// # Errors
/// [`Problem::NotFound`] for a programme nobody can apply for here.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let book = &desk.book;
    let id = visit.part("id");
    let programme = book.programme(id).ok_or(Problem::NotFound)?;
    let procedure = desk.procedure(id).ok_or(Problem::NotFound)?;
    let place = book.place();
    // On paper the sheet leads back to itself, to what holds on the day it is read.
    let base = visit.app.config.base_url.trim_end_matches('/');
    let link = format!("{base}/programmes/{id}");
    let body = html! {
        p.lead { (lang.pick(&programme.summary_zh, &programme.summary_en)) }
        (piece::section(visit.t("可以得到什么"), &gives(visit, programme)))
        (piece::section(visit.t("什么条件"), &html! {
            ul.bullets {
                @for words in phrasing::condition_words(book, programme) {
                    li { (lang.pick(&words.asks_zh, &words.asks_en)) }
                }
            }
            p.quiet { (visit.t("平台先替您查；查不到的才请您补充。还缺事实时写“待核实”，不会因为缺一项就说您不符合。")) }
        }))
        (piece::section(visit.t("谁来申请，怎么申请"), &html! {
            ul.bullets {
                li { (list(lang, procedure.may_apply.iter().map(|may| may_apply(lang, *may)))) }
                li { (list(lang, procedure.channels.iter().map(|way| channel(lang, *way)))) }
                li { (visit.t("可以委托别人代办，代办人带上自己的身份证和委托手续。")) }
            }
        }))
        (piece::section(visit.t("带什么材料"), &papers(visit, procedure)))
        (piece::section(visit.t("会问到的情况"), &asked(visit, id)))
        (piece::section(visit.t("办理步骤"), &steps(visit, procedure)))
        (piece::section(visit.t("多久办好"), &clocks(visit, procedure)))
        (piece::section(visit.t("费用"), &html! {
            p { (visit.t("申请不收费。任何人以办这件事的名义收钱，请拒绝并打服务热线。")) }
            @if programme.benefit.every == Every::Order { p { (visit.t("服务本身的收费由服务机构公布。")) } }
        }))
        (piece::section(visit.t("在哪里办"), &html! {
            p { (lang.f("{place}任何一个街道、社区的服务窗口；走不开的可以申请上门办理。", &[
                ("place", &lang.pick(&place.name_zh, &place.name_en)),
            ])) }
            p { (visit.t("服务热线")) " " a href=(format!("tel:{}", visit.app.config.help_line)) { (visit.app.config.help_line) } }
            p { a href="/progress" { (visit.t("查询办理进度")) } }
            div.qr { (PreEscaped(papers::qr_svg(&link)?)) }
            p.quiet { (visit.t("扫码在手机上看本页。")) " " code { (link) } }
        }))
        @if procedure.review_remedy.is_some() || procedure.suit_remedy.is_some() {
            (piece::section(visit.t("不同意决定怎么办"), &remedies(visit, procedure)))
        }
        (piece::section(visit.t("依据"), &basis(visit, programme, procedure)))
        p.quiet { (visit.t("规则版本")) " " (book.version()) }
    };
    let acts = html! {
        button type="button" data-print="" hidden { (visit.t("打印")) }
    };
    Ok(visit
        .page(lang.f(
            "{title}：一次性告知单",
            &[("title", &title(lang, programme))],
        ))
        .back("/programmes", visit.t("办事事项"))
        .acts(acts)
        .show(&body))
}

/// Several words in one line.
fn list<'a>(lang: Lang, words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(lang.t("、"))
}

fn gives(visit: &Visit, programme: &Programme) -> Markup {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let mut amounts = Vec::new();
    let mut others = Vec::new();
    for parameter in phrasing::parameters(book, programme) {
        for value in parameter
            .values
            .iter()
            .filter(|value| in_force(parameter, value, visit.today()))
        {
            let row = table::still(vec![
                html! {
                    span lang="zh-CN" { (parameter.what) }
                    @if let Some(region) = value.region { " · " (visit.place(region)) }
                },
                html! {
                    (setting(lang, parameter, &value.value))
                    @if value.demo { " " (piece::tag(visit.t("演示"))) }
                },
                html! { span lang="zh-CN" { (value.source) } },
            ]);
            // What is paid by the month is what people ask about first.
            if parameter.folder == programme.id && parameter.kind == Kind::MoneyPerMonth {
                amounts.push(row);
            } else {
                others.push(row);
            }
        }
    }
    let standards = |rows| {
        let columns = [
            table::text(visit.t("标准")),
            table::text(visit.t("现在是")),
            table::text(visit.t("来源")),
        ];
        table::table(lang, visit.t("标准"), &columns, rows, "", &visit.query)
    };
    let every = match programme.benefit.every {
        Every::Month => visit.t("每月发到本人银行账户。"),
        Every::Year => visit.t("每年一次发到本人银行账户。"),
        Every::Once => visit.t("一次性发到本人银行账户。"),
        Every::Order => visit.t("由机构提供服务。"),
        Every::Status => visit.t("认定身份，凭此享受相应政策。"),
    };
    html! {
        p { (every) }
        @if !amounts.is_empty() { (standards(amounts)) }
        @if !others.is_empty() {
            details.act-form { summary { (visit.t("计算时还用到的标准")) } (standards(others)) }
        }
        @if !programme.benefit.excludes.is_empty() {
            p.quiet {
                (visit.t("不能同时享受：")) (list(lang, programme.benefit.excludes.iter().map(|id| {
                    book.programme(id).map_or(id.as_str(), |other| title(lang, other))
                })))
            }
        }
    }
}

fn may_apply(lang: Lang, may: MayApply) -> &'static str {
    match may {
        MayApply::Member => lang.t("家庭成员本人"),
        MayApply::Guardian => lang.t("监护人"),
        MayApply::Agent => lang.t("受委托的人"),
        MayApply::Committee => lang.t("居（村）委会代为申请"),
        MayApply::Organisation => lang.t("所在机构"),
    }
}

fn channel(lang: Lang, channel: Channel) -> &'static str {
    match channel {
        Channel::Window => lang.t("到窗口"),
        Channel::HomeVisit => lang.t("工作人员上门"),
        Channel::Online => lang.t("网上"),
        Channel::Post => lang.t("邮寄"),
        Channel::Referral => lang.t("由其他部门转来"),
    }
}

/// The papers: those an act on the way needs are made by the officers; the others may come up.
fn papers(visit: &Visit, procedure: &Procedure) -> Markup {
    let lang = visit.lang;
    let way = way(procedure);
    let made_by = |paper: &Named| {
        way.iter()
            .find(|act| act.needs.evidence.contains(&paper.id))
    };
    let (officers, others): (Vec<&Named>, Vec<&Named>) = procedure
        .evidence
        .iter()
        .partition(|paper| made_by(paper).is_some());
    html! {
        ul.bullets {
            li { (visit.t("申请人和共同生活的人的身份证件（看原件，不收复印件）")) }
            li { (visit.t("本人银行卡或存折（用来发放）")) }
        }
        @if !others.is_empty() {
            p { (visit.t("办理中还可能用到（用得到时窗口会告诉您）：")) }
            ul.bullets { @for paper in others { li { (lang.pick(&paper.zh, &paper.en)) } } }
        }
        @if !officers.is_empty() {
            p { (visit.t("下面这些由工作人员制作，不用您准备：")) }
            ul.bullets {
                @for paper in officers {
                    li {
                        (lang.pick(&paper.zh, &paper.en))
                        @if let Some(act) = made_by(paper) { span.quiet { " · " (lang.pick(&act.zh, &act.en)) } }
                    }
                }
            }
        }
        p.quiet { (visit.t("缺什么，窗口会一次说清；能从别的部门查到的，不要您再交。")) }
    }
}

fn asked(visit: &Visit, programme: &str) -> Markup {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let Some(form) = desk.form(programme) else {
        return html! { p { (visit.t("没有另外的申请表。")) } };
    };
    html! {
        @for page in &form.pages {
            h3 { (lang.pick(&page.zh, &page.en)) }
            ul.bullets {
                @for def in page.asks.iter().filter_map(|ask| desk.book.fact(&ask.fact)) {
                    li { (lang.pick(&def.label_zh, &def.label_en)) }
                }
            }
        }
    }
}

/// The way from the application to the benefit, act by act: over the public notice where there is one, else the shortest;
/// before each act that moves the case, the acts it needs.
fn way(procedure: &Procedure) -> Vec<&Act> {
    let notice = procedure
        .states
        .iter()
        .find(|state| state.kind == StateKind::Publicity);
    let Some(goal) = procedure.in_force() else {
        return Vec::new();
    };
    let moves = match notice {
        None => shortest(procedure, &procedure.start, &goal.id),
        Some(notice) => {
            let mut moves = shortest(procedure, &procedure.start, &notice.id);
            moves.extend(shortest(procedure, &notice.id, &goal.id));
            moves
        }
    };
    let mut way: Vec<&Act> = Vec::new();
    for act in moves {
        let needed = act.needs.acts.iter().filter_map(|id| procedure.act(id));
        for act in needed.chain([act]) {
            if way.iter().all(|before| before.id != act.id) {
                way.push(act);
            }
        }
    }
    way
}

/// The fewest acts from one state to another, without sending the applicant for more papers.
fn shortest<'a>(procedure: &'a Procedure, from: &'a str, to: &str) -> Vec<&'a Act> {
    let mut came_by: BTreeMap<&str, (&str, &Act)> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(state) = open.pop_front() {
        for act in procedure.acts_from(state) {
            let Some(next) = act.to.as_deref() else {
                continue;
            };
            let waits = procedure
                .state(next)
                .is_some_and(|state| state.kind == StateKind::Waiting);
            if next != from && !waits && !came_by.contains_key(next) {
                came_by.insert(next, (state, act));
                open.push_back(next);
            }
        }
    }
    let mut acts = Vec::new();
    let mut at = to;
    while let Some((before, act)) = came_by.get(at) {
        acts.push(*act);
        at = before;
        if at == from {
            break;
        }
    }
    acts.reverse();
    acts
}

fn steps(visit: &Visit, procedure: &Procedure) -> Markup {
    let lang = visit.lang;
    let who = |act: &Act| {
        let roles = act.roles.iter().filter_map(|doer| match doer {
            Doer::Officer(role) => Some(words::role(lang, *role)),
            Doer::Public => None,
        });
        list(lang, roles)
    };
    html! {
        ol.steps-list {
            li { (visit.t("提出申请：填一张表，平台查得到的已经填好。当场给回执，凭回执编号查进度。")) }
            @for act in way(procedure) {
                li {
                    strong { (lang.pick(&act.zh, &act.en)) } " "
                    span.quiet {
                        (who(act))
                        @if let Some(article) = &act.article { " · " (visit.app.desk.article_title(article)) }
                    }
                }
            }
        }
        @if let Some(publicity) = &procedure.publicity { p { (posted(visit, publicity)) } }
    }
}

fn posted(visit: &Visit, publicity: &PublicityRule) -> String {
    let lang = visit.lang;
    let fields = publicity.fields.iter().map(|field| match field {
        NoticeField::Name => lang.t("申请人姓名"),
        NoticeField::MemberCount => lang.t("人数"),
        NoticeField::Amount => lang.t("金额"),
    });
    let place = match publicity.place {
        NoticePlace::Community => lang.t("社区"),
        NoticePlace::Street => lang.t("街道"),
        NoticePlace::District => lang.t("区"),
    };
    lang.f(
        "初审意见在{place}公示 {days} 天，只公示{fields}（{article}）。",
        &[
            ("place", &place),
            ("days", &publicity.days),
            ("fields", &list(lang, fields)),
            ("article", &visit.app.desk.article_title(&publicity.article)),
        ],
    )
}

fn limit(lang: Lang, limit: Limit) -> String {
    let amount = limit.amount;
    match limit.unit {
        LimitUnit::WorkingDays => lang.f("{amount} 个工作日", &[("amount", &amount)]),
        LimitUnit::Days => lang.f("{amount} 天", &[("amount", &amount)]),
        LimitUnit::Months => lang.f("{amount} 个月", &[("amount", &amount)]),
    }
}

fn clocks(visit: &Visit, procedure: &Procedure) -> Markup {
    let lang = visit.lang;
    html! {
        @if procedure.clocks.is_empty() { p { (visit.t("法规没有规定时限。")) } }
        ul.bullets {
            @for clock in &procedure.clocks {
                li {
                    (lang.pick(&clock.zh, &clock.en)) " " strong { (limit(lang, clock.limit)) }
                    @if let Some(longest) = clock.extend_to {
                        (lang.f("，情况特殊的最长 {longest}", &[
                            ("longest", &limit(lang, Limit { amount: longest, unit: clock.limit.unit })),
                        ]))
                    }
                    span.quiet { " · " (visit.app.desk.article_title(&clock.article)) }
                }
            }
        }
    }
}

fn remedies(visit: &Visit, procedure: &Procedure) -> Markup {
    let lang = visit.lang;
    let line = |what: &str, remedy: &Remedy| {
        html! {
            li {
                (lang.f("{what}：收到决定后 {limit}内，向{to}提出", &[
                    ("what", &what), ("limit", &limit(lang, remedy.limit)), ("to", &lang.pick(&remedy.to_zh, &remedy.to_en)),
                ]))
                span.quiet { " · " (visit.app.desk.article_title(&remedy.article)) }
            }
        }
    };
    html! {
        ul.bullets {
            @if let Some(remedy) = &procedure.review_remedy { (line(visit.t("行政复议"), remedy)) }
            @if let Some(remedy) = &procedure.suit_remedy { (line(visit.t("行政诉讼"), remedy)) }
        }
    }
}

/// Every article the programme and its procedure rest on, once.
fn basis(visit: &Visit, programme: &Programme, procedure: &Procedure) -> Markup {
    let book = &visit.app.desk.book;
    let conditions = programme
        .conditions
        .iter()
        .filter_map(|condition| condition.versions.last())
        .map(|version| &version.article);
    let once: BTreeSet<&Citation> = [&programme.benefit.article, &procedure.article]
        .into_iter()
        .chain(conditions)
        .chain(procedure.clocks.iter().map(|clock| &clock.article))
        .collect();
    html! { @for citation in once { (law::quote(book, citation)) } }
}

#[cfg(test)]
mod tests {
    use super::way;
    use casework::Desk;
    use std::path::Path;

    #[test]
    fn the_way_to_every_benefit_begins_at_the_start_and_ends_in_force() {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let desk = Desk::load(&packs, "national").unwrap();
        let mut seen = 0;
        for procedure in desk.procedures() {
            let way = way(procedure);
            let first = way
                .first()
                .unwrap_or_else(|| panic!("{}", procedure.programme));
            assert!(
                first.from.contains(&procedure.start),
                "{}",
                procedure.programme
            );
            let goal = procedure.in_force().map(|state| state.id.clone());
            assert_eq!(way.last().unwrap().to, goal, "{}", procedure.programme);
            seen += 1;
        }
        assert!(seen > 0);
    }
}
