//! A delivered file (送来的文件), read in batches by several workers: csv and fixed width in UTF-8 or GB18030, xlsx, Parquet.
//!
//! What kind it is, is told by its content and must be one agreed with the department. Guarantees: memory is bounded,
//! whatever the file claims; a byte that belongs to no encoding is named by its row and nothing is replaced by question
//! marks; a missing column refuses the file before a row is read. Deliberately absent: what the cells mean.

mod columnar;
mod lines;
mod workbook;

pub use columnar::Columnar;
pub(crate) use columnar::Plan;
use lines::Lines;

use crate::raw::RawBatch;
use crate::source::{Column, Source};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

/// How many rows are read together.
pub(crate) const BATCH: usize = 16_384;

/// Why a file is not read (不能读取的原因). Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The operating system says no.
    #[error("读不到文件 {0}：{1}")]
    NotThere(PathBuf, std::io::Error),
    /// Nothing in it.
    #[error("文件是空的；请重新导出")]
    Empty,
    /// A kind that was not agreed.
    #[error("这个数据源约定用 {agreed} 送来，读到的是 {found}；请按约定的格式重新导出")]
    NotAgreed {
        /// What was agreed.
        agreed: String,
        /// What came.
        found: &'static str,
    },
    /// Needed columns are missing.
    #[error("缺少列：{0}；请核对表头，或与部门重新约定列名")]
    ColumnsMissing(String),
    /// Two columns for one.
    #[error("列“{0}”出现了两次；请删去一列")]
    ColumnTwice(String),
    /// A column of a type that keeps nothing exact.
    #[error("列“{0}”的类型是 {1}，不能精确保存；请改为文字或整数后重新导出")]
    ColumnType(String, String),
    /// A byte of no encoding.
    #[error("第 {0} 行的文字编码不是约定的编码；请核对导出时选择的编码")]
    Undecodable(u64),
    /// A row without end.
    #[error("第 {0} 行之后的一条记录太长，多半是引号没有成对；请检查")]
    RecordTooLong(u64),
    /// A workbook that cannot be read.
    #[error("{0}")]
    Workbook(#[from] sheets::ReadFault),
    /// A damaged Parquet file.
    #[error("Parquet 文件已损坏或不完整：{0}；请重新传送")]
    Damaged(String),
}

/// A delivered file, opened (打开的文件).
#[derive(Debug)]
pub struct Delivery {
    path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// How many rows it says or seems to have.
    pub rows_about: u64,
    /// Headings nobody asked for.
    pub ignored: Vec<String>,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Lines(Mutex<Lines>),
    Workbook(Mutex<workbook::Rows>),
    Columnar { plan: Plan, next: AtomicUsize },
}

/// Reads batches until there are none (读取者). Each thread has its own.
pub enum Worker<'a> {
    /// Shares a file that is read from front to back.
    Shared(&'a Delivery),
    /// Has row groups of its own.
    Columnar(Box<Columnar<'a>>),
}

impl Delivery {
    /// Opens a file as a source's (打开).
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn open(source: &Source, path: &Path) -> Result<Self, Unreadable> {
        let not_there = |fault| Unreadable::NotThere(path.to_owned(), fault);
        let mut file = std::fs::File::open(path).map_err(not_there)?;
        let bytes = file.metadata().map_err(not_there)?.len();
        let mut head = [0; 8];
        let mut read = 0;
        while read < head.len() {
            match file.read(&mut head[read..]).map_err(not_there)? {
                0 => break,
                more => read += more,
            }
        }
        if read == 0 {
            return Err(Unreadable::Empty);
        }
        let agreed = |way: &str| source.arrival.by.iter().any(|known| known == way);
        let found = match head {
            [b'P', b'A', b'R', b'1', ..] => "parquet",
            [b'P', b'K', 3, 4, ..] | [0xD0, 0xCF, 0x11, 0xE0, ..] => "xlsx",
            // Where both are agreed on, the text itself says which it is.
            _ if agreed("fixed") && !(agreed("csv") && Lines::is_separated(source, path)?) => {
                "fixed"
            }
            _ => "csv",
        };
        if !agreed(found) {
            return Err(Unreadable::NotAgreed {
                agreed: source.arrival.by.join(" "),
                found,
            });
        }
        let (inside, rows_about, ignored) = match found {
            "parquet" => {
                let plan = guarded(|| Plan::open(source, path))?;
                let (rows, ignored) = (plan.rows, plan.ignored.clone());
                let next = AtomicUsize::new(0);
                (Inside::Columnar { plan, next }, rows, ignored)
            }
            "xlsx" => {
                let rows = workbook::Rows::open(source, path, bytes)?;
                let (about, ignored) = (rows.rows(), rows.ignored.clone());
                (Inside::Workbook(Mutex::new(rows)), about, ignored)
            }
            _ => {
                let lines = Lines::open(source, path, found == "fixed")?;
                // A row of text is seldom shorter than this.
                let (about, ignored) = (bytes / 48 + 1, lines.ignored.clone());
                (Inside::Lines(Mutex::new(lines)), about, ignored)
            }
        };
        Ok(Self {
            path: path.to_owned(),
            bytes,
            rows_about,
            ignored,
            inside,
        })
    }

    /// One more worker.
    pub fn worker(&self) -> Worker<'_> {
        match &self.inside {
            Inside::Columnar { plan, next } => {
                Worker::Columnar(Box::new(Columnar::new(plan, &self.path, next)))
            }
            _ => Worker::Shared(self),
        }
    }
}

impl Worker<'_> {
    /// The next batch (下一批); `None` at the end.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn batch(&mut self) -> Result<Option<RawBatch>, Unreadable> {
        match self {
            Self::Columnar(worker) => guarded(|| worker.batch()),
            Self::Shared(delivery) => match &delivery.inside {
                Inside::Lines(lines) => locked(lines).batch(),
                Inside::Workbook(rows) => Ok(locked(rows).batch()),
                Inside::Columnar { .. } => Ok(None),
            },
        }
    }
}

/// Reads with a library that may panic at a file nobody wrote: then the file is damaged. Nobody reads on after that.
fn guarded<T>(read: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    read.unwrap_or_else(|_| Err(Unreadable::Damaged("内容自相矛盾".to_owned())))
}

/// A worker that broke leaves the file where it was; the others stop at its fault.
fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A heading without what nobody sees.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && *c != '\u{FEFF}')
        .collect()
}

/// Whether a heading is one of a column's.
fn knows(column: &Column, heading: &str) -> bool {
    let heading = plain(heading);
    column.id == heading || column.headings.iter().any(|one| plain(one) == heading)
}

/// For each column of the source its place among the headings of the file, and the headings nobody asked for.
fn places(
    source: &Source,
    headings: &[String],
) -> Result<(Vec<Option<usize>>, Vec<String>), Unreadable> {
    let headings: Vec<String> = headings.iter().map(|heading| plain(heading)).collect();
    let mut places = Vec::new();
    let mut missing = Vec::new();
    let mut used = vec![false; headings.len()];
    for column in &source.columns {
        let mut found = None;
        for (at, heading) in headings.iter().enumerate() {
            if knows(column, heading) && found.replace(at).is_some() {
                return Err(Unreadable::ColumnTwice(heading.clone()));
            }
        }
        match found {
            Some(at) => used[at] = true,
            None if column.needed => missing.push(column.headings[0].clone()),
            None => {}
        }
        places.push(found);
    }
    if !missing.is_empty() {
        return Err(Unreadable::ColumnsMissing(missing.join("、")));
    }
    let ignored = headings
        .into_iter()
        .zip(used)
        .filter(|(heading, used)| !used && !heading.is_empty())
        .map(|(heading, _)| heading)
        .collect();
    Ok((places, ignored))
}
