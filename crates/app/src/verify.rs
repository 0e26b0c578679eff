//! `huimin verify` (核对): what departments deliver is landed, and households are asked about.
//!
//! ```text
//! huimin verify sources [packs/PLACE]
//! huimin verify land     --source NAME --file F --store DIR [--date DAY] [--accept-drift]
//! huimin verify returned --source NAME --store DIR --out F.xlsx
//! huimin verify ask      --store DIR FILE.json
//! huimin verify bulk     --store DIR --in F.csv --out F.csv [--cluster http://HOST:PORT]
//! ```
//!
//! Guarantees: a delivery that was refused or interrupted leaves the earlier ones as they were; what is unknown is empty and
//! says why. Deliberately absent: the authorisation; these commands are for whoever holds the key file, and a case asks
//! through the desk.

use crate::place::DecidedAt;
use crate::settings::{Rules, load_book, place_of_folder};
use crate::sweep::{rest, workers};
use crate::terminal::say;
use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use store::clock::shanghai_day;
use store::files::write_whole;
use store::{Clock, Keys, SystemClock};
use verify::manifest::deliveries;
use verify::report::FigureColumn;
use verify::{Asked, Landed, Landing, Manifest, Person, Progress, Source, Sources, returned};

/// The commands (核对命令).
#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// What the departments of a place deliver (列出数据源).
    Sources(ListSources),
    /// Land a delivered file (落地一份数据).
    Land(Land),
    /// Export the rows of the newest delivery that go back to the department (导出退回行).
    Returned(ExportReturned),
    /// Ask about one household in a JSON file (核对一户).
    Ask(Ask),
    /// Ask about many households in a csv (批量核对).
    Bulk(Bulk),
}

impl Verify {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Sources(command) => command.run(),
            Self::Land(command) => command.run(),
            Self::Returned(command) => command.run(),
            Self::Ask(command) => command.run(),
            Self::Bulk(command) => command.run(),
        }
    }
}

/// Where landed data lie and what opens them.
#[derive(Debug, Args)]
struct Where {
    #[command(flatten)]
    rules: Rules,
    /// Where landed deliveries lie (落地文件夹).
    #[arg(long, env = "HUIMIN_LANDED", default_value = "data/landed")]
    store: PathBuf,
    /// The key file (密钥文件).
    #[arg(long, env = "HUIMIN_KEYS", default_value = "data/huimin.keys")]
    keys: PathBuf,
}

impl Where {
    fn sources(&self) -> anyhow::Result<Sources> {
        sources_of(&self.rules.packs, &self.rules.place)
    }

    fn source(&self, id: &str) -> anyhow::Result<Source> {
        let sources = self.sources()?;
        let known: Vec<&str> = sources.0.keys().map(String::as_str).collect();
        sources.get(id).cloned().with_context(|| {
            format!(
                "没有数据源“{id}”；可以写：{} (no such source)",
                known.join(" ")
            )
        })
    }

    fn landed(&self) -> anyhow::Result<Landed> {
        Landed::open(
            &self.store,
            self.sources()?,
            Keys::load_or_create(&self.keys)?,
        )
    }
}

fn sources_of(packs: &Path, place: &str) -> anyhow::Result<Sources> {
    let book = load_book(packs, place)?;
    verify::at_hand::sources_of(&book)
}

fn today() -> NaiveDate {
    shanghai_day(SystemClock.now())
}

/// Which sources (数据源).
#[derive(Debug, Args)]
pub(crate) struct ListSources {
    /// The folder of a place's pack.
    #[arg(default_value = "packs/national")]
    folder: PathBuf,
}

impl ListSources {
    fn run(self) -> anyhow::Result<()> {
        let (packs, place) = place_of_folder(&self.folder)?;
        for source in sources_of(&packs, &place)?.0.values() {
            say(&format!(
                "{}  {}（{}）  {}  {} 天内有效  {}",
                source.id,
                source.zh,
                source.department,
                source.arrival.by.join(" "),
                source.max_age_days,
                if source.whole { "全量" } else { "非全量" },
            ));
            for def in &source.figures {
                let becomes = def
                    .fact
                    .as_ref()
                    .map_or(String::new(), |fact| format!(" → {fact}"));
                say(&format!("    {} {}{becomes}", def.id, def.zh));
            }
        }
        Ok(())
    }
}

/// What to land (落地).
#[derive(Debug, Args)]
pub(crate) struct Land {
    #[command(flatten)]
    place: Where,
    /// The name of the source: see `huimin verify sources` (数据源).
    #[arg(long)]
    source: String,
    /// The delivered file (送来的文件).
    #[arg(long)]
    file: PathBuf,
    /// The day the data are of; today if not given (数据日期).
    #[arg(long)]
    date: Option<NaiveDate>,
    /// Take it although it is out of the usual (接受异常).
    #[arg(long)]
    accept_drift: bool,
    /// How many workers; as many as there are processors if not given (并行数).
    #[arg(long)]
    workers: Option<usize>,
}

impl Land {
    fn run(self) -> anyhow::Result<()> {
        let source = self.place.source(&self.source)?;
        let keys = Keys::load_or_create(&self.place.keys)?;
        let begun = Instant::now();
        let last = Mutex::new(Duration::ZERO);
        let told = |at: Progress| {
            let spent = begun.elapsed();
            let Ok(mut last) = last.try_lock() else {
                return;
            };
            if spent.saturating_sub(*last) >= Duration::from_secs(2) {
                *last = spent;
                let left = rest(spent, at.read, at.about);
                tracing::info!(
                    read = at.read,
                    about = at.about,
                    parts = at.parts,
                    of_parts = at.of_parts,
                    rest_seconds = left.as_secs(),
                    "landing"
                );
            }
        };
        let landing = Landing {
            source: &source,
            file: &self.file,
            store: &self.place.store,
            delivered: self.date.unwrap_or_else(today),
            today: today(),
            keys: &keys,
            workers: workers(self.workers),
            accept_drift: self.accept_drift,
            stop: &AtomicBool::new(false),
            told: &told,
        };
        match landing.run()? {
            Ok(manifest) => {
                print(&source, &manifest, begun.elapsed());
                Ok(())
            }
            Err(refused) => {
                if let verify::Refused::Drift(_, reasons) | verify::Refused::NothingTaken(reasons) =
                    &refused
                {
                    print_reasons(reasons);
                }
                bail!("{refused}")
            }
        }
    }
}

fn print(source: &Source, manifest: &Manifest, spent: Duration) {
    say(&format!(
        "{} {}：{} 行，落地 {} 行，退回 {} 行，{} 毫秒 (rows, landed, returned, ms)",
        source.zh,
        manifest.delivery,
        manifest.rows,
        manifest.rows - manifest.bad,
        manifest.bad,
        spent.as_millis()
    ));
    print_reasons(&manifest.reasons);
    for (word, count) in &manifest.notes {
        say(&format!("  已收下但另一人的号码读不出 {word} {count}"));
    }
    if !manifest.ignored.is_empty() {
        say(&format!("  没有用到的列：{}", manifest.ignored.join("、")));
    }
}

fn print_reasons(reasons: &BTreeMap<String, u64>) {
    for (word, count) in reasons {
        let known = verify::checked::Reason::ALL
            .into_iter()
            .find(|reason| reason.word() == word);
        say(&format!(
            "  {count}  {}",
            known.map_or(word.as_str(), |reason| reason.zh())
        ));
    }
}

/// Which rows to export (退回行).
#[derive(Debug, Args)]
pub(crate) struct ExportReturned {
    #[command(flatten)]
    place: Where,
    /// The name of the source.
    #[arg(long)]
    source: String,
    /// The file to write: `.xlsx` or `.csv`.
    #[arg(long)]
    out: PathBuf,
}

impl ExportReturned {
    fn run(self) -> anyhow::Result<()> {
        let source = self.place.source(&self.source)?;
        let keys = Keys::load_or_create(&self.place.keys)?;
        let all = deliveries(&self.place.store, &source.id)?;
        let (folder, manifest) = all
            .last()
            .context("这个数据源还没有落地过 (nothing landed)")?;
        let rows = returned::read(folder, &source, &keys)?;
        let workbook = self
            .out
            .extension()
            .is_some_and(|extension| extension == "xlsx");
        write(&self.out, &returned::table(&source, &rows, workbook)?)?;
        say(&format!("{}：{} 行 (rows)", manifest.delivery, rows.len()));
        Ok(())
    }
}

/// One household (一户).
#[derive(Debug, Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    place: Where,
    /// `{ "household": "…", "members": [{ "id_no": "…", "name": "…" }] }`
    file: PathBuf,
    /// The day asked about; today if not given (基准日).
    #[arg(long)]
    as_of: Option<NaiveDate>,
}

impl Ask {
    fn run(self) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.file)
            .with_context(|| format!("读不到 {}", self.file.display()))?;
        let asked: Asked = serde_json::from_str(&text)
            .with_context(|| format!("{} 读不懂 (reading the household)", self.file.display()))?;
        let landed = self.place.landed()?;
        let as_of = self.as_of.unwrap_or_else(today);
        let reports =
            landed.ask_outside_a_case(&[asked], as_of, workers(None), &AtomicBool::new(false))?;
        let named: Vec<serde_json::Value> = reports
            .iter()
            .map(|report| shown(&landed, report))
            .collect();
        say(&serde_json::to_string_pretty(&named)?);
        Ok(())
    }
}

/// A report with the names of its figures, in which nothing names a person.
fn shown(landed: &Landed, report: &verify::Report) -> serde_json::Value {
    let answers = report.answers.iter().map(|answer| {
        let source = landed.sources().get(&answer.source);
        let figures = |figures: &[verify::Figure]| -> serde_json::Value {
            let defs = source.map_or(&[][..], |source| &source.figures);
            let pairs = defs.iter().zip(figures).map(|(def, figure)| {
                let why: Vec<String> = figure.unknown.iter().map(verify::Unknown::zh).collect();
                let mut one =
                    serde_json::json!({ "zh": def.zh, "value": figure.value, "rows": figure.rows });
                if !why.is_empty() {
                    one["unknown"] = why.into();
                }
                if let (Some(fact), Some(source)) = (&def.fact, source) {
                    one["fact"] = fact.clone().into();
                    one["as_fact"] =
                        serde_json::to_value(figure.as_value(source, def)).unwrap_or_default();
                }
                (def.id.clone(), one)
            });
            serde_json::Value::Object(pairs.collect())
        };
        serde_json::json!({
            "source": answer.source,
            "zh": source.map(|source| source.zh.clone()),
            "department": source.map(|source| source.department.clone()),
            "delivery": answer.delivery,
            "delivered": answer.delivered,
            "household": figures(&answer.household),
            "members": answer.members.iter().map(|member| figures(member)).collect::<Vec<_>>(),
        })
    });
    serde_json::json!({
        "household": report.household,
        "as_of": report.as_of,
        "answers": answers.collect::<Vec<_>>(),
    })
}

/// Many households (批量).
#[derive(Debug, Args)]
pub(crate) struct Bulk {
    #[command(flatten)]
    place: Where,
    /// A csv with the columns `household`, `id_no` and `name`, the members of a household one after another.
    #[arg(long = "in")]
    input: PathBuf,
    /// The csv to write: a household a row, a figure a column; unknown is empty and the last column says why.
    #[arg(long)]
    out: PathBuf,
    /// The day asked about; today if not given (基准日).
    #[arg(long)]
    as_of: Option<NaiveDate>,
    /// How many workers; in a cluster how many pieces are in hand at once.
    #[arg(long)]
    workers: Option<usize>,
    #[command(flatten)]
    at: DecidedAt,
    /// How many people a piece has at most that a cluster gets (每片人数).
    #[arg(long, default_value_t = 16_384)]
    piece: usize,
}

#[derive(Debug, Deserialize)]
struct Line {
    household: String,
    #[serde(default)]
    id_no: String,
    #[serde(default)]
    name: String,
}

impl Bulk {
    fn run(self) -> anyhow::Result<()> {
        let begun = Instant::now();
        let asked = read_households(&self.input)?;
        let landed = self.place.landed()?;
        let as_of = self.as_of.unwrap_or_else(today);
        let columns = if self.at.is_far() {
            crate::waiting(self.asked_far(&landed, &asked, as_of))?
        } else {
            let stop = AtomicBool::new(false);
            landed.ask_many(&asked, as_of, workers(self.workers), &stop)?
        };
        write_columns(&self.out, &asked, &columns)?;
        let people: usize = asked.iter().map(|household| household.members.len()).sum();
        say(&format!(
            "{as_of} {} 户 {people} 人，{} 毫秒 (households, people, ms)",
            asked.len(),
            begun.elapsed().as_millis()
        ));
        Ok(())
    }
}

impl Bulk {
    /// The same by the executors of a cluster.
    async fn asked_far(
        &self,
        landed: &Landed,
        asked: &[Asked],
        as_of: NaiveDate,
    ) -> anyhow::Result<Vec<FigureColumn>> {
        let place = self.at.open()?;
        let book = load_book(&self.place.rules.packs, &self.place.rules.place)?;
        let pieces = landed.in_pieces(asked, as_of, self.piece, workers(None))?;
        let in_hand = self.at.in_hand(self.workers);
        let found = place
            .enquire(&book, &self.place.store, &pieces, in_hand)
            .await?;
        pieces.columns(found, workers(None))
    }
}

fn read_households(file: &Path) -> anyhow::Result<Vec<Asked>> {
    let bytes = std::fs::read(file).with_context(|| format!("读不到 {}", file.display()))?;
    let text = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&bytes);
    let mut asked: Vec<Asked> = Vec::new();
    for line in csv::Reader::from_reader(text).deserialize() {
        let line: Line = line.with_context(|| format!("{} 读不懂", file.display()))?;
        let person = Person {
            id_no: line.id_no,
            name: line.name,
        };
        match asked.last_mut() {
            Some(last) if last.household == line.household => last.members.push(person),
            _ => asked.push(Asked {
                household: line.household,
                members: vec![person],
            }),
        }
    }
    Ok(asked)
}

fn write_columns(file: &Path, asked: &[Asked], columns: &[FigureColumn]) -> anyhow::Result<()> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let titles = columns
        .iter()
        .map(|column| format!("{}.{}", column.source, column.figure));
    let mut heading = vec!["household".to_owned()];
    heading.extend(titles);
    heading.push("unknown".to_owned());
    out.write_record(&heading)?;
    let mut reasons: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for column in columns {
        for (household, why) in &column.unknown {
            if *why == verify::Unknown::PerPerson {
                continue;
            }
            let said = format!("{}.{}：{}", column.source, column.figure, why.zh());
            reasons.entry(*household).or_default().push(said);
        }
    }
    for (at, household) in asked.iter().enumerate() {
        let mut row = vec![household.household.clone()];
        row.extend(
            columns
                .iter()
                .map(|column| column.values[at].map_or(String::new(), |value| value.to_string())),
        );
        row.push(
            reasons
                .get(&at)
                .map_or(String::new(), |reasons| reasons.join("；")),
        );
        out.write_record(&row)?;
    }
    write(file, &out.into_inner()?)
}

/// Writes what was asked for, whole or not at all.
fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_whole(file, &file.with_extension("new"), bytes)
        .with_context(|| format!("无法写入 {}", file.display()))
}
