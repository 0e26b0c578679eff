//! A small town of deliveries (测试用的数据): two sources, a folder, the ways to write and land files.

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::Keys;
use verify::report::FigureColumn;
use verify::{Asked, Found, Landed, Landing, Manifest, Person, Piece, Refused, Report, Sources};

pub const BANK: &str = r#"
[source]
zh = "银行存款"
en = "Bank"
department = "银行"
basis = "测试"
whole = true
max_age_days = 45
tag = "general"
[arrival]
by = ["csv", "xlsx", "parquet"]
encoding = "gb18030"
[[column]]
id = "id_no"
headings = ["身份证号"]
kind = "id"
[[column]]
id = "name"
headings = ["户名"]
kind = "name"
[[column]]
id = "account"
headings = ["账号"]
kind = "number"
[[column]]
id = "bank"
headings = ["开户行"]
kind = "text"
[[column]]
id = "balance"
headings = ["余额"]
kind = "money"
unit = "yuan"
needed = true
[[column]]
id = "day"
headings = ["日期"]
kind = "date"
[[column]]
id = "month"
headings = ["月份"]
kind = "month"
[[column]]
id = "lines"
headings = ["笔数"]
kind = "count"
[[column]]
id = "area"
headings = ["面积"]
kind = "area"
unit = "m2"
[[column]]
id = "state"
headings = ["状态"]
kind = "code"
codes = { "0" = "正常", "9" = "销户" }
[[figure]]
id = "accounts"
zh = "账户"
en = "Accounts"
take = "count"
where = { state = ["0"] }
[[figure]]
id = "deposits"
zh = "余额"
en = "Deposits"
take = "sum"
column = "balance"
where = { state = ["0"] }
[[figure]]
id = "other_name"
zh = "户名不符"
en = "Other name"
take = "count"
name = "differs"
[[figure]]
id = "different"
zh = "不同账号"
en = "Different accounts"
take = "count"
distinct = "account"
[[figure]]
id = "last_lines"
zh = "最近笔数"
en = "Latest lines"
take = "latest"
column = "lines"
by = "day"
[[figure]]
id = "mean"
zh = "三个月平均"
en = "Mean of three months"
take = "average"
column = "balance"
by = "month"
months = 3
"#;

pub const MARRIAGE: &str = r#"
[source]
zh = "婚姻"
en = "Marriages"
department = "民政"
basis = "测试"
whole = true
max_age_days = 45
tag = "general"
[arrival]
by = ["csv", "parquet", "api"]
encoding = "utf-8"
[[column]]
id = "a"
headings = ["男方"]
kind = "id"
[[column]]
id = "b"
headings = ["女方"]
kind = "other_id"
[[column]]
id = "state"
headings = ["状态"]
kind = "code"
codes = { "1" = "结婚", "2" = "离婚" }
[[figure]]
id = "outside"
zh = "与他人结婚"
en = "Married outside"
take = "count"
where = { state = ["1"] }
other = "outside"
[[figure]]
id = "any"
zh = "有登记"
en = "Any"
take = "any"
where = { state = ["1"] }
"#;

pub const HEADING: &str = "身份证号,户名,账号,开户行,余额,日期,月份,笔数,面积,状态\n";
pub const ANN: &str = "11010519491231002X";
pub const BO: &str = "440300199001010016";
pub const CAI: &str = "231025195607150042";

/// So many cases of a property, or as many as `PROPTEST_CASES` asks for: a night's worth, say.
#[expect(
    clippy::disallowed_methods,
    reason = "only whoever runs the tests knows how long there is"
)]
pub fn cases(usual: u32) -> proptest::prelude::ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    proptest::prelude::ProptestConfig::with_cases(
        asked.and_then(|cases| cases.parse().ok()).unwrap_or(usual),
    )
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub struct Town {
    pub folder: tempfile::TempDir,
    pub sources: Sources,
    pub keys: Keys,
}

impl Town {
    pub fn new() -> Self {
        Self::of(&[("bank", BANK), ("marriage", MARRIAGE)])
    }

    pub fn of(sources: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in sources {
            let at = folder.path().join("sources").join(name);
            std::fs::create_dir_all(&at).unwrap();
            std::fs::write(at.join("source.toml"), text).unwrap();
        }
        let sources = Sources::read(&[folder.path().join("sources")], None).unwrap();
        Self {
            folder,
            sources,
            keys: Keys::for_tests(),
        }
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn land(&self, source: &str, file: &Path, delivered: &str) -> Result<Manifest, Refused> {
        self.land_with(source, file, delivered, 2, true)
    }

    pub fn land_with(
        &self,
        source: &str,
        file: &Path,
        delivered: &str,
        workers: usize,
        accept_drift: bool,
    ) -> Result<Manifest, Refused> {
        Landing {
            source: self.sources.get(source).unwrap(),
            file,
            store: &self.store(),
            delivered: day(delivered),
            today: day("2026-11-22"),
            keys: &self.keys,
            workers,
            accept_drift,
            stop: &AtomicBool::new(false),
            told: &|_| {},
        }
        .run()
        .unwrap()
    }

    /// Lands lines of a bank, with the heading in front.
    pub fn bank(&self, lines: &str, delivered: &str) -> Result<Manifest, Refused> {
        let text = format!("\u{FEFF}{HEADING}{lines}");
        let file = self.file(&format!("bank-{delivered}.csv"), text);
        self.land("bank", &file, delivered)
    }

    pub fn landed(&self) -> Landed {
        Landed::open(&self.store(), self.sources.clone(), self.keys.clone()).unwrap()
    }

    pub fn ask(&self, asked: &[Asked], as_of: &str) -> Vec<Report> {
        let stop = AtomicBool::new(false);
        self.landed()
            .ask_outside_a_case(asked, day(as_of), 2, &stop)
            .unwrap()
    }

    pub fn ask_many(&self, asked: &[Asked], as_of: &str) -> Vec<FigureColumn> {
        let stop = AtomicBool::new(false);
        self.landed().ask_many(asked, day(as_of), 2, &stop).unwrap()
    }

    /// As `ask_many`, in pieces of so many people at most, each answered without the keys, the last one first.
    pub fn ask_in_pieces(&self, asked: &[Asked], as_of: &str, most: usize) -> Vec<FigureColumn> {
        let landed = self.landed();
        let pieces = landed.in_pieces(asked, day(as_of), most, 2).unwrap();
        let mut found = Found::default();
        for number in (0..pieces.count()).rev() {
            let text = serde_json::to_string(&pieces.piece(number).unwrap()).unwrap();
            let piece: Piece = serde_json::from_str(&text).unwrap();
            let answer = verify::ask::answer(&self.sources, &self.store(), &piece).unwrap();
            pieces.add(&mut found, number, &answer).unwrap();
        }
        pieces.columns(found, 2).unwrap()
    }

    /// A household's figure of a source.
    pub fn figure(&self, report: &Report, source: &str, figure: &str) -> verify::Figure {
        let at = self.place(source, figure);
        let answer = report
            .answers
            .iter()
            .find(|answer| answer.source == source)
            .unwrap();
        answer.household[at].clone()
    }

    pub fn place(&self, source: &str, figure: &str) -> usize {
        let figures = &self.sources.get(source).unwrap().figures;
        figures.iter().position(|def| def.id == figure).unwrap()
    }
}

pub fn person(id_no: &str, name: &str) -> Person {
    Person {
        id_no: id_no.to_owned(),
        name: name.to_owned(),
    }
}

pub fn household(name: &str, members: &[(&str, &str)]) -> Asked {
    Asked {
        household: name.to_owned(),
        members: members.iter().map(|(id, name)| person(id, name)).collect(),
    }
}

/// A column of a Parquet file.
pub enum Of {
    Texts(Vec<Option<String>>),
    Whole(Vec<Option<i64>>),
    Floating(Vec<f64>),
}

pub fn parquet(path: &Path, columns: Vec<(&str, Of)>) {
    let arrays: Vec<(&str, ArrayRef)> = columns
        .into_iter()
        .map(|(name, column)| {
            let array: ArrayRef = match column {
                Of::Texts(texts) => Arc::new(StringArray::from(texts)),
                Of::Whole(numbers) => Arc::new(Int64Array::from(numbers)),
                Of::Floating(numbers) => Arc::new(Float64Array::from(numbers)),
            };
            (name, array)
        })
        .collect();
    let batch = RecordBatch::try_from_iter(arrays).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
