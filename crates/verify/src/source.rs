//! What a department delivers (数据源): one folder each in the packs, `packs/<place>/sources/<name>/source.toml`.
//!
//! ```toml
//! [source]                       # a place's file of the same name changes only the keys it writes
//! zh = "银行存款"
//! en = "Bank deposits"
//! department = "银行"             # as it stands beside a fact
//! basis = "社会救助法第四十一条"
//! whole = true                   # who is not in it has nothing of the kind; false: nothing can be concluded
//! max_age_days = 45
//! tag = "general"                # verified, local or general knowledge: how sure the columns are
//!
//! [arrival]
//! by = ["csv", "xlsx", "parquet", "fixed"]
//! encoding = "gb18030"           # or utf-8
//! heading_row = 1
//! every_days = 30
//! api = "…"                      # the department's own interface, in words; with by = ["api"] it is asked, see `remote`
//!
//! [drift]                        # per thousand
//! fewer_rows = 300
//! more_rows = 500
//! bad_rows = 50
//!
//! [[column]]
//! id = "balance"
//! headings = ["余额", "账户余额"]
//! kind = "money"                 # id other_id name money count area date month code number text
//! unit = "yuan"                  # money: yuan fen wan; area: m2 cm2
//! needed = true
//! width = 18                     # bytes, for fixed
//!
//! [[figure]]
//! id = "deposits"
//! zh = "存款余额"
//! en = "Deposits"
//! take = "sum"                   # count sum any latest earliest average
//! column = "balance"
//! where = { status = ["1"] }
//! name = "differs"               # only rows in another name; "same"
//! other = "outside"              # only rows whose other person is known and not of the household
//! distinct = "unit_no"           # one thing counts once in a household
//! months = 12                    # average: over the months before the day asked about
//! by = "period"                  # latest, earliest, average: the day of a row
//! fact = "deposits"              # the fact it becomes
//! as = { "1" = "sight" }         # latest of codes: the department's code and the fact's
//! ```
//!
//! Guarantees: every mistake is told at once with file, line and column; a figure fits the fact it becomes. Deliberately
//! absent: reading the deliveries.

mod check;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A source (数据源).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name of its folder.
    pub id: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// The department, as it stands beside a fact.
    pub department: String,
    /// What allows asking it.
    pub basis: String,
    /// Whether who is not in it has nothing of the kind.
    pub whole: bool,
    /// After how many days a delivery says nothing of today any more.
    pub max_age_days: u32,
    /// How sure the columns are.
    pub tag: String,
    /// How it arrives.
    pub arrival: Arrival,
    /// When a delivery is doubted as a whole.
    pub drift: Drift,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What is made of it.
    pub figures: Vec<FigureDef>,
}

/// How a source arrives (到达方式).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrival {
    /// `csv`, `xlsx`, `parquet`, `fixed`.
    pub by: Vec<String>,
    /// GB18030 instead of UTF-8, where there is no byte order mark.
    pub gb18030: bool,
    /// The row of the headings, from one; none when 0.
    pub heading_row: usize,
    /// How often, in days; 0 when not agreed.
    pub every_days: u32,
    /// The request-and-answer interface in words; whether it is asked stands in `by`.
    pub api: String,
}

/// When a delivery is doubted as a whole (偏移限度), per thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drift {
    /// Fewer rows than the last delivery.
    pub fewer_rows: u64,
    /// More rows than the last delivery.
    pub more_rows: u64,
    /// Rows that could not be taken.
    pub bad_rows: u64,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            fewer_rows: 300,
            more_rows: 500,
            bad_rows: 50,
        }
    }
}

/// A column (列).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its id.
    pub id: String,
    /// The headings it is known by, the usual one first.
    pub headings: Vec<String>,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether a row without it is bad.
    pub needed: bool,
    /// Its width in bytes in files of fixed width.
    pub width: Option<usize>,
}

/// What a column holds (列的内容).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnKind {
    /// The person's identity number.
    Id,
    /// The identity number of the other person of the row, under which the row is found too.
    OtherId,
    /// The person's name.
    Name,
    /// Money; so many fen make one of its unit.
    Money(i64),
    /// A whole number.
    Count,
    /// An area; so many square centimetres make one of its unit.
    Area(i64),
    /// A day.
    Date,
    /// A month; kept as its first day.
    Month,
    /// A code of this list: code and meaning.
    Code(Vec<(String, String)>),
    /// A number that is a name of something (an account, a plate): equal ones can be told, none can be read without key.
    Number,
    /// Anything else that is shown.
    Text,
}

impl ColumnKind {
    /// Whether it is kept as a number that can be figured with or compared.
    pub fn is_figured(&self) -> bool {
        !matches!(self, Self::Id | Self::OtherId | Self::Text)
    }

    /// Whether its text is kept sealed, to be shown.
    pub fn is_shown(&self) -> bool {
        matches!(self, Self::Name | Self::Number | Self::Text)
    }
}

/// What is made of a source (核对指标).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureDef {
    /// Its id.
    pub id: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// How rows become one value.
    pub take: Take,
    /// Which rows: a code column (its place) and the places of the codes allowed.
    pub filters: Vec<(usize, Vec<i64>)>,
    /// Only rows in another name (`true`), in the same name (`false`).
    pub name_differs: Option<bool>,
    /// Only rows whose other person is known and not of the household.
    pub other_outside: bool,
    /// The column by which one thing counts once.
    pub distinct: Option<usize>,
    /// The fact it becomes.
    pub fact: Option<String>,
    /// The source's codes and the fact's.
    pub codes: BTreeMap<String, String>,
}

/// How rows become one value (合并方式); columns by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// How many.
    Count,
    /// Whether there is one.
    Any,
    /// The sum of a column.
    Sum(usize),
    /// The value of the column in the row of the latest day.
    Latest(usize, usize),
    /// The value of the column in the row of the earliest day.
    Earliest(usize, usize),
    /// The sum over so many months before the day asked about, divided by them: column, day, months.
    Average(usize, usize, u32),
}

impl Take {
    /// The columns it reads.
    pub fn columns(self) -> Vec<usize> {
        match self {
            Self::Count | Self::Any => Vec::new(),
            Self::Sum(column) => vec![column],
            Self::Latest(column, by)
            | Self::Earliest(column, by)
            | Self::Average(column, by, _) => {
                vec![column, by]
            }
        }
    }
}

impl Source {
    /// The place of a column (列号).
    pub fn column(&self, id: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.id == id)
    }

    /// The place of the first column of a kind.
    pub fn of_kind(&self, kind: &ColumnKind) -> Option<usize> {
        self.columns.iter().position(|column| column.kind == *kind)
    }

    /// What a delivery of it must look like, as a fingerprint (定义指纹): another one lands anew.
    pub fn fingerprint(&self) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| (&column.id, &column.kind, column.needed))
            .collect();
        let mut print = store::keys::sm3_hex(format!("{columns:?}").as_bytes());
        print.truncate(16);
        print
    }
}

/// All sources of a place (全部数据源), by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(pub BTreeMap<String, Source>);

impl Sources {
    /// Those of a place, the nation's and its own (读取数据源); what they become is checked against its rule book.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn of(book: &policy::Book) -> Result<Self, Vec<policy::Fault>> {
        let folders: Vec<PathBuf> = book
            .place()
            .folders
            .iter()
            .map(|folder| folder.join("sources"))
            .collect();
        Self::read(&folders, Some(book))
    }

    /// Those in folders of sources, the general one first (读取文件夹).
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn read(
        folders: &[PathBuf],
        book: Option<&policy::Book>,
    ) -> Result<Self, Vec<policy::Fault>> {
        let base = book.map_or(Path::new(""), policy::Book::packs);
        read::all(folders, base, book)
    }

    /// One by name.
    pub fn get(&self, id: &str) -> Option<&Source> {
        self.0.get(id)
    }
}
