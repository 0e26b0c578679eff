//! Sorting by key (按键排序): numbers whose upper half is a key and whose lower half is a place in the register.
//!
//! Guarantees: stable, so within one key places stay in the order in which they came; no comparison, three passes.
//! Deliberately absent: sorting of anything else; `sort_unstable` does that well.

const BITS: u32 = 11;
const BUCKETS: usize = 1 << BITS;

/// Sorts by the upper 32 bits (按高 32 位排序), with room for as many numbers again.
pub(crate) fn by_key(numbers: &mut Vec<u64>, room: &mut Vec<u64>) {
    if numbers.len() < 4 * BUCKETS {
        numbers.sort_by_key(|number| number >> 32);
        return;
    }
    room.clear();
    room.resize(numbers.len(), 0);
    for pass in 0..3 {
        let shift = 32 + pass * BITS;
        let bucket = |number: u64| usize::try_from(number >> shift).unwrap_or(0) & (BUCKETS - 1);
        let mut next = [0_usize; BUCKETS];
        for number in numbers.iter() {
            next[bucket(*number)] += 1;
        }
        let mut sum = 0;
        for place in &mut next {
            (*place, sum) = (sum, sum + *place);
        }
        for number in numbers.iter() {
            let place = &mut next[bucket(*number)];
            room[*place] = *number;
            *place += 1;
        }
        std::mem::swap(numbers, room);
    }
}

/// The two halves of a number (拆开).
pub(crate) fn halves(number: u64) -> (u32, u32) {
    let half = |number: u64| u32::try_from(number & 0xFFFF_FFFF).unwrap_or(0);
    (half(number >> 32), half(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_numbers_are_sorted_by_key_and_stay_in_order_within_one() {
        let mut numbers: Vec<u64> = (0..20_000_u64)
            .map(|place| (place.wrapping_mul(2_654_435_761) % 5_000) << 40 | place)
            .collect();
        let mut expected = numbers.clone();
        expected.sort_by_key(|number| number >> 32);
        by_key(&mut numbers, &mut Vec::new());
        assert_eq!(numbers, expected);
    }
}
