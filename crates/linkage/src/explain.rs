//! Reasons in words (理由): what each field says for or against, and how much.
//!
//! Guarantees: the weights of the parts and of the rarity add up to the evidence against a stranger. Deliberately absent: the values
//! themselves; whoever shows them has the records.

use crate::compare::{FIELDS, Levels, is_by_rarity, words};
use crate::model::Model;
use std::fmt::Write;

/// One reason (一条理由).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    /// The field.
    pub field: &'static str,
    /// Its level in words.
    pub level: &'static str,
    /// For (above nought) or against one person, in bits.
    pub bits: f64,
    /// Whether a value is shared; what that speaks for stands in the rarity of the value, not in the bits.
    pub shares: bool,
}

/// Why two records are thought to be of one person or not (逐项理由). Fields that one of them lacks are left out.
pub fn reasons(model: &Model, levels: Levels) -> Vec<Reason> {
    let all = levels.all().into_iter().enumerate();
    all.filter(|(_, level)| *level != 0)
        .map(|(field, level)| Reason {
            field: FIELDS[field],
            level: words(field).get(level).copied().unwrap_or_default(),
            bits: model.bits(field, level),
            shares: is_by_rarity(field, level),
        })
        .collect()
}

/// The same as one line (一行理由): 姓名同音 +9.2；身份证号相同 +29.6；所同之值罕见 +14.0.
pub fn line(model: &Model, levels: Levels, rarity: f32) -> String {
    let mut line = String::new();
    for reason in reasons(model, levels) {
        let between = if line.is_empty() { "" } else { "；" };
        let _done = write!(
            line,
            "{between}{}{} {:+.1}",
            reason.field, reason.level, reason.bits
        );
    }
    let bits = -f64::from(rarity) / std::f64::consts::LN_2;
    if bits > 0.05 {
        let _done = write!(line, "；所同之值罕见 {bits:+.1}");
    }
    line
}
