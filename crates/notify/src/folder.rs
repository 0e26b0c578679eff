//! A folder instead of a gateway (发到文件夹), for the demonstration and for trying things out: nothing leaves the machine.
//!
//! Guarantees: a message is one file named by its key, so that a repetition writes the same file; the number is masked.
//! Deliberately absent: any use in a real house.

use crate::carrier::{Arrival, Carrier, Failure, Letter};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use uuid::Uuid;

/// A folder (文件夹).
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    fn file(&self, key: Uuid) -> PathBuf {
        self.0.join(format!("{key}.json"))
    }
}

impl Carrier for Folder {
    fn carry(&self, letter: &Letter) -> Result<String, Failure> {
        let later = |fault: std::io::Error| Failure::Later(fault.to_string());
        std::fs::create_dir_all(&self.0).map_err(later)?;
        let said = json!({
            "key": letter.key,
            "to": access::mask_phone(&letter.to),
            "subject": letter.subject,
            "text": letter.text,
        });
        std::fs::write(self.file(letter.key), said.to_string()).map_err(later)?;
        Ok("folder".to_owned())
    }

    fn arrivals(&self, keys: &[Uuid]) -> Result<BTreeMap<Uuid, Arrival>, Failure> {
        let there = keys.iter().filter(|key| self.file(**key).is_file());
        Ok(there.map(|key| (*key, Arrival::Delivered)).collect())
    }
}
