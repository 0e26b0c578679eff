//! The texts casework reads from a chain of packs (规则包文本): procedures and forms of every programme in every pack, and
//! the shared ones beside them, so that one file can build on another.
//!
//! `procedures/<name>.toml`, `forms/<name>.toml` and `letters/<word>.typ` at the top of a pack belong to no programme;
//! the most specific pack wins. Deliberately absent: what the texts mean, see [`crate::like`].

use crate::source_text::SourceText;
use policy::{Book, Fault, Programme};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// The two kinds of text that can be `like` another (可沿用的文件).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `procedure.toml` and `procedures/*.toml`.
    Procedure,
    /// `form.toml` and `forms/*.toml`.
    Form,
}

impl Kind {
    const fn file(self) -> &'static str {
        match self {
            Self::Procedure => "procedure.toml",
            Self::Form => "form.toml",
        }
    }

    const fn templates(self) -> &'static str {
        match self {
            Self::Procedure => "procedures",
            Self::Form => "forms",
        }
    }
}

/// One file of one pack.
#[derive(Debug, Clone)]
struct Layer {
    pack: String,
    path: PathBuf,
    /// As faults name it: relative to the folder of packs.
    file: String,
    text: String,
}

/// All such texts of a chain of packs (规则包文本).
#[derive(Debug, Clone, Default)]
pub(crate) struct PackTexts {
    /// The packs of the chain, nation first.
    packs: Vec<String>,
    /// By name inside a pack: `procedures/order.toml`, `dibao/form.toml`; the nation's first.
    layers: BTreeMap<String, Vec<Layer>>,
}

impl PackTexts {
    /// Reads them from the folders of the book, with the faults of files that are no text.
    pub(crate) fn of(book: &Book) -> (Self, Vec<Fault>) {
        let mut texts = Self::default();
        let mut faults = Vec::new();
        for folder in &book.place().folders {
            let pack = folder
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            for (shared, ending) in [
                ("procedures", "toml"),
                ("forms", "toml"),
                ("letters", "typ"),
            ] {
                for path in files(&folder.join(shared), ending) {
                    texts.take(book, &pack, folder, &path, &mut faults);
                }
            }
            for programme in book.programmes() {
                for kind in [Kind::Procedure, Kind::Form] {
                    let path = folder.join(&programme.id).join(kind.file());
                    if path.is_file() {
                        texts.take(book, &pack, folder, &path, &mut faults);
                    }
                }
            }
            texts.packs.push(pack);
        }
        (texts, faults)
    }

    fn take(
        &mut self,
        book: &Book,
        pack: &str,
        folder: &Path,
        path: &Path,
        faults: &mut Vec<Fault>,
    ) {
        let file = crate::desk::fault_file(book, path);
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let name = path.strip_prefix(folder).unwrap_or(path);
                self.layers
                    .entry(name.to_string_lossy().replace('\\', "/"))
                    .or_default()
                    .push(Layer {
                        pack: pack.to_owned(),
                        path: path.to_owned(),
                        file,
                        text,
                    });
            }
            Err(error) => faults.push(Fault {
                file,
                line: 1,
                column: 1,
                sentence_zh: format!("读不到这个文件（应是 UTF-8 文本）：{error}"),
            }),
        }
    }

    /// A letter's template (文书模板): the programme's own, else the shared one.
    pub(crate) fn letter(&self, programme: &Programme, word: &str) -> Option<(PathBuf, String)> {
        let name = format!("letters/{word}.typ");
        programme.text(&name).or_else(|| {
            let layer = self.layers.get(&name)?.last()?;
            Some((layer.path.clone(), layer.text.clone()))
        })
    }

    /// A programme's text with all it builds on, itself first; `None` if it has none.
    pub(crate) fn programme(&self, kind: Kind, id: &str) -> Option<Result<SourceText, Vec<Fault>>> {
        self.chain(kind, &format!("{id}/{}", kind.file()))
    }

    /// A template with all it builds on, itself first; `None` if there is none of that name.
    pub(crate) fn template(
        &self,
        kind: Kind,
        name: &str,
    ) -> Option<Result<SourceText, Vec<Fault>>> {
        self.chain(kind, &format!("{}/{name}.toml", kind.templates()))
    }

    fn chain(&self, kind: Kind, name: &str) -> Option<Result<SourceText, Vec<Fault>>> {
        let mut name = name.to_owned();
        let mut depth = self.layers.get(&name)?.len().checked_sub(1)?;
        let mut chain: Vec<&Layer> = Vec::new();
        loop {
            let layer = self.layers.get(&name)?.get(depth)?;
            chain.push(layer);
            let asked = Asked::of(layer);
            let found = match asked.like() {
                Ok(None) => break,
                Ok(Some(like)) => self.find(kind, &like, &name, depth, &chain),
                Err(sentence) => Err(sentence),
            };
            match found {
                Ok(next) => (name, depth) = next,
                Err(sentence) => return Some(Err(asked.refuse(sentence))),
            }
        }
        Some(Ok(SourceText::new(
            chain
                .into_iter()
                .map(|layer| (layer.file.clone(), layer.text.clone())),
        )))
    }

    /// The file a `like` means: name inside a pack, and which pack of those that have it.
    fn find(
        &self,
        kind: Kind,
        like: &str,
        name: &str,
        depth: usize,
        chain: &[&Layer],
    ) -> Result<(String, usize), String> {
        let lower = self.layers.get(name).map_or(&[][..], |all| &all[..depth]);
        let place = if like == "parent" || self.packs.iter().any(|pack| pack == like) {
            let found = lower
                .iter()
                .rposition(|layer| like == "parent" || layer.pack == like);
            let place = found.map(|place| (name.to_owned(), place));
            place.ok_or_else(|| format!("上级规则包里没有 {name}，不能写 like = \"{like}\""))?
        } else {
            [
                format!("{like}/{}", kind.file()),
                format!("{}/{like}.toml", kind.templates()),
            ]
            .into_iter()
            .find_map(|name| {
                let top = self.layers.get(&name)?.len().checked_sub(1)?;
                Some((name, top))
            })
            .ok_or_else(|| {
                format!(
                    "没有叫“{like}”的模板，也没有叫“{like}”而有 {} 的事项；模板有 {}",
                    kind.file(),
                    self.templates(kind)
                )
            })?
        };
        let next = self
            .layers
            .get(&place.0)
            .and_then(|all| all.get(place.1))
            .map(|layer| layer.file.as_str());
        if let Some(begun) = chain
            .iter()
            .position(|layer| Some(layer.file.as_str()) == next)
        {
            let circle: Vec<&str> = chain[begun..]
                .iter()
                .map(|layer| layer.file.as_str())
                .chain(next)
                .collect();
            return Err(format!("like 绕成了圈：{}", circle.join(" → ")));
        }
        Ok(place)
    }

    fn templates(&self, kind: Kind) -> String {
        let folder = format!("{}/", kind.templates());
        let names: Vec<&str> = self
            .layers
            .keys()
            .filter_map(|name| name.strip_prefix(&folder)?.strip_suffix(".toml"))
            .collect();
        names.join("、")
    }
}

/// What one file says about what it is like.
struct Asked<'a> {
    layer: &'a Layer,
    table: DeTable<'a>,
}

impl<'a> Asked<'a> {
    fn of(layer: &'a Layer) -> Self {
        // Mistakes of the syntax are told when the file itself is read.
        let (table, _) = DeTable::parse_recoverable(&layer.text);
        Self {
            layer,
            table: table.into_inner(),
        }
    }

    fn like(&self) -> Result<Option<String>, String> {
        match self.table.get("like") {
            None => Ok(None),
            Some(value) => match value.get_ref().as_str() {
                Some(like) => Ok(Some(like.to_owned())),
                None => Err("like 应是加引号的文字".to_owned()),
            },
        }
    }

    fn refuse(&self, sentence_zh: String) -> Vec<Fault> {
        let source = SourceText::new([(self.layer.file.clone(), self.layer.text.clone())]);
        let span = self.table.get("like").map_or(0..0, toml::Spanned::span);
        source.fault(&span, sentence_zh);
        source.into_faults()
    }
}

/// The files of a folder with an ending, by name; none if there is no such folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|said| said == ending))
                .collect()
        })
        .unwrap_or_default();
    found.sort();
    found
}
