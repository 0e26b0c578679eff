//! What departments deliver to the demo (演示的部门数据): files of its invented people, landed with the demo's keys.
//!
//! The files stay beside the database, so that one can look at what a department sent, land it again, or let a pretend
//! department answer from it. Guarantees: the same people give the same files, byte for byte; what is said of people in the
//! register is what the departments say too, but for what [`super::deceits`] plants. Deliberately absent: a real person.

use crate::sweep::workers;
use crate::terminal::say;
use anyhow::{Context, bail};
use chrono::NaiveDate;
use registry::bulk::BulkHousehold;
use sheets::{Column, Encoding, Field, Kind, Table};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use store::Keys;
use synth::departments::{Resident, Row, Rows, vehicle};
use verify::{Landing, Source, Sources};
use vocab::{Region, Value};

/// Where the delivered files lie in the demo's folder (部门送来的文件).
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("demo-deliveries")
}

/// A household as departments know its people.
pub(crate) fn residents(one: &BulkHousehold, number: usize, place: Region) -> Vec<Resident> {
    let plain = |facts: &[(String, vocab::DatedFact)]| -> BTreeMap<String, Value> {
        let pairs = facts.iter();
        pairs
            .map(|(id, fact)| (id.clone(), fact.value.clone()))
            .collect()
    };
    one.members
        .iter()
        .filter_map(|member| {
            Some(Resident {
                id_no: member.document.number().to_owned(),
                name: member.name.clone(),
                sex: member.sex,
                born: member.birth_date?,
                local: member.hukou.is_some_and(|hukou| place.holds(hukou)),
                household: number,
                relation: member.kinship.code().to_owned(),
                division: one.region.to_string(),
                address: one.address.clone(),
                facts: plain(&member.facts),
                household_facts: plain(&one.facts),
            })
        })
        .collect()
}

/// What the departments say of the family of the walkthrough beyond what the register knows: her deposits and pension, and
/// a car that still stands in her dead husband's name.
pub(crate) fn of_the_widow(rows: &mut Rows, widow: &Resident, husband: &str, today: NaiveDate) {
    const HIS_NAME: &str = "宋志强";
    // What she says she has is what the bank says.
    if let Some(accounts) = rows.get_mut("bank") {
        accounts.retain(|row| !row.contains(&("id_no", widow.id_no.clone())));
    }
    let died = today - chrono::Months::new(38);
    let mut put = |source: &'static str, id_no: &str, name: &str, more: Row| {
        let mut row = vec![("id_no", id_no.to_owned()), ("name", name.to_owned())];
        row.extend(more);
        rows.entry(source).or_default().push(row);
    };
    let dead = vec![
        ("died_on", died.to_string()),
        ("reported_on", (died + chrono::Days::new(6)).to_string()),
    ];
    put("death", husband, HIS_NAME, dead);
    let wedding = vec![
        ("spouse_id_no", widow.id_no.clone()),
        ("spouse_name", widow.name.clone()),
        ("registered_on", "1978-10-01".to_owned()),
        ("certificate", "J990101-0000001".to_owned()),
        ("state", "1".to_owned()),
    ];
    put("marriage", husband, HIS_NAME, wedding);
    // He stands on the paper, and she, who inherited, under the same plate: one car.
    let car = vehicle(88_888, died - chrono::Months::new(40), 3_200_000);
    put("vehicle", husband, HIS_NAME, car.clone());
    put("vehicle", &widow.id_no, HIS_NAME, car);
    let account = vec![
        ("bank", "样例银行".to_owned()),
        ("account", "6299979000000000001".to_owned()),
        ("kind", "1".to_owned()),
        ("balance", "3000.00".to_owned()),
        ("day", today.to_string()),
        ("state", "0".to_owned()),
    ];
    put("bank", &widow.id_no, &widow.name, account);
    let last = (today - chrono::Months::new(1)).format("%Y%m").to_string();
    let pension = vec![
        ("scheme", "170".to_owned()),
        ("state", "4".to_owned()),
        ("pension", "215.00".to_owned()),
        ("period", last),
    ];
    put("social_insurance", &widow.id_no, &widow.name, pension);
}

/// Writes the files and lands them.
pub(crate) fn land(
    data: &Path,
    store: &Path,
    sources: &Sources,
    keys: &Keys,
    rows: &Rows,
    today: NaiveDate,
) -> anyhow::Result<()> {
    let folder = folder(data);
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let (mut landed, mut returned) = (0, 0);
    for source in sources.0.values() {
        let Some(rows) = rows.get(source.id.as_str()) else {
            continue;
        };
        let (name, bytes) = file_of(source, rows)?;
        let file = folder.join(name);
        std::fs::write(&file, bytes).with_context(|| format!("writing {}", file.display()))?;
        let landing = Landing {
            source,
            file: &file,
            store,
            delivered: today,
            today,
            keys,
            workers: workers(None),
            accept_drift: false,
            stop: &AtomicBool::new(false),
            told: &|_| {},
        };
        match landing.run()? {
            Ok(manifest) => {
                landed += manifest.rows - manifest.bad;
                returned += manifest.bad;
            }
            Err(refused) => bail!("{}：{refused}", source.zh),
        }
    }
    say(&format!(
        "  部门数据 {} 类，落地 {landed} 行，退回 {returned} 行 (departments' rows landed, returned)",
        rows.len()
    ));
    Ok(())
}

/// A file as the department would write it: its first heading for each column, in its encoding. Where lines of fixed width
/// are agreed on too, a text could be either; then it is a workbook.
fn file_of(source: &Source, rows: &[Row]) -> anyhow::Result<(String, Vec<u8>)> {
    let columns = &source.columns;
    let lines = rows.iter().map(|row| {
        let cell = |id: &str| row.iter().find(|(column, _)| *column == id);
        let field = |id: &str| cell(id).map_or(Field::Empty, |(_, text)| Field::text(text));
        columns.iter().map(|column| field(&column.id)).collect()
    });
    let table = Table {
        name: source.id.clone(),
        notes: Vec::new(),
        columns: columns
            .iter()
            .map(|column| Column::new(column.headings[0].clone(), Kind::Text, 12))
            .collect(),
        rows: lines.collect(),
        open_rows: 0,
    };
    let encoding = if source.arrival.gb18030 {
        Encoding::Gb18030
    } else {
        Encoding::Utf8Bom
    };
    let (ending, made) = if source.arrival.by.iter().any(|way| way == "fixed") {
        ("xlsx", sheets::xlsx(std::slice::from_ref(&table)))
    } else {
        ("csv", sheets::csv(&table, encoding))
    };
    let bytes = made.map_err(|fault| anyhow::anyhow!("{}：{fault}", source.zh))?;
    Ok((format!("{}.{ending}", source.id), bytes))
}
