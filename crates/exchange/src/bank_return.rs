//! The bank's answer as a file (银行回盘文件): rows by the names of their columns, nothing guessed.
//!
//! Guarantees: a row without number or with a state not in the list is reported with its row in the file; so are numbers
//! that stand twice (by the ledger, which sees them all). Deliberately absent: what an answer does to the money –
//! `ledger::bank_return` says that.

use ledger::{BankOutcome, BankResult, PayLine};
use sheets::{Cell, Column, Encoding, Field, Kind, Limits, ReadFault, Sheet, Table};

/// A bank's answer that was read (回盘内容).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the bank says, row by row.
    pub results: Vec<BankResult>,
    /// Rows that could not be understood.
    pub faults: Vec<RowFault>,
    /// The SM3 of the file, in hex: for `ledger::bank_return`.
    pub sm3: String,
}

/// A row that could not be understood (无法识别的行).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("第 {row} 行：{why}")]
pub struct RowFault {
    /// The row in its sheet, from one.
    pub row: u32,
    /// Why.
    pub why: Why,
}

/// Why a row could not be understood (无法识别原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is no number.
    #[error("缺少指令号，请与银行核对")]
    NoInstruction,
    /// The spreadsheet has rounded the number.
    #[error("指令号被电子表格存成了数字，后几位已丢失；请使用银行原始文件")]
    DigitsLost,
    /// The state is not one of the known words.
    #[error("不认识的状态“{0}”，请改为“成功”或“失败”")]
    UnknownState(String),
    /// The amount is not an amount.
    #[error("金额无法识别，请与银行核对")]
    NotAnAmount,
}

/// Why a file could not be read at all (无法读取原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not a table.
    #[error(transparent)]
    File(#[from] ReadFault),
    /// No row with the names of the columns.
    #[error("没有找到表头；回盘文件应有“指令号”和“状态”两列")]
    NoHeading,
}

const INSTRUCTION: &[&str] = &["指令号", "指令编号", "明细流水号"];
const STATE: &[&str] = &["状态", "交易状态", "处理状态", "处理结果", "交易结果"];
const REASON: &[&str] = &["原因", "失败原因", "退回原因", "返回信息"];
const CODE: &[&str] = &["原因代码", "错误码", "错误代码", "返回码"];
const AMOUNT: &[&str] = &["金额", "金额(元)", "金额（元）", "交易金额"];
const ARRIVED: &[&str] = &["成功", "交易成功", "处理成功", "已到账", "到账", "入账成功"];
const CAME_BACK: &[&str] = &[
    "失败",
    "交易失败",
    "处理失败",
    "退回",
    "退票",
    "退汇",
    "入账失败",
];
/// How far down the heading may stand: some banks put a title and the customer's name above it.
const HEADING_WITHIN: usize = 20;

/// Reads a bank's answer from xlsx, xls or csv (读取回盘文件).
///
/// # Errors
/// [`Unreadable`], when there is nothing to read row by row.
pub fn read(bytes: &[u8]) -> Result<Answer, Unreadable> {
    let sheets = sheets::read(bytes, Limits::default())?;
    let (sheet, heading, columns) = sheets
        .iter()
        .find_map(heading)
        .ok_or(Unreadable::NoHeading)?;
    let mut answer = Answer {
        results: Vec::new(),
        faults: Vec::new(),
        sm3: store::keys::sm3_hex(bytes),
    };
    for (row, number) in sheet.rows.iter().zip(1_u32..).skip(heading + 1) {
        match columns.read(row, number) {
            Ok(Some(result)) => answer.results.push(result),
            Ok(None) => {}
            Err(why) => answer.faults.push(RowFault { row: number, why }),
        }
    }
    Ok(answer)
}

/// Where the columns stand.
struct Columns {
    instruction: usize,
    state: usize,
    reason: Option<usize>,
    code: Option<usize>,
    amount: Option<usize>,
}

fn heading(sheet: &Sheet) -> Option<(&Sheet, usize, Columns)> {
    sheet
        .rows
        .iter()
        .take(HEADING_WITHIN)
        .enumerate()
        .find_map(|(index, row)| {
            let at = |names: &[&str]| {
                row.iter()
                    .position(|cell| names.contains(&cell.text().trim()))
            };
            let columns = Columns {
                instruction: at(INSTRUCTION)?,
                state: at(STATE)?,
                reason: at(REASON),
                code: at(CODE),
                amount: at(AMOUNT),
            };
            Some((sheet, index, columns))
        })
}

impl Columns {
    /// A row's answer; `None` for blank rows and for the bank's own sums.
    fn read(&self, row: &[Cell], number: u32) -> Result<Option<BankResult>, Why> {
        let cell = |at: usize| row.get(at).unwrap_or(&Cell::Empty);
        let text = |at: Option<usize>| {
            at.map(|at| cell(at).text().trim().to_owned())
                .unwrap_or_default()
        };
        let is_sum = row
            .iter()
            .any(|cell| matches!(cell.text().trim(), "合计" | "总计"));
        if row.iter().all(Cell::is_blank) || (cell(self.instruction).is_blank() && is_sum) {
            return Ok(None);
        }
        let instruction = cell(self.instruction).code().map_err(|_| Why::DigitsLost)?;
        if instruction.is_empty() {
            return Err(Why::NoInstruction);
        }
        let state = text(Some(self.state));
        let outcome = if ARRIVED.contains(&&*state) {
            BankOutcome::Settled
        } else if CAME_BACK.contains(&&*state) {
            BankOutcome::Returned {
                code: text(self.code),
                reason: text(self.reason),
            }
        } else {
            return Err(Why::UnknownState(state));
        };
        let amount = self
            .amount
            .map(|at| cell(at).money())
            .transpose()
            .map_err(|_| Why::NotAnAmount)?
            .flatten();
        Ok(Some(BankResult {
            instruction,
            outcome,
            amount,
            row: number,
        }))
    }
}

/// A bank's answer for practice (回盘样例), as the demo's and the tests' bank would write it: CSV in GB18030.
///
/// # Errors
/// When a reason holds a character GB18030 does not have.
pub fn sample(answers: &[(&PayLine, BankOutcome)]) -> anyhow::Result<Vec<u8>> {
    let rows = answers
        .iter()
        .map(|(line, outcome)| {
            let (state, code, reason) = match outcome {
                BankOutcome::Settled => ("成功", "", ""),
                BankOutcome::Returned { code, reason } => ("失败", &**code, &**reason),
            };
            vec![
                Field::text(&*line.instruction),
                Field::Money(line.net),
                Field::text(state),
                Field::text(code),
                Field::text(reason),
            ]
        })
        .collect();
    let table = Table {
        name: "回盘".to_owned(),
        notes: Vec::new(),
        columns: vec![
            Column::new("指令号", Kind::Text, 30),
            Column::new("金额", Kind::Money, 14),
            Column::new("状态", Kind::Text, 10),
            Column::new("原因代码", Kind::Text, 10),
            Column::new("原因", Kind::Text, 30),
        ],
        rows,
        open_rows: 0,
    };
    Ok(sheets::csv(&table, Encoding::Gb18030)?)
}

#[cfg(test)]
mod tests {
    use super::{RowFault, Unreadable, Why, read};
    use ledger::BankOutcome;
    use vocab::Money;

    #[test]
    fn rows_are_read_by_the_names_of_their_columns() {
        let file = "某某银行代发回盘\n序号,指令号,金额,状态,原因\n1,2026060001,200.00,成功,\n2,2026060002,\"1,200.00\",失败,账号不存在\n,,1400.00,合计,\n";
        let answer = read(file.as_bytes()).unwrap();
        assert!(answer.faults.is_empty(), "{:?}", answer.faults);
        assert_eq!(answer.results.len(), 2);
        assert_eq!(
            (answer.results[0].row, &answer.results[0].outcome),
            (3, &BankOutcome::Settled)
        );
        assert_eq!(answer.results[1].amount, Some(Money::from_fen(120_000)));
        let came_back = BankOutcome::Returned {
            code: String::new(),
            reason: "账号不存在".to_owned(),
        };
        assert_eq!(answer.results[1].outcome, came_back);
    }

    #[test]
    fn what_is_not_understood_is_told_by_row_and_nothing_is_guessed() {
        let file =
            "指令号,状态,金额\nA1,处理中,1\n,成功,1\n4.4E+17,成功,1\nA2,成功,一百\nA3,成功,1\n";
        let answer = read(file.as_bytes()).unwrap();
        let expected = [
            RowFault {
                row: 2,
                why: Why::UnknownState("处理中".to_owned()),
            },
            RowFault {
                row: 3,
                why: Why::NoInstruction,
            },
            RowFault {
                row: 4,
                why: Why::DigitsLost,
            },
            RowFault {
                row: 5,
                why: Why::NotAnAmount,
            },
        ];
        assert_eq!(answer.faults, expected);
        assert_eq!(answer.results.len(), 1);
        assert_eq!(read("a,b\n1,2\n".as_bytes()), Err(Unreadable::NoHeading));
        assert!(matches!(read(&[]), Err(Unreadable::File(_))));
    }
}
