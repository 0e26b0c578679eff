//! The desk (办事规则): the rule book with its procedures, forms, letters and the calendar, read once from the packs.
//!
//! Guarantees: a desk exists only if every procedure and form is without fault; all faults are told at once. Letters are
//! compiled with sample data by [`Desk::check_letters`], which `pack check` calls: it is too slow for every start.
//! Deliberately absent: tables and officers.

use crate::form::{self, Form};
use crate::pack_texts::PackTexts;
use crate::procedure::{self, Offered, Procedure};
use crate::{law, letter};
use policy::{Book, Fault, Programme};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use vocab::Region;
use vocab::working_days::Calendar;

/// The desk (办事规则).
#[derive(Debug, Clone)]
pub struct Desk {
    /// The rule book.
    pub book: Arc<Book>,
    /// Working days.
    pub calendar: Calendar,
    /// What case numbers begin with: `BA`.
    pub case_prefix: String,
    pub(crate) texts: PackTexts,
    procedures: BTreeMap<String, Procedure>,
    forms: BTreeMap<String, Form>,
}

impl Desk {
    /// Reads the packs of a place (读取规则包).
    ///
    /// # Errors
    /// Every fault of the rule book, or else every fault of procedures, forms and calendar.
    pub fn load(packs: &Path, place: &str) -> Result<Self, Vec<Fault>> {
        Self::over(Arc::new(Book::load(packs, place)?))
    }

    /// The desk over a rule book already read.
    ///
    /// # Errors
    /// Every fault of procedures, forms and calendar.
    pub fn over(book: Arc<Book>) -> Result<Self, Vec<Fault>> {
        let (texts, mut faults) = PackTexts::of(&book);
        let mut procedures = BTreeMap::new();
        let mut forms = BTreeMap::new();
        for programme in book.programmes() {
            match procedure::read(&book, programme, &texts) {
                Some(Ok(read)) => {
                    procedures.insert(programme.id.clone(), read);
                }
                Some(Err(found)) => faults.extend(found),
                None => {}
            }
            let procedure = procedures.get(&programme.id);
            match form::read(&book, programme, procedure, &texts) {
                Some(Ok(read)) => {
                    forms.insert(programme.id.clone(), read);
                }
                Some(Err(found)) => faults.extend(found),
                None => {}
            }
        }
        let calendar = match book.place().texts.get("calendar.toml") {
            Some((_, text)) => {
                Calendar::from_toml(text).map_err(|fault| ("calendar.toml", fault.to_string()))
            }
            None => Err((
                "calendar.toml",
                "缺少工作日历 calendar.toml；请在规则包顶层放置".to_owned(),
            )),
        };
        let calendar = calendar.map_err(|(file, sentence_zh)| {
            faults.push(Fault {
                file: file.to_owned(),
                line: 1,
                column: 1,
                sentence_zh,
            });
        });
        match calendar {
            Ok(calendar) if faults.is_empty() => {
                let case_prefix = case_prefix(&book);
                Ok(Self {
                    book,
                    calendar,
                    case_prefix,
                    texts,
                    procedures,
                    forms,
                })
            }
            _ => Err(faults),
        }
    }

    /// A programme's procedure (办理程序).
    pub fn procedure(&self, programme: &str) -> Option<&Procedure> {
        self.procedures.get(programme)
    }

    /// All procedures by programme.
    pub fn procedures(&self) -> impl Iterator<Item = &Procedure> {
        self.procedures.values()
    }

    /// A programme's form (申请表).
    pub fn form(&self, programme: &str) -> Option<&Form> {
        self.forms.get(programme)
    }

    /// A programme of the rule book.
    pub fn programme(&self, id: &str) -> Option<&Programme> {
        self.book.programme(id)
    }

    /// The programmes that can be applied for (可申请事项): those with a procedure, in the order of the rule book.
    pub fn open_programmes(&self) -> impl Iterator<Item = &Programme> {
        self.book
            .programmes()
            .iter()
            .filter(|programme| self.procedures.contains_key(&programme.id))
    }

    /// The programmes every new application asks about (默认申请的事项); all that are open, if the packs name none.
    pub fn offered_programmes(&self) -> Vec<&Programme> {
        let to_all = |programme: &&Programme| {
            self.procedure(&programme.id)
                .is_some_and(|procedure| procedure.offered == Offered::ToAll)
        };
        let offered: Vec<&Programme> = self.open_programmes().filter(to_all).collect();
        if offered.is_empty() {
            self.open_programmes().collect()
        } else {
            offered
        }
    }

    /// A programme's title (zh, en); its id where the book no longer knows it.
    pub fn title(&self, programme: &str) -> (String, String) {
        self.book.programme(programme).map_or_else(
            || (programme.to_owned(), programme.to_owned()),
            |found| (found.title_zh.clone(), found.title_en.clone()),
        )
    }

    /// The name of a place (地名), Chinese; its code where the packs do not name it.
    pub fn place_name(&self, region: Region) -> String {
        self.named(region)
            .map_or_else(|| region.to_string(), |(zh, _)| zh)
    }

    /// The name of a place (地名), English.
    pub fn place_name_en(&self, region: Region) -> String {
        self.named(region)
            .map_or_else(|| region.to_string(), |(_, en)| en)
    }

    fn named(&self, region: Region) -> Option<(String, String)> {
        let place = self.book.place();
        if region == place.division {
            return Some((place.name_zh.clone(), place.name_en.clone()));
        }
        place
            .regions
            .iter()
            .rev()
            .find(|found| found.code == region)
            .map(|found| (found.name_zh.clone(), found.name_en.clone()))
    }

    /// Compiles every letter a procedure names, in both languages, with sample data (检查文书模板).
    ///
    /// A template that many programmes share is compiled once for each way of giving: nothing else of a programme changes
    /// what is set, only words.
    pub fn check_letters(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut checked = BTreeSet::new();
        for procedure in self.procedures.values() {
            let Some(programme) = self.book.programme(&procedure.programme) else {
                continue;
            };
            let mut words: Vec<&String> = procedure
                .receipt
                .iter()
                .chain(procedure.acts.iter().filter_map(|act| act.letter.as_ref()))
                .collect();
            words.sort();
            words.dedup();
            for word in words {
                let file = self.texts.letter(programme, word).map(|(file, _)| file);
                if checked.insert((file, programme.benefit.every)) {
                    faults.extend(letter::check(self, programme, word));
                }
            }
        }
        faults.sort();
        faults.dedup();
        faults
    }

    /// How a citation is written (法条名称).
    pub fn article_title(&self, citation: &vocab::Citation) -> String {
        law::title(&self.book, citation)
    }
}

/// A file as faults name it: relative to the folder of packs, with `/` between its parts.
pub(crate) fn fault_file(book: &Book, path: &Path) -> String {
    let packs = book
        .place()
        .folders
        .first()
        .and_then(|folder| folder.parent());
    let inside = packs
        .and_then(|packs| path.strip_prefix(packs).ok())
        .unwrap_or(path);
    inside.to_string_lossy().replace('\\', "/")
}

/// `case_prefix` of pack.toml, else the first two letters of the pack's id.
fn case_prefix(book: &Book) -> String {
    let place = book.place();
    let said = place.texts.get("pack.toml").and_then(|(_, text)| {
        let table: toml::Table = text.parse().ok()?;
        table
            .get("case_prefix")
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    });
    let letters: String = said
        .unwrap_or_else(|| place.id.chars().take(2).collect())
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(6)
        .collect();
    letters.to_ascii_uppercase()
}
