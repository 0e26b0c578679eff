//! The roster in every form officers send it (花名册导入导出).

use crate::ground::{
    EAST, WEST, day, district, id, journalled, kin, new_person, officer_of, region, registered,
    with_places,
};
use registry::households::{Filter, NewHousehold, form_household, household_view, list};
use registry::people::{NewPerson, Query, search};
use registry::roster::{
    CommitRefused, ExportRefused, FileRefused, Mode, Report, commit, dry_run, export, rejected,
    template,
};
use sheets::{Cell, Column, Encoding, Field, Kind, Limits, Table};
use store::Db;

const XLS: &[u8] = include_bytes!("../../../sheets/tests/files/roster.xls");
const MAC: &[u8] = include_bytes!("../../../sheets/tests/files/mac1904.xlsx");
const NUMBERS: &[u8] = include_bytes!("../../../sheets/tests/files/numbers.xls");

const HEADING: &str = "户编号,与户主关系,姓名,证件类型,证件号码,性别,出生日期,户籍地区划代码,居住社区,详细住址,手机号,开户银行,银行账号";

/// Two households of three people as csv text, with the birth dates written as asked.
fn csv_with(dates: [&str; 3]) -> String {
    let card = |body: &str| format!("{body}{}", vocab::luhn::check_digit(body).unwrap());
    [
        HEADING.to_owned(),
        format!(
            "A001,户主,张芳,居民身份证,{},女,{},990101001001,东门社区,一号楼101,17000001234,样例银行,{}",
            id("99010119560715004"), dates[0], card("622202000000000101")
        ),
        format!("A001,孙子,张小䶮,居民身份证,{},男,{},990101001001,东门社区,一号楼101,,,", id("99010120150301001"), dates[1]),
        format!(
            "A002,户主,阿不都·热合曼,居民身份证,{},男,{},650100000000,东门社区,二号楼202,17000005678,样例银行,{}",
            id("99010119900101003"), dates[2], card("622202000000000202")
        ),
    ]
    .join("\n")
}

fn plain_csv() -> String {
    csv_with(["1956-07-15", "2015-03-01", "1990-01-01"])
}

async fn checked(db: &Db, bytes: &[u8]) -> Report {
    dry_run(db, &district(), bytes).await.unwrap().unwrap()
}

async fn taken_over(db: &Db, bytes: &[u8], mode: Mode) -> Result<Report, CommitRefused> {
    let mut tx = db.begin().await.unwrap();
    let outcome = commit(&mut tx, &district(), bytes, mode).await.unwrap();
    tx.commit().await.unwrap();
    outcome.map(|committed| committed.report)
}

async fn count(db: &Db) -> (u64, u64) {
    let people = search(db, &district(), &Query::default(), 0, 1)
        .await
        .unwrap()
        .total;
    let households = list(db, &district(), &Filter::default(), 0, 1)
        .await
        .unwrap()
        .total;
    (people, households)
}

fn utf16(text: &str) -> Vec<u8> {
    [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect()
}

/// The csv as a table of texts, for writing it in other forms.
fn as_table(csv: &str) -> Table {
    let mut lines = csv.lines();
    let heading = lines.next().unwrap();
    Table {
        name: "花名册".to_owned(),
        notes: vec!["说明".to_owned(), String::new()],
        columns: heading
            .split(',')
            .map(|title| Column::new(title, Kind::Text, 12))
            .collect(),
        rows: lines
            .map(|line| line.split(',').map(Field::text).collect())
            .collect(),
        open_rows: 0,
    }
}

/// Every file here says the same of the same three people.
fn same_in_every_form() -> Vec<(&'static str, Vec<u8>)> {
    let csv = plain_csv();
    let starred = csv
        .replacen("姓名,", " *姓名（必填）,", 1)
        .replacen("户编号", "户 编 号", 1);
    vec![
        ("csv in UTF-8", csv.clone().into_bytes()),
        (
            "csv in UTF-8 with a mark",
            format!("\u{FEFF}{csv}").into_bytes(),
        ),
        (
            "csv in GB18030",
            sheets::csv(&as_table(&csv), Encoding::Gb18030).unwrap(),
        ),
        ("csv in UTF-16", utf16(&csv)),
        ("csv with tabs", csv.replace(',', "\t").into_bytes()),
        ("csv with semicolons", csv.replace(',', ";").into_bytes()),
        (
            "csv with line ends of Windows",
            csv.replace('\n', "\r\n").into_bytes(),
        ),
        (
            "dates with slashes",
            csv_with(["1956/7/15", "2015/3/1", "1990/1/1"]).into_bytes(),
        ),
        (
            "dates in Chinese",
            csv_with(["1956年7月15日", "2015.03.01", "19900101"]).into_bytes(),
        ),
        (
            "dates as serial numbers",
            csv_with(["20651", "42064", "32874"]).into_bytes(),
        ),
        ("dates left out", csv_with(["", "", ""]).into_bytes()),
        (
            "headings with stars, blanks and remarks",
            starred.into_bytes(),
        ),
        (
            "xlsx with notes above the heading",
            sheets::xlsx(&[as_table(&csv)]).unwrap(),
        ),
        ("xls of an old program", XLS.to_vec()),
        ("xlsx counting from 1904", MAC.to_vec()),
    ]
}

fixtures::db_tests! {
    migrations = registry::migrations();

    async fn a_roster_is_read_the_same_in_every_form(db: Db) {
        with_places(&db).await;
        for (name, bytes) in same_in_every_form() {
            let report = checked(&db, &bytes).await;
            assert_eq!(report.errors, [], "{name}");
            assert_eq!((report.rows_read, report.rows_accepted, report.households_new, report.people_new), (3, 3, 2, 3), "{name}");
        }
        assert_eq!(count(&db).await, (0, 0), "a dry run writes nothing");
    }

    async fn a_roster_is_taken_over_whole_and_a_second_time_changes_nothing(db: Db) {
        with_places(&db).await;
        let mut files = same_in_every_form().into_iter();
        let (_, first) = files.next().unwrap();
        taken_over(&db, &first, Mode::AllOrNothing).await.unwrap();
        assert_eq!(count(&db).await, (3, 2));
        let acts = journalled(&db).await.len();
        let again = taken_over(&db, &first, Mode::AllOrNothing).await.unwrap();
        assert!(again.imported_before.is_some());
        // The same people in another form are recognised by their documents.
        for (name, bytes) in files {
            let report = taken_over(&db, &bytes, Mode::AllOrNothing).await.unwrap();
            assert_eq!((report.people_new, report.people_changed, report.people_unchanged, report.households_new), (0, 0, 3, 0), "{name}");
        }
        assert_eq!(count(&db).await, (3, 2));
        let later: Vec<_> = journalled(&db).await.split_off(acts);
        assert!(later.iter().all(|act| act == "roster.import"), "{later:?}");
        let rows = list(&db, &district(), &Filter::default(), 0, 10).await.unwrap().rows;
        assert_eq!(rows[0].roster_number.as_deref(), Some("A001"));
        let view = household_view(&db, &district(), rows[0].id, db.today()).await.unwrap().unwrap();
        assert_eq!(view.members[1].person.name, "张小䶮");
        assert_eq!(view.members[1].kinship, kin("41"));
    }

    async fn every_error_is_told_with_its_place_its_masked_value_and_the_remedy(db: Db) {
        with_places(&db).await;
        let number = id("99010119560715004");
        let rows = [
            format!("B1,户主,甲,居民身份证,{},女,,,东门社区,,,,", &number[..17]),
            format!("B2,户主,乙,居民身份证,{}Y,女,,,东门社区,,,,", &number[..17]),
            "B3,户主,丙,居民身份证,4.4E+17,,,,东门社区,,,,".to_owned(),
            format!("B4,户主,丁,居民身份证,{},男,,,东门社区,,,,", id("99010119900101002")),
            format!("B5,户主,戊,居民身份证,{},女,1990-01-02,,东门社区,,,,", id("99010119900101004")),
            format!("B6,邻居,己,居民身份证,{},女,,,东门社区,,,,", id("99010119900101006")),
            format!("B7,户主,庚,居民身份证,{},女,,,天边社区,,,,", id("99010119900101008")),
            format!("B8,户主,辛,驾驶证,{},女,,,东门社区,,,,", id("99010119900101020")),
            format!("B9,户主,壬,居民身份证,{},女,,44X,东门社区,,12,样例银行,6222020000000000001", id("99010119900101022")),
            format!(",户主,癸,居民身份证,{},女,,,东门社区,,,,", id("99010119900101024")),
            format!("B10,子,子一,居民身份证,{},女,,,东门社区,,,,", id("99010119900101026")),
            format!("B11,户主,,居民身份证,{},女,昨天,,东门社区,,,样例银行,", id("99010119900101028")),
            format!("B12,户主,丑,居民身份证,{},女,,,东门社区,,,,", id("99010119900101040")),
            format!("B12,户主,寅,居民身份证,{},女,,,西门社区,,,,", id("99010119900101040")),
        ];
        let csv = format!("{HEADING},备注\n{}", rows.map(|row| row + ",x").join("\n"));
        let report = checked(&db, csv.as_bytes()).await;
        assert_eq!(report.unknown_columns, ["备注"]);
        assert_eq!((report.rows_read, report.rows_accepted, report.rejected_rows.len()), (14, 0, 14));
        let at = |row: usize, column: &str| {
            report.errors.iter().find(|e| e.row == row && e.column == column)
                .unwrap_or_else(|| panic!("row {row} {column}: {:#?}", report.errors))
        };
        assert!(at(2, "证件号码").reason.contains("17 位"));
        assert!(at(3, "证件号码").reason.contains("最后一位可以是 X"));
        assert!(at(4, "证件号码").reason.contains("文本"));
        assert!(at(5, "性别").reason.contains("不一致"));
        assert!(at(6, "出生日期").reason.contains("不一致"));
        assert!(at(7, "与户主关系").reason.contains("GB/T 4761"));
        assert!(at(8, "居住社区").reason.contains("没有这个社区"));
        assert!(at(9, "证件类型").reason.contains("下拉列表"));
        assert!(at(10, "户籍地区划代码").reason.contains("区划代码"));
        assert!(at(10, "手机号").reason.contains("11 位"));
        assert!(at(10, "银行账号").reason.contains("校验位"));
        assert!(at(11, "户编号").reason.contains("同一户"));
        assert!(at(12, "与户主关系").reason.contains("没有户主"));
        assert!(at(13, "姓名").reason.contains("请填写姓名"));
        assert!(at(13, "出生日期").reason.contains("2026-06-01"));
        assert!(at(13, "银行账号").reason.contains("没有账号"));
        assert!(at(15, "与户主关系").reason.contains("多名户主"));
        assert!(at(15, "居住社区").reason.contains("应当相同"));
        assert!(at(15, "证件号码").reason.contains("第 14 行"));
        assert!(report.errors.iter().all(|e| !e.value_masked.contains("19900101")));
        let refused = taken_over(&db, csv.as_bytes(), Mode::ValidRowsOnly).await.unwrap_err();
        assert!(matches!(refused, CommitRefused::NothingValid(_)));
        assert_eq!(count(&db).await, (0, 0));
    }

    async fn identity_numbers_kept_as_numbers_are_refused_and_their_serial_dates_still_read(db: Db) {
        with_places(&db).await;
        let report = checked(&db, NUMBERS).await;
        assert_eq!(report.errors.len(), 1, "{:#?}", report.errors);
        assert_eq!(report.errors[0].column, "证件号码");
        assert!(report.errors[0].reason.contains("“文本”格式"));
    }

    async fn one_wrong_row_keeps_its_whole_household_out_and_can_be_corrected(db: Db) {
        with_places(&db).await;
        let good = id("99010120150301001");
        let csv = plain_csv().replace(&good, &format!("{}1", &good[..17]));
        let csv = if good.ends_with('1') { plain_csv().replace(&good, &format!("{}2", &good[..17])) } else { csv };
        let refused = taken_over(&db, csv.as_bytes(), Mode::AllOrNothing).await.unwrap_err();
        let CommitRefused::HasErrors(report) = refused else { panic!("{refused}") };
        assert_eq!(count(&db).await, (0, 0));
        assert_eq!(report.rejected_rows.len(), 2);
        assert!(report.errors.iter().any(|e| e.row == 2 && e.reason.contains("整户未导入")));
        let report = taken_over(&db, csv.as_bytes(), Mode::ValidRowsOnly).await.unwrap();
        assert_eq!((report.rows_accepted, report.households_new), (1, 1));
        assert_eq!(count(&db).await, (1, 1));
        // The rejected rows come back as a file with the reasons; corrected, it goes in.
        let bytes = rejected(csv.as_bytes(), &report).unwrap().unwrap();
        let mut sheet = sheets::read(&bytes, Limits::default()).unwrap().remove(0);
        assert_eq!(sheet.rows.len(), 4);
        assert!(sheet.rows[3].last().unwrap().text().contains("证件号码：身份证号校验位不对"));
        sheet.rows[3][4] = Cell::Text(good);
        let mut table = as_table(&plain_csv());
        table.columns.push(Column::new("错误原因", Kind::Text, 20));
        table.rows = sheet.rows[2..].iter().map(|row| row.iter().map(|cell| Field::text(cell.text())).collect()).collect();
        let corrected = sheets::xlsx(&[table]).unwrap();
        let report = taken_over(&db, &corrected, Mode::AllOrNothing).await.unwrap();
        assert!(report.unknown_columns.is_empty());
        assert_eq!((report.households_new, report.people_new), (1, 2));
        assert_eq!(count(&db).await, (3, 2));
    }

    async fn what_goes_out_comes_back_in_without_a_change(db: Db) {
        with_places(&db).await;
        taken_over(&db, plain_csv().as_bytes(), Mode::AllOrNothing).await.unwrap();
        // A household formed by hand has no roster number and goes out under its own.
        let person = registered(&db, new_person("王五", "99010119900101009", WEST)).await;
        let mut tx = db.begin().await.unwrap();
        let new = NewHousehold {
            region: region(WEST),
            address: "一号楼101".to_owned(),
            head: person,
            members: vec![],
            since: None,
            roster_number: None,
        };
        form_household(&mut tx, &district(), new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let bytes = export(&db, &district(), region("990101"), "年度复核核对").await.unwrap().unwrap();
        let report = checked(&db, &bytes).await;
        assert_eq!(report.errors, []);
        assert_eq!((report.people_unchanged, report.people_changed, report.people_new, report.households_new), (4, 0, 0, 0));
        taken_over(&db, &bytes, Mode::AllOrNothing).await.unwrap();
        let again = export(&db, &district(), region("990101"), "年度复核核对").await.unwrap().unwrap();
        assert_eq!(bytes, again, "byte for byte");
        let journal = store::journal::page(&db, &store::journal::Filter::default(), 0, 100).await.unwrap();
        let entry = journal.rows.iter().find(|entry| entry.event.act == "roster.export").unwrap();
        assert_eq!((entry.event.purpose.as_str(), entry.event.detail["people"].as_u64()), ("年度复核核对", Some(4)));
        assert_eq!(export(&db, &district(), region("990101"), " ").await.unwrap(), Err(ExportRefused::PurposeMissing));
        assert_eq!(export(&db, &officer_of(EAST), region(WEST), "核对").await.unwrap(), Err(ExportRefused::OutsideScope));
    }

    async fn who_lives_apart_from_the_head_or_has_no_address_goes_out_and_back_without_a_change(db: Db) {
        with_places(&db).await;
        // The household stands in the east; its head lives in the west, the wife in the east, the son where nobody wrote down.
        let head = registered(&db, new_person("王五", "99010119600101009", WEST)).await;
        let wife = registered(&db, new_person("赵六", "99010119620101008", EAST)).await;
        let nowhere = NewPerson { address: String::new(), ..new_person("王小五", "99010119900101011", WEST) };
        let son = registered(&db, nowhere).await;
        let mut tx = db.begin().await.unwrap();
        let new = NewHousehold {
            region: region(EAST),
            address: "一号楼101".to_owned(),
            head,
            members: vec![(wife, kin("10")), (son, kin("20"))],
            since: None,
            roster_number: Some("A009".to_owned()),
        };
        form_household(&mut tx, &district(), new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let bytes = export(&db, &district(), region("990101"), "核对").await.unwrap().unwrap();
        let report = checked(&db, &bytes).await;
        assert_eq!(report.errors, []);
        assert_eq!((report.people_unchanged, report.people_changed, report.people_new, report.households_new), (3, 0, 0, 0));
        taken_over(&db, &bytes, Mode::AllOrNothing).await.unwrap();
        assert_eq!(bytes, export(&db, &district(), region("990101"), "核对").await.unwrap().unwrap());
        // Somebody new still lives where the others do.
        let apart = csv_with(["", "", ""]).replacen("东门社区,一号楼101,,,", "西门社区,一号楼101,,,", 1);
        let report = checked(&db, apart.as_bytes()).await;
        assert!(report.errors.iter().any(|e| e.reason.contains("居住社区应当相同")), "{:#?}", report.errors);
    }

    async fn an_invented_population_goes_out_and_back_without_a_change(db: Db) {
        with_places(&db).await;
        let places = [region(EAST), region(WEST)];
        let made = synth::District::new(9, 300, &places, db.today()).map(crate::load::bulk);
        registry::bulk::load(&db, &district(), made, |_| {}).await.unwrap();
        let bytes = export(&db, &district(), region("990101"), "全量核对").await.unwrap().unwrap();
        let report = checked(&db, &bytes).await;
        assert_eq!(report.errors, []);
        assert_eq!((report.people_changed, report.people_new, report.households_new), (0, 0, 0));
        assert!(report.people_unchanged >= 300);
    }

    async fn the_template_reads_back_with_its_sample_passed_over(db: Db) {
        with_places(&db).await;
        let bytes = template(&db, &district(), db.today()).await.unwrap();
        assert_eq!(dry_run(&db, &district(), &bytes).await.unwrap(), Err(FileRefused::NoRows));
        let sheet = sheets::read(&bytes, Limits::default()).unwrap().remove(0);
        let heading: Vec<_> = sheet.rows[2].iter().map(Cell::text).collect();
        assert_eq!(heading.join(","), HEADING);
        assert_eq!(sheet.rows[3][6].date(), Ok(Some(day("1949-12-31"))));
    }

    async fn changes_in_a_roster_are_brought_in_and_nobody_is_taken_from_another_household(db: Db) {
        with_places(&db).await;
        taken_over(&db, plain_csv().as_bytes(), Mode::AllOrNothing).await.unwrap();
        let newcomer = id("99010119900101011");
        let changed = plain_csv().replace("17000001234", "17000009999").replace("650100000000", "990101001001")
            + &format!("\nA002,配偶,新人,居民身份证,{newcomer},男,,,东门社区,二号楼202,,,");
        let report = taken_over(&db, changed.as_bytes(), Mode::AllOrNothing).await.unwrap();
        assert_eq!((report.people_changed, report.people_unchanged, report.people_new), (2, 1, 1));
        let query = Query { text: "9999".to_owned(), region: None };
        assert_eq!(search(&db, &district(), &query, 0, 10).await.unwrap().total, 1);
        let stolen = format!("{HEADING}\nC1,户主,新人,居民身份证,{newcomer},男,,,东门社区,,,,");
        let report = checked(&db, stolen.as_bytes()).await;
        assert!(report.errors[0].reason.contains("另一户"), "{:#?}", report.errors);
        let renamed = plain_csv().replace("张芳", "张方");
        let report = checked(&db, renamed.as_bytes()).await;
        assert!(report.errors.iter().any(|e| e.column == "姓名" && e.reason.contains("不一致") && e.value_masked == "张*"));
    }

    async fn an_officer_imports_into_the_own_community_only(db: Db) {
        with_places(&db).await;
        let west = officer_of(WEST);
        let report = dry_run(&db, &west, plain_csv().as_bytes()).await.unwrap().unwrap();
        assert_eq!(report.rows_accepted, 0);
        taken_over(&db, plain_csv().as_bytes(), Mode::AllOrNothing).await.unwrap();
        let here = plain_csv().replace("东门社区", "西门社区");
        let report = dry_run(&db, &west, here.as_bytes()).await.unwrap().unwrap();
        assert!(report.errors.iter().any(|e| e.reason.contains("登记在其他社区")), "{:#?}", report.errors);
        assert!(report.errors.iter().all(|e| !e.reason.contains("不一致")), "nothing is told of them");
    }

    async fn files_that_are_no_roster_are_refused_at_once(db: Db) {
        let of = async |bytes: &[u8]| dry_run(&db, &district(), bytes).await.unwrap().unwrap_err();
        assert_eq!(of("姓名,年龄\n张三,3\n".as_bytes()).await, FileRefused::NoHeading);
        assert!(matches!(of("姓名,性别,手机号\n张三,男,1\n".as_bytes()).await, FileRefused::ColumnsMissing(_)));
        assert_eq!(of(HEADING.as_bytes()).await, FileRefused::NoRows);
        assert!(matches!(of(b"").await, FileRefused::Unreadable(_)));
        assert!(matches!(of(b"\x89PNG\r\n\x1a\n\0\0").await, FileRefused::Unreadable(_)));
    }

    async fn people_without_documents_are_recognised_inside_their_household(db: Db) {
        with_places(&db).await;
        let csv = format!(
            "{HEADING}\nD1,户主,张芳,居民身份证,{},女,,,东门社区,,,,\nD1,孙子,无名,无身份证件,,男,2020-01-01,,东门社区,,,,",
            id("99010119560715004")
        );
        taken_over(&db, csv.as_bytes(), Mode::AllOrNothing).await.unwrap();
        let again = csv.replace("东门社区,,,,\nD1", "东门社区,,,,\n\nD1");
        let report = taken_over(&db, again.as_bytes(), Mode::AllOrNothing).await.unwrap();
        assert_eq!((report.people_new, report.people_unchanged), (0, 2));
        assert_eq!(count(&db).await, (2, 1));
    }
}
