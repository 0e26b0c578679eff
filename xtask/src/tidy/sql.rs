//! Tables in the migrations (数据表): read from the `create table` texts, wherever they stand.
//!
//! Guarantees: every table of every crate, with its columns, in a fixed order; a column added later by `alter table` too.
//! Deliberately absent: a parser for SQL. Migrations are our own text in our own form, and a test runs them on both databases.

use super::sources::Sources;

/// One table (数据表) and the crate that owns it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Table {
    pub(crate) room: String,
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) columns: Vec<String>,
}

/// All tables of the product; those made inside tests do not count.
pub(crate) fn tables(sources: &Sources) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let written = |path: &str| {
        path.starts_with("crates/") && (path.ends_with(".rs") || path.ends_with(".sql"))
    };
    for source in sources
        .files
        .iter()
        .filter(|source| written(&source.path) && source.path.contains("/src/"))
    {
        let Some(room) = source.room() else { continue };
        let lines: Vec<&str> = source.program().map(|(_, line)| line).collect();
        let text = lines.join("\n");
        for (name, columns) in created(&text) {
            tables.push(Table {
                room: room.to_owned(),
                name,
                place: source.path.clone(),
                columns,
            });
        }
    }
    for source in sources.files.iter().filter(|source| written(&source.path)) {
        for (name, column) in added(&source.text) {
            if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
                table.columns.push(column);
            }
        }
    }
    tables.sort();
    tables
}

fn created(text: &str) -> Vec<(String, Vec<String>)> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, word) in lower.match_indices("create table ") {
        let rest = lower[at + word.len()..].trim_start();
        let rest = rest.strip_prefix("if not exists ").unwrap_or(rest);
        let Some((name, body)) = rest.split_once('(') else {
            continue;
        };
        let name = name.trim().trim_matches('"');
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            found.push((name.to_owned(), columns(body)));
        }
    }
    found
}

/// The first word of each part between commas that is not a rule of the whole table.
fn columns(body: &str) -> Vec<String> {
    let (mut depth, mut parts, mut part) = (0_i32, Vec::new(), String::new());
    for c in body.chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    let rules = ["primary", "unique", "foreign", "check", "constraint", "--"];
    let words = parts
        .iter()
        .filter_map(|part| part.split_whitespace().next());
    words
        .filter(|word| !rules.iter().any(|rule| word.starts_with(rule)))
        .map(|word| word.trim_matches('"').to_owned())
        .collect()
}

fn added(text: &str) -> Vec<(String, String)> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, word) in lower.match_indices("alter table ") {
        let mut words = lower[at + word.len()..].split_whitespace();
        if let (Some(table), Some("add"), Some("column"), Some(column)) =
            (words.next(), words.next(), words.next(), words.next())
        {
            found.push((table.to_owned(), column.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_and_table_rules_are_not_columns() {
        let text = "create table ledger_line (\n id {id} primary key,\n amount {fen} not null check (amount in (1, 2)),\n unique (id, amount)\n);";
        let found = created(text);
        assert_eq!(
            found,
            [(
                "ledger_line".to_owned(),
                vec!["id".to_owned(), "amount".to_owned()]
            )]
        );
    }

    #[test]
    fn a_column_added_later_is_a_column() {
        assert_eq!(
            added("ALTER TABLE a_b ADD COLUMN c {text};"),
            [("a_b".to_owned(), "c".to_owned())]
        );
    }
}
