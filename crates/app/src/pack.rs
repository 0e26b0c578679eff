//! `huimin pack` (规则包): what a policy officer types while writing a programme.
//!
//! Guarantees: `check` shows all mistakes at once, each at its place: rules, procedures, forms, letters, messages, ratings; a mistake of a
//! parent pack that each child sees is said once; any mistake makes the exit code 1. Deliberately absent: reading rules
//! and running cases; `policy::commands` does.

use crate::card_pdf;
use crate::settings::{Data, Rules, all_places, load_book, place_of_folder};
use crate::terminal::say;
use anyhow::{Context, bail};
use casework::Desk;
use casework::rulebook::Texts;
use clap::{Args, Subcommand};
use policy::commands::{self, Cards, Said};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use store::clock::shanghai_day;
use store::{Clock, SystemClock};

/// What to do with packs (规则包命令).
#[derive(Debug, Subcommand)]
pub(crate) enum Pack {
    /// Show every mistake with file, line and column (检查).
    Check(Which),
    /// Run the worked cases and renew the cards (运行办例并更新规则卡).
    Test {
        #[command(flatten)]
        which: Which,
        /// Fail where a card would change, instead of renewing it (规则卡有变化即失败).
        #[arg(long)]
        frozen: bool,
    },
    /// List the facts a place reads (列出事实).
    Facts(Which),
    /// Print the card of each programme, or of one (输出规则卡).
    Card {
        #[command(flatten)]
        which: Which,
        /// Only this programme.
        #[arg(long)]
        programme: Option<String>,
        /// Write PDFs into this folder, one a programme, instead of printing (输出 PDF).
        #[arg(long)]
        pdf: Option<PathBuf>,
    },
    /// Print all programmes as one table, a column a place (事项总表).
    List {
        /// The folder with all packs.
        #[arg(default_value = "packs")]
        packs: PathBuf,
    },
    /// Change every rule in force in one place at a time and ask whether a worked case notices (变异测试).
    Mutate {
        #[command(flatten)]
        which: Which,
        /// Only what this programme rests on.
        #[arg(long)]
        programme: Option<String>,
    },
    /// Ask whether a pack may be published (发布前检查).
    Gate(Which),
    /// Write the rules in force, or of an earlier edition, into a new folder (导出规则).
    Export {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        rules: Rules,
        /// An earlier edition, by its number (版次).
        #[arg(long)]
        edition: Option<i64>,
        /// The folder to write; it must not exist yet.
        to: PathBuf,
    },
    /// Record the facts of a release, so that no id ever changes its meaning (登记事实).
    Lock {
        /// The folder with all packs.
        #[arg(default_value = "packs")]
        packs: PathBuf,
    },
}

/// Which packs (哪些规则包).
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The folder of one pack (with `pack.toml`) or of many; `packs` if not given.
    #[arg(default_value = "packs")]
    folder: PathBuf,
}

impl Pack {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Export {
                data,
                rules,
                edition,
                to,
            } => export(&data, &rules, edition, &to).await,
            Self::Check(which) => which.each(check),
            Self::Test { which, frozen } => {
                let cards = if frozen { Cards::Frozen } else { Cards::Renew };
                which.each(|packs, place| commands::test(packs, place, cards))
            }
            Self::Facts(which) => which.each(commands::facts),
            Self::Card {
                which,
                programme,
                pdf: None,
            } => {
                which.each(|packs, place| commands::card(packs, place, programme.as_deref(), None))
            }
            Self::Card {
                which,
                programme,
                pdf: Some(folder),
            } => which.each(|packs, place| cards(packs, place, programme.as_deref(), &folder)),
            Self::List { packs } => answer(&[commands::list(&packs, &all_places(&packs)?)]),
            Self::Mutate { which, programme } => {
                which.each(|packs, place| commands::mutate(packs, place, programme.as_deref()))
            }
            Self::Gate(which) => which.each(commands::gate),
            Self::Lock { packs } => answer(&[commands::lock(&packs)]),
        }
    }
}

impl Which {
    fn each(&self, act: impl Fn(&Path, &str) -> Said) -> anyhow::Result<()> {
        let places = if self.folder.join("pack.toml").is_file() {
            vec![place_of_folder(&self.folder)?]
        } else {
            let of = |place| (self.folder.clone(), place);
            all_places(&self.folder)?.into_iter().map(of).collect()
        };
        if places.is_empty() {
            bail!(
                "{} 中没有规则包：规则包是含有 pack.toml 的文件夹 (no pack found there)",
                self.folder.display()
            );
        }
        let said: Vec<Said> = places
            .iter()
            .map(|(packs, place)| act(packs, place))
            .collect();
        answer(&said)
    }
}

/// The folder equals what is in force: its fingerprint is said and compared.
async fn export(data: &Data, rules: &Rules, edition: Option<i64>, to: &Path) -> anyhow::Result<()> {
    let db = data.open().await?;
    let shelf = rules.look(data, &db).await?;
    let now = shelf.now();
    let number = edition.unwrap_or(now.number);
    let Some(texts) = shelf.texts(&db, number).await? else {
        bail!("没有第 {number} 版规则 (no such edition)");
    };
    db.close().await?;
    texts.write(to)?;
    let written = Texts::read(to, &rules.place)?.fingerprint();
    if written != texts.fingerprint() {
        bail!("写出的文件与规则不符，请检查磁盘 (what was written differs)");
    }
    say(&format!(
        "第 {number} 版规则已写到 {}，文件指纹 {written} (edition {number} written)",
        to.display()
    ));
    Ok(())
}

/// Rules first; where they are sound, what stands on them: procedures, forms, letters, messages, ratings.
fn check(packs: &Path, place: &str) -> Said {
    let rules = commands::check(packs, place);
    if !rules.ok {
        return rules;
    }
    let faults = match Desk::load(packs, place) {
        Ok(desk) => {
            let mut faults = desk.check_letters();
            faults.extend(notify::Rules::of(&desk.book).err().unwrap_or_default());
            let ratings = casework::rating::Terms::of(&desk.book);
            faults.extend(ratings.err().unwrap_or_default());
            faults
        }
        Err(faults) => faults,
    };
    if faults.is_empty() {
        return rules;
    }
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Said {
        text: lines.join("\n") + "\n",
        ok: false,
    }
}

/// Writes each programme's card as PDF: `<place>-<programme>.pdf`.
fn cards(packs: &Path, place: &str, only: Option<&str>, folder: &Path) -> Said {
    match write_cards(packs, place, only, folder) {
        Ok(text) => Said { text, ok: true },
        Err(fault) => Said {
            text: format!("{fault:#}\n"),
            ok: false,
        },
    }
}

fn write_cards(
    packs: &Path,
    place: &str,
    only: Option<&str>,
    folder: &Path,
) -> anyhow::Result<String> {
    let book = load_book(packs, place)?;
    if let Some(id) = only
        && book.programme(id).is_none()
    {
        bail!("{place} 没有事项 {id} (no such programme)");
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("新建文件夹 {} (making the folder)", folder.display()))?;
    let mut text = String::new();
    let day = shanghai_day(SystemClock.now());
    let wanted = book.programmes().iter();
    for programme in wanted.filter(|one| only.is_none_or(|id| one.id == id)) {
        let bytes = card_pdf::pdf(&policy::card::render(&book, programme), day)?;
        let file = folder.join(format!("{place}-{}.pdf", programme.id));
        std::fs::write(&file, bytes)
            .with_context(|| format!("写 {} (writing the card)", file.display()))?;
        text.push_str(&format!("{}\n", file.display()));
    }
    Ok(text)
}

fn answer(said: &[Said]) -> anyhow::Result<()> {
    let mut lines = BTreeSet::new();
    for line in said.iter().flat_map(|said| said.text.lines()) {
        // Two places that build on one pack repeat its mistakes; an empty line or a table's line may well come twice.
        // Survivors of mutation are indented under their programme and are said again.
        let is_fault = !line.starts_with(' ') && (line.contains(".toml:") || line.contains(".md:"));
        if !is_fault || lines.insert(line) {
            say(line);
        }
    }
    if said.iter().all(|said| said.ok) {
        return Ok(());
    }
    bail!("规则包需要改正，见上 (mistakes, see above)")
}
