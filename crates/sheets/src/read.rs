//! Reading a file somebody sent (读取): xlsx, xls and csv, told apart by their first bytes, never by their name.
//!
//! Before calamine sees an xlsx, its archive is inflated once and the bytes really coming out are counted: sizes written
//! in the archive are claims, not facts. Cells are counted while they are read and rows are kept only as far as they
//! have cells, so a single cell far out cannot claim the memory of the field before it.

mod claims;
mod text;
mod workbook;

use crate::Cell;

/// A sheet (工作表): its name and its rows from the first one on; `rows[i]` is row `i + 1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The name on its tab; for csv an empty text.
    pub name: String,
    /// The rows, each as long as its last cell that holds something.
    pub rows: Vec<Vec<Cell>>,
}

/// How much a file may ask of the machine (上限).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file itself.
    pub file_bytes: usize,
    /// Bytes of everything inside an archive together, really inflated.
    pub inflated_bytes: u64,
    /// Cells that hold something, over all sheets.
    pub cells: usize,
    /// The last row and column that may be used.
    pub rows: u32,
    /// The last column that may be used.
    pub columns: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 32 << 20,
            inflated_bytes: 256 << 20,
            cells: 3_000_000,
            rows: 200_000,
            columns: 256,
        }
    }
}

/// Why a file was not read. Each sentence says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadFault {
    /// Nothing in it.
    #[error("文件是空的；请重新选择文件")]
    Empty,
    /// Too many bytes.
    #[error("文件超过 {0} 兆字节；请拆成几个文件分别导入")]
    TooLarge(usize),
    /// An archive that grows out of all proportion.
    #[error("文件解压后超过 {0} 兆字节，疑为恶意文件；请用模板重新填写后上传")]
    InflatesTooFar(u64),
    /// More cells, rows or columns than allowed.
    #[error("表格过大（单元格、行或列超出上限）；请删去空白行列，或拆成几个文件分别导入")]
    TooManyCells,
    /// Locked with a password.
    #[error("文件设有打开密码；请取消密码后重新上传")]
    Locked,
    /// A byte that belongs to no supported encoding.
    #[error("第 {row} 行的文字编码无法识别；请在电子表格软件中另存为 xlsx 或“CSV UTF-8”后重新上传")]
    Undecodable {
        /// The row, counted from one.
        row: usize,
    },
    /// Neither xlsx nor xls nor readable text.
    #[error("无法读取这个文件；请使用 xlsx、xls 或 csv 格式，最好从本页下载模板填写")]
    NotASpreadsheet,
}

/// Reads a file (读取表格). The kind is told by the content.
///
/// # Errors
/// [`ReadFault`].
pub fn read(bytes: &[u8], limits: Limits) -> Result<Vec<Sheet>, ReadFault> {
    if bytes.is_empty() {
        return Err(ReadFault::Empty);
    }
    if bytes.len() > limits.file_bytes {
        return Err(ReadFault::TooLarge(limits.file_bytes >> 20));
    }
    let sheets = match bytes {
        [b'P', b'K', 3, 4, ..] => guarded(|| workbook::xlsx(bytes, limits))?,
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => {
            guarded(|| workbook::xls(bytes, limits))?
        }
        _ => vec![text::csv(bytes, limits)?],
    };
    if sheets.iter().all(|sheet| sheet.rows.is_empty()) {
        return Err(ReadFault::Empty);
    }
    Ok(sheets)
}

/// Reads with a library that may panic at a number no workbook has (its arithmetic is checked in every build, see the
/// workspace's profiles): then it is no workbook. Nothing of the reading outlives it.
fn guarded<T>(read: impl FnOnce() -> Result<T, ReadFault>) -> Result<T, ReadFault> {
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    read.unwrap_or(Err(ReadFault::NotASpreadsheet))
}

/// Puts cells into rows while counting them.
struct Filling {
    limits: Limits,
    cells: usize,
    rows: Vec<Vec<Cell>>,
}

impl Filling {
    fn new(limits: Limits, cells: usize) -> Self {
        Self {
            limits,
            cells,
            rows: Vec::new(),
        }
    }

    fn put(&mut self, row: u32, column: u32, cell: Cell) -> Result<(), ReadFault> {
        if cell == Cell::Empty {
            return Ok(());
        }
        self.cells += 1;
        let fits = self.cells <= self.limits.cells
            && row < self.limits.rows
            && column < self.limits.columns;
        if !fits {
            return Err(ReadFault::TooManyCells);
        }
        let place = |number: u32| usize::try_from(number).map_err(|_| ReadFault::TooManyCells);
        let (row, column) = (place(row)?, place(column)?);
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Vec::new);
        }
        let cells = &mut self.rows[row];
        if cells.len() <= column {
            cells.resize_with(column + 1, Cell::default);
        }
        cells[column] = cell;
        Ok(())
    }

    fn rows(mut self) -> Vec<Vec<Cell>> {
        while self
            .rows
            .last()
            .is_some_and(|row| row.iter().all(Cell::is_blank))
        {
            self.rows.pop();
        }
        self.rows
    }
}
