//! Reading `procedure.toml` (读取办理程序): from text to a checked [`Procedure`], or all its faults at once.
//!
//! Pure: the text, the rule book and the list of letters go in. What a key means is said in [`crate::procedure`].

use super::{
    Act, Applies, Channel, ClockRule, Doer, EFFECTS, Effect, Field, FieldType, Ground, HearingNeed,
    Limit, LimitUnit, MayApply, Named, Needs, NoticeField, NoticePlace, Procedure, PublicityRule,
    Remedy, ReviewRule, SamplingRule, State, StateKind, TaskKind,
};
use crate::source_text::{At, Node, SourceText};
use access::Role;
use policy::{Book, Every, Fault, Outcome, Programme};
use std::collections::BTreeSet;
use vocab::Citation;
use vocab::region::Level;

/// Reads a procedure (读取办理程序).
///
/// # Errors
/// Every fault of the text, with its place.
pub fn read(
    book: &Book,
    programme: &Programme,
    file: &str,
    text: String,
) -> Result<Procedure, Vec<Fault>> {
    let source = SourceText::new(file, text);
    let procedure = {
        let parsed = source.parse();
        read_top(book, programme, &Node::top(&source, &parsed))
    };
    let faults = source.into_faults();
    match procedure {
        Some(procedure) if faults.is_empty() => Ok(procedure),
        _ => Err(faults),
    }
}

fn read_top(book: &Book, programme: &Programme, top: &Node<'_>) -> Option<Procedure> {
    let source = top.source();
    let states = read_states(top);
    let evidence = read_named(top, "evidence", "id");
    let clocks = read_clocks(top, book);
    let acts = read_acts(book, programme, top);
    let publicity = top
        .maybe_table("publicity")
        .and_then(|node| read_publicity(book, node));
    let sampling = top
        .maybe_table("sampling")
        .and_then(|node| read_sampling(book, node));
    let review = top
        .maybe_table("review")
        .and_then(|node| read_review(book, node));
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
    let applies = word(
        &head,
        "applies",
        &[
            ("household", Applies::Household),
            ("person", Applies::Person),
        ],
    );
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
    let article = read_article(book, &head, "article", true);
    let receipt = read_letter(programme, &head, "receipt");
    if may_apply.is_empty() {
        head.fault("may_apply 至少要写一种申请人");
    }
    if channels.is_empty() {
        head.fault("channels 至少要写一种渠道");
    }
    if applies.is_some_and(|applies| applies != unit_of(programme)) {
        head.fault(
            "applies 与 rules.toml 中 [benefit] 的 to 不一致：家庭写 household，个人写 person",
        );
    }
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

fn unit_of(programme: &Programme) -> Applies {
    match programme.to {
        policy::Unit::Household => Applies::Household,
        policy::Unit::Person => Applies::Person,
    }
}

fn word<T: Copy>(node: &Node<'_>, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
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

fn words<T: Copy>(node: &Node<'_>, key: &'static str, choices: &[(&str, T)]) -> Vec<T> {
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

fn unknown_word<T>(key: &str, word: &str, choices: &[(&str, T)]) -> String {
    let allowed: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    format!("{key} 不能是 {word}；只能是 {}", allowed.join("、"))
}

fn read_article(
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

fn read_letter(programme: &Programme, node: &Node<'_>, key: &'static str) -> Option<String> {
    let at = node.maybe_text(key)?;
    if crate::letter::template(programme, &at.value).is_none() {
        node.source()
            .fault(&at.span, format!("没有文书模板 letters/{}.typ", at.value));
    }
    Some(at.value)
}

fn read_role(node: &Node<'_>, at: &At<String>) -> Option<Role> {
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

fn read_named(top: &Node<'_>, list: &'static str, key: &'static str) -> Vec<Named> {
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

fn read_limit(node: &Node<'_>) -> Option<Limit> {
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

fn read_review(book: &Book, node: Node<'_>) -> Option<ReviewRule> {
    let limit = read_limit(&node);
    let desk = node.text("desk").and_then(|at| read_role(&node, &at));
    let article = read_article(book, &node, "article", true);
    node.finish();
    Some(ReviewRule {
        limit: limit?,
        desk: desk?,
        article: article?,
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

struct ActAt {
    act: Act,
    span: std::ops::Range<usize>,
    from: Vec<At<String>>,
    to: Option<At<String>>,
    others: Vec<At<String>>,
    clock: Option<At<String>>,
    evidence: Vec<At<String>>,
    needed_acts: Vec<At<String>>,
}

fn read_acts(book: &Book, programme: &Programme, top: &Node<'_>) -> Vec<ActAt> {
    let mut acts: Vec<ActAt> = Vec::new();
    for node in top.tables("act") {
        let id = node.text("id");
        let wording = node.wording();
        let mut roles = Vec::new();
        for at in node.texts("roles") {
            if at.value == "public" {
                roles.push(Doer::Public);
            } else if let Some(role) = read_role(&node, &at) {
                roles.push(Doer::Officer(role));
            }
        }
        if !node.has("roles") {
            node.fault("行为要写 roles：哪些岗位可以办理");
        }
        let from = node.texts("from");
        if from.is_empty() {
            node.fault("行为要写 from：在哪些状态下可以办理");
        }
        let to = node.maybe_text("to");
        let effects: Vec<(&str, Effect)> = EFFECTS
            .iter()
            .map(|effect| (effect.word(), *effect))
            .collect();
        let effect = if node.has("effect") {
            word(&node, "effect", &effects).unwrap_or(Effect::None)
        } else {
            Effect::None
        };
        let others = node.texts("other_than");
        let kinds: Vec<(&str, TaskKind)> = TaskKind::ALL
            .iter()
            .map(|kind| (kind.word(), *kind))
            .collect();
        let closes = words(&node, "closes", &kinds);
        let letter = read_letter(programme, &node, "letter");
        let clock = node.maybe_text("clock");
        let article = read_article(book, &node, "article", false);
        let confirm_zh = node.maybe_text("confirm_zh").map(|at| at.value);
        let confirm_en = node.maybe_text("confirm_en").map(|at| at.value);
        if confirm_zh.is_some() != confirm_en.is_some() {
            node.fault("confirm_zh 和 confirm_en 要么都写，要么都不写");
        }
        let (needs, evidence, needed_acts) = match node.maybe_table("needs") {
            Some(needs) => read_needs(needs),
            None => (Needs::default(), Vec::new(), Vec::new()),
        };
        let fields = node
            .tables("field")
            .into_iter()
            .filter_map(|field| read_field(book, programme, field))
            .collect();
        let grounds = node
            .tables("ground")
            .into_iter()
            .filter_map(|ground| read_ground(book, ground))
            .collect();
        let span = node.span.clone();
        if let (Some(id), Some((zh, en))) = (id, wording) {
            if id.value == "submit" || acts.iter().any(|other| other.act.id == id.value) {
                node.source().fault(
                    &id.span,
                    format!("行为 {} 写了两次（submit 专指提交申请）", id.value),
                );
            }
            let plain = |list: &[At<String>]| list.iter().map(|at| at.value.clone()).collect();
            acts.push(ActAt {
                act: Act {
                    id: id.value,
                    zh,
                    en,
                    roles,
                    from: plain(&from),
                    to: to.as_ref().map(|at| at.value.clone()),
                    effect,
                    other_than: plain(&others),
                    closes,
                    letter,
                    clock: clock.as_ref().map(|at| at.value.clone()),
                    article,
                    confirm_zh,
                    confirm_en,
                    needs,
                    fields,
                    grounds,
                },
                span,
                from,
                to,
                others,
                clock,
                evidence,
                needed_acts,
            });
        }
        node.finish();
    }
    acts
}

fn read_needs(node: Node<'_>) -> (Needs, Vec<At<String>>, Vec<At<String>>) {
    let evidence = node.texts("evidence");
    let acts = node.texts("acts");
    let hearing = node
        .has("hearing")
        .then(|| {
            word(
                &node,
                "hearing",
                &[
                    ("always", HearingNeed::Always),
                    ("if_less", HearingNeed::IfLess),
                ],
            )
        })
        .flatten();
    let kinds: Vec<(&str, TaskKind)> = TaskKind::ALL
        .iter()
        .map(|kind| (kind.word(), *kind))
        .collect();
    let task = node
        .has("task")
        .then(|| word(&node, "task", &kinds))
        .flatten();
    let needs = Needs {
        opinion: node.bool("opinion", false),
        participants: node
            .maybe_number("participants", 0..20)
            .and_then(|at| usize::try_from(at.value).ok())
            .unwrap_or(0),
        evidence: evidence.iter().map(|at| at.value.clone()).collect(),
        determination: words(
            &node,
            "determination",
            &[
                ("met", Outcome::Met),
                ("not_met", Outcome::NotMet),
                ("to_verify", Outcome::ToVerify),
            ],
        ),
        authorised: node.bool("authorised", false),
        publicity_over: node.bool("publicity_over", false),
        hearing,
        ground: node.bool("ground", false),
        task,
        acts: acts.iter().map(|at| at.value.clone()).collect(),
    };
    node.finish();
    (needs, evidence, acts)
}

fn read_field(book: &Book, programme: &Programme, node: Node<'_>) -> Option<Field> {
    let id = node.text("id");
    let wording = node.wording();
    let kind = word(
        &node,
        "type",
        &[
            ("text", FieldType::Text),
            ("bool", FieldType::Bool),
            ("count", FieldType::Count),
            ("money", FieldType::Money),
            ("date", FieldType::Date),
            ("code", FieldType::Code),
        ],
    );
    let codes = read_named(&node, "codes", "code");
    if (kind == Some(FieldType::Code)) == codes.is_empty() {
        node.fault("type = \"code\" 的栏目要写 codes，其他类型不写");
    }
    let required = node.bool("required", true);
    let fact = node.maybe_text("fact");
    if let (Some(fact), Some(kind)) = (&fact, kind) {
        match book.fact(&fact.value) {
            None => node
                .source()
                .fault(&fact.span, format!("facts.toml 中没有事实 {}", fact.value)),
            Some(definition) => {
                if !kind.agrees_with(definition) {
                    node.source().fault(
                        &fact.span,
                        format!("栏目的类型与事实 {} 的类型不一致", fact.value),
                    );
                }
                if definition.of != programme.to {
                    node.source().fault(
                        &fact.span,
                        format!("事实 {} 不属于办件对象：家庭的办件只能记家庭的事实，个人的办件只能记个人的事实", fact.value),
                    );
                }
            }
        }
    }
    node.finish();
    let (zh, en) = wording?;
    Some(Field {
        id: id?.value,
        zh,
        en,
        kind: kind?,
        codes,
        required,
        fact: fact.map(|at| at.value),
    })
}

fn read_ground(book: &Book, node: Node<'_>) -> Option<Ground> {
    let id = node.text("id");
    let wording = node.wording();
    let article = read_article(book, &node, "article", true);
    node.finish();
    let (zh, en) = wording?;
    Some(Ground {
        id: id?.value,
        zh,
        en,
        article: article?,
    })
}

fn check_act(
    source: &SourceText,
    programme: &Programme,
    at: &ActAt,
    states: &BTreeSet<&str>,
    acts: &BTreeSet<String>,
    clocks: &BTreeSet<String>,
    evidence: &BTreeSet<String>,
) {
    let act = &at.act;
    for state in at.from.iter().chain(&at.to) {
        if !states.contains(state.value.as_str()) {
            source.fault(&state.span, format!("没有名为 {} 的状态", state.value));
        }
    }
    for other in at.others.iter().chain(&at.needed_acts) {
        if !acts.contains(&other.value) {
            source.fault(&other.span, format!("没有名为 {} 的行为", other.value));
        }
    }
    for kind in &at.evidence {
        if !evidence.contains(&kind.value) {
            source.fault(
                &kind.span,
                format!("没有名为 {} 的材料种类；请写 [[evidence]]", kind.value),
            );
        }
    }
    match (&at.clock, act.effect) {
        (Some(clock), Effect::Extend) if !clocks.contains(&clock.value) => {
            source.fault(&clock.span, format!("没有名为 {} 的时限", clock.value));
        }
        (None, Effect::Extend) => source.fault(&at.span, "延长时限的行为要写 clock"),
        (Some(clock), effect) if effect != Effect::Extend => {
            source.fault(&clock.span, "只有 effect = \"extend\" 的行为可以写 clock");
        }
        _ => {}
    }
    if act.effect.is_decision() && act.other_than.is_empty() {
        source.fault(
            &at.span,
            format!(
                "行为 {} 作出决定，要写 other_than：决定人不能是前面办理的人（两人办理）",
                act.id
            ),
        );
    }
    if act.effect == Effect::Grant
        && matches!(programme.benefit.every, Every::Month | Every::Once)
        && act.needs.determination != [Outcome::Met]
    {
        source.fault(
            &at.span,
            format!(
                "行为 {} 给予待遇，要写 needs.determination = [\"met\"]",
                act.id
            ),
        );
    }
    if act.needs.ground && !act.effect.is_decision() && act.grounds.is_empty() {
        source.fault(
            &at.span,
            format!("行为 {} 需要事由，却没有列出 [[act.ground]]", act.id),
        );
    }
    let mut fields = BTreeSet::new();
    for field in &act.fields {
        if !fields.insert(field.id.as_str()) {
            source.fault(
                &at.span,
                format!("行为 {} 的栏目 {} 写了两次", act.id, field.id),
            );
        }
    }
}

/// Every state must be reached from the start, and from every state that is not an end there must be a way on.
fn check_ways(source: &SourceText, states: &[At<State>], acts: &[ActAt], start: &str) {
    let mut reached: BTreeSet<&str> = BTreeSet::from([start]);
    loop {
        let before = reached.len();
        for act in acts {
            if let Some(to) = &act.act.to
                && act
                    .act
                    .from
                    .iter()
                    .any(|from| reached.contains(from.as_str()))
            {
                reached.insert(to.as_str());
            }
        }
        if reached.len() == before {
            break;
        }
    }
    for state in states {
        let id = state.value.id.as_str();
        if !reached.contains(id) {
            source.fault(&state.span, format!("从起始状态 {start} 到不了状态 {id}"));
        }
        let has_way_out = acts.iter().any(|act| {
            act.act.from.iter().any(|from| from == id)
                && act.act.to.as_ref().is_some_and(|to| to != id)
        });
        if !has_way_out && !matches!(state.value.kind, StateKind::Final | StateKind::InForce) {
            source.fault(&state.span, format!("状态 {id} 没有出路，又不是办结状态"));
        }
    }
}
