//! The rule book of one place (规则库): its programmes, facts and regions, ready to decide.
//!
//! A book exists only without mistakes; nothing is half loaded. Deliberately absent: reading files (see `pack`) and
//! the arithmetic (see `evaluate`).

use crate::answer::{answers, brief};
use crate::argued::{self, Argued};
use crate::assemble::{Assembled, Spoken, assemble};
use crate::case_file;
use crate::cases::Case;
use crate::determination::{Ask, Determination, Every, Outcome, StartRule, Unit};
use crate::evaluate::Run;
use crate::fact_def::FactDef;
use crate::fault::{Fault, Faults, Spot};
use crate::kind::Kind;
use crate::law::Laws;
use crate::lock;
use crate::names::Names;
use crate::pack::{self, Chain, Folder};
use crate::parameter::Parameter;
use crate::program::Program;
use crate::reform::{self, Change};
use crate::table::{ColumnDef, column_defs};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vocab::{Citation, FactSheet, Money, Month, Record, Region};

/// A place in the pack's list of regions (区划条目).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRegion {
    /// Its code.
    pub code: Region,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English; the Chinese one where none is given.
    pub name_en: String,
    /// The place directly above.
    pub parent: Option<Region>,
    /// First day under this name and code; `None` means since ever.
    pub from: Option<NaiveDate>,
    /// First day no longer so; `None` means still.
    pub until: Option<NaiveDate>,
    /// Where it lies on the place's sketch (示意图位置): the column from the west and the row from the north, from 0.
    pub tile: Option<Tile>,
}

/// A square of a place's sketch (示意图方格).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// Counted from the west.
    pub column: u8,
    /// Counted from the north.
    pub row: u8,
}

/// The place a book is for (地方).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The pack's id.
    pub id: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Its division.
    pub division: Region,
    /// Whether it is for demonstration only.
    pub demo: bool,
    /// Its streets and communities.
    pub regions: Vec<PlaceRegion>,
    /// The pack folders, nation first.
    pub folders: Vec<PathBuf>,
    /// Texts at the top of the pack folders (`calendar.toml` …), most specific first found.
    pub texts: BTreeMap<String, (PathBuf, String)>,
}

/// A variable of a programme (变量).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableDef {
    /// Its id.
    pub id: String,
    /// Of whom.
    pub of: Unit,
    /// Of which kind.
    pub gives: Kind,
    /// Its name in Chinese.
    pub label_zh: String,
    /// Its name in English.
    pub label_en: String,
    /// Its versions, oldest first.
    pub versions: Vec<RuleVersion>,
}

/// One version of a rule (规则版本).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleVersion {
    /// From which day; `None` means since ever.
    pub from: Option<NaiveDate>,
    /// The article it stands on.
    pub article: Citation,
    /// The formula as written.
    pub formula: String,
    /// How the result is rounded, as written.
    pub round: Option<String>,
    /// What it replaces: the legal basis for differing from the nation.
    pub replaces: Option<Citation>,
    /// Facts whose absence counts as zero, with the article.
    pub absent_is_zero: Vec<(String, Citation)>,
    /// Names the formula uses, in order of first use.
    pub uses: Vec<String>,
    /// Where it is written.
    pub spot: Spot,
}

/// A condition of a programme (条件).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionDef {
    /// Its id.
    pub id: String,
    /// Of whom.
    pub of: Unit,
    /// The refusal it leads to.
    pub refuses: String,
    /// Its versions, oldest first; the formula is the test.
    pub versions: Vec<RuleVersion>,
}

/// What a programme gives (待遇).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benefit {
    /// To a household, a person or an organisation.
    pub to: Unit,
    /// The amount as written; `None` for an order or a status.
    pub amount: Option<String>,
    /// How the amount is rounded, as written.
    pub round: Option<String>,
    /// How often.
    pub every: Every,
    /// When it begins.
    pub starts: StartRule,
    /// The date variable it begins with, for the rules about a condition.
    pub starts_on: Option<String>,
    /// The person variable telling for whom it is paid.
    pub covers: Option<String>,
    /// Programmes that cannot be had at the same time.
    pub excludes: Vec<String>,
    /// How often it is checked again, by class.
    pub review: BTreeMap<String, String>,
    /// The article it stands on.
    pub article: Citation,
    /// Where it is written.
    pub spot: Spot,
}

/// A programme (事项): one benefit, service or status, as one folder per pack.
#[derive(Debug, Clone)]
pub struct Programme {
    /// Its id: the folder's name.
    pub id: String,
    /// Its name in Chinese.
    pub title_zh: String,
    /// Its name in English.
    pub title_en: String,
    /// What it is for, in Chinese.
    pub summary_zh: String,
    /// What it is for, in English.
    pub summary_en: String,
    /// To a household or a person.
    pub to: Unit,
    /// What it gives.
    pub benefit: Benefit,
    /// Facts it reads, with all it rests on.
    pub facts: Vec<String>,
    /// Its own parameters.
    pub parameters: Vec<Parameter>,
    /// Its own variables.
    pub variables: Vec<VariableDef>,
    /// Its conditions.
    pub conditions: Vec<ConditionDef>,
    /// The most specific folder.
    pub folder: PathBuf,
    /// Its folders, nation first.
    pub folders: Vec<PathBuf>,
    /// Its other files by relative name, most specific: `procedure.toml`, `form.toml`, `letters/granted.typ`.
    pub texts: BTreeMap<String, (PathBuf, String)>,
}

impl Programme {
    /// A file of the programme, the most specific one (事项文件): `procedure.toml`, `form.toml`, `letters/granted.typ`.
    pub fn text(&self, file: &str) -> Option<(PathBuf, String)> {
        self.texts.get(file).cloned()
    }

    /// The first month (起发月) when nothing is known about the day a condition came true.
    pub fn start_month(&self, decided: NaiveDate, applied: NaiveDate) -> Month {
        self.benefit.starts.first_month(decided, applied, None)
    }
}

/// An article of law as people cite it (条文).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArticleText {
    /// The law's title: `《…办法》`.
    pub law_title: String,
    /// Its number and year.
    pub law_number: String,
    /// The anchor: `art-13`.
    pub anchor: String,
    /// How it is called: `第十三条`.
    pub title_zh: String,
    /// Its text.
    pub text: String,
}

/// An outcome without its reasons (结论摘要), for whole populations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief {
    /// Which programme, counted in [`Book::programmes`].
    pub programme: usize,
    /// Which member, counted from 0; `None` for a household.
    pub member: Option<usize>,
    /// The outcome.
    pub outcome: Outcome,
    /// The amount, if met and the programme gives money.
    pub amount: Option<Money>,
}

/// The rule book of one place (规则库).
#[derive(Debug, Clone)]
pub struct Book {
    place: Place,
    inside: Assembled,
    columns: Vec<ColumnDef>,
    laws: Laws,
    version: String,
    hash: String,
    written: String,
    cases: BTreeMap<String, Vec<Case>>,
    argued: BTreeMap<String, Vec<Argued>>,
    packs: PathBuf,
}

impl Book {
    /// Households decided together: few enough that their columns stay in the processor's cache.
    pub(crate) const BATCH: usize = 128;

    /// Reads the pack of a place with all it builds on.
    ///
    /// # Errors
    /// All mistakes of the packs at once.
    pub fn load(packs: &Path, place: &str) -> Result<Self, Vec<Fault>> {
        Self::open(packs, place).map(|(book, _)| book)
    }

    /// The book together with the files it was made from.
    pub(crate) fn open(
        packs: &Path,
        place: &str,
    ) -> Result<(Self, BTreeMap<String, Folder>), Vec<Fault>> {
        let faults = Faults::default();
        match pack::read(packs, place, &faults) {
            Some(chain) => Self::made(packs, chain, faults),
            None => Err(faults.into_sorted()),
        }
    }

    /// The book of files that were read.
    pub(crate) fn made(
        packs: &Path,
        chain: Chain,
        faults: Faults,
    ) -> Result<(Self, BTreeMap<String, Folder>), Vec<Fault>> {
        let inside = assemble(&chain, &faults);
        if let Some(inside) = &inside {
            lock::check(packs, &inside.names.facts, &faults);
        }
        let cases = inside
            .as_ref()
            .map(|inside| case_file::read(&chain, inside, &faults))
            .unwrap_or_default();
        let argued = argued::read(&chain, &faults);
        match inside {
            Some(inside) if faults.is_empty() => {
                let book = Self {
                    place: chain.place,
                    columns: column_defs(&inside.program),
                    inside,
                    laws: chain.laws,
                    version: chain.version,
                    written: chain.hash.clone(),
                    hash: chain.hash,
                    cases,
                    argued,
                    packs: packs.to_owned(),
                };
                Ok((book, chain.folders))
            }
            _ => Err(faults.into_sorted()),
        }
    }

    /// The place.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// All programmes, by id.
    pub fn programmes(&self) -> &[Programme] {
        &self.inside.programmes
    }

    /// One programme.
    pub fn programme(&self, id: &str) -> Option<&Programme> {
        self.programmes()
            .iter()
            .find(|programme| programme.id == id)
    }

    /// One fact.
    pub fn fact(&self, id: &str) -> Option<&FactDef> {
        self.inside.names.facts.get(id)
    }

    /// All facts, by id.
    pub fn facts(&self) -> impl Iterator<Item = &FactDef> {
        self.inside.names.facts.values()
    }

    /// All texts of law.
    pub fn laws(&self) -> &Laws {
        &self.laws
    }

    /// The article of a citation.
    pub fn article(&self, citation: &Citation) -> Option<ArticleText> {
        self.laws.find(citation).map(|(law, article)| ArticleText {
            law_title: law.title.clone(),
            law_number: law.number.clone(),
            anchor: article.anchor.clone(),
            title_zh: article.heading.clone(),
            text: article.text.clone(),
        })
    }

    /// The article as people say it: `《…办法》第十三条`.
    pub fn article_title(&self, citation: &Citation) -> Option<String> {
        self.laws.find(citation).map(|_| self.laws.title(citation))
    }

    /// The worked cases of a programme in this place's own pack.
    pub fn cases(&self, programme: &str) -> &[Case] {
        self.cases.get(programme).map_or(&[], Vec::as_slice)
    }

    /// Variables of libraries, by folder.
    pub fn libraries(&self) -> &[(String, Vec<VariableDef>)] {
        &self.inside.libraries
    }

    /// Every parameter of every folder (全部参数), by folder and id as read.
    pub fn parameters(&self) -> &[Parameter] {
        &self.inside.program.params
    }

    /// The folder of packs it was read from.
    pub fn packs(&self) -> &Path {
        &self.packs
    }

    /// Surviving mutants a folder argues for (已说明的存活变异): what they change and why no case can tell.
    pub fn argued(&self, folder: &str) -> &[Argued] {
        self.argued.get(folder).map_or(&[], Vec::as_slice)
    }

    /// What the book reads (输入列): facts on the day asked and look-backs; a [`crate::table::Table`] has one column for each.
    pub fn columns(&self) -> &[ColumnDef] {
        &self.columns
    }

    /// Puts another value in a parameter's place.
    pub(crate) fn with_value(&mut self, param: usize, change: &Change) {
        use sm3::{Digest, Sm3};
        let known = &mut self.inside.program.params[param];
        let mut digest = Sm3::new();
        digest.update(self.hash.as_bytes());
        digest.update(reform::said(known, change).as_bytes());
        self.hash = hex::encode(digest.finalize());
        reform::put_in(known, change);
        self.inside.program.layouts.forget();
        let (folder, id) = (known.folder.clone(), known.id.clone());
        let shown = self.inside.programmes.iter_mut();
        for own in shown.flat_map(|programme| &mut programme.parameters) {
            if own.folder == folder && own.id == id {
                reform::put_in(own, change);
            }
        }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.inside.names
    }

    pub(crate) fn spoken(&self) -> &[Spoken] {
        &self.inside.spoken
    }

    pub(crate) fn program(&self) -> &Program {
        &self.inside.program
    }

    /// Decides for one household.
    pub fn evaluate(&self, sheet: &FactSheet, ask: &Ask) -> Vec<Determination> {
        self.evaluate_many(std::slice::from_ref(sheet), ask)
            .pop()
            .unwrap_or_default()
    }

    /// Decides for many households, each as if it were alone.
    pub fn evaluate_many(&self, sheets: &[FactSheet], ask: &Ask) -> Vec<Vec<Determination>> {
        let wanted = self.wanted(ask);
        let region = self.region(ask);
        let mut all = Vec::with_capacity(sheets.len());
        for batch in sheets.chunks(Self::BATCH) {
            let run = Run::new(self.program(), batch, ask, region, &wanted);
            for (row, sheet) in batch.iter().enumerate() {
                let mut determinations = Vec::with_capacity(wanted.len());
                for benefit in self.fitting(&wanted, sheet, ask) {
                    answers(self, &run, benefit, row, &mut determinations);
                }
                all.push(determinations);
            }
        }
        all
    }

    /// Outcomes and amounts only (只要结论和金额), for whole populations: one list a sheet, in the order of
    /// [`Book::programmes`]; no sentence is built.
    pub fn outcomes(&self, sheets: &[FactSheet], ask: &Ask) -> Vec<Vec<Brief>> {
        let wanted = self.wanted(ask);
        let region = self.region(ask);
        let mut all = Vec::with_capacity(sheets.len());
        for batch in sheets.chunks(Self::BATCH) {
            let run = Run::new(self.program(), batch, ask, region, &wanted);
            for (row, sheet) in batch.iter().enumerate() {
                let mut briefs = Vec::with_capacity(wanted.len());
                for benefit in self.fitting(&wanted, sheet, ask) {
                    brief(&run, benefit, row, &mut briefs);
                }
                all.push(briefs);
            }
        }
        all
    }

    /// Unless asked for by name, programmes for organisations are for sheets of organisations and the others for households.
    fn fitting<'w>(
        &'w self,
        wanted: &'w [usize],
        sheet: &FactSheet,
        ask: &Ask,
    ) -> impl Iterator<Item = usize> + 'w {
        let of = |fact: &String| self.fact(fact).map(|fact| fact.of);
        let for_organisations =
            |benefit: usize| self.programmes()[benefit].to == Unit::Organisation;
        let sorts = ask.programmes.is_none() && wanted.iter().any(|one| for_organisations(*one));
        let organisation = sorts
            && sheet
                .household
                .keys()
                .any(|fact| of(fact) == Some(Unit::Organisation));
        wanted
            .iter()
            .copied()
            .filter(move |benefit| !sorts || for_organisations(*benefit) == organisation)
    }

    /// Where an ask decides.
    pub(crate) fn region(&self, ask: &Ask) -> Region {
        ask.region.unwrap_or(self.place.division)
    }

    pub(crate) fn wanted(&self, ask: &Ask) -> Vec<usize> {
        (0..self.programmes().len())
            .filter(|index| {
                ask.programmes
                    .as_ref()
                    .is_none_or(|asked| asked.contains(&self.programmes()[*index].id))
            })
            .collect()
    }

    /// The part of a sheet a programme reads (采用的事实): stored beside a determination, it replays to the same bytes.
    pub fn excerpt(&self, programme: &str, sheet: &FactSheet) -> FactSheet {
        let facts: &[String] = self
            .programme(programme)
            .map_or(&[], |programme| &programme.facts);
        let cut = |record: &Record| -> Record {
            record
                .iter()
                .filter(|(fact, _)| facts.binary_search(fact).is_ok())
                .map(|(fact, rows)| (fact.clone(), rows.clone()))
                .collect()
        };
        FactSheet {
            household: cut(&sheet.household),
            members: sheet.members.iter().map(cut).collect(),
            member_keys: sheet.member_keys.clone(),
        }
    }

    /// The version: `baoan 1.0 + national 1.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The fingerprint (SM3) of all that decides.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether one of the two is the other with other values put in, see [`Book::reformed`] (是否同一套规则的改动): such books share
    /// their columns and can be bound as one.
    pub fn is_written_as(&self, other: &Self) -> bool {
        self.written == other.written
    }

    /// The fingerprint of what is written in the packs (原文指纹): the same for every reform tried of it.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }
}
