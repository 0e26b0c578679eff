//! What is landed, held open (现有数据): opened once, and anew as soon as another delivery is landed or the rules change.
//!
//! Guarantees: whoever asks gets what was landed when they asked, and keeps it to the end of their work, whatever lands
//! meanwhile. Deliberately absent: landing, and permission to ask.

use crate::alert::Rules;
use crate::alert::run::rules_of;
use crate::ask::Landed;
use crate::source::Sources;
use anyhow::Context;
use policy::{Book, Fault};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use store::Keys;

/// What is landed, held open (现有数据). Cheap to share.
#[derive(Debug)]
pub struct AtHand {
    store: PathBuf,
    keys: Keys,
    held: Mutex<Option<Held>>,
}

#[derive(Debug, Clone)]
struct Held {
    /// The rules and the names of the deliveries it was opened with.
    stamp: String,
    rules: String,
    sources: Sources,
    landed: Arc<Landed>,
    /// The alert rules, once somebody asked for them.
    alerts: Option<Arc<Rules>>,
}

impl AtHand {
    /// Over a folder of landed deliveries (设定); it need not exist yet.
    pub fn new(store: &Path, keys: Keys) -> Self {
        Self {
            store: store.to_owned(),
            keys,
            held: Mutex::new(None),
        }
    }

    /// The folder of landed deliveries (落地文件夹).
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// What is landed now, for the sources of a rule book (取现有数据). Blocking: it looks at the folders.
    ///
    /// # Errors
    /// When the folder cannot be read, or the sources have mistakes.
    pub fn now(&self, book: &Book) -> anyhow::Result<Arc<Landed>> {
        let held = self.held().clone();
        let rules = book.hash().to_owned();
        let sources = match &held {
            Some(held) if held.rules == rules => held.sources.clone(),
            _ => sources_of(book)?,
        };
        let stamp = self.stamp(&sources)?;
        let same = held.filter(|held| held.rules == rules);
        if let Some(held) = same.as_ref().filter(|held| held.stamp == stamp) {
            return Ok(Arc::clone(&held.landed));
        }
        let landed = Arc::new(Landed::open(
            &self.store,
            sources.clone(),
            self.keys.clone(),
        )?);
        *self.held() = Some(Held {
            stamp,
            rules,
            sources,
            landed: Arc::clone(&landed),
            // Another delivery changes no rule.
            alerts: same.and_then(|held| held.alerts),
        });
        Ok(landed)
    }

    /// The alert rules of a rule book (预警规则), read once.
    ///
    /// # Errors
    /// When the folder cannot be read, or the packs have mistakes.
    pub fn rules(&self, book: &Book) -> anyhow::Result<Arc<Rules>> {
        let known = |held: &Held| (held.rules == book.hash()).then(|| held.alerts.clone());
        if let Some(rules) = self.held().as_ref().and_then(known).flatten() {
            return Ok(rules);
        }
        let landed = self.now(book)?;
        let rules = Arc::new(rules_of(book, landed.sources())?);
        if let Some(held) = self
            .held()
            .as_mut()
            .filter(|held| held.rules == book.hash())
        {
            held.alerts = Some(Arc::clone(&rules));
        }
        Ok(rules)
    }

    /// The names of what is landed (落地标记): another one as soon as a delivery is landed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn stamp(&self, sources: &Sources) -> anyhow::Result<String> {
        let mut all = String::new();
        for id in sources.0.keys() {
            let entries = match std::fs::read_dir(self.store.join(id)) {
                Ok(entries) => entries,
                Err(none) if none.kind() == std::io::ErrorKind::NotFound => continue,
                Err(fault) => {
                    return Err(fault).with_context(|| format!("{}", self.store.display()));
                }
            };
            let mut names: Vec<String> = entries
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .filter(|name| !name.starts_with('.'))
                .collect();
            names.sort();
            all.push_str(&format!("{id}:{};", names.join(",")));
        }
        Ok(all)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        // Somebody who broke while opening has put nothing there.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sources of a rule book; all their mistakes become one message (读取数据源).
///
/// # Errors
/// Every mistake, with its place.
pub fn sources_of(book: &Book) -> anyhow::Result<Sources> {
    let told = |faults: Vec<Fault>| policy::all_of(&faults, ("数据源", "sources"));
    Sources::of(book).map_err(|faults| anyhow::Error::msg(told(faults)))
}
