//! The files of a chain of packs as texts (规则包文件): read, laid over, written out whole, and their fingerprint.
//!
//! Guarantees: a folder is written beside its place and renamed, so it is whole or not there; the same texts give the same
//! fingerprint wherever they lie. Deliberately absent: what the texts mean.

use anyhow::{Context, bail};
use sm3::{Digest, Sm3};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::keys::sm3_hex;

/// The record of released facts, which stands beside the packs.
const LOCK: &str = "facts.lock.toml";

/// All files of a chain of packs by path: `national/dibao/rules.toml` (规则包文件).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts(BTreeMap<String, Arc<str>>);

impl Texts {
    /// Reads the packs of a place and of all it builds on (读取).
    ///
    /// # Errors
    /// A pack that is missing, a file that cannot be read or is no text.
    pub fn read(packs: &Path, place: &str) -> anyhow::Result<Self> {
        let mut texts = Self::default();
        for pack in chain(packs, place)? {
            texts.take(packs, &packs.join(pack))?;
        }
        let lock = packs.join(LOCK);
        if lock.is_file() {
            texts.take_file(packs, &lock)?;
        }
        Ok(texts)
    }

    /// Of texts by path.
    pub(crate) fn of(texts: BTreeMap<String, Arc<str>>) -> Self {
        Self(texts)
    }

    fn take(&mut self, packs: &Path, folder: &Path) -> anyhow::Result<()> {
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.take(packs, &entry.path())?;
            } else {
                self.take_file(packs, &entry.path())?;
            }
        }
        Ok(())
    }

    fn take_file(&mut self, packs: &Path, file: &Path) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("规则包里的 {} 不是文字文件 (not a text)", file.display()))?;
        let path = file
            .strip_prefix(packs)?
            .to_string_lossy()
            .replace('\\', "/");
        self.0.insert(path, text.into());
        Ok(())
    }

    /// One file's text.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(AsRef::as_ref)
    }

    /// All files, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), &**text))
    }

    /// The paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The same with other texts laid over (叠加).
    #[must_use]
    pub fn with<'a>(&self, over: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = self.0.clone();
        for (path, text) in over {
            all.insert(path.to_owned(), text.into());
        }
        Self(all)
    }

    /// Path and fingerprint of each file (文件清单).
    pub(crate) fn manifest(&self) -> Manifest {
        self.iter()
            .map(|(path, text)| (path.to_owned(), sm3_hex(text.as_bytes())))
            .collect()
    }

    /// The fingerprint of the whole (整包指纹): paths and contents, nothing else.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.manifest())
    }

    /// The paths whose texts differ between the two, in order (有差别的文件).
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let mut paths: Vec<String> = self
            .0
            .iter()
            .filter(|(path, text)| other.0.get(*path) != Some(text))
            .map(|(path, _)| path.clone())
            .chain(
                other
                    .0
                    .keys()
                    .filter(|path| !self.0.contains_key(*path))
                    .cloned(),
            )
            .collect();
        paths.sort();
        paths
    }

    /// Writes all files into a folder that does not exist yet, whole or not at all (写出).
    ///
    /// # Errors
    /// The folder exists, or the disk refuses.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        if folder.exists() {
            bail!(
                "文件夹 {} 已经存在，请换一个 (the folder exists)",
                folder.display()
            );
        }
        let parent = parent_of(folder);
        std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        let aside = tempfile::Builder::new()
            .prefix(".writing-")
            .tempdir_in(parent)
            .with_context(|| format!("writing beside {}", folder.display()))?;
        let whole = aside.path().join("packs");
        self.fill(&whole)?;
        std::fs::rename(&whole, folder).with_context(|| format!("writing {}", folder.display()))
    }

    /// Writes all files into a folder of one's own.
    pub(crate) fn fill(&self, folder: &Path) -> anyhow::Result<()> {
        for (path, text) in self.iter() {
            let file = folder.join(path);
            let context = || format!("writing {}", file.display());
            std::fs::create_dir_all(parent_of(&file)).with_context(context)?;
            let mut to = std::fs::File::create(&file).with_context(context)?;
            std::io::Write::write_all(&mut to, text.as_bytes()).with_context(context)?;
            to.sync_data().with_context(context)?;
        }
        Ok(())
    }

    /// All files as a ZIP archive under one folder, the same bytes for the same texts (压缩包).
    ///
    /// # Errors
    /// A text longer than an archive can hold.
    pub fn zip(&self, folder: &str) -> anyhow::Result<Vec<u8>> {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default()
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644);
        for (path, text) in self.iter() {
            archive.start_file(format!("{folder}/{path}"), options)?;
            std::io::Write::write_all(&mut archive, text.as_bytes())?;
        }
        Ok(archive.finish()?.into_inner())
    }
}

/// Path → fingerprint of its text (文件清单).
pub(crate) type Manifest = BTreeMap<String, String>;

/// The fingerprint of a list of files.
pub(crate) fn fingerprint(manifest: &Manifest) -> String {
    let mut digest = Sm3::new();
    for (path, sm3) in manifest {
        digest.update(path.as_bytes());
        digest.update([0]);
        digest.update(sm3.as_bytes());
        digest.update([0]);
    }
    hex::encode(digest.finalize())
}

/// The packs of a place, its own first, then what it builds on.
pub(crate) fn chain(packs: &Path, place: &str) -> anyhow::Result<Vec<String>> {
    let mut chain: Vec<String> = Vec::new();
    let mut next = Some(place.to_owned());
    while let Some(id) = next {
        let safe = !id.is_empty() && !id.contains(['/', '\\', '.']);
        if !safe || chain.contains(&id) {
            bail!("规则包 {id} 的 builds_on 不对 (a chain of packs that cannot be)");
        }
        let file = packs.join(&id).join("pack.toml");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("读不到 {} (no such pack)", file.display()))?;
        let head: toml::Table = text
            .parse()
            .with_context(|| format!("{} 不是 TOML", file.display()))?;
        next = head
            .get("builds_on")
            .and_then(|value| value.as_str())
            .filter(|id| *id != "none" && !id.is_empty())
            .map(str::to_owned);
        chain.push(id);
    }
    Ok(chain)
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Where an edition is laid out.
pub(crate) fn edition_folder(root: &Path, number: i64) -> PathBuf {
    root.join(format!("edition-{number}"))
}
