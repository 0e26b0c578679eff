//! The workspace as cargo sees it (工作区): where it is, which crates it has, who depends on whom.
//!
//! Guarantees: read from `cargo metadata`, never from a list kept by hand.
//! Deliberately absent: the versions of third-party crates; Cargo.lock has them.

use crate::run;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Our workspace (工作区): the folder with the root `Cargo.toml`.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) members: Vec<Member>,
}

/// One crate of ours (房间).
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Names of crates it needs to be built: ours and others'.
    pub(crate) needs: BTreeSet<String>,
    /// Names of crates only its tests need.
    pub(crate) needs_for_tests: BTreeSet<String>,
}

impl Workspace {
    /// Found from the folder of this crate, so the command works in any folder of the workspace.
    pub(crate) fn here() -> Result<Self> {
        let mut command = cargo();
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        let metadata: Value =
            serde_json::from_str(&run::read(&mut command)?).context("reading cargo metadata")?;
        Self::from_metadata(&metadata).context("cargo metadata lacks a field")
    }

    fn from_metadata(metadata: &Value) -> Option<Self> {
        let mut members = Vec::new();
        for package in metadata["packages"].as_array()? {
            members.push(Member::from_package(package)?);
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Self {
            root: PathBuf::from(metadata["workspace_root"].as_str()?),
            target: PathBuf::from(metadata["target_directory"].as_str()?),
            members,
        })
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// The built program; it may not exist yet.
    pub(crate) fn huimin(&self, profile: &str) -> PathBuf {
        self.target.join(profile).join("huimin")
    }

    pub(crate) fn is_ours(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// A path for people: relative to the root, with forward slashes.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .to_string_lossy()
            .replace('\\', "/")
    }
}

impl Member {
    fn from_package(package: &Value) -> Option<Self> {
        let manifest = PathBuf::from(package["manifest_path"].as_str()?);
        let (mut needs, mut needs_for_tests) = (BTreeSet::new(), BTreeSet::new());
        for dependency in package["dependencies"].as_array()? {
            let name = dependency["name"].as_str()?.to_owned();
            match dependency["kind"].as_str() {
                Some("dev") => needs_for_tests.insert(name),
                _ => needs.insert(name),
            };
        }
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            folder: manifest.parent()?.to_owned(),
            needs,
            needs_for_tests,
        })
    }
}

fn cargo() -> Command {
    // Cargo tells its children which cargo they belong to; a rustup proxy would otherwise choose again.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Set for us by the outer cargo, these would make the inner one rebuild what is already built.
    // The ciphers' build script watches nearly all of them, and the databases stand on it: four minutes each time.
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&variable);
        }
    }
    command
}
