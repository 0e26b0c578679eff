//! Rules as their file writes them (规则原文): variables, conditions and what the programme gives.
//!
//! Guarantees: each formula has been read and each citation has the right form. Deliberately absent: whether names,
//! kinds and articles exist; that needs the other files and is done by `check`.

use crate::determination::{Every, StartRule, Unit};
use crate::fact_def::{RESERVED, is_id, unit};
use crate::fault::Spot;
use crate::formula::{self, At, Expr};
use crate::kind::Kind;
use crate::ratio::Rounding;
use crate::toml_file::{Cell, Said, Table};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use vocab::Citation;

/// A citation and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Cited {
    pub(crate) citation: Citation,
    pub(crate) spot: Spot,
}

/// A formula and where it stands (公式).
#[derive(Debug, Clone)]
pub(crate) struct Formula {
    pub(crate) text: String,
    pub(crate) inside: Spot,
    /// `None` if it could not be read; the mistakes are already noted.
    pub(crate) tree: Option<Expr>,
}

impl Formula {
    /// A place inside the formula as a place in the file.
    pub(crate) fn spot(&self, at: At) -> Spot {
        let mut spot = self.inside.clone();
        if at.line <= 1 {
            spot.column += at.column - 1;
        } else {
            spot.line += at.line - 1;
            spot.column = at.column;
        }
        spot
    }
}

/// Which absent facts count as zero.
#[derive(Debug, Clone)]
pub(crate) enum AbsentIsZero {
    /// Every fact the formula names, by the rule's own article.
    All,
    /// These; without an article of their own, by the rule's.
    These(Vec<(Said, Option<Cited>)>),
}

/// A variable or condition, one version (一条规则的一个版本).
#[derive(Debug, Clone)]
pub(crate) struct RawRule {
    pub(crate) id: Said,
    pub(crate) of: Option<Unit>,
    pub(crate) of_spot: Spot,
    /// Of variables.
    pub(crate) gives: Option<Kind>,
    pub(crate) article: Option<Cited>,
    pub(crate) formula: Formula,
    pub(crate) round: Option<(Rounding, Said)>,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) absent_is_zero: AbsentIsZero,
    pub(crate) replaces: Option<Cited>,
    /// Of conditions.
    pub(crate) refuses: Option<Said>,
    pub(crate) is_condition: bool,
    pub(crate) spot: Spot,
}

/// What a programme gives, as written (待遇原文).
#[derive(Debug, Clone)]
pub(crate) struct RawBenefit {
    pub(crate) to: Unit,
    pub(crate) amount: Option<Formula>,
    pub(crate) round: Option<(Rounding, Said)>,
    pub(crate) every: Every,
    pub(crate) starts: StartRule,
    pub(crate) starts_on: Option<Said>,
    pub(crate) covers: Option<Said>,
    pub(crate) excludes: Vec<Said>,
    pub(crate) review: BTreeMap<String, String>,
    pub(crate) article: Option<Cited>,
    pub(crate) replaces: Option<Cited>,
    pub(crate) spot: Spot,
}

/// A `rules.toml` (规则文件).
#[derive(Debug, Default)]
pub(crate) struct RawRules {
    pub(crate) rules: Vec<RawRule>,
    pub(crate) benefit: Option<RawBenefit>,
}

fn formula(cell: &Cell<'_>) -> Option<Formula> {
    let said = cell.text()?;
    let inside = cell.reading.source.inside_of_string(&cell.value.span());
    let mut read = Formula {
        text: said.text,
        inside,
        tree: None,
    };
    match formula::read(&read.text) {
        Ok(tree) => read.tree = Some(tree),
        Err(wrong) => {
            for one in wrong {
                cell.reading.faults.note(&read.spot(one.at), one.sentence);
            }
        }
    }
    Some(read)
}

fn cited(table: &Table<'_>, said: &Said) -> Option<Cited> {
    match said.text.parse() {
        Ok(citation) => Some(Cited {
            citation,
            spot: said.spot.clone(),
        }),
        Err(wrong) => {
            table.reading.faults.note(&said.spot, format!("{wrong}"));
            None
        }
    }
}

fn citation(table: &Table<'_>, key: &str) -> Option<Cited> {
    let said = table.text(key)?;
    cited(table, &said)
}

/// An article is not optional: without one nobody can say why.
fn article(table: &Table<'_>, name: &str) -> Option<Cited> {
    if table.get("article").is_none() {
        table.reading.faults.note(
            &table.spot(),
            format!("{name}没有写依据的法条；请加上 article = \"法律代号:条\""),
        );
        return None;
    }
    citation(table, "article")
}

fn rounding(table: &Table<'_>) -> Option<(Rounding, Said)> {
    let said = table.text("round")?;
    match Rounding::from_word(&said) {
        Some(rounding) => Some((rounding, said)),
        None => {
            table.reading.faults.note(
                &said.spot,
                format!(
                    "不认识的舍入方式“{}”；可以写 {}",
                    said.text,
                    Rounding::WORDS
                ),
            );
            None
        }
    }
}

fn absent(table: &Table<'_>) -> AbsentIsZero {
    let none = AbsentIsZero::These(Vec::new());
    let Some(cell) = table.get("absent_is_zero") else {
        return none;
    };
    if let toml::de::DeValue::Boolean(flag) = cell.value.get_ref() {
        return if *flag { AbsentIsZero::All } else { none };
    }
    let mut these = Vec::new();
    for item in cell.list().unwrap_or_default() {
        if matches!(item.value.get_ref(), toml::de::DeValue::Table(_)) {
            let Some(inner) = item.table() else { continue };
            let fact = inner.need_text("fact");
            let article = inner
                .need_text("article")
                .and_then(|said| cited(&inner, &said));
            inner.no_other_keys("fact article");
            if let Some(fact) = fact {
                these.push((fact, article));
            }
        } else if let Some(fact) = item.text() {
            these.push((fact, None));
        }
    }
    AbsentIsZero::These(these)
}

fn name_is_free(id: &Said, table: &Table<'_>) {
    if !is_id(id) || RESERVED.contains(&id.text.as_str()) {
        table.reading.faults.note(
            &id.spot,
            format!(
                "“{}”不能作名字；只用小写字母、数字和下划线，且不与保留字相同",
                id.text
            ),
        );
    }
}

fn read_rule(table: &Table<'_>, is_condition: bool) -> Option<RawRule> {
    let faults = table.reading.faults;
    let id = table.need_text("id");
    let name = format!(
        "{}“{}”",
        if is_condition { "条件" } else { "变量" },
        id.as_ref().map_or("", |id| id.text.as_str())
    );
    if let Some(id) = &id {
        name_is_free(id, table);
    }
    let of_said = table.text("of");
    if of_said.is_none() && !is_condition {
        faults.note(
            &table.spot(),
            format!("{name}缺少“of”（household、person 或 organisation）"),
        );
    }
    let of = of_said.as_ref().and_then(|said| unit(said, table));
    let gives = if is_condition {
        Some(Kind::Bool)
    } else {
        table.need_text("gives").and_then(|said| {
            let kind = Kind::from_word(&said);
            if kind.is_none() {
                faults.note(
                    &said.spot,
                    format!("不认识的类型“{}”；可以写 bool count ratio money money/month money/year date code text", said.text),
                );
            }
            kind
        })
    };
    let article = article(table, &name);
    let formula = table
        .need(if is_condition { "test" } else { "formula" })
        .and_then(|cell| formula(&cell));
    let round = if is_condition { None } else { rounding(table) };
    let from = table.get("from").and_then(|cell| cell.date());
    let absent_is_zero = absent(table);
    let replaces = citation(table, "replaces");
    let refuses = if is_condition {
        table.need_text("refuses")
    } else {
        None
    };
    table.no_other_keys(if is_condition {
        "id of article test refuses from absent_is_zero replaces"
    } else {
        "id of gives article formula round from absent_is_zero replaces"
    });
    Some(RawRule {
        id: id?,
        of,
        of_spot: of_said.map_or_else(|| table.spot(), |said| said.spot),
        gives,
        article,
        formula: formula?,
        round,
        from,
        absent_is_zero,
        replaces,
        refuses,
        is_condition,
        spot: table.spot(),
    })
}

fn read_benefit(table: &Table<'_>) -> Option<RawBenefit> {
    let faults = table.reading.faults;
    let to = table.need_text("to").and_then(|said| unit(&said, table));
    let every = table.need_text("every").and_then(|said| {
        let every = match said.text.as_str() {
            "month" => Some(Every::Month),
            "year" => Some(Every::Year),
            "once" => Some(Every::Once),
            "order" => Some(Every::Order),
            "status" => Some(Every::Status),
            _ => None,
        };
        if every.is_none() {
            faults.note(&said.spot, "every 只能写 month、year、once、order、status");
        }
        every
    });
    let starts = match table.text("starts") {
        None if matches!(every, Some(Every::Order | Every::Status)) => {
            Some(StartRule::MonthAfterDecision)
        }
        None => {
            faults.note(&table.spot(), "缺少“starts”（从哪个月起发）");
            None
        }
        Some(said) => {
            let rule = match said.text.as_str() {
                "month_after_decision" => Some(StartRule::MonthAfterDecision),
                "month_of_application" => Some(StartRule::MonthOfApplication),
                "month_after_application" => Some(StartRule::MonthAfterApplication),
                "month_of_condition" => Some(StartRule::MonthOfCondition),
                "month_after_condition" => Some(StartRule::MonthAfterCondition),
                _ => None,
            };
            if rule.is_none() {
                faults.note(
                    &said.spot,
                    "starts 只能写 month_after_decision、month_of_application、month_after_application、month_of_condition、month_after_condition",
                );
            }
            rule
        }
    };
    let amount = table.get("amount").and_then(|cell| formula(&cell));
    let round = rounding(table);
    let starts_on = table.text("starts_on");
    let covers = table.text("covers");
    let excludes = table
        .get("excludes")
        .map(|cell| cell.texts())
        .unwrap_or_default();
    let mut review = BTreeMap::new();
    if let Some(classes) = table.get("review").and_then(|cell| cell.table()) {
        for (class, cell) in classes.cells() {
            if let Some(said) = cell.text() {
                review.insert(class.text, said.text);
            }
        }
    }
    let article = article(table, "[benefit] ");
    let replaces = citation(table, "replaces");
    match every {
        Some(every) if every.pays() && table.get("amount").is_none() => {
            faults.note(&table.spot(), "发钱的事项必须写 amount（金额公式）");
        }
        Some(Every::Status) => {
            if let Some(cell) = table.get("amount") {
                faults.note(
                    &cell.spot(),
                    "身份认定（every = \"status\"）不发钱，不写 amount",
                );
            }
        }
        _ => {}
    }
    table.no_other_keys(
        "to amount round every starts starts_on covers excludes review article replaces",
    );
    Some(RawBenefit {
        to: to?,
        amount,
        round,
        every: every?,
        starts: starts?,
        starts_on,
        covers,
        excludes,
        review,
        article,
        replaces,
        spot: table.spot(),
    })
}

/// Reads a `rules.toml`.
pub(crate) fn read(top: &Table<'_>) -> RawRules {
    let mut rules: Vec<RawRule> = Vec::new();
    for (key, is_condition) in [("variable", false), ("condition", true)] {
        for table in top.tables(key) {
            rules.extend(read_rule(&table, is_condition));
        }
    }
    let benefit = top
        .get("benefit")
        .and_then(|cell| cell.table())
        .and_then(|table| read_benefit(&table));
    top.no_other_keys("[[variable]] [[condition]] [benefit]");
    RawRules { rules, benefit }
}
