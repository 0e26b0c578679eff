//! Reading back what this crate itself stored (取回存储值): a value that does not parse is a damaged database, a fault.

use anyhow::{Context, anyhow};
use vocab::{DocumentKind, Kinship, Region, Sex};

pub(crate) fn region(text: &str) -> anyhow::Result<Region> {
    text.parse().context("a stored division code is damaged")
}

pub(crate) fn sex(text: &str) -> anyhow::Result<Sex> {
    Sex::read(text).ok_or_else(|| anyhow!("the stored sex code {text} is unknown"))
}

pub(crate) fn document_kind(text: &str) -> anyhow::Result<DocumentKind> {
    DocumentKind::read(text).ok_or_else(|| anyhow!("the stored document kind {text} is unknown"))
}

pub(crate) fn kinship(text: &str) -> anyhow::Result<Kinship> {
    Kinship::read(text).map_err(|_| anyhow!("the stored kinship code {text} is unknown"))
}
