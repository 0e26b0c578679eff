//! A letter's sample contents (文书样例), for checking templates: everything a template can show is there.

use super::contents::{Contents, Filled};
use crate::desk::Desk;
use chrono::NaiveDate;
use policy::{ConditionResult, Determination, FactRef, Outcome, Programme, RefusalSaid, Tri};
use std::collections::BTreeMap;
use vocab::{Money, Month};

/// Contents with every part filled in; the people are invented.
pub(crate) fn contents(desk: &Desk, programme: &Programme, word: &str) -> Contents {
    let date = NaiveDate::from_ymd_opt(2026, 6, 20).unwrap_or_default();
    let article = programme.benefit.article.clone();
    let region = desk
        .book
        .place()
        .regions
        .last()
        .map_or(desk.book.place().division, |place| place.code);
    let condition = |result: Tri| ConditionResult {
        id: "sample".to_owned(),
        result,
        article: article.clone(),
        article_title: desk.article_title(&article),
        sentence_zh: "样例条件：人均 600.00 元，低于 1,250.00 元".to_owned(),
        sentence_en: "Sample condition: 600.00 a head, below 1,250.00".to_owned(),
        refusal: Some(RefusalSaid {
            id: "sample".to_owned(),
            zh: "样例理由".to_owned(),
            en: "Sample reason".to_owned(),
        }),
        uses: Vec::new(),
        missing: Vec::new(),
    };
    let determination = Determination {
        programme: programme.id.clone(),
        unit: programme.to,
        member: None,
        member_key: None,
        outcome: Outcome::NotMet,
        amount: Some(Money::from_fen(195_000)),
        amount_formula: "1,250.00 × 3 − 1,800.00".to_owned(),
        every: programme.benefit.every,
        conditions: vec![
            condition(Tri::Yes),
            condition(Tri::No),
            condition(Tri::Unknown),
        ],
        variables: Vec::new(),
        facts: Vec::new(),
        absent_as_zero: Vec::new(),
        covered: vec![0],
        missing: programme
            .facts
            .first()
            .map(|fact| FactRef {
                fact: fact.clone(),
                member: Some(0),
            })
            .into_iter()
            .collect(),
        starts: programme.benefit.starts,
        starts_on: None,
        excludes: Vec::new(),
        review: BTreeMap::new(),
        faults: Vec::new(),
        pack_version: desk.book.version().to_owned(),
        pack_hash: desk.book.hash().to_owned(),
        as_of: date,
        known_at: None,
        region: Some(region),
    };
    Contents {
        kind: word.to_owned(),
        programme: programme.id.clone(),
        case_no: "YL2026-000001".to_owned(),
        date,
        applicant: "样䶮例".to_owned(),
        applicant_id_masked: "440***********1234".to_owned(),
        agent: Some(("代办人".to_owned(), "邻居".to_owned())),
        subject: "样䶮例".to_owned(),
        member_names: vec!["样䶮例".to_owned(), "样小例".to_owned()],
        region,
        address: "样例路 1 号".to_owned(),
        determination: Some(determination),
        amount: None,
        previous_amount: Some(Money::from_fen(210_000)),
        starts: Some(Month::of(date).next()),
        grounds: vec![(
            "样例事由".to_owned(),
            "Sample ground".to_owned(),
            article.clone(),
        )],
        items: vec!["样例材料".to_owned()],
        supply_by: Some(date),
        opinion: "样例意见".to_owned(),
        act: (
            "sample".to_owned(),
            "样例行为".to_owned(),
            "Sample act".to_owned(),
            Some(article),
        ),
        fields: vec![Filled {
            zh: "样例栏目".to_owned(),
            en: "Sample field".to_owned(),
            shown_zh: "样例".to_owned(),
            shown_en: "sample".to_owned(),
        }],
        participants: vec!["样例调查员".to_owned()],
        decision: Some(("YL2026-000001-7".to_owned(), "grant".to_owned())),
        remedies: true,
        receipt_code: "0000-0000-0000-0".to_owned(),
        publicity: Some((date, date)),
    }
}
