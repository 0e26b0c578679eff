//! What packs say of ratings (好差评规矩): `rating.toml` at the top of a pack; a place's file changes only the days and the role.
//!
//! Guarantees: every mistake is told at its place; indicators stand in the nation's file and nowhere else. Deliberately absent:
//! the grades, which are the standard's five.

use crate::procedure::Effect;
use access::Role;
use policy::toml_file::{Reading, Source as File, Table};
use policy::{Book, Fault, Faults, Spot};

/// The file in a pack.
const FILE: &str = "rating.toml";
/// The longest time to mend, in working days.
const MOST_DAYS: i64 = 60;
/// The handing in, which is no act of a procedure.
const SUBMIT: &str = "submit";

/// How a person was served (办理方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// At a counter, or at home (现场).
    Window,
    /// Without meeting anybody (网上).
    Online,
}

impl Side {
    /// Its word in packs and tables (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Online => "online",
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Window, Self::Online]
            .into_iter()
            .find(|one| one.word() == word)
    }
}

/// An indicator (评价指标).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// Its id.
    pub id: String,
    /// Which side it is about.
    pub side: Side,
    /// Its wording.
    pub zh: String,
    /// Its wording, English.
    pub en: String,
}

/// The terms (好差评规矩).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// In how many working days a bad rating is mended.
    pub mend_working_days: u16,
    /// Who takes it up.
    pub mends: Role,
    /// After what a person may rate: `submit`, and effects of acts.
    pub after: Vec<String>,
    /// The indicators.
    pub indicators: Vec<Indicator>,
}

#[derive(Default)]
struct Draft {
    days: Option<u16>,
    mends: Option<Role>,
    after: Vec<String>,
    indicators: Vec<Indicator>,
}

/// The terms of a rule book; all their mistakes become one message (读取好差评规矩).
///
/// # Errors
/// Every mistake, with its place.
pub fn terms_of(book: &Book) -> anyhow::Result<Terms> {
    let told = |faults: Vec<Fault>| policy::all_of(&faults, ("好差评规矩", "ratings"));
    Terms::of(book).map_err(|faults| anyhow::Error::msg(told(faults)))
}

impl Terms {
    /// Those of a place (读取好差评规矩).
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn of(book: &Book) -> Result<Self, Vec<Fault>> {
        let faults = Faults::default();
        let mut draft = Draft::default();
        let layers = File::layers(book, FILE, &faults);
        for (at, file) in layers.iter().enumerate() {
            draft.read(file, &faults, at == 0);
        }
        let last = layers.last().map_or(FILE, |file| &*file.file);
        let terms = draft.finish(last, &faults);
        let found = faults.into_sorted();
        match terms {
            Some(terms) if found.is_empty() => Ok(terms),
            _ => Err(found),
        }
    }

    /// The indicators of a side (指标).
    pub fn of_side(&self, side: Side) -> impl Iterator<Item = &Indicator> {
        self.indicators.iter().filter(move |one| one.side == side)
    }

    /// An indicator by its id; of one that is gone, none.
    pub fn indicator(&self, id: &str) -> Option<&Indicator> {
        self.indicators.iter().find(|one| one.id == id)
    }
}

impl Draft {
    fn read(&mut self, file: &File, faults: &Faults, nation: bool) {
        let reading = Reading {
            source: file,
            faults,
        };
        let text = file.text.clone();
        let Some(parsed) = reading.parse(&text) else {
            return;
        };
        let whole = Table::new(reading, parsed.get_ref(), parsed.span());
        if let Some(table) = whole.get("rating").and_then(|cell| cell.table()) {
            self.head(&table);
        }
        for table in whole.tables("indicator") {
            if !nation {
                let sentence = "评价指标是全国统一的，地方不能增减";
                faults.note(&table.spot(), sentence.to_owned());
            }
            self.indicators.extend(indicator(&table));
        }
        whole.no_other_keys("rating、indicator");
    }

    fn head(&mut self, table: &Table<'_>) {
        let faults = table.reading.faults;
        if let Some(cell) = table.get("mend_working_days")
            && let Some(days) = cell.whole()
        {
            match u16::try_from(days) {
                Ok(read) if (1..=MOST_DAYS).contains(&days) => self.days = Some(read),
                _ => faults.note(&cell.spot(), format!("应是 1 到 {MOST_DAYS} 个工作日")),
            }
        }
        if let Some(word) = table.text("mends") {
            match word.text.parse() {
                Ok(role) => self.mends = Some(role),
                Err(fault) => {
                    let fault: access::NotARole = fault;
                    faults.note(&word.spot, fault.to_string());
                }
            }
        }
        if let Some(cell) = table.get("after") {
            self.after.clear();
            for word in cell.texts() {
                let known = word.text == SUBMIT
                    || Effect::ALL.iter().any(|effect| effect.word() == word.text);
                if !known {
                    faults.note(&word.spot, format!("不认识的环节“{}”", word.text));
                }
                self.after.push(word.text);
            }
        }
        // Whether the value is a law's or an office's own.
        table.text("tag");
        table.no_other_keys("mend_working_days、mends、after、tag");
    }

    fn finish(self, file: &str, faults: &Faults) -> Option<Terms> {
        let end = Spot::start_of(file);
        let missing = [
            ("mend_working_days", self.days.is_none()),
            ("mends", self.mends.is_none()),
            ("after", self.after.is_empty()),
            ("[[indicator]]", self.indicators.is_empty()),
        ];
        for (what, is_missing) in missing {
            if is_missing {
                faults.note(&end, format!("缺少“{what}”"));
            }
        }
        Some(Terms {
            mend_working_days: self.days?,
            mends: self.mends?,
            after: self.after,
            indicators: self.indicators,
        })
    }
}

fn indicator(table: &Table<'_>) -> Option<Indicator> {
    let id = table.need_text("id");
    let side = table.need_text("side").and_then(|word| {
        let side = Side::from_word(&word);
        if side.is_none() {
            let sentence = "应是 window（现场）或 online（网上）";
            table.reading.faults.note(&word.spot, sentence.to_owned());
        }
        side
    });
    let (zh, en) = (table.need_text("zh"), table.need_text("en"));
    table.no_other_keys("id、side、zh、en");
    Some(Indicator {
        id: id?.text,
        side: side?,
        zh: zh?.text,
        en: en?.text,
    })
}
