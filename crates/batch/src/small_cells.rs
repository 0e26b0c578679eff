//! Small cells (小数保护): which numbers of a table are not shown to those who may not see persons.
//!
//! Guarantees, for a table of counts whose rows and columns may be added up: no count of one to nine is shown; no hidden
//! cell can be found by adding and subtracting the shown ones, along whatever rows, columns and totals; and what is left
//! when the shown cells of a line are taken from its shown total is never itself a small number. Zero is shown: it is
//! nobody. The same table hides the same cells, and totals go last.
//!
//! A table below another one (the communities of a street below the streets of the district) repeats a line of it as its
//! totals: what was hidden there is given here, else the lower table would tell what the upper one hid.
//!
//! Deliberately absent: noise, rounding, and any thought of months compared with one another.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Counts below this are small (小数界限): fewer than ten.
pub const LIMIT: u64 = 10;

/// Which cells are not shown (不显示的格): the mask of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// The cells, row by row.
    pub cells: Vec<Vec<bool>>,
    /// The total of each row.
    pub rows: Vec<bool>,
    /// The total of each column.
    pub columns: Vec<bool>,
    /// The total of all.
    pub total: bool,
}

impl Mask {
    /// A mask that hides nothing (全部显示).
    #[must_use]
    pub fn nothing(rows: usize, columns: usize) -> Self {
        Self {
            cells: vec![vec![false; columns]; rows],
            rows: vec![false; rows],
            columns: vec![false; columns],
            total: false,
        }
    }
}

/// Which totals stand beside the cells (有无合计): what nobody prints cannot be subtracted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Each row has its total printed.
    pub rows: bool,
    /// Each column has its total printed.
    pub columns: bool,
}

impl Totals {
    /// Rows and columns are added up (横竖都合计).
    pub const BOTH: Self = Self {
        rows: true,
        columns: true,
    };
    /// Only columns are added up (只有竖向合计): the columns are different things.
    pub const COLUMNS: Self = Self {
        rows: false,
        columns: true,
    };
}

/// The mask of a table (小数保护): counts row by row, all rows of one length.
///
/// ```
/// use batch::small_cells::{Totals, hidden};
/// // 3 is small; 12 goes with it, for 115 − 100 would be 15 and 15 − 12 the 3.
/// let mask = hidden(&[vec![3], vec![12], vec![100]], Totals::COLUMNS, None);
/// assert_eq!(mask.cells, [[true], [true], [false]]);
/// assert!(!mask.columns[0]);
/// ```
///
/// `given`: what another table already hides of this one.
#[must_use]
pub fn hidden(counts: &[Vec<u64>], totals: Totals, given: Option<&Mask>) -> Mask {
    let mut grid = Grid::of(counts, totals);
    if let Some(given) = given {
        grid.take(given);
    }
    grid.hide_small();
    while grid.close_cycles() | grid.fill_leftovers() {}
    grid.mask()
}

/// The mask of one list with its total (一列数): the cells, and whether the total is hidden too.
#[must_use]
pub fn hidden_list(counts: &[u64]) -> (Vec<bool>, bool) {
    let rows: Vec<Vec<u64>> = counts.iter().map(|count| vec![*count]).collect();
    let mask = hidden(&rows, Totals::COLUMNS, None);
    let cells = mask.cells.into_iter().flatten().collect();
    (cells, mask.columns.first().copied().unwrap_or(false))
}

/// The table with its totals as one more row and one more column. Hidden cells are the edges of a graph between rows and
/// columns; a cell can be worked out from the shown ones exactly when its edge lies on no cycle, for each line is one
/// equation, and a cycle is the freedom to add and take away along it.
struct Grid {
    height: usize,
    width: usize,
    counts: Vec<Vec<u64>>,
    hidden: Vec<Vec<bool>>,
    /// Totals that nobody prints: unknown to the reader, and not ours to hide.
    unprinted: Vec<Vec<bool>>,
}

impl Grid {
    fn of(counts: &[Vec<u64>], totals: Totals) -> Self {
        let (height, width) = (counts.len(), counts.iter().map(Vec::len).max().unwrap_or(0));
        let mut grid = Self {
            height,
            width,
            counts: vec![vec![0; width + 1]; height + 1],
            hidden: vec![vec![false; width + 1]; height + 1],
            unprinted: vec![vec![false; width + 1]; height + 1],
        };
        for (row, line) in counts.iter().enumerate() {
            for (column, count) in line.iter().enumerate() {
                for (to_row, to_column) in [
                    (row, column),
                    (row, width),
                    (height, column),
                    (height, width),
                ] {
                    let cell = &mut grid.counts[to_row][to_column];
                    *cell = cell.saturating_add(*count);
                }
            }
        }
        for row in 0..=height {
            for column in 0..=width {
                grid.unprinted[row][column] =
                    (column == width && !totals.rows) || (row == height && !totals.columns);
            }
        }
        grid
    }

    fn take(&mut self, given: &Mask) {
        let (height, width) = (self.height, self.width);
        for (row, line) in given.cells.iter().enumerate().take(height) {
            for (column, hidden) in line.iter().enumerate().take(width) {
                self.hidden[row][column] |= *hidden;
            }
        }
        for (row, hidden) in given.rows.iter().enumerate().take(height) {
            self.hidden[row][width] |= *hidden;
        }
        for (column, hidden) in given.columns.iter().enumerate().take(width) {
            self.hidden[height][column] |= *hidden;
        }
        self.hidden[height][width] |= given.total;
    }

    /// Whether the reader does not know this cell.
    fn unknown(&self, row: usize, column: usize) -> bool {
        self.hidden[row][column] || self.unprinted[row][column]
    }

    fn hide_small(&mut self) {
        for (line, hidden) in self.counts.iter().zip(&mut self.hidden) {
            for (count, hidden) in line.iter().zip(hidden) {
                *hidden |= (1..LIMIT).contains(count);
            }
        }
    }

    /// What hiding this cell costs the reader: small numbers first, nobodies after them, totals last.
    fn cost(&self, row: usize, column: usize) -> u64 {
        if self.unknown(row, column) {
            return 0;
        }
        let count = self.counts[row][column].min(u64::from(u32::MAX));
        let rank: u64 = match (row == self.height, column == self.width) {
            (true, true) => 3 << 48,
            (true, false) | (false, true) => 1 << 48,
            (false, false) if count == 0 => 1 << 40,
            (false, false) => 0,
        };
        // At least one, so that the shorter way is taken.
        rank + count + 1
    }

    /// Puts every hidden cell on a cycle of hidden ones; says whether anything was hidden for it.
    fn close_cycles(&mut self) -> bool {
        let mut changed = false;
        for row in 0..=self.height {
            for column in 0..=self.width {
                if self.hidden[row][column] && !self.unprinted[row][column] {
                    for (row, column) in self.way_round(row, column) {
                        if !self.unknown(row, column) {
                            self.hidden[row][column] = true;
                            changed = true;
                        }
                    }
                }
            }
        }
        changed
    }

    /// The cheapest way from a cell's row to its column without the cell itself.
    fn way_round(&self, row: usize, column: usize) -> Vec<(usize, usize)> {
        let rows = self.height + 1;
        let nodes = rows + self.width + 1;
        let goal = rows + column;
        let mut best = vec![(u64::MAX, usize::MAX); nodes];
        let mut open = BinaryHeap::from([Reverse((0_u64, row))]);
        best[row].0 = 0;
        let mut done = BTreeSet::new();
        while let Some(Reverse((spent, node))) = open.pop() {
            if node == goal {
                break;
            }
            if !done.insert(node) {
                continue;
            }
            let beyond = if node < rows { rows..nodes } else { 0..rows };
            for next in beyond {
                let (at_row, at_column) = cell_of(node, next, rows);
                if (at_row, at_column) == (row, column) {
                    continue;
                }
                let cost = spent.saturating_add(self.cost(at_row, at_column));
                if cost < best[next].0 {
                    best[next] = (cost, node);
                    open.push(Reverse((cost, next)));
                }
            }
        }
        let mut way = Vec::new();
        let mut node = goal;
        while node != row && best[node].1 != usize::MAX {
            way.push(cell_of(best[node].1, node, rows));
            node = best[node].1;
        }
        way
    }

    /// Hides further cells of lines whose shown total leaves a small rest; says whether anything was hidden.
    fn fill_leftovers(&mut self) -> bool {
        let mut changed = false;
        for row in 0..=self.height {
            let line = (0..self.width).map(|column| (row, column)).collect();
            changed |= self.fill(line, (row, self.width));
        }
        for column in 0..=self.width {
            let line = (0..self.height).map(|row| (row, column)).collect();
            changed |= self.fill(line, (self.height, column));
        }
        changed
    }

    fn fill(&mut self, line: Vec<(usize, usize)>, total: (usize, usize)) -> bool {
        if self.unknown(total.0, total.1) {
            return false;
        }
        let (unknown, mut shown): (Vec<_>, Vec<_>) = line
            .into_iter()
            .partition(|(row, column)| self.unknown(*row, *column));
        if unknown.is_empty() {
            return false;
        }
        let mut rest: u64 = unknown
            .iter()
            .fold(0, |sum, (row, column)| sum + self.counts[*row][*column]);
        shown.sort_by_key(|(row, column)| Reverse((self.cost(*row, *column), *row, *column)));
        let mut changed = false;
        while rest < LIMIT
            && let Some((row, column)) = shown.pop()
        {
            // An unprinted cell never stands here; a nobody would hide nothing.
            if self.counts[row][column] == 0 {
                break;
            }
            rest = rest.saturating_add(self.counts[row][column]);
            self.hidden[row][column] = true;
            changed = true;
        }
        changed
    }

    fn mask(&self) -> Mask {
        let (height, width) = (self.height, self.width);
        Mask {
            cells: self.hidden[..height]
                .iter()
                .map(|line| line[..width].to_vec())
                .collect(),
            rows: self.hidden[..height]
                .iter()
                .map(|line| line[width])
                .collect(),
            columns: self.hidden[height][..width].to_vec(),
            total: self.hidden[height][width],
        }
    }
}

/// The cell between a row's node and a column's, whichever comes first.
fn cell_of(one: usize, other: usize, rows: usize) -> (usize, usize) {
    let (row, column) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    (row, column - rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a reader can work out a hidden cell: the equations of all lines, solved with fractions of a prime field.
    fn worked_out(counts: &[Vec<u64>], totals: Totals, mask: &Mask) -> Vec<(usize, usize)> {
        const P: i128 = 1_000_000_007;
        let (height, width) = (counts.len(), counts[0].len());
        let known = |row: usize, column: usize| match (row == height, column == width) {
            (false, false) => !mask.cells[row][column],
            (false, true) => totals.rows && !mask.rows[row],
            (true, false) => totals.columns && !mask.columns[column],
            (true, true) => totals.rows && totals.columns && !mask.total,
        };
        let unknown: Vec<(usize, usize)> = (0..=height)
            .flat_map(|row| (0..=width).map(move |column| (row, column)))
            .filter(|(row, column)| !known(*row, *column))
            .collect();
        let sign = |at: usize, end: usize| if at == end { P - 1 } else { 1 };
        let mut lines: Vec<Vec<i128>> = Vec::new();
        for row in 0..=height {
            let of = |at: &(usize, usize)| if at.0 == row { sign(at.1, width) } else { 0 };
            lines.push(unknown.iter().map(of).collect());
        }
        for column in 0..=width {
            let of = |at: &(usize, usize)| {
                if at.1 == column {
                    sign(at.0, height)
                } else {
                    0
                }
            };
            lines.push(unknown.iter().map(of).collect());
        }
        let power = |mut base: i128, mut exponent: i128| {
            let mut result = 1;
            while exponent > 0 {
                if exponent & 1 == 1 {
                    result = result * base % P;
                }
                base = base * base % P;
                exponent >>= 1;
            }
            result
        };
        let mut pivot = 0;
        for column in 0..unknown.len() {
            let Some(found) = (pivot..lines.len()).find(|line| lines[*line][column] != 0) else {
                continue;
            };
            lines.swap(pivot, found);
            let inverse = power(lines[pivot][column], P - 2);
            for value in &mut lines[pivot] {
                *value = *value * inverse % P;
            }
            let leading = lines[pivot].clone();
            for (at, line) in lines.iter_mut().enumerate() {
                let times = line[column];
                if at != pivot && times != 0 {
                    for (value, leading) in line.iter_mut().zip(&leading) {
                        *value = (*value + P * P - times * leading) % P;
                    }
                }
            }
            pivot += 1;
        }
        lines
            .iter()
            .filter_map(|line| {
                let mut set = line.iter().enumerate().filter(|(_, value)| **value != 0);
                let only = set.next()?;
                set.next().is_none().then_some(unknown[only.0])
            })
            .collect()
    }

    #[test]
    fn large_numbers_and_nobodies_are_shown() {
        let counts = [vec![10, 0, 250], vec![0, 11, 90]];
        assert_eq!(hidden(&counts, Totals::BOTH, None), Mask::nothing(2, 3));
    }

    #[test]
    fn a_second_cell_goes_with_a_small_one() {
        // 2 + 30 + 500 = 532. Without 30 the reader had 532 − 530 = 2; the smaller of the others goes.
        assert_eq!(hidden_list(&[2, 30, 500]), (vec![true, true, false], false));
        // Two small ones leave 532 − 530 = 2 … 1 + 1: still a small number, so a third goes.
        assert_eq!(
            hidden_list(&[1, 1, 30, 500]),
            (vec![true, true, true, false], false)
        );
        // 6 + 7 = 13 is left: nothing more is needed.
        assert_eq!(hidden_list(&[6, 7, 30]), (vec![true, true, false], false));
        // Beside nobody there is only the total to hide.
        assert!(hidden_list(&[4, 0]).1);
        assert_eq!(hidden_list(&[]), (vec![], false));
    }

    #[test]
    fn a_small_cell_of_a_table_takes_a_rectangle_with_it() {
        // Row one needs a second cell (20), whose column needs another, whose row and the first column meet in 40.
        let counts = [vec![3, 20, 900], vec![40, 50, 900], vec![700, 800, 900]];
        let mask = hidden(&counts, Totals::BOTH, None);
        assert_eq!(
            mask.cells,
            [
                [true, true, false],
                [true, true, false],
                [false, false, false]
            ]
        );
        assert_eq!(
            (mask.rows, mask.columns, mask.total),
            (vec![false; 3], vec![false; 3], false)
        );
    }

    #[test]
    fn what_the_table_above_hides_the_one_below_does_not_tell() {
        // The street of 60 was hidden above to cover a street of 4. Its communities are all large, and yet two must go.
        let above = hidden(&[vec![4], vec![60], vec![500]], Totals::COLUMNS, None);
        assert!(above.cells[1][0]);
        let given = Mask {
            columns: above.cells[1].clone(),
            ..Mask::nothing(3, 1)
        };
        let below = hidden(
            &[vec![25], vec![15], vec![20]],
            Totals::COLUMNS,
            Some(&given),
        );
        assert!(below.columns[0]);
        assert!(below.cells.iter().any(|row| row[0]));
    }

    #[test]
    fn columns_that_are_not_added_up_do_not_hide_one_another() {
        let counts = [vec![3, 40], vec![12, 41], vec![13, 42]];
        let mask = hidden(&counts, Totals::COLUMNS, None);
        assert_eq!(mask.cells, [[true, false], [true, false], [false, false]]);
    }

    #[test]
    fn no_hidden_cell_of_random_tables_can_be_worked_out() {
        // A small generator of our own: the same tables every time.
        let mut state: u64 = 7;
        let mut next = move |below: u64| -> u64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..600 {
            let (height, width) = (1 + next(7), 1 + next(6));
            let counts: Vec<Vec<u64>> = (0..height)
                .map(|_| {
                    (0..width)
                        .map(|_| match next(4) {
                            0 => 0,
                            1 => next(12),
                            _ => 5 + next(200),
                        })
                        .collect()
                })
                .collect();
            let totals = [Totals::BOTH, Totals::COLUMNS][usize::from(next(2) == 1)];
            let mask = hidden(&counts, totals, None);
            for (row, line) in counts.iter().enumerate() {
                for (column, count) in line.iter().enumerate() {
                    assert!(mask.cells[row][column] || !(1..LIMIT).contains(count));
                }
            }
            let found: Vec<_> = worked_out(&counts, totals, &mask)
                .into_iter()
                // A total that is not printed may be added up by anybody: it is the sum of shown cells.
                .filter(|(row, column)| {
                    (*row < counts.len() || totals.columns)
                        && (*column < counts[0].len() || totals.rows)
                })
                .collect();
            assert!(found.is_empty(), "{counts:?} {mask:?} {found:?}");
        }
    }
}
