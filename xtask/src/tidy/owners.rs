//! Owners (归属): each heavy library, each table and each law has one home.
//!
//! Guarantees: only `store` names a database driver, only `web` and the program name HTTP; no crate names another
//! crate's table; no line of the program knows a programme or a place that exists in `packs/`.
//! Deliberately absent: what libraries pull in themselves. Only our own edges are ours to decide.

use super::Finding;
use super::sources::{Sources, has_word};
use super::sql::Table;
use crate::workspace::Workspace;
use std::collections::BTreeSet;

/// Library (or a prefix ending in `*`) and the crates that may name it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("sqlx*", &["store", "fixtures"]),
    ("rusqlite", &["store"]),
    ("libsqlite3-sys", &["store"]),
    ("tokio-postgres", &["store"]),
    ("sea-orm-migration", &["store"]),
    ("sm4", &["store"]),
    ("aes-gcm", &["store"]),
    ("axum*", &["web", "huimin"]),
    ("maud", &["web"]),
    ("tower*", &["web"]),
    ("hyper*", &["web"]),
    ("typst*", &["papers"]),
    ("calamine", &["sheets"]),
    ("rust_xlsxwriter", &["sheets"]),
    ("sqlparser", &["policy"]),
    ("datafusion*", &["batch"]),
    ("ballista*", &["batch"]),
    ("argon2", &["access"]),
    ("clap", &["huimin"]),
];

pub(crate) fn libraries(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &workspace.members {
        for needed in member.needs.union(&member.needs_for_tests) {
            if let Some(owners) =
                owners(needed).filter(|owners| !owners.contains(&member.name.as_str()))
            {
                let place = format!("{}/Cargo.toml", workspace.relative(&member.folder));
                findings.push(Finding::new(
                    place,
                    format!(
                        "`{needed}` belongs to {}: go through it",
                        owners.join(" and ")
                    ),
                ));
            }
        }
    }
    findings
}

fn owners(library: &str) -> Option<&'static [&'static str]> {
    let matches = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => library.starts_with(prefix),
        None => library == pattern,
    };
    LIBRARIES
        .iter()
        .find(|(pattern, _)| matches(pattern))
        .map(|(_, owners)| *owners)
}

pub(crate) fn tables(sources: &Sources, tables: &[Table]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in tables {
        if !table.name.starts_with(&format!("{}_", table.room)) {
            let sentence = format!("table `{}` must start with `{}_`", table.name, table.room);
            findings.push(Finding::new(&table.place, sentence));
        }
    }
    for source in sources.rust() {
        let Some(room) = source.room().filter(|room| *room != "xtask") else {
            continue;
        };
        let foreign: Vec<&Table> = tables
            .iter()
            .filter(|table| table.room != room && source.text.contains(&table.name))
            .collect();
        for (number, line) in source.program() {
            for table in foreign.iter().filter(|table| has_word(line, &table.name)) {
                let sentence = format!(
                    "`{}` is a table of `{}`: ask through its functions",
                    table.name, table.room
                );
                findings.push(Finding::new(format!("{}:{number}", source.path), sentence));
            }
        }
    }
    findings
}

/// Code knows no programme and no place by name: they are folders of `packs/`.
pub(crate) fn law_in_code(sources: &Sources) -> Vec<Finding> {
    let names = pack_names(sources);
    let mut findings = Vec::new();
    for source in sources
        .rust()
        .filter(|source| source.path.starts_with("crates/") && source.path.contains("/src/"))
    {
        for (number, line) in source.program() {
            for name in names.iter().filter(|name| has_word(line, name)) {
                let sentence =
                    format!("`{name}` is named in packs/: code knows no programme and no place");
                findings.push(Finding::new(format!("{}:{number}", source.path), sentence));
            }
        }
    }
    findings
}

/// Ids of places (folders of `packs/`) and of programmes (folders with a `[benefit]`).
fn pack_names(sources: &Sources) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in &sources.files {
        let parts: Vec<&str> = source.path.split('/').collect();
        match parts.as_slice() {
            // The root of all packs and the invented county have common words as names.
            ["packs", place, "pack.toml"] if !["national", "sample"].contains(place) => {
                names.insert((*place).to_owned())
            }
            ["packs", _, programme, "rules.toml"] if source.text.contains("[benefit]") => {
                names.insert((*programme).to_owned())
            }
            _ => continue,
        };
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::sources::Source;
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn table(room: &str, name: &str) -> Table {
        Table {
            room: room.to_owned(),
            name: name.to_owned(),
            place: String::new(),
            columns: Vec::new(),
        }
    }

    #[test]
    fn a_driver_has_one_home() {
        assert_eq!(
            owners("sqlx-sqlite"),
            Some(["store", "fixtures"].as_slice())
        );
        assert_eq!(owners("axum-extra"), Some(["web", "huimin"].as_slice()));
        assert_eq!(owners("chrono"), None);
    }

    #[test]
    fn another_rooms_table_is_found_in_code_but_not_in_a_comment() {
        let text = "// ledger_line is theirs\nlet sql = \"select 1 from ledger_line\";\n";
        let sources = Sources {
            files: vec![source("crates/casework/src/a.rs", text)],
        };
        let found = tables(&sources, &[table("ledger", "ledger_line")]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "crates/casework/src/a.rs:2");
    }

    #[test]
    fn a_table_carries_the_name_of_its_room() {
        let sources = Sources { files: Vec::new() };
        assert_eq!(tables(&sources, &[table("ledger", "transfer")]).len(), 1);
    }

    #[test]
    fn a_programme_named_in_code_is_found() {
        let sources = Sources {
            files: vec![
                source("packs/somewhere/pack.toml", ""),
                source("packs/national/milk_money/rules.toml", "[benefit]\n"),
                source("packs/national/household/rules.toml", "[[variable]]\n"),
                source(
                    "crates/web/src/a.rs",
                    "if id == \"milk_money\" {}\nlet household = 1;\nlet place = \"somewhere\";\n",
                ),
            ],
        };
        let places: Vec<String> = law_in_code(&sources)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(places, ["crates/web/src/a.rs:1", "crates/web/src/a.rs:3"]);
    }
}
