//! Question and answer (问与答): what is asked of every part, and what comes back from one.
//!
//! Guarantees: a question holds all that the one who asks was told, for whoever makes it takes his own apart field by
//! field; answers of parts add up, in any order. Deliberately absent: who answers, and by which rules.

use crate::effect::Effect;
use crate::simulate::Reform;
use crate::sweep::{Doubts, Record};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use vocab::Region;

/// What is asked of every part (问题).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// Who is due what, against what is paid.
    Sweep {
        as_of: NaiveDate,
        programmes: Option<Vec<String>>,
        doubts: Doubts,
    },
    /// What other values of parameters would mean.
    Simulate {
        as_of: NaiveDate,
        reforms: Vec<Reform>,
        region: Option<Region>,
    },
}

/// A part's answer (答复).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The record of a sweep, and the files beside it in their order; they travel as bytes, not as text.
    Swept {
        record: Box<Record>,
        #[serde(skip)]
        files: [Vec<u8>; 5],
    },
    /// One effect a reform.
    Simulated {
        effects: Vec<Effect>,
        households: u64,
    },
    /// What a piece of a bulk enquiry came to, sealed.
    Enquired {
        #[serde(skip)]
        sealed: Vec<u8>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{Change, Setting};
    use std::collections::BTreeMap;

    #[test]
    fn all_that_is_asked_arrives() {
        let as_of = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        let change = |value: Setting| Change {
            parameter: "standard".to_owned(),
            value,
            from: as_of,
        };
        let asked = Question::Simulate {
            as_of,
            reforms: vec![Reform {
                name: "甲".to_owned(),
                changes: vec![
                    change(Setting::Single(-1)),
                    change(Setting::Steps(BTreeMap::from([(70, 20_000), (80, 30_000)]))),
                    change(Setting::Codes(BTreeMap::from([("A1".to_owned(), 5)]))),
                ],
            }],
            region: Some("440306001000".parse().unwrap()),
        };
        let text = serde_json::to_string(&asked).unwrap();
        assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), asked);
    }

    #[test]
    fn the_files_of_a_sweep_do_not_travel_as_text() {
        let answer = Answer::Swept {
            record: Box::default(),
            files: [vec![1, 2, 3], vec![4], vec![], vec![5], vec![6]],
        };
        let text = serde_json::to_string(&answer).unwrap();
        let Answer::Swept { files, .. } = serde_json::from_str(&text).unwrap() else {
            panic!("{text}");
        };
        assert!(files.iter().all(Vec::is_empty));
    }
}
