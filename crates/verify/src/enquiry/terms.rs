//! The terms of enquiring (核对规矩): `enquiry.toml` at the top of a pack; a place's file changes only the keys it writes.
//!
//! Guarantees: every mistake is told at once with file, line and column. Deliberately absent: defaults in code; the
//! nation's file says everything.

use chrono::{DateTime, NaiveDate, Timelike, Utc};
use policy::toml_file::{Reading, Source as File, Table};
use policy::{Book, Fault, Faults, Spot};
use store::clock::shanghai_day;
use vocab::working_days::Calendar;

/// The file in a pack.
const FILE: &str = "enquiry.toml";
/// China is so many hours ahead of the clock of the database.
const CHINA_HOURS: u32 = 8;

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
    calendar: Calendar,
}

impl Terms {
    /// Those of a place (读取核对规矩).
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn of(book: &Book) -> Result<Self, Vec<Fault>> {
        let faults = Faults::default();
        let calendar = book
            .place()
            .texts
            .get("calendar.toml")
            .and_then(|(_, text)| Calendar::from_toml(text).ok());
        let Some(calendar) = calendar else {
            faults.note(
                &Spot::start_of("calendar.toml"),
                "缺少工作日历，或者工作日历有错误".to_owned(),
            );
            return Err(faults.into_sorted());
        };
        let mut terms = Self {
            purposes: Vec::new(),
            a_day: 0,
            valid_days: 0,
            answer_working_days: 0,
            odd: Odd::default(),
            calendar,
        };
        let mut last = FILE.to_owned();
        for folder in &book.place().folders {
            let path = folder.join(FILE);
            if !path.is_file() {
                continue;
            }
            let shown = path.strip_prefix(book.packs()).unwrap_or(&path);
            last = shown.to_string_lossy().replace('\\', "/");
            match std::fs::read_to_string(&path) {
                Ok(text) => terms.read(&File::new(&last, text), &faults),
                Err(fault) => {
                    faults.note(&Spot::start_of(&last), format!("读不到这个文件：{fault}"));
                }
            }
        }
        let whole = !terms.purposes.is_empty()
            && [
                terms.a_day,
                terms.valid_days,
                terms.answer_working_days,
                terms.odd.same_person_times,
                terms.odd.times_the_median,
                terms.odd.last_hour,
            ]
            .iter()
            .all(|number| *number > 0);
        if !whole {
            faults.note(
                &Spot::start_of(&last),
                "核对的规矩不全：用途、每日次数、有效期、答复期限、异常条件都要写，而且大于零"
                    .to_owned(),
            );
        }
        let found = faults.into_sorted();
        if found.is_empty() {
            Ok(terms)
        } else {
            Err(found)
        }
    }

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
        let odd = &mut self.odd;
        section(&top, "quota", &mut [("a_day", &mut self.a_day)]);
        section(&top, "report", &mut [("valid_days", &mut self.valid_days)]);
        section(
            &top,
            "objection",
            &mut [("answer_working_days", &mut self.answer_working_days)],
        );
        section(
            &top,
            "odd",
            &mut [
                ("same_person_times", &mut odd.same_person_times),
                ("same_person_days", &mut odd.same_person_days),
                ("times_the_median", &mut odd.times_the_median),
                ("at_least", &mut odd.at_least),
                ("median_days", &mut odd.median_days),
                ("first_hour", &mut odd.first_hour),
                ("last_hour", &mut odd.last_hour),
                ("still_after_days", &mut odd.still_after_days),
            ],
        );
        top.no_other_keys("[[purpose]] [quota] [report] [objection] [odd]");
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
    pub fn out_of_hours(&self, at: DateTime<Utc>) -> bool {
        let hour = (at.hour() + CHINA_HOURS) % 24;
        let day: NaiveDate = shanghai_day(at);
        let open = (self.odd.first_hour..self.odd.last_hour).contains(&hour);
        !open || !self.calendar.is_working_day(day)
    }
}

/// Reads the whole numbers of one section; a `tag` says how sure they are and decides nothing.
fn section(top: &Table<'_>, name: &str, places: &mut [(&str, &mut u32)]) {
    let Some(table) = top.get(name).and_then(|cell| cell.table()) else {
        return;
    };
    table.text("tag");
    let mut known = "tag".to_owned();
    for (key, place) in places {
        known = format!("{known} {key}");
        let Some(cell) = table.get(key) else {
            continue;
        };
        match cell.whole().map(u32::try_from) {
            Some(Ok(number)) => **place = number,
            _ => table
                .reading
                .faults
                .note(&cell.spot(), format!("“{key}”应当是不小于零的整数")),
        }
    }
    table.no_other_keys(&known);
}
