//! Reading `procedure.toml` (读取办理程序): from text to a checked [`Procedure`], or all its faults at once.
//!
//! Pure: the texts of the packs and the rule book go in. What a key means is said in [`crate::procedure`]. Deliberately absent: the
//! acts, which are read in `read_act`, and what holds between the parts, which is checked in `check`.

use super::check::{check_act, check_ways};
use super::read_act::read_acts;
use super::read_review::read_review;
use super::{
    Applies, Channel, ClockRule, Effect, Limit, LimitUnit, MayApply, Named, NoticeField,
    NoticePlace, Offered, Procedure, PublicityRule, Remedy, SamplingRule, State, StateKind,
};
use crate::like;
use crate::pack_texts::{Kind, PackTexts};
use crate::source_text::{At, Node, SourceText};
use access::Role;
use policy::{Book, Fault, Programme};
use std::collections::BTreeSet;
use vocab::Citation;
use vocab::region::Level;

/// Reads a programme's procedure (读取办理程序) with all it is like; `None` if it has none.
///
/// # Errors
/// Every fault of the texts, with its place.
pub(crate) fn read(
    book: &Book,
    programme: &Programme,
    texts: &PackTexts,
) -> Option<Result<Procedure, Vec<Fault>>> {
    let source = texts.programme(Kind::Procedure, &programme.id)?;
    Some(source.and_then(|source| read_source(book, programme, texts, source)))
}

fn read_source(
    book: &Book,
    programme: &Programme,
    texts: &PackTexts,
    source: SourceText,
) -> Result<Procedure, Vec<Fault>> {
    let procedure = {
        let merged = like::merged(&source, &like::PROCEDURE);
        read_top(book, programme, texts, &Node::top(&source, &merged))
    };
    let faults = source.into_faults();
    match procedure {
        Some(procedure) if faults.is_empty() => Ok(procedure),
        _ => Err(faults),
    }
}

fn read_top(
    book: &Book,
    programme: &Programme,
    texts: &PackTexts,
    top: &Node<'_>,
) -> Option<Procedure> {
    let source = top.source();
    let states = read_states(top);
    let evidence = read_named(top, "evidence", "id");
    let clocks = read_clocks(top, book);
    let acts = read_acts(book, programme, texts, top);
    let publicity = top
        .maybe_table("publicity")
        .and_then(|node| read_publicity(book, node));
    let sampling = top
        .maybe_table("sampling")
        .and_then(|node| read_sampling(book, node));
    let review = top
        .maybe_table("review")
        .and_then(|node| read_review(book, programme, node));
    let (review_remedy, suit_remedy) = match top.maybe_table("remedies") {
        Some(node) => {
            let both = (
                read_remedy(book, &node, "review"),
                read_remedy(book, &node, "suit"),
            );
            node.finish();
            both
        }
        None => (None, None),
    };
    let Some(head) = top.maybe_table("procedure") else {
        top.fault("缺少 [procedure]");
        return None;
    };
    let applies = if head.has("applies") {
        word(
            &head,
            "applies",
            &[
                ("household", Applies::Household),
                ("person", Applies::Person),
            ],
        )
    } else {
        Some(unit_of(programme))
    };
    let may_apply = words(
        &head,
        "may_apply",
        &[
            ("member", MayApply::Member),
            ("guardian", MayApply::Guardian),
            ("agent", MayApply::Agent),
            ("committee", MayApply::Committee),
            ("organisation", MayApply::Organisation),
        ],
    );
    let channels = words(
        &head,
        "channels",
        &[
            ("window", Channel::Window),
            ("home_visit", Channel::HomeVisit),
            ("online", Channel::Online),
            ("post", Channel::Post),
            ("referral", Channel::Referral),
        ],
    );
    let start = head.text("start");
    let decided_by = word(
        &head,
        "decided_by",
        &[
            ("community", Level::Community),
            ("street", Level::Street),
            ("district", Level::District),
            ("prefecture", Level::Prefecture),
            ("province", Level::Province),
        ],
    );
    let offered = if head.has("offered") {
        word(
            &head,
            "offered",
            &[
                ("to_all", Offered::ToAll),
                ("on_request", Offered::OnRequest),
            ],
        )
    } else {
        Some(Offered::OnRequest)
    };
    let article = read_article(book, &head, "article", true);
    let receipt = read_letter(texts, programme, &head, "receipt");
    if may_apply.is_empty() {
        head.fault("may_apply 至少要写一种申请人");
    }
    if channels.is_empty() {
        head.fault("channels 至少要写一种渠道");
    }
    if programme.to == policy::Unit::Organisation {
        head.fault(
            "给机构的事项还不能在这里受理，不写 procedure.toml；金额由经办人用 evaluate 计算",
        );
    }
    if applies.is_some_and(|applies| applies != unit_of(programme)) {
        head.fault(
            "applies 与 rules.toml 中 [benefit] 的 to 不一致：家庭写 household，个人写 person",
        );
    }
    head.finish();
    top.finish();

    let known: BTreeSet<&str> = states.iter().map(|at| at.value.id.as_str()).collect();
    if let Some(start) = &start
        && !known.contains(start.value.as_str())
    {
        source.fault(&start.span, format!("没有名为 {} 的状态", start.value));
    }
    let act_ids: BTreeSet<String> = acts.iter().map(|act| act.act.id.clone()).collect();
    let clock_ids: BTreeSet<String> = clocks.iter().map(|clock| clock.rule.id.clone()).collect();
    let evidence_ids: BTreeSet<String> = evidence.iter().map(|named| named.id.clone()).collect();
    for act in &acts {
        check_act(
            source,
            programme,
            act,
            &known,
            &act_ids,
            &clock_ids,
            &evidence_ids,
        );
    }
    for clock in &clocks {
        for (list, submission_too) in [(&clock.starts_on, true), (&clock.stops_on, false)] {
            for at in list {
                if !(act_ids.contains(&at.value) || submission_too && at.value == "submit") {
                    source.fault(
                        &at.span,
                        format!("时限 {} 提到的行为 {} 不存在", clock.rule.id, at.value),
                    );
                }
            }
        }
        for at in &clock.pauses_in {
            if !known.contains(at.value.as_str()) {
                source.fault(
                    &at.span,
                    format!("时限 {} 提到的状态 {} 不存在", clock.rule.id, at.value),
                );
            }
        }
    }
    if let Some(sampling) = &sampling
        && !act_ids.contains(&sampling.on.value)
    {
        source.fault(
            &sampling.on.span,
            format!("抽查所依的行为 {} 不存在", sampling.on.value),
        );
    }
    let posts = acts
        .iter()
        .any(|act| act.act.effect == Effect::StartPublicity);
    if posts && publicity.is_none() && !top.has("publicity") {
        top.fault("有公示的行为，却没有 [publicity]");
    }
    if !posts && top.has("publicity") {
        top.fault("写了 [publicity]，却没有任何行为开始公示（effect = \"start_publicity\"）");
    }
    if let Some(start) = &start {
        check_ways(source, &states, &acts, &start.value);
    }
    Some(Procedure {
        programme: programme.id.clone(),
        applies: applies?,
        may_apply,
        channels,
        start: start?.value,
        decided_by: decided_by?,
        offered: offered?,
        article: article?,
        receipt,
        review_remedy,
        suit_remedy,
        states: states.into_iter().map(|at| at.value).collect(),
        acts: acts.into_iter().map(|act| act.act).collect(),
        evidence,
        clocks: clocks.into_iter().map(|clock| clock.rule).collect(),
        publicity,
        sampling: sampling.map(|sampling| sampling.rule),
        review,
    })
}

pub(super) fn unit_of(programme: &Programme) -> Applies {
    match programme.to {
        // A programme for organisations has no procedure; `read` refuses it.
        policy::Unit::Household | policy::Unit::Organisation => Applies::Household,
        policy::Unit::Person => Applies::Person,
    }
}

pub(super) fn word<T: Copy>(
    node: &Node<'_>,
    key: &'static str,
    choices: &[(&str, T)],
) -> Option<T> {
    let at = node.text(key)?;
    let found = choices
        .iter()
        .find(|(word, _)| *word == at.value)
        .map(|(_, value)| *value);
    if found.is_none() {
        node.source()
            .fault(&at.span, unknown_word(key, &at.value, choices));
    }
    found
}

pub(super) fn words<T: Copy>(node: &Node<'_>, key: &'static str, choices: &[(&str, T)]) -> Vec<T> {
    let mut found = Vec::new();
    for at in node.texts(key) {
        match choices.iter().find(|(word, _)| *word == at.value) {
            Some((_, value)) => found.push(*value),
            None => node
                .source()
                .fault(&at.span, unknown_word(key, &at.value, choices)),
        }
    }
    found
}

pub(super) fn unknown_word<T>(key: &str, word: &str, choices: &[(&str, T)]) -> String {
    let allowed: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    format!("{key} 不能是 {word}；只能是 {}", allowed.join("、"))
}

pub(super) fn read_article(
    book: &Book,
    node: &Node<'_>,
    key: &'static str,
    obligatory: bool,
) -> Option<Citation> {
    let at = if obligatory {
        node.text(key)?
    } else {
        node.maybe_text(key)?
    };
    let citation: Citation = match at.value.parse() {
        Ok(citation) => citation,
        Err(fault) => {
            node.source().fault(&at.span, format!("{fault}"));
            return None;
        }
    };
    if crate::law::article(book, &citation).is_none() {
        node.source().fault(
            &at.span,
            format!("law.md 中没有 {citation} 这一条；请先把条文抄进 law.md"),
        );
    }
    Some(citation)
}

pub(super) fn read_letter(
    texts: &PackTexts,
    programme: &Programme,
    node: &Node<'_>,
    key: &'static str,
) -> Option<String> {
    let at = node.maybe_text(key)?;
    if texts.letter(programme, &at.value).is_none() {
        node.source()
            .fault(&at.span, format!("没有文书模板 letters/{}.typ", at.value));
    }
    Some(at.value)
}

pub(super) fn read_role(node: &Node<'_>, at: &At<String>) -> Option<Role> {
    let role = at.value.parse().ok();
    if role.is_none() {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.code()).collect();
        node.source().fault(
            &at.span,
            format!("没有名为 {} 的岗位；岗位有 {}", at.value, known.join("、")),
        );
    }
    role
}

fn read_states(top: &Node<'_>) -> Vec<At<State>> {
    let mut states: Vec<At<State>> = Vec::new();
    for node in top.tables("state") {
        let id = node.text("id");
        let wording = node.wording();
        let kind = word(
            &node,
            "kind",
            &[
                ("working", StateKind::Working),
                ("waiting", StateKind::Waiting),
                ("publicity", StateKind::Publicity),
                ("in_force", StateKind::InForce),
                ("suspended", StateKind::Suspended),
                ("final", StateKind::Final),
            ],
        );
        let desk = node.maybe_text("desk").and_then(|at| read_role(&node, &at));
        if !node.has("desk") && matches!(kind, Some(StateKind::Working | StateKind::Publicity)) {
            node.fault("办理中和公示中的状态要写 desk：轮到哪个岗位办理");
        }
        let public_zh = node.maybe_text("public_zh").map(|at| at.value);
        let public_en = node.maybe_text("public_en").map(|at| at.value);
        if public_zh.is_some() != public_en.is_some() {
            node.fault("public_zh 和 public_en 要么都写，要么都不写");
        }
        let span = node.span.clone();
        if let (Some(id), Some((zh, en)), Some(kind)) = (id, wording, kind) {
            if states.iter().any(|other| other.value.id == id.value) {
                node.source()
                    .fault(&id.span, format!("状态 {} 写了两次", id.value));
            }
            states.push(At {
                value: State {
                    id: id.value,
                    kind,
                    desk,
                    public_zh: public_zh.unwrap_or_else(|| zh.clone()),
                    public_en: public_en.unwrap_or_else(|| en.clone()),
                    zh,
                    en,
                },
                span,
            });
        }
        node.finish();
    }
    if states.is_empty() {
        top.fault("至少要有一个 [[state]]");
    }
    states
}

pub(super) fn read_named(top: &Node<'_>, list: &'static str, key: &'static str) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    for node in top.tables(list) {
        let id = node.text(key);
        let wording = node.wording();
        if let (Some(id), Some((zh, en))) = (id, wording) {
            if all.iter().any(|other| other.id == id.value) {
                node.source()
                    .fault(&id.span, format!("{} 写了两次", id.value));
            }
            all.push(Named {
                id: id.value,
                zh,
                en,
            });
        }
        node.finish();
    }
    all
}

pub(super) fn read_limit(node: &Node<'_>) -> Option<Limit> {
    let amount = node.number("amount", 1..2_000);
    let unit = word(
        node,
        "unit",
        &[
            ("wd", LimitUnit::WorkingDays),
            ("d", LimitUnit::Days),
            ("m", LimitUnit::Months),
        ],
    );
    Some(Limit {
        amount: u16::try_from(amount?.value).ok()?,
        unit: unit?,
    })
}

fn read_remedy(book: &Book, node: &Node<'_>, key: &'static str) -> Option<Remedy> {
    let remedy = node.maybe_table(key)?;
    let limit = read_limit(&remedy);
    let article = read_article(book, &remedy, "article", true);
    let to_zh = remedy.text("to_zh");
    let to_en = remedy.text("to_en");
    remedy.finish();
    Some(Remedy {
        limit: limit?,
        article: article?,
        to_zh: to_zh?.value,
        to_en: to_en?.value,
    })
}

fn read_publicity(book: &Book, node: Node<'_>) -> Option<PublicityRule> {
    let days = node.number("days", 1..366);
    let article = read_article(book, &node, "article", true);
    let fields = words(
        &node,
        "fields",
        &[
            ("name", NoticeField::Name),
            ("member_count", NoticeField::MemberCount),
            ("amount", NoticeField::Amount),
        ],
    );
    if fields.is_empty() {
        node.fault("公示内容 fields 不能为空");
    }
    let place = word(
        &node,
        "place",
        &[
            ("community", NoticePlace::Community),
            ("street", NoticePlace::Street),
            ("district", NoticePlace::District),
        ],
    );
    node.finish();
    Some(PublicityRule {
        days: u16::try_from(days?.value).ok()?,
        article: article?,
        fields,
        place: place?,
    })
}

struct SamplingAt {
    rule: SamplingRule,
    on: At<String>,
}

fn read_sampling(book: &Book, node: Node<'_>) -> Option<SamplingAt> {
    let on = node.text("on");
    let rate = node.number("rate_percent", 1..101);
    let desk = node.text("desk").and_then(|at| read_role(&node, &at));
    let within = node.maybe_table("within").and_then(|limit| {
        let read = read_limit(&limit);
        limit.finish();
        read
    });
    let article = read_article(book, &node, "article", true);
    node.finish();
    let on = on?;
    Some(SamplingAt {
        rule: SamplingRule {
            on: on.value.clone(),
            rate_percent: u8::try_from(rate?.value).ok()?,
            desk: desk?,
            within,
            article: article?,
        },
        on,
    })
}

struct ClockAt {
    rule: ClockRule,
    starts_on: Vec<At<String>>,
    stops_on: Vec<At<String>>,
    pauses_in: Vec<At<String>>,
}

fn read_clocks(top: &Node<'_>, book: &Book) -> Vec<ClockAt> {
    let mut clocks: Vec<ClockAt> = Vec::new();
    for node in top.tables("clock") {
        let id = node.text("id");
        let wording = node.wording();
        let limit = read_limit(&node);
        let starts_on = node.texts("starts_on");
        let stops_on = node.texts("stops_on");
        let pauses_in = node.texts("pauses_in");
        let extend_to = node.maybe_number("extend_to", 1..2_000);
        let article = read_article(book, &node, "article", true);
        if starts_on.is_empty() {
            node.fault("时限要写 starts_on：从哪个行为起算");
        }
        if stops_on.is_empty() {
            node.fault("时限要写 stops_on：到哪个行为为止");
        }
        if let (Some(limit), Some(extend_to)) = (limit, &extend_to)
            && extend_to.value < u32::from(limit.amount)
        {
            node.source()
                .fault(&extend_to.span, "extend_to 不能小于 amount");
        }
        if limit.is_some_and(|limit| limit.unit == LimitUnit::Months) && !pauses_in.is_empty() {
            node.fault("按月计算的时限不能中止（pauses_in）；请改用 wd 或 d");
        }
        if let (Some(id), Some((zh, en)), Some(limit), Some(article)) =
            (id, wording, limit, article)
        {
            if clocks.iter().any(|other| other.rule.id == id.value) {
                node.source()
                    .fault(&id.span, format!("时限 {} 写了两次", id.value));
            }
            let plain = |list: &[At<String>]| list.iter().map(|at| at.value.clone()).collect();
            clocks.push(ClockAt {
                rule: ClockRule {
                    id: id.value,
                    zh,
                    en,
                    limit,
                    starts_on: plain(&starts_on),
                    stops_on: plain(&stops_on),
                    pauses_in: plain(&pauses_in),
                    extend_to: extend_to.and_then(|at| u16::try_from(at.value).ok()),
                    article,
                },
                starts_on,
                stops_on,
                pauses_in,
            });
        }
        node.finish();
    }
    clocks
}
