//! Alert rules (预警规则), data in the packs: `packs/<place>/alerts.toml`, the nation's first, a place's over it by id.
//!
//! ```toml
//! [[alert]]
//! id = "new_vehicle"
//! zh = "领取期间新增车辆"
//! en = "A car while in payment"
//! source = "vehicle"            # one of: source + figure + when | trace | payments | consent
//! figure = "vehicles"
//! when = "more_than_known"
//! reads = ["vehicles"]          # only programmes whose rules read one of these facts; without it, all
//! severity = "medium"           # high, medium or low
//! days = 10                     # working days to answer
//! basis = "……"
//! next_zh = "……"                # what the officer does next
//! next_en = "……"
//! ```
//!
//! `when` is one of: `found` (somebody stands there), `more_than_known` (more than the register's fact, by more than `by`),
//! `differs_from_known`, `before_paid` (a day before the month being paid), `after_granted` (a day after the payment began),
//! `less_than_settled`, `not_settled` (money against what the ledger holds for paid last month). A fact compared with is a
//! person's; a source of a `trace` has a figure that counts every row (`take = "any"` without `where`). Guarantees: every mistake is
//! told, at its place; a rule names no programme. Deliberately absent: formulas; what needs one is a benefit's condition.

use crate::source::{ColumnKind, FigureDef, Source, Sources, Take};
use policy::toml_file::{Reading, Said, Source as File, Table};
use policy::{Book, Fault, Faults, Unit};
use serde::{Deserialize, Serialize};

/// The file in a pack.
const FILE: &str = "alerts.toml";
/// The longest time to answer, in working days.
const MOST_DAYS: i64 = 250;
/// Conditions on a figure.
const CONDITIONS: [&str; 7] = [
    "found",
    "more_than_known",
    "differs_from_known",
    "before_paid",
    "after_granted",
    "less_than_settled",
    "not_settled",
];

/// How grave an alert is (严重程度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 一般
    Low,
    /// 较重
    Medium,
    /// 严重
    High,
}

impl Severity {
    /// All, the gravest first (全部).
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// As packs write it (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Low => ("一般", "low"),
            Self::Medium => ("较重", "medium"),
            Self::High => ("严重", "high"),
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// The graver the larger, as the table keeps it (等级).
    pub const fn rank(self) -> i64 {
        match self {
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }

    pub(crate) fn from_rank(rank: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.rank() == rank)
    }
}

/// A condition on a figure of somebody in payment (条件).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Somebody stands there.
    Found,
    /// More than the register's fact says, by more than this.
    MoreThanKnown {
        /// The fact.
        fact: String,
        /// How much more, in the figure's own unit.
        by: i64,
    },
    /// Something else than the register's fact says.
    DiffersFromKnown {
        /// The fact.
        fact: String,
    },
    /// A day before the month being paid.
    BeforePaid,
    /// A day after the payment began.
    AfterGranted,
    /// Money, less than the ledger holds for settled, but some.
    LessThanSettled,
    /// No money where the ledger holds some for settled.
    NotSettled,
}

impl When {
    /// The fact it compares with (对比的事实), where it does.
    pub(crate) fn fact(&self) -> Option<&str> {
        match self {
            Self::MoreThanKnown { fact, .. } | Self::DiffersFromKnown { fact } => Some(fact),
            _ => None,
        }
    }
}

/// What payments have among themselves (在发之间).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// Two that exclude each other.
    Excluded,
    /// One person under two records.
    SamePerson,
    /// Strangers' money to one account.
    SharedAccount,
}

/// What a rule compares (比对内容).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compares {
    /// A figure of a source with everybody covered; money with the payee.
    Figure {
        /// The source.
        source: String,
        /// The figure's place in it.
        figure: usize,
        /// When it is a finding.
        when: When,
    },
    /// Households of people registered here who stand in none of these sources.
    Trace(Vec<String>),
    /// Payments among themselves.
    Payments(Among),
    /// People whose consent no longer holds.
    Consent,
}

/// An alert rule (预警规则).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Its name (zh, en).
    pub wording: (String, String),
    /// What it compares.
    pub compares: Compares,
    /// Facts that a programme's rules must read for it to matter; empty: all programmes.
    pub reads: Vec<String>,
    /// How grave.
    pub severity: Severity,
    /// Working days to answer.
    pub days: u16,
    /// The article it rests on.
    pub basis: String,
    /// What to do next (zh, en).
    pub next: (String, String),
}

impl Rule {
    /// Whether it matters for a programme (适用).
    pub fn applies(&self, book: &Book, programme: &str) -> bool {
        self.reads.is_empty()
            || book
                .programme(programme)
                .is_some_and(|one| one.facts.iter().any(|fact| self.reads.contains(fact)))
    }

    /// The sources it needs (所需数据源).
    pub fn sources(&self) -> Vec<&str> {
        match &self.compares {
            Compares::Figure { source, .. } => vec![source],
            Compares::Trace(sources) => sources.iter().map(String::as_str).collect(),
            Compares::Payments(_) | Compares::Consent => Vec::new(),
        }
    }
}

/// All alert rules of a place (全部预警规则), in the order of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// Those of a place (读取预警规则), the nation's and its own.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn of(book: &Book, sources: &Sources) -> Result<Self, Vec<Fault>> {
        let faults = Faults::default();
        let mut rules = Self::default();
        for file in File::layers(book, FILE, &faults) {
            rules.read(&file, &faults, (book, sources));
        }
        let found = faults.into_sorted();
        if found.is_empty() {
            Ok(rules)
        } else {
            Err(found)
        }
    }

    /// One by id (查规则).
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.id == id)
    }

    fn read(&mut self, file: &File, faults: &Faults, known: (&Book, &Sources)) {
        let reading = Reading {
            source: file,
            faults,
        };
        let Some(parsed) = reading.parse(&file.text) else {
            return;
        };
        let top = Table::new(reading, parsed.get_ref(), 0..0);
        let mut here: Vec<String> = Vec::new();
        for table in top.tables("alert") {
            let Some(id) = table.need_text("id") else {
                continue;
            };
            if here.contains(&id.text) {
                faults.note(&id.spot, format!("预警“{}”写了两次", id.text));
            }
            here.push(id.text.clone());
            let at = self.0.iter().position(|rule| rule.id == id.text);
            if table.get("off").and_then(|cell| cell.flag()) == Some(true) {
                match at {
                    Some(at) => drop(self.0.remove(at)),
                    None => faults.note(&id.spot, format!("没有叫“{}”的预警可以关闭", id.text)),
                }
                table.no_other_keys("id off");
                continue;
            }
            let Some(rule) = read_rule(&table, id, known) else {
                continue;
            };
            match at {
                Some(at) => self.0[at] = rule,
                None => self.0.push(rule),
            }
        }
        top.no_other_keys("[[alert]]");
    }
}

fn read_rule(table: &Table<'_>, id: Said, (book, sources): (&Book, &Sources)) -> Option<Rule> {
    let faults = table.reading.faults;
    let wording = (table.need_text("zh"), table.need_text("en"));
    let next = (table.need_text("next_zh"), table.need_text("next_en"));
    let basis = table.need_text("basis");
    let severity = table.need_text("severity").and_then(|said| {
        let read = Severity::from_word(&said);
        if read.is_none() {
            faults.note(&said.spot, "severity 可以写：high medium low");
        }
        read
    });
    let days = table.need("days").and_then(|cell| {
        let days = cell.whole()?;
        let fits = u16::try_from(days)
            .ok()
            .filter(|_| (1..=MOST_DAYS).contains(&days));
        if fits.is_none() {
            faults.note(&cell.spot(), format!("days 是 1 到 {MOST_DAYS} 个工作日"));
        }
        fits
    });
    let reads = table.get("reads").map(|cell| cell.texts());
    for fact in reads.iter().flatten() {
        if book.fact(fact).is_none() {
            faults.note(&fact.spot, format!("没有叫“{}”的事实", fact.text));
        }
    }
    let compares = read_compares(table, (book, sources));
    table.no_other_keys(
        "id zh en source figure when fact by trace payments consent reads severity days basis next_zh next_en off",
    );
    Some(Rule {
        id: id.text,
        wording: (wording.0?.text, wording.1?.text),
        compares: compares?,
        reads: reads.into_iter().flatten().map(|said| said.text).collect(),
        severity: severity?,
        days: days?,
        basis: basis?.text,
        next: (next.0?.text, next.1?.text),
    })
}

fn read_compares(table: &Table<'_>, (book, sources): (&Book, &Sources)) -> Option<Compares> {
    let faults = table.reading.faults;
    let said = ["source", "trace", "payments", "consent"].map(|key| table.get(key));
    if said.iter().flatten().count() != 1 {
        faults.note(
            &table.spot(),
            "source、trace、payments、consent 中写一项，而且只写一项",
        );
        return None;
    }
    let [source, trace, payments, consent] = said;
    let known = |said: &Said| {
        let found = sources.get(said);
        if found.is_none() {
            faults.note(&said.spot, format!("没有叫“{}”的数据源", said.text));
        }
        found
    };
    let tells = |said: &Said| {
        let source = known(said)?;
        let tells = of_everybody(source).is_some();
        if !tells {
            let sentence = "要有一项 take = \"any\" 而不写 where 的指标，才知道这个人在不在册";
            faults.note(&said.spot, format!("数据源 {} {sentence}", source.id));
        }
        tells.then_some(())
    };
    if let Some(source) = source.and_then(|cell| cell.text()) {
        return read_figure(table, known(&source)?, book);
    }
    if let Some(trace) = trace {
        let all = trace.texts();
        let fits = !all.is_empty() && all.iter().filter_map(tells).count() == all.len();
        return fits.then(|| Compares::Trace(all.into_iter().map(|said| said.text).collect()));
    }
    if let Some(said) = payments.and_then(|cell| cell.text()) {
        return match &*said {
            "excluded" => Some(Compares::Payments(Among::Excluded)),
            "same_person" => Some(Compares::Payments(Among::SamePerson)),
            "shared_account" => Some(Compares::Payments(Among::SharedAccount)),
            _ => {
                faults.note(
                    &said.spot,
                    "payments 可以写：excluded same_person shared_account",
                );
                None
            }
        };
    }
    let said = consent?.text()?;
    if &*said != "ended" {
        faults.note(&said.spot, "consent 只能写：ended");
        return None;
    }
    Some(Compares::Consent)
}

fn read_figure(table: &Table<'_>, source: &Source, book: &Book) -> Option<Compares> {
    let faults = table.reading.faults;
    let (figure, when) = (table.need_text("figure")?, table.need_text("when")?);
    let Some(at) = source.figures.iter().position(|def| def.id == *figure) else {
        faults.note(
            &figure.spot,
            format!("数据源 {} 没有叫“{}”的指标", source.id, figure.text),
        );
        return None;
    };
    let def = &source.figures[at];
    let by = table.get("by").and_then(|cell| cell.whole()).unwrap_or(0);
    let fact = || {
        let said = table.text("fact");
        let id = said
            .as_ref()
            .map(|said| said.text.clone())
            .or_else(|| def.fact.clone());
        let spot = said.map_or_else(|| table.spot(), |said| said.spot);
        let found = id.filter(|id| book.fact(id).is_some());
        match found.as_ref().and_then(|id| book.fact(id)) {
            None => faults.note(&spot, "写明 fact：与登记的哪一项事实相比"),
            // Departments speak of people, and so does what it is compared with.
            Some(def) if def.of != Unit::Person => {
                faults.note(&spot, format!("事实“{}”不是个人的，不能按人比对", def.id));
                return None;
            }
            Some(_) => {}
        }
        found
    };
    let needs = |is: bool, what: &str| {
        if !is {
            faults.note(&when.spot, format!("“{}”要用{what}", when.text));
        }
        is
    };
    let when = match &*when {
        "found" => When::Found,
        "more_than_known" => When::MoreThanKnown { fact: fact()?, by },
        "differs_from_known" => When::DiffersFromKnown { fact: fact()? },
        "before_paid" => needs(is_day(source, def), "日期指标").then_some(When::BeforePaid)?,
        "after_granted" => needs(is_day(source, def), "日期指标").then_some(When::AfterGranted)?,
        "less_than_settled" => {
            needs(is_money(source, def), "金额指标").then_some(When::LessThanSettled)?
        }
        "not_settled" => needs(is_money(source, def), "金额指标").then_some(When::NotSettled)?,
        _ => {
            faults.note(&when.spot, format!("when 可以写：{}", CONDITIONS.join(" ")));
            return None;
        }
    };
    Some(Compares::Figure {
        source: source.id.clone(),
        figure: at,
        when,
    })
}

/// The figure that tells whether somebody stands in a source at all, whatever the rows say.
pub(crate) fn of_everybody(source: &Source) -> Option<usize> {
    source.figures.iter().position(|def| {
        def.take == Take::Any
            && def.filters.is_empty()
            && def.name_differs.is_none()
            && !def.other_outside
            && def.distinct.is_none()
    })
}

/// The column whose value a figure tells.
pub(crate) fn told(def: &FigureDef) -> Option<usize> {
    match def.take {
        Take::Count | Take::Any => None,
        Take::Sum(column)
        | Take::Latest(column, _)
        | Take::Earliest(column, _)
        | Take::Average(column, ..) => Some(column),
    }
}

fn is_day(source: &Source, def: &FigureDef) -> bool {
    told(def).is_some_and(|at| {
        matches!(
            source.columns[at].kind,
            ColumnKind::Date | ColumnKind::Month
        )
    })
}

fn is_money(source: &Source, def: &FigureDef) -> bool {
    told(def).is_some_and(|at| matches!(source.columns[at].kind, ColumnKind::Money(_)))
}
