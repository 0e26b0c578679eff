//! What a letter says (文书内容), free of language; and its data in one language.

use super::Lang;
use super::amount_words::amount_words;
use crate::desk::Desk;
use crate::procedure::{Limit, LimitUnit, Remedy};
use chrono::{Datelike, NaiveDate};
use policy::{Determination, Every, Outcome, Tri};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use vocab::{Citation, Money, Month, Region};

/// A field of an act filled in, with its label (填写的栏目).
#[derive(Debug, Clone)]
pub(crate) struct Filled {
    /// Label.
    pub(crate) zh: String,
    /// Label, English.
    pub(crate) en: String,
    /// The value as shown, Chinese.
    pub(crate) shown_zh: String,
    /// The value as shown, English.
    pub(crate) shown_en: String,
}

/// What a letter says (文书内容).
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    /// The template's word.
    pub(crate) kind: String,
    /// The programme.
    pub(crate) programme: String,
    /// The case's number.
    pub(crate) case_no: String,
    /// The day it is issued.
    pub(crate) date: NaiveDate,
    /// The applicant's name.
    pub(crate) applicant: String,
    /// The applicant's masked document number.
    pub(crate) applicant_id_masked: String,
    /// The agent: name and relation.
    pub(crate) agent: Option<(String, String)>,
    /// The name of the person it is about.
    pub(crate) subject: String,
    /// The names of the members as the determination counts them.
    pub(crate) member_names: Vec<String>,
    /// The community.
    pub(crate) region: Region,
    /// The address.
    pub(crate) address: String,
    /// The determination.
    pub(crate) determination: Option<Determination>,
    /// The amount decided, if it is not the determination's.
    pub(crate) amount: Option<Money>,
    /// The amount before.
    pub(crate) previous_amount: Option<Money>,
    /// The first month.
    pub(crate) starts: Option<Month>,
    /// Grounds chosen: zh, en, article.
    pub(crate) grounds: Vec<(String, String, Citation)>,
    /// Everything asked for.
    pub(crate) items: Vec<String>,
    /// Until when to supply.
    pub(crate) supply_by: Option<NaiveDate>,
    /// The opinion.
    pub(crate) opinion: String,
    /// The act: id, zh, en, article.
    pub(crate) act: (String, String, String, Option<Citation>),
    /// The act's fields.
    pub(crate) fields: Vec<Filled>,
    /// Who took part.
    pub(crate) participants: Vec<String>,
    /// The decision: number and kind.
    pub(crate) decision: Option<(String, String)>,
    /// Whether it says what can be done against it: a decision does, and an answer to an appeal.
    pub(crate) remedies: bool,
    /// The receipt code.
    pub(crate) receipt_code: String,
    /// The notice: from, until.
    pub(crate) publicity: Option<(NaiveDate, NaiveDate)>,
}

impl Contents {
    /// The data of the letter in one language.
    pub(crate) fn data(&self, desk: &Desk, lang: Lang) -> Value {
        let zh = lang == Lang::Zh;
        let say = |chinese: &str, english: &str| {
            if zh {
                chinese.to_owned()
            } else {
                english.to_owned()
            }
        };
        let place = |region: Region| {
            if zh {
                desk.place_name(region)
            } else {
                desk.place_name_en(region)
            }
        };
        let day = |day: NaiveDate| date_text(day, lang);
        let procedure = desk.procedure(&self.programme);
        let (title_zh, title_en) = desk.title(&self.programme);
        let issuer = procedure
            .and_then(|procedure| {
                self.region
                    .with_ancestors()
                    .find(|region| region.level() == procedure.decided_by)
            })
            .unwrap_or_else(|| desk.book.place().division);
        let street = self
            .region
            .with_ancestors()
            .find(|region| region.level() == vocab::region::Level::Street)
            .map(place);
        let determination = self.determination.as_ref();
        let amount = self
            .amount
            .or_else(|| determination.and_then(|found| found.amount));
        let every = determination.map(|found| found.every);
        let reasons = self.reasons(desk, zh);
        let remedy = |remedy: Option<&Remedy>, verb_zh: &str, verb_en: &str| {
            remedy
                .filter(|_| self.remedies)
                .map(|remedy| remedy_sentence(desk, remedy, verb_zh, verb_en, zh))
        };
        json!({
            "lang": if zh { "zh" } else { "en" },
            "kind": self.kind,
            "demo": desk.book.place().demo,
            "place": { "name": place(desk.book.place().division) },
            "issuer": place(issuer),
            "case_no": self.case_no,
            "date": self.date.to_string(),
            "date_text": day(self.date),
            "programme": { "id": self.programme, "title": say(&title_zh, &title_en) },
            "applicant": { "name": self.applicant, "id_masked": self.applicant_id_masked },
            "agent": self.agent.as_ref().map(|(name, relation)| json!({ "name": name, "relation": relation })),
            "subject": self.subject,
            "household": {
                "members": self.member_names.len(),
                "community": place(self.region),
                "street": street.unwrap_or_default(),
                "address": self.address,
            },
            "outcome": determination.map_or("", |found| found.outcome.word()),
            "amount": amount.map(|amount| amount.to_string()).unwrap_or_default(),
            "amount_words": amount.map(amount_words).unwrap_or_default(),
            "formula": determination.map(|found| found.amount_formula.clone()).unwrap_or_default(),
            "every": every.map(crate::case::to_word).unwrap_or_default(),
            "unit_text": match every {
                Some(Every::Month) => say("元/月", "yuan a month"),
                Some(Every::Year) => say("元/年", "yuan a year"),
                Some(Every::Once) => say("元", "yuan"),
                _ => String::new(),
            },
            "previous_amount": self.previous_amount.map(|amount| amount.to_string()).unwrap_or_default(),
            "starts": self.starts.map(|month| month.to_string()).unwrap_or_default(),
            "starts_text": self.starts.map(|month| month_text(month, lang)).unwrap_or_default(),
            "conditions": determination.map(|found| conditions(found, zh)).unwrap_or_default(),
            "reasons": reasons,
            "missing": self.missing(desk, zh),
            "items": self.items,
            "supply_by_text": self.supply_by.map(day).unwrap_or_default(),
            "opinion": self.opinion,
            "act": { "id": self.act.0, "title": say(&self.act.1, &self.act.2) },
            "fields": self.fields.iter().map(|field| json!({
                "label": say(&field.zh, &field.en),
                "value": say(&field.shown_zh, &field.shown_en),
            })).collect::<Vec<_>>(),
            "participants": self.participants,
            "decision": self.decision.as_ref().map(|(number, kind)| json!({
                "no": number, "date_text": day(self.date), "kind": kind,
            })),
            "law": self.law(desk),
            "remedies": {
                "review": remedy(procedure.and_then(|procedure| procedure.review_remedy.as_ref()), "申请行政复议", "apply for administrative review to"),
                "suit": remedy(procedure.and_then(|procedure| procedure.suit_remedy.as_ref()), "提起行政诉讼", "bring an administrative suit before"),
            },
            "receipt": { "code": self.receipt_code, "url": format!("/progress/{}", self.receipt_code) },
            "publicity": self.publicity.map(|(from, until)| json!({
                "from_text": day(from), "until_text": day(until), "place": place(self.region),
            })),
            "next": self.next(desk, zh),
        })
    }

    /// Conditions not met, then the grounds the officer chose.
    fn reasons(&self, desk: &Desk, zh: bool) -> Vec<Value> {
        let mut reasons: Vec<Value> = self
            .determination
            .iter()
            .filter(|found| found.outcome == Outcome::NotMet)
            .flat_map(|found| &found.conditions)
            .filter(|condition| condition.result == Tri::No)
            .map(|condition| {
                let sentence = match &condition.refusal {
                    Some(said) if zh => said.zh.clone(),
                    Some(said) => said.en.clone(),
                    None if zh => condition.sentence_zh.clone(),
                    None => condition.sentence_en.clone(),
                };
                json!({ "sentence": sentence, "article": condition.article_title })
            })
            .collect();
        reasons.extend(self.grounds.iter().map(|(chinese, english, article)| {
            json!({ "sentence": if zh { chinese } else { english }, "article": desk.article_title(article) })
        }));
        reasons
    }

    fn missing(&self, desk: &Desk, zh: bool) -> Vec<Value> {
        let Some(found) = &self.determination else {
            return Vec::new();
        };
        found
            .missing
            .iter()
            .map(|missing| {
                let what = desk.book.fact(&missing.fact).map_or_else(
                    || missing.fact.clone(),
                    |fact| {
                        if zh {
                            fact.label_zh.clone()
                        } else {
                            fact.label_en.clone()
                        }
                    },
                );
                let who = missing
                    .member
                    .and_then(|member| self.member_names.get(member))
                    .cloned()
                    .unwrap_or_default();
                json!({ "what": what, "who": who })
            })
            .collect()
    }

    /// Every article the letter names, quoted once.
    fn law(&self, desk: &Desk) -> Vec<Value> {
        let mut cited: Vec<&Citation> = Vec::new();
        let mut seen = BTreeSet::new();
        let of_conditions = self
            .determination
            .iter()
            .flat_map(|found| &found.conditions)
            .map(|condition| &condition.article);
        for article in self
            .act
            .3
            .iter()
            .chain(of_conditions)
            .chain(self.grounds.iter().map(|ground| &ground.2))
        {
            if seen.insert(article) {
                cited.push(article);
            }
        }
        cited
            .into_iter()
            .filter_map(|citation| crate::law::article(&desk.book, citation))
            .map(|article| json!({ "article": article.title, "text": article.text }))
            .collect()
    }

    /// What happens next: the clocks now running say until when.
    fn next(&self, desk: &Desk, zh: bool) -> Vec<String> {
        let Some(procedure) = desk.procedure(&self.programme) else {
            return Vec::new();
        };
        let unit = |limit: Limit| match limit.unit {
            LimitUnit::WorkingDays => ("个工作日", "working days"),
            LimitUnit::Days => ("日", "days"),
            LimitUnit::Months => ("个月", "months"),
        };
        procedure
            .clocks
            .iter()
            .filter(|clock| clock.starts_on.contains(&self.act.0))
            .map(|clock| {
                let (unit_zh, unit_en) = unit(clock.limit);
                if zh {
                    format!(
                        "{}：{} {unit_zh}（{}）",
                        clock.zh,
                        clock.limit.amount,
                        desk.article_title(&clock.article)
                    )
                } else {
                    format!(
                        "{}: {} {unit_en} ({})",
                        clock.en,
                        clock.limit.amount,
                        desk.article_title(&clock.article)
                    )
                }
            })
            .collect()
    }
}

fn conditions(found: &Determination, zh: bool) -> Vec<Value> {
    found
        .conditions
        .iter()
        .map(|condition| {
            let (mark, outcome) = match condition.result {
                Tri::Yes => ("●", "met"),
                Tri::No => ("○", "not_met"),
                Tri::Unknown => ("◐", "to_verify"),
            };
            json!({
                "mark": mark,
                "outcome": outcome,
                "sentence": if zh { &condition.sentence_zh } else { &condition.sentence_en },
                "article": condition.article_title,
            })
        })
        .collect()
}

fn remedy_sentence(desk: &Desk, remedy: &Remedy, verb_zh: &str, verb_en: &str, zh: bool) -> String {
    let amount = remedy.limit.amount;
    let article = desk.article_title(&remedy.article);
    if zh {
        let unit = match remedy.limit.unit {
            LimitUnit::WorkingDays => "个工作日",
            LimitUnit::Days => "日",
            LimitUnit::Months => "个月",
        };
        let to = &remedy.to_zh;
        format!(
            "对本决定不服的，可以自收到本文书之日起 {amount} {unit}内向{to}{verb_zh}（{article}）。"
        )
    } else {
        let unit = match remedy.limit.unit {
            LimitUnit::WorkingDays => "working days",
            LimitUnit::Days => "days",
            LimitUnit::Months => "months",
        };
        let to = &remedy.to_en;
        format!(
            "If you do not agree, you may, within {amount} {unit} of receiving this letter, {verb_en} {to} ({article})."
        )
    }
}

/// A day as letters write it.
pub(crate) fn date_text(day: NaiveDate, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{}年{}月{}日", day.year(), day.month(), day.day()),
        Lang::En => day.format("%-d %B %Y").to_string(),
    }
}

fn month_text(month: Month, lang: Lang) -> String {
    match lang {
        Lang::Zh => {
            let (year, number) = month.year_month();
            format!("{year}年{number}月")
        }
        Lang::En => month.first_day().format("%B %Y").to_string(),
    }
}
