//! The roster on its way out (模板、错误行、导出): always in the shape in which it can come back in.

use super::columns::{REASON, SAMPLE, Title};
use super::community::Communities;
use super::{FileRefused, Report, parse};
use crate::households::{Filter, household_view, list};
use crate::people::{Person, with_clear_numbers};
use crate::reading::Reading;
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use serde_json::json;
use sheets::{Column, Field, Kind, Limits, Table};
use std::collections::BTreeMap;
use store::{Db, Event};
use vocab::{DocumentKind, Kinship, Region, Sex};

/// How many rows of a template are prepared for filling in.
const OPEN_ROWS: u32 = 2_000;

/// The empty template (下载模板) with the communities of the scope, a sample row and notes.
///
/// # Errors
/// Faults of the database.
pub async fn template(
    source: &impl Reading,
    scope: &Scope,
    on: NaiveDate,
) -> anyhow::Result<Vec<u8>> {
    let communities = Communities::of(source, scope, on).await?;
    let sample = [
        "示例1",
        "户主",
        "张示例",
        "居民身份证",
        "11010519491231002X",
        "女",
        "",
        "440306",
        "",
        "一号楼101",
        "",
        "",
        "",
    ];
    let mut row: Vec<Field> = sample.iter().map(|text| Field::text(*text)).collect();
    row[6] = NaiveDate::from_ymd_opt(1949, 12, 31).map_or(Field::Empty, Field::Date);
    let table = Table {
        name: "家庭花名册".to_owned(),
        notes: vec![
            "一行填一人，同一户的各行填同一个户编号，每户有且只有一名户主。居住社区、详细住址留空表示与户主相同。".to_owned(),
            format!("证件号码、手机号、银行账号所在列已设为文本格式，请勿更改；户编号以“{SAMPLE}”开头的行不会导入。"),
        ],
        columns: columns(communities.all()),
        rows: vec![row],
        open_rows: OPEN_ROWS,
    };
    sheets::xlsx(&[table]).context("writing the roster template")
}

fn columns(communities: Vec<String>) -> Vec<Column> {
    Title::ALL
        .into_iter()
        .map(|title| {
            let text = title.text();
            match title {
                Title::Number => Column::new(text, Kind::Text, 14).hint("同一户的各行填同一个编号"),
                Title::Kinship => {
                    let names = Kinship::all().skip(1).map(Kinship::name_zh);
                    Column::new(text, Kind::Text, 12).choices(names)
                }
                Title::Name => {
                    Column::new(text, Kind::Text, 14).hint("与证件上的写法一致，生僻字请照写")
                }
                Title::DocumentKind => {
                    let names = DocumentKind::ALL.map(DocumentKind::name_zh);
                    Column::new(text, Kind::Text, 18).choices(names)
                }
                Title::DocumentNumber => {
                    Column::new(text, Kind::Text, 22).hint("按文本填写，最后一位可以是 X")
                }
                Title::Sex => Column::new(text, Kind::Text, 6)
                    .choices([Sex::Male.name_zh(), Sex::Female.name_zh()]),
                Title::BirthDate => Column::new(text, Kind::Date, 13).hint("例如 1956-07-15"),
                Title::Hukou => {
                    Column::new(text, Kind::Text, 16).hint("6、9 或 12 位区划代码，不知道可以留空")
                }
                Title::Community => Column::new(text, Kind::Text, 18).choices(communities.clone()),
                Title::Address => Column::new(text, Kind::Text, 30),
                Title::Phone => Column::new(text, Kind::Text, 14),
                Title::Bank => Column::new(text, Kind::Text, 18),
                Title::Account => Column::new(text, Kind::Text, 24).hint("户名须为本人"),
            }
        })
        .collect()
}

/// The rejected rows of a file (下载错误行), as they were, with what is wrong in a last column: correct and import again.
///
/// # Errors
/// The file is not the one of the report.
pub fn rejected(bytes: &[u8], report: &Report) -> anyhow::Result<Result<Vec<u8>, FileRefused>> {
    let read = match sheets::read(bytes, Limits::default()) {
        Ok(read) => read,
        Err(fault) => return Ok(Err(fault.into())),
    };
    let mut reasons: BTreeMap<(&str, usize), Vec<String>> = BTreeMap::new();
    for error in &report.errors {
        reasons
            .entry((&error.sheet, error.row))
            .or_default()
            .push(format!("{}：{}", error.column, error.reason));
    }
    let mut rows = Vec::new();
    for sheet in &read {
        let Some(heading) = parse::heading_of(sheet) else {
            continue;
        };
        for (name, row) in report
            .rejected_rows
            .iter()
            .filter(|(name, _)| *name == sheet.name)
        {
            let cells = row.checked_sub(1).and_then(|at| sheet.rows.get(at));
            let Some(cells) = cells else { continue };
            let mut fields: Vec<Field> = Title::ALL
                .into_iter()
                .map(|title| {
                    let at = heading.columns.get(&title);
                    let cell = at.and_then(|at| cells.get(*at));
                    match (title, cell) {
                        (_, None) => Field::Empty,
                        (Title::BirthDate, Some(cell)) => match cell.date() {
                            Ok(Some(date)) => Field::Date(date),
                            _ => Field::text(cell.text()),
                        },
                        (_, Some(cell)) => Field::text(cell.text()),
                    }
                })
                .collect();
            let why = reasons
                .get(&(name.as_str(), *row))
                .map(|all| all.join("\n"));
            fields.push(Field::text(why.unwrap_or_default()));
            rows.push(fields);
        }
    }
    let mut columns = columns(Vec::new());
    columns.push(Column::new(REASON, Kind::Text, 60));
    let table = Table {
        name: "错误行".to_owned(),
        notes: vec![
            "请按“错误原因”改正后直接重新导入本文件；“错误原因”一列不会被读取。".to_owned(),
        ],
        columns,
        rows,
        open_rows: 0,
    };
    Ok(Ok(sheets::xlsx(&[table]).context("writing rejected rows")?))
}

/// Why nothing was exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportRefused {
    /// No purpose stated.
    #[error("请写明导出的用途，例如“年度复核核对名单”")]
    PurposeMissing,
    /// The place lies outside the scope.
    #[error("该区划不在您的管辖范围内")]
    OutsideScope,
    /// More people than may leave at once.
    #[error("一次最多导出 {0} 户；请按社区分别导出")]
    TooMany(u64),
}

/// How many households may leave in one file.
const MOST_HOUSEHOLDS: u64 = 20_000;

/// The roster of a place with clear numbers (导出花名册), for a stated purpose; journalled with its count before it leaves.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn export(
    db: &Db,
    scope: &Scope,
    place: Region,
    purpose: &str,
) -> anyhow::Result<Result<Vec<u8>, ExportRefused>> {
    let purpose = purpose.trim();
    if purpose.chars().count() < 2 {
        return Ok(Err(ExportRefused::PurposeMissing));
    }
    let Ok(narrow) = scope.within(place) else {
        return Ok(Err(ExportRefused::OutsideScope));
    };
    let households = list(db, &narrow, &Filter::default(), 0, MOST_HOUSEHOLDS + 1).await?;
    if households.total > MOST_HOUSEHOLDS {
        return Ok(Err(ExportRefused::TooMany(MOST_HOUSEHOLDS)));
    }
    let communities = Communities::of(db, scope, db.today()).await?;
    let mut rows = Vec::new();
    for household in &households.rows {
        let view = household_view(db, scope, household.id, db.today()).await?;
        let view = view.context("a listed household is gone")?;
        let number = view.roster_number.unwrap_or(view.number);
        for member in view.members {
            let clear = with_clear_numbers(db, member.person.id).await?;
            let (person, document, phone, account) = clear;
            rows.push(fields(
                &number,
                member.kinship,
                &person,
                &document,
                phone,
                account,
                &communities,
            ));
        }
    }
    let count = rows.len();
    let table = Table {
        name: "家庭花名册".to_owned(),
        notes: vec![format!(
            "{} 于 {} 导出 {count} 人，用途：{purpose}。内含个人信息，请妥善保管，用后删除。",
            scope.actor.name,
            db.today()
        )],
        columns: columns(communities.all()),
        rows,
        open_rows: 0,
    };
    let bytes = sheets::xlsx(&[table]).context("writing the roster")?;
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: purpose.to_owned(),
        act: "roster.export".to_owned(),
        subject_kind: "region".to_owned(),
        subject_id: place.to_string(),
        region: Some(place),
        detail: json!({ "people": count, "households": households.total }),
    });
    tx.commit().await?;
    Ok(Ok(bytes))
}

fn fields(
    number: &str,
    kinship: Kinship,
    person: &Person,
    document: &str,
    phone: Option<String>,
    account: Option<crate::accounts::Account>,
    communities: &Communities,
) -> Vec<Field> {
    let sex = match person.sex {
        Sex::Male | Sex::Female => person.sex.name_zh(),
        Sex::Unknown | Sex::NotStated => "",
    };
    let (bank, account) = match account {
        // An account kept by somebody else cannot come back in by a roster, so it does not leave by one.
        Some(account) if account.agreement.is_none() => (account.bank, account.number),
        _ => (String::new(), String::new()),
    };
    vec![
        Field::text(number),
        Field::text(kinship.name_zh()),
        Field::text(person.name.clone()),
        Field::text(person.document_kind.name_zh()),
        Field::text(document),
        Field::text(sex),
        person.birth_date.map_or(Field::Empty, Field::Date),
        Field::text(
            person
                .hukou
                .map(|hukou| hukou.to_string())
                .unwrap_or_default(),
        ),
        Field::text(communities.name(person.lives_in)),
        Field::text(person.address.clone()),
        Field::text(phone.unwrap_or_default()),
        Field::text(bank),
        Field::text(account),
    ]
}
