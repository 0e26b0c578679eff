//! Numbers for things (编号表): each different 64-bit fingerprint gets the next small number, in order of appearance.
//!
//! Guarantees: the same things in the same order get the same numbers, whatever the machine. Two things with one fingerprint
//! would be one: with good fingerprints of 64 bits and some million things, that is one chance in a million. Deliberately
//! absent: taking anything out again.

/// Open addressing, half full at most; a slot holds a fingerprint's upper part and a number plus one.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<(u64, u32)>,
    held: usize,
}

impl Table {
    /// The number of a fingerprint, and whether it is new.
    pub(crate) fn number(&mut self, fingerprint: u64) -> (u32, bool) {
        if self.held * 2 >= self.slots.len() {
            self.grow();
        }
        let place = self.place(fingerprint);
        let slot = &mut self.slots[place];
        if slot.1 != 0 {
            return (slot.1 - 1, false);
        }
        self.held += 1;
        *slot = (fingerprint, u32::try_from(self.held).unwrap_or(u32::MAX));
        (slot.1 - 1, true)
    }

    fn place(&self, fingerprint: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = usize::try_from(mix(fingerprint) >> 20).unwrap_or(0) & mask;
        while self.slots[place].1 != 0 && self.slots[place].0 != fingerprint {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let room = (self.slots.len() * 2).max(64);
        let old = std::mem::replace(&mut self.slots, vec![(0, 0); room]);
        for slot in old.into_iter().filter(|slot| slot.1 != 0) {
            let place = self.place(slot.0);
            self.slots[place] = slot;
        }
    }
}

/// Stirs a number well (混合).
pub(crate) fn mix(number: u64) -> u64 {
    let a = (number ^ number >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let b = (a ^ a >> 29).wrapping_mul(0xA076_1D64_78BD_642F);
    b ^ b >> 32
}

/// A fingerprint of bytes (指纹).
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut eight = [0_u8; 8];
        eight[..chunk.len()].copy_from_slice(chunk);
        state = (state ^ u64::from_le_bytes(eight)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        state ^= state >> 32;
    }
    mix(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_numbered_in_order_of_appearance_and_found_again() {
        let mut table = Table::default();
        for thing in 0..1_000_u64 {
            assert_eq!(
                table.number(thing * 7 + 1),
                (u32::try_from(thing).unwrap(), true)
            );
        }
        assert_eq!(table.number(15), (2, false));
        assert_eq!(table.number(16), (1_000, true));
    }

    #[test]
    fn different_bytes_have_different_fingerprints() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..50_000_u32 {
            assert!(seen.insert(fingerprint(format!("{number}路").as_bytes())));
        }
        assert_ne!(fingerprint(b"a"), fingerprint(b"a\0"));
    }
}
