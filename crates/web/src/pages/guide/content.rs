//! What the one sheet says (一次性告知单内容), part by part, before it is a page or a paper.
//!
//! Made from the same packs by which the case is decided, so it cannot promise anything else. What the packs do not say
//! is not made up: a time limit the law does not set is said to be absent.

use super::way::way;
use crate::locale::Lang;
use crate::pages::rule::{in_force, number_of};
use crate::pages::rules::title;
use crate::visit::Visit;
use crate::words;
use casework::procedure::Act;
use casework::procedure::{
    Channel, Doer, Limit, LimitUnit, MayApply, Named, NoticeField, NoticePlace, Procedure,
    PublicityRule, Remedy,
};
use policy::{Every, Kind, Parameter, Programme, Setting, phrasing};
use std::collections::BTreeSet;
use vocab::Citation;

/// A part of the sheet (告知单的一部分).
pub(super) struct Part {
    /// Its heading.
    pub(super) heading: &'static str,
    /// What it says.
    pub(super) blocks: Vec<Block>,
}

/// What stands in a part.
pub(super) enum Block {
    /// A sentence.
    Text(String),
    /// A sentence of less weight.
    Quiet(String),
    /// A heading within the part.
    Under(String),
    /// Points.
    Points(Vec<Point>),
    /// Steps in order.
    Steps(Vec<Point>),
    /// What is paid now.
    Standards(Vec<Standard>),
    /// Standards the reckoning uses besides.
    Besides(Vec<Standard>),
    /// The articles it rests on.
    Law(Vec<Citation>),
}

/// A point: what is stressed, what is said, what is added.
#[derive(Default)]
pub(super) struct Point {
    pub(super) strong: String,
    pub(super) text: String,
    pub(super) note: String,
}

/// A standard in force (现行标准).
pub(super) struct Standard {
    pub(super) what: String,
    pub(super) place: String,
    pub(super) now: Vec<String>,
    pub(super) demo: bool,
    pub(super) source: String,
}

fn point(text: impl Into<String>) -> Point {
    Point {
        text: text.into(),
        ..Point::default()
    }
}

/// What it is about, and the parts in order (全部内容).
pub(super) fn parts(visit: &Visit, programme: &Programme, procedure: &Procedure) -> Vec<Part> {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let part = |heading, blocks| Part { heading, blocks };
    let conditions = phrasing::condition_words(book, programme)
        .into_iter()
        .map(|words| point(lang.pick(&words.asks_zh, &words.asks_en)))
        .collect();
    let who = vec![
        point(list(
            lang,
            procedure.may_apply.iter().map(|may| may_apply(lang, *may)),
        )),
        point(list(
            lang,
            procedure.channels.iter().map(|way| channel(lang, *way)),
        )),
        point(visit.t("可以委托别人代办，代办人带上自己的身份证和委托手续。")),
    ];
    let mut free = vec![Block::Text(
        visit
            .t("申请不收费。任何人以办这件事的名义收钱，请拒绝并打服务热线。")
            .to_owned(),
    )];
    if programme.benefit.every == Every::Order {
        free.push(Block::Text(
            visit.t("服务本身的收费由服务机构公布。").to_owned(),
        ));
    }
    let mut parts = vec![
        part(visit.t("可以得到什么"), gives(visit, programme)),
        part(
            visit.t("什么条件"),
            vec![
                Block::Points(conditions),
                Block::Quiet(visit.t("平台先替您查；查不到的才请您补充。还缺事实时写“待核实”，不会因为缺一项就说您不符合。").to_owned()),
            ],
        ),
        part(visit.t("谁来申请，怎么申请"), vec![Block::Points(who)]),
        part(visit.t("带什么材料"), papers(visit, procedure)),
        part(visit.t("会问到的情况"), asked(visit, &programme.id)),
        part(visit.t("办理步骤"), steps(visit, procedure)),
        part(visit.t("多久办好"), clocks(visit, procedure)),
        part(visit.t("费用"), free),
    ];
    if procedure.review_remedy.is_some() || procedure.suit_remedy.is_some() {
        parts.push(part(
            visit.t("不同意决定怎么办"),
            remedies(visit, procedure),
        ));
    }
    parts.push(part(
        visit.t("依据"),
        vec![Block::Law(basis(programme, procedure))],
    ));
    parts
}

/// Several words in one line.
fn list<'a>(lang: Lang, words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(lang.t("、"))
}

fn gives(visit: &Visit, programme: &Programme) -> Vec<Block> {
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
            let standard = Standard {
                what: parameter.what.clone(),
                place: value
                    .region
                    .map(|region| visit.place(region))
                    .unwrap_or_default(),
                now: set_to(lang, parameter, &value.value),
                demo: value.demo,
                source: value.source.to_string(),
            };
            // What is paid by the month is what people ask about first.
            if parameter.folder == programme.id && parameter.kind == Kind::MoneyPerMonth {
                amounts.push(standard);
            } else {
                others.push(standard);
            }
        }
    }
    let every = match programme.benefit.every {
        Every::Month => visit.t("每月发到本人银行账户。"),
        Every::Year => visit.t("每年一次发到本人银行账户。"),
        Every::Once => visit.t("一次性发到本人银行账户。"),
        Every::Order => visit.t("由机构提供服务。"),
        Every::Status => visit.t("认定身份，凭此享受相应政策。"),
    };
    let mut blocks = vec![Block::Text(every.to_owned())];
    if !amounts.is_empty() {
        blocks.push(Block::Standards(amounts));
    }
    if !others.is_empty() {
        blocks.push(Block::Besides(others));
    }
    if !programme.benefit.excludes.is_empty() {
        let names = programme.benefit.excludes.iter().map(|id| {
            book.programme(id)
                .map_or(id.as_str(), |other| title(lang, other))
        });
        blocks.push(Block::Quiet(format!(
            "{}{}",
            visit.t("不能同时享受："),
            list(lang, names)
        )));
    }
    blocks
}

/// What a parameter is set to, a line a step.
fn set_to(lang: Lang, parameter: &Parameter, setting: &Setting) -> Vec<String> {
    let one = |number: i64| number_of(lang, parameter, number);
    match setting {
        Setting::Single(number) => vec![one(*number)],
        Setting::Steps(steps) => steps
            .iter()
            .map(|(bound, number)| {
                format!(
                    "{} · {}",
                    lang.f("{bound} 起", &[("bound", bound)]),
                    one(*number)
                )
            })
            .collect(),
        Setting::Codes(codes) => codes
            .iter()
            .map(|(code, number)| format!("{code} · {}", one(*number)))
            .collect(),
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
fn papers(visit: &Visit, procedure: &Procedure) -> Vec<Block> {
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
    let mut blocks = vec![Block::Points(vec![
        point(visit.t("申请人和共同生活的人的身份证件（看原件，不收复印件）")),
        point(visit.t("本人银行卡或存折（用来发放）")),
    ])];
    if !others.is_empty() {
        blocks.push(Block::Text(
            visit
                .t("办理中还可能用到（用得到时窗口会告诉您）：")
                .to_owned(),
        ));
        let named = others
            .iter()
            .map(|paper| point(lang.pick(&paper.zh, &paper.en)));
        blocks.push(Block::Points(named.collect()));
    }
    if !officers.is_empty() {
        blocks.push(Block::Text(
            visit.t("下面这些由工作人员制作，不用您准备：").to_owned(),
        ));
        let named = officers.iter().map(|paper| Point {
            text: lang.pick(&paper.zh, &paper.en).to_owned(),
            note: made_by(paper)
                .map(|act| lang.pick(&act.zh, &act.en).to_owned())
                .unwrap_or_default(),
            ..Point::default()
        });
        blocks.push(Block::Points(named.collect()));
    }
    blocks.push(Block::Quiet(
        visit
            .t("缺什么，窗口会一次说清；能从别的部门查到的，不要您再交。")
            .to_owned(),
    ));
    blocks
}

fn asked(visit: &Visit, programme: &str) -> Vec<Block> {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let Some(form) = desk.form(programme) else {
        return vec![Block::Text(visit.t("没有另外的申请表。").to_owned())];
    };
    let mut blocks = Vec::new();
    for page in &form.pages {
        blocks.push(Block::Under(lang.pick(&page.zh, &page.en).to_owned()));
        let facts = page.asks.iter().filter_map(|ask| desk.book.fact(&ask.fact));
        let named = facts.map(|def| point(lang.pick(&def.label_zh, &def.label_en)));
        blocks.push(Block::Points(named.collect()));
    }
    blocks
}

fn steps(visit: &Visit, procedure: &Procedure) -> Vec<Block> {
    let lang = visit.lang;
    let who = |act: &Act| {
        let roles = act.roles.iter().filter_map(|doer| match doer {
            Doer::Officer(role) => Some(words::role(lang, *role)),
            Doer::Public => None,
        });
        list(lang, roles)
    };
    let mut steps = vec![point(visit.t(
        "提出申请：填一张表，平台查得到的已经填好。当场给回执，凭回执编号查进度。",
    ))];
    steps.extend(way(procedure).into_iter().map(|act| {
        let article = act
            .article
            .as_ref()
            .map(|article| visit.app.desk.article_title(article));
        let note = [Some(who(act)), article];
        Point {
            strong: lang.pick(&act.zh, &act.en).to_owned(),
            note: note.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            ..Point::default()
        }
    }));
    let mut blocks = vec![Block::Steps(steps)];
    if let Some(publicity) = &procedure.publicity {
        blocks.push(Block::Text(posted(visit, publicity)));
    }
    blocks
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

fn clocks(visit: &Visit, procedure: &Procedure) -> Vec<Block> {
    let lang = visit.lang;
    if procedure.clocks.is_empty() {
        return vec![Block::Text(visit.t("法规没有规定时限。").to_owned())];
    }
    let clocks = procedure.clocks.iter().map(|clock| {
        let longest = clock.extend_to.map(|longest| {
            let longest = Limit {
                amount: longest,
                unit: clock.limit.unit,
            };
            lang.f(
                "，情况特殊的最长 {longest}",
                &[("longest", &limit(lang, longest))],
            )
        });
        Point {
            strong: limit(lang, clock.limit),
            text: lang.pick(&clock.zh, &clock.en).to_owned(),
            note: format!(
                "{}{}",
                longest.map(|said| format!("{said} · ")).unwrap_or_default(),
                visit.app.desk.article_title(&clock.article)
            ),
        }
    });
    vec![Block::Points(clocks.collect())]
}

fn remedies(visit: &Visit, procedure: &Procedure) -> Vec<Block> {
    let lang = visit.lang;
    let line = |what: &str, remedy: &Remedy| Point {
        text: lang.f(
            "{what}：收到决定后 {limit}内，向{to}提出",
            &[
                ("what", &what),
                ("limit", &limit(lang, remedy.limit)),
                ("to", &lang.pick(&remedy.to_zh, &remedy.to_en)),
            ],
        ),
        note: visit.app.desk.article_title(&remedy.article),
        ..Point::default()
    };
    let both = [
        (visit.t("行政复议"), &procedure.review_remedy),
        (visit.t("行政诉讼"), &procedure.suit_remedy),
    ];
    let lines = both
        .into_iter()
        .filter_map(|(what, remedy)| Some(line(what, remedy.as_ref()?)));
    vec![Block::Points(lines.collect())]
}

/// Every article the programme and its procedure rest on, once.
fn basis(programme: &Programme, procedure: &Procedure) -> Vec<Citation> {
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
    once.into_iter().cloned().collect()
}
