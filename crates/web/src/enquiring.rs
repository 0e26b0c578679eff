//! What the packs say of enquiring (核对规矩和数据源), read once for the rules in force and kept until they change.
//!
//! Guarantees: a request works by the terms and sources of its own desk, whatever is published meanwhile. Deliberately absent:
//! what departments delivered.

use crate::app::App;
use anyhow::Context;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use verify::Sources;
use verify::enquiry::{Terms, terms_of};

/// The terms and sources of one rule book (核对规矩和数据源).
#[derive(Debug, Clone)]
pub(crate) struct Enquiring {
    rules: String,
    /// The terms.
    pub(crate) terms: Arc<Terms>,
    /// The sources.
    pub(crate) sources: Arc<Sources>,
}

/// Those read last.
#[derive(Debug, Default)]
pub(crate) struct Read(Mutex<Option<Enquiring>>);

impl Read {
    fn held(&self) -> MutexGuard<'_, Option<Enquiring>> {
        // Somebody who broke while reading has put nothing there.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Enquiring {
    /// Those of the rules a request works by.
    ///
    /// # Errors
    /// When the packs have mistakes.
    pub(crate) async fn of(app: &App) -> anyhow::Result<Self> {
        let known = app.enquiring.held().clone();
        if let Some(known) = known.filter(|known| known.rules == app.desk.book.hash()) {
            return Ok(known);
        }
        let desk = Arc::clone(&app.desk);
        let read = tokio::task::spawn_blocking(move || {
            anyhow::Ok(Self {
                rules: desk.book.hash().to_owned(),
                terms: Arc::new(terms_of(&desk.book)?),
                sources: Arc::new(verify::at_hand::sources_of(&desk.book)?),
            })
        });
        let read = read.await.context("reading the terms of enquiring")??;
        *app.enquiring.held() = Some(read.clone());
        Ok(read)
    }
}
