//! Exported heads (链头存证): lines in a file outside the database, each signed and chained to the line before.
//!
//! Guarantees: a line changed, removed from the middle or written by somebody without the key is found. Deliberately
//! absent: protection of the file's own end. Copy the file where the database's owner cannot write, or read the last line
//! to a colleague: the exported head is one line on purpose.

use crate::{Db, keys};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;

const DOMAIN: &str = "journal.head";

/// The end of the chain (链头) at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the last entry.
    pub seq: i64,
    /// Its SM3, in hexadecimal.
    pub hash: String,
}

/// One line of the file, or why it does not hold.
pub(crate) struct Lines {
    pub(crate) heads: Vec<Head>,
    /// The first line that is not ours, from 1.
    pub(crate) altered: Option<usize>,
    /// The signature of the last good line: the next line is chained to it.
    last: String,
}

/// Adds the present head to the file (导出链头) and returns it; an empty journal adds nothing.
///
/// The file only grows. One whose lines do not hold is refused, so that the fault is looked at rather than buried.
pub async fn export_head(db: &Db, path: &Path) -> anyhow::Result<Option<Head>> {
    let Some(head) = super::head(db).await? else {
        return Ok(None);
    };
    let lines = read(db.keys(), path)?;
    if let Some(line) = lines.altered {
        anyhow::bail!(
            "链头存证文件 {} 第 {line} 行被改动，请先核查 (a line of the heads file was altered)",
            path.display()
        );
    }
    if lines.heads.last() == Some(&head) {
        return Ok(Some(head));
    }
    let body = format!("{} {} {}", head.seq, head.hash, db.now().to_rfc3339());
    let signature = db
        .keys()
        .sign(DOMAIN, format!("{} {body}", lines.last).as_bytes());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .with_context(|| format!("writing the head to {}", path.display()))?;
    file.write_all(format!("{body} {signature}\n").as_bytes())?;
    file.sync_all()?;
    keys::sync_folder_of(path)?;
    Ok(Some(head))
}

/// Reads the file; one that does not exist has no lines.
pub(crate) fn read(keys: &crate::Keys, path: &Path) -> anyhow::Result<Lines> {
    let mut lines = Lines {
        heads: Vec::new(),
        altered: None,
        last: String::new(),
    };
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(lines),
        Err(fault) => {
            return Err(fault)
                .with_context(|| format!("reading the heads file {}", path.display()));
        }
    };
    for (index, line) in text.lines().enumerate() {
        let Some(head) = holds(keys, &lines.last, line) else {
            lines.altered = Some(index + 1);
            break;
        };
        line.rsplit(' ')
            .next()
            .unwrap_or_default()
            .clone_into(&mut lines.last);
        lines.heads.push(head);
    }
    Ok(lines)
}

fn holds(keys: &crate::Keys, last: &str, line: &str) -> Option<Head> {
    let (body, signature) = line.rsplit_once(' ')?;
    if !keys.is_signed(DOMAIN, format!("{last} {body}").as_bytes(), signature) {
        return None;
    }
    let mut words = body.split(' ');
    Some(Head {
        seq: words.next()?.parse().ok()?,
        hash: words.next()?.to_owned(),
    })
}
