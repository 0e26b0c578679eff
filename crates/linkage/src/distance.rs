//! Distances over characters (编辑距离): how many slips of the pen lie between two texts.
//!
//! Bit-parallel (Hyyrö 2002), swaps of neighbours count one, nothing is allocated. A character is whatever the caller makes
//! of it, never a byte: one wrong character in a name is one, however many bytes it takes. Packed digits (four bits each,
//! first digit highest) have shorter ways of their own. Deliberately absent: similarity between nought and one; a level
//! is decided on counts.

/// The number of insertions, deletions, substitutions and swaps of neighbours between two texts (带换位的编辑距离).
///
/// Of texts longer than 64 characters the first 64 are aligned and the rest counts by its length.
pub fn alignment<T: Copy + Eq>(a: &[T], b: &[T]) -> u32 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let (short, rest) = short.split_at(short.len().min(64));
    let long = &long[..long.len().saturating_sub(rest.len())];
    let Some(top) = short.len().checked_sub(1) else {
        return count(long.len());
    };
    let last = 1_u64 << top;
    let (mut vertical_more, mut vertical_less) = (!0_u64, 0_u64);
    let (mut diagonal, mut before) = (0_u64, 0_u64);
    let mut distance = count(short.len());
    for &letter in long {
        let mut same = 0_u64;
        for (place, &other) in short.iter().enumerate() {
            same |= u64::from(other == letter) << place;
        }
        let swapped = ((!diagonal & same) << 1) & before;
        diagonal = (((same & vertical_more).wrapping_add(vertical_more)) ^ vertical_more)
            | same
            | vertical_less
            | swapped;
        let more = vertical_less | !(diagonal | vertical_more);
        let less = diagonal & vertical_more;
        distance += u32::from(more & last != 0);
        distance -= u32::from(less & last != 0);
        let more = more << 1 | 1;
        vertical_more = less << 1 | !(diagonal | more);
        vertical_less = more & diagonal;
        before = same;
    }
    distance
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// In how many digits two packed numbers differ (不同的位数).
pub fn differing_digits(a: u64, b: u64) -> u32 {
    let differing = a ^ b;
    let any = differing | differing >> 1 | differing >> 2 | differing >> 3;
    (any & 0x1111_1111_1111_1111).count_ones()
}

/// Whether two packed numbers differ by exactly one swap of neighbouring digits (相邻两位颠倒).
pub fn is_swap(a: u64, b: u64) -> bool {
    let differing = a ^ b;
    if differing == 0 {
        return false;
    }
    // The lower of the two digits; whatever lies elsewhere makes the comparison fail.
    let place = differing.trailing_zeros() / 4 * 4;
    if place >= 60 {
        return false;
    }
    let pair = 0xFF_u64 << place;
    let digits = (a & pair) >> place;
    let turned = (digits & 0xF) << 4 | digits >> 4;
    (a & !pair) | turned << place == b
}

/// Slips between two packed numbers of the same length (号码的差错数): a swap of neighbours counts one.
pub fn digit_slips(a: u64, b: u64) -> u32 {
    let differing = differing_digits(a, b);
    if differing < 2 {
        return differing;
    }
    let (mut left, mut slips, mut place) = (differing, 0, 0);
    while left > 0 && place < 60 {
        let pair = 0xFF_u64 << place;
        let (x, y) = ((a & pair) >> place, (b & pair) >> place);
        if x != y && x == ((y & 0xF) << 4 | y >> 4) {
            (left, slips, place) = (left.saturating_sub(2), slips + 1, place + 8);
        } else {
            let wrong = u32::from(x & 0xF != y & 0xF);
            (left, slips, place) = (left - wrong, slips + wrong, place + 4);
        }
    }
    slips + left
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plain table, row by row.
    fn plain(a: &[u8], b: &[u8]) -> u32 {
        let mut table = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
        for (i, row) in table.iter_mut().enumerate() {
            row[0] = count(i);
        }
        for (j, cell) in table[0].iter_mut().enumerate() {
            *cell = count(j);
        }
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                let wrong = u32::from(a[i - 1] != b[j - 1]);
                let mut best = (table[i - 1][j] + 1)
                    .min(table[i][j - 1] + 1)
                    .min(table[i - 1][j - 1] + wrong);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(table[i - 2][j - 2] + 1);
                }
                table[i][j] = best;
            }
        }
        table[a.len()][b.len()]
    }

    fn packed(digits: &[u8]) -> u64 {
        digits
            .iter()
            .fold(0, |number, digit| number << 4 | u64::from(*digit))
    }

    proptest! {
        #[test]
        fn bits_give_what_the_plain_table_gives(
            a in proptest::collection::vec(0_u8..5, 0..24),
            b in proptest::collection::vec(0_u8..5, 0..24),
        ) {
            prop_assert_eq!(alignment(&a, &b), plain(&a, &b));
        }

        #[test]
        fn packed_digits_never_count_fewer_slips_than_the_plain_table(
            a in proptest::collection::vec(0_u8..4, 12),
            b in proptest::collection::vec(0_u8..4, 12),
        ) {
            let (x, y) = (packed(&a), packed(&b));
            let differing = a.iter().zip(&b).filter(|(x, y)| x != y).count();
            prop_assert_eq!(differing_digits(x, y), count(differing));
            prop_assert!(digit_slips(x, y) >= plain(&a, &b));
            prop_assert!(digit_slips(x, y) <= differing_digits(x, y));
            prop_assert_eq!(digit_slips(x, y) == 0, a == b);
        }

        #[test]
        fn one_swap_of_neighbours_is_one_slip(
            a in proptest::collection::vec(0_u8..10, 16), at in 0_usize..15,
        ) {
            let mut b = a.clone();
            b.swap(at, at + 1);
            let (x, y) = (packed(&a), packed(&b));
            prop_assert_eq!(is_swap(x, y), a != b);
            prop_assert_eq!(digit_slips(x, y), u32::from(a != b));
        }
    }

    #[test]
    fn a_character_counts_one_whatever_its_bytes() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(alignment(&letters("张三"), &letters("张四")), 1);
        assert_eq!(alignment(&letters("王小明"), &letters("王明小")), 1);
        assert_eq!(alignment(&letters(""), &letters("李四")), 2);
    }

    #[test]
    fn beyond_sixty_four_characters_the_rest_counts_by_length() {
        let a = [7_u8; 70];
        assert_eq!(alignment(&a, &a[..60]), 10);
        assert_eq!(alignment(&a, &a), 0);
    }
}
