//! The terms of enquiring (核对规矩): `enquiry.toml` at the top of a pack; a place's file changes only the keys it writes.
//!
//! Guarantees: every mistake is told at once with file, line and column. Deliberately absent: defaults in code; the
//! nation's file says everything.

use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use policy::toml_file::{Reading, Source as File, Table};
use policy::{Book, Fault, Faults, Spot};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::clock::{shanghai_day, shanghai_hour};
use vocab::working_days::Calendar;

/// The file in a pack.
const FILE: &str = "enquiry.toml";

/// What people are asked about for (核对用途).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurposeDef {
    /// Its id.
    pub id: String,
    /// What the person reads and signs; consents are compared with it word for word.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// What of enquiring an auditor is shown as odd (异常条件).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Odd {
    /// One officer asked about one person so many times …
    pub same_person_times: u32,
    /// … within so many days.
    pub same_person_days: u32,
    /// One officer asked about so many households of one building …
    pub neighbours: u32,
    /// … within so many days.
    pub neighbours_days: u32,
    /// So many officers asked about one person …
    pub person_officers: u32,
    /// … or for so many cases …
    pub person_cases: u32,
    /// … within so many days.
    pub person_days: u32,
    /// An officer asked so many times the median of all …
    pub times_the_median: u32,
    /// … and at least so often …
    pub at_least: u32,
    /// … within so many days.
    pub median_days: u32,
    /// The first hour of office.
    pub first_hour: u32,
    /// The hour in which the office closes.
    pub last_hour: u32,
    /// A case that did not move on for so many days after.
    pub still_after_days: u32,
}

/// The terms (核对规矩).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// For what may be asked, the usual first.
    pub purposes: Vec<PurposeDef>,
    /// How many enquiries one officer may make a day.
    pub a_day: u32,
    /// How long a report is valid, in days.
    pub valid_days: u32,
    /// In how many working days an objection is answered.
    pub answer_working_days: u32,
    /// What is odd.
    pub odd: Odd,
    /// The calendar as its file has it: read when a moment is to be judged, which pages never do.
    calendar: Arc<str>,
}

/// The numbers, by section and key: each must be written somewhere.
const NUMBERS: [(&str, &[&str]); 4] = [
    ("quota", &["a_day"]),
    ("report", &["valid_days"]),
    ("objection", &["answer_working_days"]),
    (
        "odd",
        &[
            "same_person_times",
            "same_person_days",
            "neighbours",
            "neighbours_days",
            "person_officers",
            "person_cases",
            "person_days",
            "times_the_median",
            "at_least",
            "median_days",
            "first_hour",
            "last_hour",
            "still_after_days",
        ],
    ),
];

/// What the layers said so far.
#[derive(Default)]
struct Draft {
    purposes: Vec<PurposeDef>,
    numbers: BTreeMap<(&'static str, &'static str), u32>,
}

/// The terms of a rule book; all their mistakes become one message (读取核对规矩).
///
/// # Errors
/// Every mistake, with its place.
pub fn terms_of(book: &Book) -> anyhow::Result<Terms> {
    let told = |faults: Vec<Fault>| policy::all_of(&faults, ("核对规矩", "terms"));
    Terms::of(book).map_err(|faults| anyhow::Error::msg(told(faults)))
}

impl Terms {
    /// Those of a place (读取核对规矩).
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn of(book: &Book) -> Result<Self, Vec<Fault>> {
        let faults = Faults::default();
        let calendar = book.place().texts.get("calendar.toml");
        if calendar.is_none() {
            faults.note(&Spot::start_of("calendar.toml"), "缺少工作日历".to_owned());
        }
        let mut draft = Draft::default();
        let layers = File::layers(book, FILE, &faults);
        for file in &layers {
            draft.read(file, &faults);
        }
        let last = layers.last().map_or(FILE, |file| &*file.file);
        let terms = draft.finish(calendar.map_or("", |(_, text)| text), last, &faults);
        let found = faults.into_sorted();
        if found.is_empty() {
            Ok(terms)
        } else {
            Err(found)
        }
    }

    /// The usual purpose (通常的用途).
    pub fn usual(&self) -> &str {
        self.purposes.first().map_or("", |purpose| &purpose.zh)
    }

    /// Whether a purpose is one of these, word for word.
    pub fn knows(&self, purpose: &str) -> bool {
        self.purposes.iter().any(|known| known.zh == purpose.trim())
    }

    /// Whether a moment lies outside the hours and days of office (非工作时间). A year without a published calendar is
    /// judged by its weekdays.
    ///
    /// # Errors
    /// When the calendar cannot be read.
    pub fn out_of_hours(&self, at: DateTime<Utc>) -> anyhow::Result<bool> {
        let calendar = Calendar::from_toml(&self.calendar).context("the working calendar")?;
        let day: NaiveDate = shanghai_day(at);
        let open = (self.odd.first_hour..self.odd.last_hour).contains(&shanghai_hour(at));
        Ok(!open || !calendar.is_working_day(day))
    }
}

impl Draft {
    fn read(&mut self, file: &File, faults: &Faults) {
        let reading = Reading {
            source: file,
            faults,
        };
        let Some(parsed) = reading.parse(&file.text) else {
            return;
        };
        let top = Table::new(reading, parsed.get_ref(), 0..0);
        for table in top.tables("purpose") {
            let texts = (
                table.need_text("id"),
                table.need_text("zh"),
                table.need_text("en"),
            );
            if let (Some(id), Some(zh), Some(en)) = texts {
                let new = PurposeDef {
                    id: id.text,
                    zh: zh.text.trim().to_owned(),
                    en: en.text,
                };
                match self.purposes.iter_mut().find(|old| old.id == new.id) {
                    Some(old) => *old = new,
                    None => self.purposes.push(new),
                }
            }
            table.no_other_keys("id zh en");
        }
        for (name, keys) in NUMBERS {
            self.section(&top, name, keys);
        }
        top.no_other_keys("[[purpose]] [quota] [report] [objection] [odd]");
    }

    /// Reads the whole numbers of one section; a `tag` says how sure they are and decides nothing.
    fn section(&mut self, top: &Table<'_>, name: &'static str, keys: &'static [&'static str]) {
        let Some(table) = top.get(name).and_then(|cell| cell.table()) else {
            return;
        };
        table.text("tag");
        for key in keys {
            let Some(cell) = table.get(key) else {
                continue;
            };
            match cell.whole().map(u32::try_from) {
                Some(Ok(number)) => drop(self.numbers.insert((name, key), number)),
                _ => table
                    .reading
                    .faults
                    .note(&cell.spot(), format!("“{key}”应当是不小于零的整数")),
            }
        }
        table.no_other_keys(&format!("tag {}", keys.join(" ")));
    }

    /// The terms, once every layer was read; what nobody wrote is told by name.
    fn finish(self, calendar: &str, last: &str, faults: &Faults) -> Terms {
        let spot = Spot::start_of(last);
        if self.purposes.is_empty() {
            faults.note(&spot, "至少写一个核对用途 [[purpose]]".to_owned());
        }
        let number = |name: &'static str, key: &'static str| {
            let found = self.numbers.get(&(name, key)).copied();
            match found {
                None => faults.note(&spot, format!("[{name}] 缺少“{key}”")),
                // Midnight is an hour; none of the others can be nothing.
                Some(0) if key != "first_hour" => {
                    faults.note(&spot, format!("[{name}] 的“{key}”要大于零"));
                }
                Some(_) => {}
            }
            found.unwrap_or_default()
        };
        let odd = Odd {
            same_person_times: number("odd", "same_person_times"),
            same_person_days: number("odd", "same_person_days"),
            neighbours: number("odd", "neighbours"),
            neighbours_days: number("odd", "neighbours_days"),
            person_officers: number("odd", "person_officers"),
            person_cases: number("odd", "person_cases"),
            person_days: number("odd", "person_days"),
            times_the_median: number("odd", "times_the_median"),
            at_least: number("odd", "at_least"),
            median_days: number("odd", "median_days"),
            first_hour: number("odd", "first_hour"),
            last_hour: number("odd", "last_hour"),
            still_after_days: number("odd", "still_after_days"),
        };
        if odd.last_hour > 24 || (odd.last_hour > 0 && odd.first_hour >= odd.last_hour) {
            let sentence = "[odd] 的 first_hour 要早于 last_hour，都在 0 到 24 之间";
            faults.note(&spot, sentence.to_owned());
        }
        Terms {
            a_day: number("quota", "a_day"),
            valid_days: number("report", "valid_days"),
            answer_working_days: number("objection", "answer_working_days"),
            odd,
            purposes: self.purposes,
            calendar: calendar.into(),
        }
    }
}
