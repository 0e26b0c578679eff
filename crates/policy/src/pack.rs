//! Reading packs (读取规则包): the folders of a place and of all it builds on, merged programme by programme.
//!
//! Guarantees: every mistake of every file is noted with its place; unknown keys are mistakes. Deliberately absent:
//! what formulas mean (see `assemble`) and worked cases (see `cases`).
//!
//! # Grammar
//!
//! `packs/<place>/pack.toml`: `id` `version` (`"1.0"`) `builds_on` (`"national"` or `"none"`) `division` (`"440306"`),
//! `[name] zh en`, optional `demo` (bool) and `case_prefix`. `regions.toml`: `[[region]] code name en? from? until?`.
//! `packs/facts.lock.toml`: what each fact id meant at the last release; written by `pack lock`.
//! Every other folder holding one of the files below is a *programme* if its `rules.toml` has `[benefit]`, else a
//! *library*, whose facts, variables, parameters and laws are visible everywhere without a prefix. A folder of the same name in the pack
//! of a place adds to the nation's. A programme needs, in one of its folders, `law.md rules.toml wording.toml cases.toml`.
//!
//! * `law.md`: `# id 《title》 number`, then `source: …` and `date: 2021-07-01`, then articles `## art-13` (or
//!   `## sec-2 附件第二项`) with their text. A citation `mz57:13` means `## art-13` (or `## 13`) of `# mz57`.
//! * `facts.toml`: `[[fact]] id of type codes? source sensitivity?`; types bool count money money/month money/year date
//!   code text. An id has one meaning in all packs.
//! * `parameters.toml`: `[id] what unit values|bands note?`; an entry `{ from, value, source, until?, region?, note?, demo? }`;
//!   in `bands` the value is a table of lower bounds (`{ 70 = 20000 }`) or of codes. `values = []` with a note: not
//!   published. A place's list replaces the nation's whole list; `what` and `unit` may then be left out.
//!   Units: `fen` (money), `fen/<thing>` per household person bed m2 … (money), each with `/month` (money a month) or `/year`
//!   (money a year) at the end · bp percent permille (ratio, already divided) · count people months years days hours points
//!   m2 beds … (count) · bool · date; all in `unit`.
//! * `rules.toml`: `[[variable]] id of gives article formula round? from? absent_is_zero? replaces?`;
//!   `[[condition]] id of? article test refuses from? absent_is_zero? replaces?`;
//!   `[benefit] to amount? round? every starts starts_on? covers? excludes? review? article replaces?`.
//!   The same id again with a later `from` is a later version. A place repeating a nation's id needs
//!   `replaces = "law:article"` on its first entry; its versions then replace all of the nation's.
//!   `absent_is_zero`: `true`, `["fact"]` or `[{ fact, article }]`.
//!   `of` and `to`: `household person organisation`. An organisation's row has its own facts, its people are `members`;
//!   it sees no household facts. `every`: `month year once order status`; the amount is money/month, money/year or money.
//! * formulas: names; `members.x` inside `sum count min max any all` (with `filter (where …)`) of a household formula;
//!   `household.x` in a person formula; `programme.x`, `programme.outcome` (`'met'`, `'not_met'`, else unknown),
//!   `programme.amount`, `in_payment.programme`; `+ - * /`, comparisons, `and or not`, `in`, `between`,
//!   `case when … then … else … end`; the functions of `function`; whole numbers, `'codes'`, `date '2026-07-01'`,
//!   `true`, `false`. Only the number 0 fits money; other amounts are parameters.
//! * outcomes: one condition no → not met, whatever else is unknown; else one unknown → to verify; else met, if the amount is
//!   known, whole fen and above zero and it is clear whom it covers. All met but the amount is not positive: a gap in the
//!   rules, to verify with that fault; a minimum is written in the formula with `greatest` or as a condition.
//! * `wording.toml`: `[programme] zh en`, `[programme.summary]`, `[fact.x]` and `[variable.x]` (`zh en hint_zh? hint_en?`),
//!   `[code.fact.code]`, `[condition.x]`, `[refusal.x]`. Placeholders `{x}`: variables, parameters and facts of the
//!   benefit's unit or of the household, `{as_of}`, `{amount}`, `{members}`.
//! * `mutants.toml`: `[[equivalent]] rule mutation because from?`, see `argued`: mutants that no case can kill, and why.
//! * `cases.toml`: see `cases`; they run with the pack whose folder holds them. Other files (`procedure.toml`, `form.toml`, `letters/*.typ`) are kept as text.

use crate::book::{Place, PlaceRegion, Tile};
use crate::fact_def::{self, Declared, RESERVED, is_id};
use crate::fault::{Faults, Spot};
use crate::law::{self, Laws};
use crate::merge::{merge_benefit, merge_rules};
use crate::parameter::{self, Inherited, Parameter};
use crate::rule::{self, RawBenefit, RawRule};
use crate::toml_file::{Cell, Reading, Said, Source, Table};
use crate::wording::Wordings;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vocab::Region;

/// Files of a programme folder that this crate reads.
const OURS: [&str; 6] = [
    "law.md",
    "facts.toml",
    "parameters.toml",
    "rules.toml",
    "wording.toml",
    "cases.toml",
];
/// Files that must be somewhere in a programme.
const NEEDED: [&str; 4] = ["law.md", "rules.toml", "wording.toml", "cases.toml"];

/// A file of a pack (规则包文件).
#[derive(Debug, Clone)]
pub(crate) struct PackFile {
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
    /// Which pack of the chain, nation first.
    pub(crate) pack: usize,
}

/// One folder of a chain of packs, merged (合并后的目录).
#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    pub(crate) id: String,
    /// Nation first.
    pub(crate) paths: Vec<(usize, PathBuf)>,
    /// All files by name, those of every pack, nation first.
    pub(crate) files: BTreeMap<String, Vec<PackFile>>,
    pub(crate) facts: Vec<Declared>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    /// Versions stand together, oldest first, ids in order of first appearance.
    pub(crate) rules: Vec<RawRule>,
    pub(crate) benefit: Option<RawBenefit>,
    pub(crate) wordings: Wordings,
}

impl Folder {
    /// Where something missing from the folder is reported: its `wording.toml`, else the name it would have.
    pub(crate) fn spot_of(&self, file: &str) -> Spot {
        match self.files.get(file).and_then(|files| files.last()) {
            Some(file) => Spot::start_of(&file.source.file),
            None => Spot::start_of(&format!("{}/{file}", self.shown())),
        }
    }

    fn shown(&self) -> String {
        self.paths
            .last()
            .map(|(_, path)| path.to_string_lossy().replace('\\', "/"))
            .unwrap_or_default()
    }
}

/// A chain of packs, read and merged (规则包链).
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) place: Place,
    pub(crate) version: String,
    pub(crate) hash: String,
    pub(crate) folders: BTreeMap<String, Folder>,
    pub(crate) laws: Laws,
}

struct Head {
    id: String,
    version: String,
    builds_on: Option<Said>,
    name_zh: String,
    name_en: String,
    division: Region,
    demo: bool,
    path: PathBuf,
}

/// Reads the chain of a place; `None` if even the heads could not be read.
pub(crate) fn read(packs: &Path, place: &str, faults: &Faults) -> Option<Chain> {
    let heads = heads(packs, place, faults)?;
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for (pack, head) in heads.iter().enumerate() {
        gather(packs, head, pack, &mut folders, &mut texts, faults);
    }
    let mut laws = Laws::default();
    for folder in folders.values_mut() {
        read_folder(folder, &heads, &mut laws, faults);
    }
    let own = heads.last()?;
    let regions = regions(packs, &heads, faults);
    let hash = fingerprint(&folders, &heads, &texts);
    let version = heads
        .iter()
        .rev()
        .map(|head| format!("{} {}", head.id, head.version))
        .collect::<Vec<_>>()
        .join(" + ");
    Some(Chain {
        place: Place {
            id: own.id.clone(),
            name_zh: own.name_zh.clone(),
            name_en: own.name_en.clone(),
            division: own.division,
            demo: heads.iter().any(|head| head.demo),
            regions,
            folders: heads.iter().map(|head| packs.join(&head.path)).collect(),
            texts,
        },
        version,
        hash,
        folders,
        laws,
    })
}

/// Reads a file as text; a file that is not UTF-8 is a mistake of its own.
fn read_text(packs: &Path, path: &Path, faults: &Faults) -> Option<Source> {
    let shown = path.to_string_lossy().replace('\\', "/");
    match std::fs::read(packs.join(path)) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Some(Source::new(&shown, text)),
            Err(_) => {
                faults.note(
                    &Spot::start_of(&shown),
                    "文件不是 UTF-8 编码；请另存为 UTF-8",
                );
                None
            }
        },
        Err(error) => {
            faults.note(&Spot::start_of(&shown), format!("读不到这个文件：{error}"));
            None
        }
    }
}

/// Runs a reader over the top table of a file.
pub(crate) fn with_table<T>(
    source: &Source,
    faults: &Faults,
    read: impl FnOnce(&Table<'_>) -> T,
) -> Option<T> {
    let reading = Reading { source, faults };
    let parsed = reading.parse(&source.text)?;
    let table = Table::new(reading, parsed.get_ref(), 0..0);
    Some(read(&table))
}

fn heads(packs: &Path, place: &str, faults: &Faults) -> Option<Vec<Head>> {
    let mut heads: Vec<Head> = Vec::new();
    let mut next = Some((
        place.to_owned(),
        Spot::start_of(&format!("{place}/pack.toml")),
    ));
    while let Some((id, asked_at)) = next.take() {
        if heads.iter().any(|head| head.id == id) {
            faults.note(&asked_at, format!("规则包互相依赖成了圈：又回到了 {id}"));
            return None;
        }
        let path = PathBuf::from(&id);
        if !packs.join(&path).join("pack.toml").is_file() {
            faults.note(
                &asked_at,
                format!("没有叫“{id}”的规则包（找不到 {id}/pack.toml）"),
            );
            return None;
        }
        let source = read_text(packs, &path.join("pack.toml"), faults)?;
        let head = with_table(&source, faults, |top| read_head(top, path.clone()))??;
        if head.id != id {
            faults.note(
                &Spot::start_of(&source.file),
                format!("pack.toml 里的 id 是“{}”，目录却叫“{id}”", head.id),
            );
        }
        next = head
            .builds_on
            .as_ref()
            .map(|said| (said.text.clone(), said.spot.clone()));
        heads.push(head);
    }
    heads.reverse();
    Some(heads)
}

fn read_head(top: &Table<'_>, path: PathBuf) -> Option<Head> {
    let faults = top.reading.faults;
    let id = top.need_text("id");
    let version = top.need_text("version");
    if let Some(version) = &version {
        let numbers: Vec<_> = version.split('.').map(|part| part.parse::<u32>()).collect();
        if numbers.len() != 2 || numbers.iter().any(Result::is_err) {
            faults.note(
                &version.spot,
                "version 写两个数，例如 \"1.0\"：法律或读法变了加第一个数，只改写法加第二个数",
            );
        }
    }
    let builds_on = top
        .need_text("builds_on")
        .filter(|said| said.text != "none" && !said.text.is_empty());
    let division = top
        .need_text("division")
        .and_then(|said| match said.text.parse() {
            Ok(region) => Some(region),
            Err(wrong) => {
                faults.note(&said.spot, format!("{wrong}"));
                None
            }
        });
    let name = top.need("name").and_then(|cell| cell.table());
    let names = name.and_then(|name| {
        let pair = (name.need_text("zh"), name.need_text("en"));
        name.no_other_keys("zh en");
        Some((pair.0?.text, pair.1?.text))
    });
    let demo = top
        .get("demo")
        .and_then(|cell| cell.flag())
        .unwrap_or(false);
    // Read by casework; asked for here so that it is a known key.
    let _prefix = top.text("case_prefix");
    top.no_other_keys("id version builds_on division name demo case_prefix");
    let (name_zh, name_en) = names?;
    Some(Head {
        id: id?.text,
        version: version?.text,
        builds_on,
        name_zh,
        name_en,
        division: division?,
        demo,
        path,
    })
}

fn sorted_entries(path: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .collect()
        })
        .unwrap_or_default();
    entries.sort();
    entries.retain(|path| {
        path.file_name()
            .is_some_and(|name| !name.to_string_lossy().starts_with('.'))
    });
    entries
}

fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["toml", "md", "typ", "txt", "csv", "json"]
            .iter()
            .any(|known| extension == *known)
    })
}

/// Takes in all texts of one pack: those at its top and those of its folders.
fn gather(
    packs: &Path,
    head: &Head,
    pack: usize,
    folders: &mut BTreeMap<String, Folder>,
    texts: &mut BTreeMap<String, (PathBuf, String)>,
    faults: &Faults,
) {
    for entry in sorted_entries(&packs.join(&head.path)) {
        let Some(name) = entry
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        let relative = head.path.join(&name);
        if entry.is_file() {
            if is_text(&entry)
                && let Some(source) = read_text(packs, &relative, faults)
            {
                texts.insert(name, (entry, source.text.to_string()));
            }
            continue;
        }
        let ours = OURS.iter().any(|file| entry.join(file).is_file());
        let known = folders.contains_key(&name);
        let has_text = |file: &str| entry.join(file).is_file();
        if !ours
            && !(known
                && (has_text(crate::argued::FILE)
                    || has_text("procedure.toml")
                    || has_text("form.toml")
                    || entry.join("letters").is_dir()))
        {
            continue;
        }
        if !is_id(&name) || (RESERVED.contains(&name.as_str()) && name != "household") {
            faults.note(
                &Spot::start_of(&relative.to_string_lossy().replace('\\', "/")),
                format!("目录名“{name}”不能作事项代号；只用小写字母、数字和下划线"),
            );
            continue;
        }
        let folder = folders.entry(name.clone()).or_default();
        folder.id = name;
        folder.paths.push((pack, relative.clone()));
        gather_folder(packs, &relative, "", pack, folder, faults);
    }
}

fn gather_folder(
    packs: &Path,
    path: &Path,
    prefix: &str,
    pack: usize,
    folder: &mut Folder,
    faults: &Faults,
) {
    for entry in sorted_entries(&packs.join(path)) {
        let Some(name) = entry
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        let relative = path.join(&name);
        if entry.is_dir() {
            gather_folder(
                packs,
                &relative,
                &format!("{prefix}{name}/"),
                pack,
                folder,
                faults,
            );
        } else if is_text(&entry)
            && let Some(source) = read_text(packs, &relative, faults)
        {
            folder
                .files
                .entry(format!("{prefix}{name}"))
                .or_default()
                .push(PackFile {
                    path: entry,
                    source,
                    pack,
                });
        }
    }
}

fn read_folder(folder: &mut Folder, heads: &[Head], laws: &mut Laws, faults: &Faults) {
    let files = folder.files.clone();
    let each = |name: &str| files.get(name).map_or(&[][..], Vec::as_slice);
    for file in each("law.md") {
        let reading = Reading {
            source: &file.source,
            faults,
        };
        for law in law::read(&file.source, reading) {
            laws.add(law, reading);
        }
    }
    for file in each("facts.toml") {
        folder
            .facts
            .extend(with_table(&file.source, faults, fact_def::read).unwrap_or_default());
    }
    for file in each("parameters.toml") {
        let parent = file.pack.checked_sub(1);
        let division = parent.map(|_| heads[file.pack].division);
        with_table(&file.source, faults, |top| {
            for (id, cell) in top.cells() {
                if !is_id(&id) || RESERVED.contains(&id.text.as_str()) {
                    faults.note(
                        &id.spot,
                        format!("“{}”不能作名字；只用小写字母、数字和下划线", id.text),
                    );
                    continue;
                }
                let Some(table) = cell.table() else { continue };
                let inherited = Inherited {
                    known: folder.parameters.get(&id.text),
                    division,
                };
                if let Some(parameter) = parameter::read(&folder.id, &id, &table, &inherited) {
                    folder.parameters.insert(id.text, parameter);
                }
            }
        });
    }
    for file in each("rules.toml") {
        if let Some(read) = with_table(&file.source, faults, rule::read) {
            merge_rules(folder, read.rules, faults);
            merge_benefit(folder, read.benefit, faults);
        }
    }
    for file in each("wording.toml") {
        with_table(&file.source, faults, |top| folder.wordings.read(top));
    }
    if folder.benefit.is_some() {
        for name in NEEDED {
            if each(name).is_empty() {
                faults.note(
                    &folder.spot_of(name),
                    format!("事项“{}”缺少文件 {name}", folder.id),
                );
            }
        }
    }
}

fn regions(packs: &Path, heads: &[Head], faults: &Faults) -> Vec<PlaceRegion> {
    let mut regions: Vec<PlaceRegion> = Vec::new();
    for head in heads {
        let path = head.path.join("regions.toml");
        if !packs.join(&path).is_file() {
            continue;
        }
        let Some(source) = read_text(packs, &path, faults) else {
            continue;
        };
        with_table(&source, faults, |top| {
            for table in top.tables("region") {
                if let Some(region) = read_region(&table, head.division, &regions) {
                    regions.push(region);
                }
            }
            top.no_other_keys("[[region]]");
        });
    }
    regions.sort_by_key(|region| (region.code, region.from));
    regions
}

fn read_region(table: &Table<'_>, division: Region, known: &[PlaceRegion]) -> Option<PlaceRegion> {
    let faults = table.reading.faults;
    let code = table.need_text("code");
    let name = table.need_text("name");
    let en = table.text("en");
    let from = table.get("from").and_then(|cell| cell.date());
    let until = table.get("until").and_then(|cell| cell.date());
    let tile = table.get("tile");
    table.no_other_keys("code name en from until tile");
    let (said, name) = (code?, name?);
    let code: Region = match said.text.parse() {
        Ok(code) => code,
        Err(wrong) => {
            faults.note(&said.spot, format!("{wrong}"));
            return None;
        }
    };
    if !division.holds(code) {
        faults.note(
            &said.spot,
            format!("区划 {} 不在本规则包的辖区 {division} 内", said.text),
        );
    }
    if known.iter().any(|other| {
        let period = |from, until| vocab::Period { from, until };
        other.code == code && period(other.from, other.until).overlaps(&period(from, until))
    }) {
        faults.note(&said.spot, format!("区划 {} 在同一时间写了两次", said.text));
    }
    Some(PlaceRegion {
        code,
        name_en: en.map_or_else(|| name.text.clone(), |en| en.text),
        name_zh: name.text,
        parent: code.parent(),
        from,
        until,
        tile: tile.and_then(|cell| read_tile(&cell, code, known, faults)),
    })
}

/// A place on the sketch: `[column, row]`, small numbers from 0. Two places may not share a square.
fn read_tile(
    cell: &Cell<'_>,
    code: Region,
    known: &[PlaceRegion],
    faults: &Faults,
) -> Option<Tile> {
    let numbers: Vec<Option<u8>> = cell
        .list()?
        .iter()
        .map(|number| number.whole().and_then(|number| u8::try_from(number).ok()))
        .collect();
    let [Some(column), Some(row)] = numbers[..] else {
        faults.note(
            &cell.spot(),
            "tile 写 [自西数的列, 自北数的行]，从 0 起，不超过 255",
        );
        return None;
    };
    let tile = Tile { column, row };
    let taken = |other: &&PlaceRegion| other.tile == Some(tile) && other.code != code;
    if let Some(other) = known.iter().find(taken) {
        faults.note(
            &cell.spot(),
            format!("tile 这一格已经是{}的", other.name_zh),
        );
    }
    Some(tile)
}

/// The fingerprint of all that can change a determination: heads, laws, facts, parameters, rules and wording.
fn fingerprint(
    folders: &BTreeMap<String, Folder>,
    heads: &[Head],
    texts: &BTreeMap<String, (PathBuf, String)>,
) -> String {
    use sm3::{Digest, Sm3};
    let mut digest = Sm3::new();
    let mut take = |name: &str, text: &str| {
        digest.update(name.as_bytes());
        digest.update([0]);
        // A checkout that writes CRLF is still the same pack.
        digest.update(text.replace("\r\n", "\n").as_bytes());
        digest.update([0]);
    };
    for head in heads {
        take(
            &head.id,
            &format!("{} {} {}", head.version, head.division, head.demo),
        );
    }
    if let Some((_, text)) = texts.get("regions.toml") {
        take("regions.toml", text);
    }
    for (id, folder) in folders {
        for name in OURS.iter().filter(|name| **name != "cases.toml") {
            for file in folder.files.get(*name).into_iter().flatten() {
                take(
                    &format!("{}/{id}/{name}", heads[file.pack].id),
                    &file.source.text,
                );
            }
        }
    }
    hex::encode(digest.finalize())
}
