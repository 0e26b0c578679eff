//! Files of records in, files of people out (文件): csv in UTF-8 or GB18030, and Parquet.
//!
//! Columns are found by their header, in Chinese or English, in any order. Guarantees: a file that is refused is refused with row,
//! column and reason; what is written stands whole under its name or not at all. Deliberately absent: spreadsheets, which come
//! through `sheets` and [`Loader::row`].

mod batches;
mod csv;
mod organisations;
mod write;

pub use organisations::{read_organisations, write_organisations};
pub use write::{Unwritten, write};

use crate::register::{Person, Register};
use std::path::Path;

/// A file as records (读入的记录).
#[derive(Debug, Default)]
pub struct Records {
    /// The register, not finished yet: more may be added.
    pub register: Register,
    /// Their ids.
    pub ids: Ids,
}

/// The ids of records (记录编号), by the number of the record.
#[derive(Debug)]
pub enum Ids {
    /// Whole numbers.
    Whole(Vec<i64>),
    /// Texts, one after the other, and where each ends.
    Text(String, Vec<usize>),
}

impl Default for Ids {
    fn default() -> Self {
        Self::Whole(Vec::new())
    }
}

impl Ids {
    /// The id of a record.
    pub fn text(&self, record: usize) -> String {
        match self {
            Self::Whole(ids) => ids.get(record).map(ToString::to_string).unwrap_or_default(),
            Self::Text(text, ends) => {
                let from = record.checked_sub(1).and_then(|before| ends.get(before));
                let to = ends.get(record).copied().unwrap_or(0);
                text.get(from.copied().unwrap_or(0)..to)
                    .unwrap_or_default()
                    .to_owned()
            }
        }
    }

    /// Adds one; the first that is no number makes all of them texts.
    pub(crate) fn push(&mut self, id: &str) {
        match (&mut *self, id.parse()) {
            (Self::Whole(ids), Ok(number)) if canonical(number, id) => ids.push(number),
            (Self::Whole(ids), _) => {
                let mut text = String::new();
                let mut ends = Vec::with_capacity(ids.len() + 1);
                for id in ids {
                    text.push_str(&id.to_string());
                    ends.push(text.len());
                }
                text.push_str(id);
                ends.push(text.len());
                *self = Self::Text(text, ends);
            }
            (Self::Text(text, ends), _) => {
                text.push_str(id);
                ends.push(text.len());
            }
        }
    }

    /// Two records with one id, if there are such.
    pub fn repeated(&self) -> Option<(usize, usize)> {
        let count = match self {
            Self::Whole(ids) => ids.len(),
            Self::Text(_, ends) => ends.len(),
        };
        let mut order: Vec<usize> = (0..count).collect();
        let pair = match self {
            Self::Whole(ids) => {
                order.sort_unstable_by_key(|place| (ids[*place], *place));
                order.windows(2).find(|pair| ids[pair[0]] == ids[pair[1]])
            }
            Self::Text(..) => {
                order.sort_by_cached_key(|place| self.text(*place));
                order
                    .windows(2)
                    .find(|pair| self.text(pair[0]) == self.text(pair[1]))
            }
        };
        pair.map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1])))
    }
}

/// 007 is another id than 7.
fn canonical(number: i64, id: &str) -> bool {
    id.len() == 1 || !id.starts_with(['0', '+']) && (number >= 0 || !id.starts_with("-0"))
}

/// Why a file was not read (未读入的原因). Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It cannot be opened or read.
    #[error("无法读取文件 {file}：{fault}；请检查路径和权限")]
    File {
        /// Its path.
        file: String,
        /// What the system said.
        fault: std::io::Error,
    },
    /// Neither UTF-8 nor GB18030.
    #[error(
        "第 {row} 行的文字编码既不是 UTF-8 也不是 GB18030；请在电子表格软件中另存为“CSV UTF-8”"
    )]
    Encoding {
        /// The row, counted from one, the header included.
        row: usize,
    },
    /// A row with more or fewer columns than the header.
    #[error("第 {row} 行有 {found} 列，表头有 {expected} 列；请检查这一行是否多了或少了逗号、引号")]
    Columns {
        /// The row.
        row: u64,
        /// Its columns.
        found: u64,
        /// The header's.
        expected: u64,
    },
    /// Something else is wrong with the csv.
    #[error("第 {row} 行无法读取：{fault}；请检查引号是否成对")]
    Csv {
        /// The row.
        row: u64,
        /// What the reader said.
        fault: String,
    },
    /// No column that tells people apart.
    #[error(
        "表头中没有姓名或身份证号；请至少有“姓名”（name）和“身份证号”（id_no）之一，读到的列是：{0}"
    )]
    NoPeople(String),
    /// No column that tells organisations apart.
    #[error(
        "表头中没有名称或统一社会信用代码；请至少有“名称”和“统一社会信用代码”之一，读到的列是：{0}"
    )]
    NoOrganisations(String),
    /// Two columns of one meaning.
    #[error("“{first}”和“{second}”两列都是{meaning}；请只留一列")]
    Twice {
        /// The first header.
        first: String,
        /// The second.
        second: String,
        /// What both mean.
        meaning: &'static str,
    },
    /// A column of a type that holds no such thing.
    #[error("“{column}”列的类型是 {found}，读不出{meaning}；请改存为文本、整数或日期")]
    Type {
        /// The column.
        column: String,
        /// What it should hold.
        meaning: &'static str,
        /// Its type.
        found: String,
    },
    /// A broken Parquet file.
    #[error("无法读取 Parquet 文件：{0}；请重新导出")]
    Parquet(String),
}

/// What a column means (列的含义), with the headers it goes by.
const COLUMNS: [(&str, &[&str]); 8] = [
    (
        "记录编号",
        &[
            "record_id",
            "id",
            "编号",
            "记录编号",
            "记录号",
            "序号",
            "人员编号",
        ],
    ),
    ("姓名", &["name", "姓名", "xm", "full_name"]),
    (
        "身份证号",
        &[
            "id_no",
            "id_number",
            "idcard",
            "id_card",
            "身份证号",
            "身份证号码",
            "公民身份号码",
            "证件号码",
            "证件号",
            "sfzh",
            "zjhm",
        ],
    ),
    (
        "出生日期",
        &[
            "birth",
            "birth_date",
            "birthday",
            "dob",
            "出生日期",
            "出生年月",
            "生日",
            "csrq",
        ],
    ),
    ("性别", &["sex", "gender", "性别", "xb"]),
    (
        "电话",
        &[
            "phone",
            "mobile",
            "tel",
            "telephone",
            "电话",
            "手机",
            "手机号",
            "手机号码",
            "联系电话",
            "sjh",
            "lxdh",
        ],
    ),
    (
        "区划",
        &[
            "region",
            "区划",
            "行政区划",
            "区划代码",
            "行政区划代码",
            "xzqh",
        ],
    ),
    (
        "住址",
        &[
            "address",
            "addr",
            "住址",
            "地址",
            "家庭住址",
            "现住址",
            "居住地址",
            "户籍地址",
            "dz",
        ],
    ),
];

/// Where each column stands (各列的位置).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Header {
    pub(crate) places: [Option<usize>; COLUMNS.len()],
}

impl Header {
    pub(crate) fn read(names: &[&str]) -> Result<Self, Unread> {
        let mut header = Self::default();
        for (number, (meaning, known)) in COLUMNS.iter().enumerate() {
            let mut found = names.iter().enumerate().filter(|(_, name)| {
                let name = name.trim().trim_start_matches('\u{feff}').to_lowercase();
                known.contains(&name.as_str())
            });
            let first = found.next();
            if let (Some((_, first)), Some((_, second))) = (first, found.next()) {
                return Err(Unread::Twice {
                    first: (*first).to_owned(),
                    second: (*second).to_owned(),
                    meaning,
                });
            }
            header.places[number] = first.map(|(place, _)| place);
        }
        if header.places[1].is_none() && header.places[2].is_none() {
            return Err(Unread::NoPeople(names.join("、")));
        }
        Ok(header)
    }
}

/// Takes rows of text one after the other (逐行载入).
#[derive(Debug)]
pub struct Loader {
    header: Header,
    records: Records,
}

impl Loader {
    /// By the header of the file, into records that may hold some already.
    ///
    /// # Errors
    /// When nothing tells people apart, or two columns mean the same.
    pub fn new(header: &[&str], records: Records) -> Result<Self, Unread> {
        Ok(Self {
            header: Header::read(header)?,
            records,
        })
    }

    /// One row, cell by cell as in the header.
    pub fn row(&mut self, cells: &[&str]) {
        let cell = |number: usize| {
            let place = self.header.places[number];
            place
                .and_then(|place| cells.get(place))
                .map_or("", |cell| cell.trim())
        };
        let number = self.records.register.len() + 1;
        match self.header.places[0] {
            Some(_) => self.records.ids.push(cell(0)),
            None => self.records.ids.push(&number.to_string()),
        }
        self.records.register.push(&Person {
            name: cell(1),
            id_number: cell(2),
            birth: cell(3),
            sex: cell(4),
            phone: cell(5),
            region: cell(6),
            address: cell(7),
        });
    }

    /// All of them.
    pub fn records(self) -> Records {
        self.records
    }
}

/// Reads a csv or Parquet file, told apart by its first bytes (读取文件), after records that are there already.
///
/// # Errors
/// [`Unread`].
pub fn read(path: &Path, records: Records, tell: &mut dyn FnMut(usize)) -> Result<Records, Unread> {
    use std::io::Read;
    let fault = |fault| Unread::File {
        file: path.display().to_string(),
        fault,
    };
    let mut file = std::fs::File::open(path).map_err(fault)?;
    let mut magic = [0_u8; 4];
    let got = file.read(&mut magic).map_err(fault)?;
    if got == 4 && &magic == b"PAR1" {
        batches::read(path, records, tell)
    } else {
        csv::read(&std::fs::read(path).map_err(fault)?, records, tell)
    }
}
