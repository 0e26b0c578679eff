//! Marks (分块标记): the blocks a record is in, as numbers that are the same in every register and on every day.
//!
//! A database keeps them beside the record, so that one new record finds its candidates by a few look-ups instead of a walk through
//! all. Guarantees: two records that share a block of some key have a mark in common; the same record has the same marks in a
//! register of any other records. A mark says nothing to whoever cannot guess the record; whoever keeps marks made of an identity
//! number or a phone must blind them. Deliberately absent: keeping them.

use crate::keys::Key;
use crate::register::{Person, Register};

/// A block of a key (分块标记).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Which key, in the order of the list.
    pub key: u32,
    /// Which block of it.
    pub block: u32,
}

/// Makes marks (标记器), and keeps what it learned of names and characters for the next record.
#[derive(Debug)]
pub struct Marker {
    register: Register,
    keys: Vec<Key>,
}

impl Marker {
    /// A marker for these keys (新建).
    pub fn new(keys: Vec<Key>) -> Self {
        Self {
            register: Register::new(),
            keys,
        }
    }

    /// The keys.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The marks of a record (取标记), each once, in the order of the keys.
    pub fn marks(&mut self, person: &Person<'_>) -> Vec<Mark> {
        self.register.forget();
        self.register.push(person);
        self.register.settle(0);
        let entry = self.register.entry(0);
        let mut marks = Vec::with_capacity(self.keys.len() + 4);
        for (key, number) in self.keys.iter().zip(0..) {
            for block in key.everywhere(&self.register, entry) {
                if block != 0 {
                    marks.push(Mark { key: number, block });
                }
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KEYS, keys};

    fn wei(address: &'static str) -> Person<'static> {
        Person {
            name: "张伟",
            id_number: "440300199001010016",
            birth: "1990-01-01",
            phone: "13812345678",
            region: "440306",
            address,
            ..Person::default()
        }
    }

    #[test]
    fn marks_are_the_same_whoever_came_before() {
        let mut fresh = Marker::new(keys(KEYS).unwrap());
        let mut used = Marker::new(keys(KEYS).unwrap());
        for name in ["欧阳小芳", "李强", "王芳"] {
            let other = Person {
                name,
                address: "解放路2号",
                ..Person::default()
            };
            used.marks(&other);
        }
        let marks = fresh.marks(&wei("前进路1号"));
        // All fifteen keys: the sex, the one part not written, is told by the number; one birth date, so one block each.
        assert_eq!(marks.len(), 15);
        assert_eq!(marks, used.marks(&wei("前进路1号")));
    }

    #[test]
    fn who_moved_shares_all_marks_but_those_of_the_street() {
        let mut marker = Marker::new(keys(KEYS).unwrap());
        let here = marker.marks(&wei("前进路1号"));
        let there = marker.marks(&wei("解放路2号"));
        let of_street: Vec<&str> = here
            .iter()
            .filter(|mark| !there.contains(mark))
            .map(|mark| marker.keys()[usize::try_from(mark.key).unwrap()].text())
            .collect();
        assert_eq!(
            of_street,
            [
                "birth+street",
                "address+surname",
                "address+birth.year",
                "sound+street"
            ]
        );
    }
}
