//! A report read line by line (核对报告逐项): what each source said of whom, beside what was declared.
//!
//! Guarantees: a line can be taken as a finding only if the case's programme reads its fact, about the people the case is
//! about, the figure is known, and no objection to the same answer was upheld since; what is unknown stands with its reason
//! and is never shown as none; nothing a report holds is left out silently. Deliberately absent: asking, writing, and HTML.

use super::enquiry::Report;
use super::findings::word;
use crate::locale::Lang;
use crate::parts::format;
use casework::Case;
use casework::desk::Desk;
use casework::draft::DECLARED;
use casework::finding::NewFinding;
use casework::finding::in_case::facts_of;
use casework::finding::objection::FindingObjection;
use policy::{FactDef, Unit};
use registry::Subject;
use registry::consent::Tie;
use verify::alert::compare::in_words;
use verify::report::Answer;
use verify::source::{ColumnKind, FigureDef, Take};
use verify::{Figure, Source, Unknown};
use vocab::ids::PersonId;
use vocab::{DatedFact, Money, Period, Value};

/// How a line stands (一项的状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Known, other than declared or not declared, and not taken yet.
    Open,
    /// Known, as declared.
    Agrees,
    /// A fact of the case by this report.
    Taken,
    /// The person objected to this very answer and was right.
    Refuted,
    /// Known, and no fact of this case.
    Beside,
}

/// One figure of one person or of the household (一项发现).
#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    /// Who, if the case is about them; else the person's place in the report.
    pub(crate) subject: Option<Subject>,
    /// The person, for figures of people.
    pub(crate) person: Option<PersonId>,
    /// The source.
    pub(crate) source: &'a Source,
    /// The answer it stands in.
    pub(crate) answer: &'a Answer,
    /// The figure.
    pub(crate) def: &'a FigureDef,
    /// The fact it becomes in this case.
    pub(crate) fact: Option<&'a FactDef>,
    /// What was found, as a fact or as it is.
    pub(crate) value: Value,
    /// What the applicant says of the same.
    pub(crate) declared: Vec<DatedFact>,
    /// How it stands.
    pub(crate) standing: Standing,
    /// The objection to the same finding that was upheld, if there was one.
    pub(crate) refuted: Option<&'a FindingObjection>,
}

impl Line<'_> {
    /// How forms name it.
    pub(crate) fn key(&self) -> String {
        let subject = self.subject.map(word).unwrap_or_default();
        format!("{}.{}.{subject}", self.source.id, self.def.id)
    }

    /// The finding it becomes, by the report of this number. What a register says, it says without a first day.
    pub(crate) fn finding(&self, number: &str) -> Option<NewFinding> {
        Some(NewFinding {
            subject: self.subject?,
            fact: self.fact?.id.clone(),
            value: self.value.clone(),
            period: Period::ALWAYS,
            department: self.source.department.clone(),
            evidence: format!(
                "{number} {} {}",
                self.source.zh,
                self.answer.delivery.as_deref().unwrap_or_default()
            ),
        })
    }
}

/// Why something stays unknown in this case (没有查清的原因).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// The source says nothing.
    Source(Unknown),
    /// A household's figure, and not everybody of the household was asked about.
    NotEverybody,
}

impl Why {
    /// The sentence.
    pub(crate) fn says(&self, lang: Lang) -> String {
        match self {
            Self::Source(unknown) => lang.pick(&unknown.zh(), &unknown.en()).to_owned(),
            Self::NotEverybody => lang
                .t("没有核对全部家庭成员，家庭的合计不能采信；请登记其余成员的授权后重新核对")
                .to_owned(),
        }
    }
}

/// What stays unknown (未知项): one source, one reason, whom it concerns.
#[derive(Debug, Clone)]
pub(crate) struct Silent<'a> {
    /// The source.
    pub(crate) source: &'a Source,
    /// The reason.
    pub(crate) why: Why,
    /// The figures.
    pub(crate) figures: Vec<&'a FigureDef>,
    /// Who; nobody means all.
    pub(crate) people: Vec<PersonId>,
}

/// A report, line by line (逐项).
#[derive(Debug, Default)]
pub(crate) struct Lines<'a> {
    /// What is known.
    pub(crate) known: Vec<Line<'a>>,
    /// What is not.
    pub(crate) silent: Vec<Silent<'a>>,
    /// What the report holds and the rules in force no longer define: source, figures.
    pub(crate) gone: Vec<(String, Vec<&'a str>)>,
}

/// Reads a report for a case.
pub(crate) fn read<'a>(lang: Lang, desk: &'a Desk, case: &Case, report: &'a Report) -> Lines<'a> {
    let mut lines = Lines::default();
    let enquiry = &report.enquiry;
    let members: Vec<PersonId> = report
        .compared
        .iter()
        .filter_map(|one| match one.subject {
            Subject::Person(person) => Some(person),
            Subject::Household(_) => None,
        })
        .collect();
    // What a household has is known only if everybody living in it was asked about.
    let whole = report
        .people
        .iter()
        .filter(|(said, _)| said.tie == Tie::Member)
        .all(|(said, _)| enquiry.people.contains(&said.person));
    for answer in &enquiry.report.answers {
        let ids = enquiry.figures.get(&answer.source).into_iter().flatten();
        let Some(source) = report.sources.get(&answer.source) else {
            let ids = ids.map(String::as_str).collect();
            lines.gone.push((answer.source.clone(), ids));
            continue;
        };
        let mut gone = Vec::new();
        for (at, id) in ids.enumerate() {
            let Some(def) = source.figures.iter().find(|def| def.id == *id) else {
                gone.push(id.as_str());
                continue;
            };
            let unit = def
                .fact
                .as_ref()
                .and_then(|fact| desk.book.fact(fact))
                .map(|fact| fact.of);
            let from = Origin {
                desk,
                case,
                report,
                source,
                answer,
                def,
            };
            if unit == Some(Unit::Household) {
                match answer.household.get(at).filter(|_| whole) {
                    Some(figure) => {
                        let home = Some(Subject::Household(case.household));
                        from.add(&mut lines, home, None, figure);
                    }
                    None => silent(&mut lines, source, def, &Why::NotEverybody, None),
                }
                continue;
            }
            for (person, figures) in enquiry.people.iter().zip(&answer.members) {
                let subject = members.contains(person).then_some(Subject::Person(*person));
                if let Some(figure) = figures.get(at) {
                    from.add(&mut lines, subject, Some(*person), figure);
                }
            }
        }
        if !gone.is_empty() {
            let name = lang.pick(&source.zh, &source.en).to_owned();
            lines.gone.push((name, gone));
        }
    }
    lines.known.sort_by_key(|line| line.standing);
    lines
}

/// Where a figure comes from.
struct Origin<'a, 'b> {
    desk: &'a Desk,
    case: &'b Case,
    report: &'a Report,
    source: &'a Source,
    answer: &'a Answer,
    def: &'a FigureDef,
}

impl<'a> Origin<'a, '_> {
    fn add(
        &self,
        lines: &mut Lines<'a>,
        subject: Option<Subject>,
        person: Option<PersonId>,
        figure: &'a Figure,
    ) {
        for why in figure
            .unknown
            .iter()
            .filter(|why| **why != Unknown::PerPerson)
        {
            let why = Why::Source(why.clone());
            silent(lines, self.source, self.def, &why, person);
        }
        let fact = subject.and_then(|subject| {
            let id = self.def.fact.as_ref()?;
            facts_of(self.desk, self.case, subject)
                .into_iter()
                .find(|def| def.id == *id)
        });
        let value = match fact {
            Some(_) => figure.as_value(self.source, self.def),
            // Nothing found of what nobody asks for says nothing.
            None => figure.value.filter(|value| *value != 0).map(Value::Int),
        };
        let Some(value) = value else { return };
        let number = self.report.enquiry.row.number.as_str();
        let said: &[DatedFact] = self
            .report
            .compared
            .iter()
            .find(|one| Some(one.subject) == subject && Some(&one.fact) == self.def.fact.as_ref())
            .map_or(&[], |one| &one.said);
        let declared: Vec<DatedFact> = said
            .iter()
            .filter(|one| one.source == DECLARED)
            .cloned()
            .collect();
        let taken = said.iter().any(|one| {
            let by_this = one
                .evidence
                .as_deref()
                .is_some_and(|text| text.split(' ').next() == Some(number));
            one.source == self.source.department && one.value == value && by_this
        });
        let refuted = self.refuted(subject, &value);
        // What the department delivered after the answer is a new word of it, and a new question.
        let settled = refuted
            .and_then(|one| one.answered.as_ref())
            .is_some_and(|answered| self.answer.delivered.is_none_or(|day| day <= answered.on));
        let standing = match fact {
            None => Standing::Beside,
            Some(_) if taken => Standing::Taken,
            Some(_) if settled => Standing::Refuted,
            Some(_) if !declared.is_empty() && declared.iter().all(|one| one.value == value) => {
                Standing::Agrees
            }
            Some(_) => Standing::Open,
        };
        lines.known.push(Line {
            subject,
            person,
            source: self.source,
            answer: self.answer,
            def: self.def,
            fact,
            value,
            declared,
            standing,
            refuted,
        });
    }

    /// The last objection to this department saying just this that was upheld.
    fn refuted(&self, subject: Option<Subject>, value: &Value) -> Option<&'a FindingObjection> {
        let upheld =
            |one: &&FindingObjection| one.answered.as_ref().is_some_and(|said| said.upheld);
        self.report
            .objected
            .iter()
            .rev()
            .filter(upheld)
            .find(|one| {
                Some(one.subject) == subject
                    && Some(&one.fact) == self.def.fact.as_ref()
                    && one.department == self.source.department
                    && one.value == *value
            })
    }
}

fn silent<'a>(
    lines: &mut Lines<'a>,
    source: &'a Source,
    def: &'a FigureDef,
    why: &Why,
    person: Option<PersonId>,
) {
    let known = lines
        .silent
        .iter_mut()
        .find(|one| one.source.id == source.id && one.why == *why);
    let one = match known {
        Some(one) => one,
        None => {
            lines.silent.push(Silent {
                source,
                why: why.clone(),
                figures: Vec::new(),
                people: Vec::new(),
            });
            match lines.silent.last_mut() {
                Some(one) => one,
                None => return,
            }
        }
    };
    if !one.figures.iter().any(|figure| figure.id == def.id) {
        one.figures.push(def);
    }
    if let Some(person) = person.filter(|person| !one.people.contains(person)) {
        one.people.push(person);
    }
}

/// A figure that is no fact of the case, as it reads (其他指标的值), with its unit.
pub(crate) fn plainly(lang: Lang, source: &Source, def: &FigureDef, value: &Value) -> String {
    let Value::Int(number) = value else {
        return format!("{value:?}");
    };
    let column = match def.take {
        Take::Any => return lang.t("是").to_owned(),
        Take::Count => return number.to_string(),
        Take::Sum(column)
        | Take::Average(column, ..)
        | Take::Latest(column, _)
        | Take::Earliest(column, _) => column,
    };
    match source.columns.get(column).map(|column| &column.kind) {
        Some(ColumnKind::Money(_)) => format::money(lang, Money::from_fen(*number)),
        Some(ColumnKind::Area(_)) => format!("{} m²", in_words(source, def, *number)),
        _ => in_words(source, def, *number),
    }
}
