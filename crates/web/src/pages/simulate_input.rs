//! What is typed on the simulation page (试算的填写): the parameters of one programme, what they are on a day, and what each
//! reform sets instead.
//!
//! Guarantees: numbers are exact; what cannot be read is named at its field; a field left empty or set to today's value
//! changes nothing. Deliberately absent: dates and parameters nobody has published; those are written in a draft of the rule.

use crate::fields::Fields;
use crate::locale::Lang;
use crate::parts::form::{FieldError, fault};
use chrono::NaiveDate;
use policy::{Book, Change, Kind, Parameter, Programme, Setting};
use std::collections::BTreeMap;

/// The reforms that can stand side by side (情景), by the letter their fields begin with.
pub(super) const REFORMS: [&str; 3] = ["a", "b", "c"];

/// One number that can be changed (可改的数).
pub(super) struct Slot<'a> {
    pub(super) parameter: &'a Parameter,
    /// The step or code, for a parameter with several numbers.
    pub(super) step: Option<String>,
    /// What it is on the day.
    pub(super) now: i64,
}

impl Slot<'_> {
    /// The name of its field in a reform.
    pub(super) fn field(&self, reform: &str) -> String {
        let Parameter { folder, id, .. } = self.parameter;
        match &self.step {
            Some(step) => format!("{reform}.{folder}.{id}.{step}"),
            None => format!("{reform}.{folder}.{id}"),
        }
    }

    /// The number as it is typed: yuan, percent, a count.
    pub(super) fn typed(&self, number: i64) -> String {
        let hundredths = match self.parameter.kind {
            Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear => number,
            Kind::Ratio => {
                let exact = i128::from(number) * 10_000 / i128::from(self.parameter.divisor.max(1));
                i64::try_from(exact).unwrap_or(i64::MAX)
            }
            _ => return number.to_string(),
        };
        let (whole, rest) = (hundredths / 100, (hundredths % 100).abs());
        match rest {
            0 => whole.to_string(),
            rest => format!("{whole}.{rest:02}"),
        }
    }

    /// The number as people read it.
    pub(super) fn shown(&self, lang: Lang) -> String {
        match (self.parameter.kind, self.now) {
            (Kind::Bool, 0) => lang.t("否").to_owned(),
            (Kind::Bool, _) => lang.t("是").to_owned(),
            _ => format!("{} {}", self.typed(self.now), self.unit(lang)),
        }
    }

    /// Reads what was typed, in the parameter's own unit.
    fn read(&self, text: &str) -> Option<i64> {
        let text = text.trim().replace([',', '，'], "");
        let number = match self.parameter.kind {
            Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear => hundredths(&text)?,
            Kind::Ratio => {
                let scaled = i128::from(hundredths(&text)?) * i128::from(self.parameter.divisor);
                let number = (scaled % 10_000 == 0).then_some(scaled / 10_000)?;
                i64::try_from(number).ok()?
            }
            _ => text.parse().ok()?,
        };
        let is_flag = self.parameter.kind == Kind::Bool;
        (number >= 0 && !(is_flag && number > 1)).then_some(number)
    }

    /// How far a slider goes: from nothing to twice what it is, in steps people think in.
    pub(super) fn range(&self) -> Option<(String, &'static str)> {
        if self.now <= 0 {
            return None;
        }
        let step = match self.parameter.kind {
            Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear if self.now >= 10_000 => "10",
            Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear | Kind::Ratio | Kind::Count => {
                "1"
            }
            _ => return None,
        };
        Some((self.typed(self.now.saturating_mul(2)), step))
    }

    /// Its unit, in a word.
    pub(super) fn unit(&self, lang: Lang) -> &'static str {
        match self.parameter.kind {
            Kind::Money => lang.t("元"),
            Kind::MoneyPerMonth => lang.t("元/月"),
            Kind::MoneyPerYear => lang.t("元/年"),
            Kind::Ratio => "%",
            _ => super::rule::counted_in(lang, self.parameter),
        }
    }
}

/// An exact number with at most two decimals, in hundredths.
fn hundredths(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || rest.len() > 2 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok().filter(|number| *number >= 0)?;
    let rest: i64 = format!("{rest:0<2}").parse().ok()?;
    whole.checked_mul(100)?.checked_add(rest)
}

/// What a parameter is set to on a day: for the whole place, else in the widest part of it.
fn setting_on(parameter: &Parameter, day: NaiveDate) -> Option<&Setting> {
    parameter
        .values
        .iter()
        .filter(|value| super::rule::in_force(parameter, value, day))
        .min_by_key(|value| value.region.map(|region| region.to_string().len()))
        .map(|value| &value.value)
}

/// The numbers of a programme that can be changed, as they are on a day (可改的参数).
pub(super) fn slots<'a>(book: &'a Book, programme: &Programme, day: NaiveDate) -> Vec<Slot<'a>> {
    let mut slots = Vec::new();
    for parameter in policy::phrasing::parameters(book, programme) {
        if matches!(parameter.kind, Kind::Date | Kind::Code | Kind::Text) {
            continue;
        }
        let one = |step: Option<String>, now: i64| Slot {
            parameter,
            step,
            now,
        };
        match setting_on(parameter, day) {
            Some(Setting::Single(now)) => slots.push(one(None, *now)),
            Some(Setting::Steps(steps)) => {
                slots.extend(
                    steps
                        .iter()
                        .map(|(at, now)| one(Some(at.to_string()), *now)),
                );
            }
            Some(Setting::Codes(codes)) => {
                slots.extend(
                    codes
                        .iter()
                        .map(|(code, now)| one(Some(code.clone()), *now)),
                );
            }
            None => {}
        }
    }
    // Amounts first: they are what is tried most.
    slots.sort_by_key(|slot| match slot.parameter.kind {
        Kind::MoneyPerMonth | Kind::MoneyPerYear if slot.now > 0 => 0,
        Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear => 1,
        Kind::Ratio => 2,
        Kind::Bool => 4,
        _ => 3,
    });
    slots
}

/// What a reform changes, and what could not be read.
pub(super) fn changes(
    lang: Lang,
    typed: &Fields,
    slots: &[Slot<'_>],
    reform: &str,
    from: NaiveDate,
) -> (Vec<Change>, Vec<FieldError>) {
    let mut wrong = Vec::new();
    // The numbers a parameter would have, whole, and whether any of them is another than now.
    let mut set: BTreeMap<String, (&Parameter, BTreeMap<String, i64>, bool)> = BTreeMap::new();
    for slot in slots {
        let name = slot.field(reform);
        let given = match typed.get(&name).trim() {
            "" => Some(slot.now),
            text => slot.read(text),
        };
        let Some(number) = given else {
            let sentence = lang.t("请填数字，不小于 0，最多两位小数");
            wrong.push(fault(name, sentence));
            continue;
        };
        let key = format!("{}.{}", slot.parameter.folder, slot.parameter.id);
        let entry = set
            .entry(key)
            .or_insert_with(|| (slot.parameter, BTreeMap::new(), false));
        entry
            .1
            .insert(slot.step.clone().unwrap_or_default(), number);
        entry.2 |= number != slot.now;
    }
    let changed = set.into_iter().filter(|(_, (.., differs))| *differs);
    let changes = changed
        .filter_map(|(parameter, (known, numbers, _))| {
            Some(Change {
                parameter,
                value: whole(known, numbers)?,
                from,
            })
        })
        .collect();
    (changes, wrong)
}

/// The numbers as one setting, of the parameter's own shape.
fn whole(known: &Parameter, numbers: BTreeMap<String, i64>) -> Option<Setting> {
    if !known.banded {
        return numbers.into_values().next().map(Setting::Single);
    }
    let by_code = known
        .values
        .iter()
        .any(|value| matches!(value.value, Setting::Codes(_)));
    if by_code {
        return Some(Setting::Codes(numbers));
    }
    let steps: Option<BTreeMap<i64, i64>> = numbers
        .into_iter()
        .map(|(at, number)| Some((at.parse().ok()?, number)))
        .collect();
    steps.map(Setting::Steps)
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn what_is_typed_is_read_to_the_fen_or_not_at_all() {
        // 1,300 yuan are 130,000 fen; a third decimal is refused, not rounded.
        assert_eq!(hundredths("1300"), Some(130_000));
        assert_eq!(hundredths("1300.5"), Some(130_050));
        assert_eq!(hundredths("0.05"), Some(5));
        for wrong in ["1300.555", "-1", "", "x", ".5", "1.-5"] {
            assert_eq!(hundredths(wrong), None, "{wrong}");
        }
    }
}
