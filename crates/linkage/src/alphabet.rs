//! The characters of a register (字表): every character that occurs gets a small number, its readings, and what it is taken for.
//!
//! Guarantees: a character is looked up in the pinyin tables once, not once a pair; after that two characters are compared by
//! small numbers alone. Readings are toneless; ü is v. Deliberately absent: names, see `name`; simplified against
//! traditional script, which pinyin covers.

use crate::table::Table;
use pinyin::{ToPinyin, ToPinyinMulti};
use std::collections::BTreeMap;

/// Readings kept of a character; the fifth and later are too rare in names to be worth the room.
const READINGS: usize = 4;
/// Look-alike groups kept of a character.
const GROUPS: usize = 3;
/// Nothing: no reading, no group.
const NONE: u16 = 0;

const SURNAMES: &str = include_str!("../data/readings.txt");
const LOOKALIKES: &str = include_str!("../data/lookalikes.txt");

/// What is known of a character (字).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Letter {
    readings: [u16; READINGS],
    groups: [u16; GROUPS],
    /// How it is read at the head of a name.
    as_surname: u16,
}

/// Characters and syllables by number (字表). Number 0 is nothing, in both.
#[derive(Debug)]
pub struct Alphabet {
    numbers: Table,
    letters: Vec<Letter>,
    syllables: BTreeMap<&'static str, u16>,
    /// By syllable: those one may mishear alike have one number.
    loose: Vec<u16>,
    surnames: BTreeMap<char, Vec<&'static str>>,
    groups: BTreeMap<char, Vec<u16>>,
}

impl Default for Alphabet {
    fn default() -> Self {
        Self::new()
    }
}

impl Alphabet {
    /// An empty table of characters that knows all syllables (空字表).
    pub fn new() -> Self {
        let mut syllables = BTreeMap::new();
        for code in 0x4E00..=0x9FA5_u32 {
            if let Some(read) = char::from_u32(code).and_then(|letter| letter.to_pinyin()) {
                syllables.insert(plain(read.plain()), 0);
            }
        }
        let mut heard: BTreeMap<String, u16> = BTreeMap::new();
        let mut loose = vec![NONE];
        for (number, (syllable, place)) in (1_u16..).zip(&mut syllables) {
            *place = number;
            let next = u16::try_from(heard.len() + 1).unwrap_or(u16::MAX);
            loose.push(*heard.entry(misheard(syllable)).or_insert(next));
        }
        Self {
            numbers: Table::default(),
            letters: vec![Letter::default()],
            syllables,
            loose,
            surnames: surnames(),
            groups: groups(),
        }
    }

    /// The number of a character (编号).
    pub(crate) fn number(&mut self, letter: char) -> u16 {
        let (number, is_new) = self.numbers.number(u64::from(u32::from(letter)) + 1);
        // A register with more than 65 534 different characters: the rest are one another's equals.
        let number = u16::try_from(number + 1).unwrap_or(u16::MAX);
        if is_new && number < u16::MAX {
            let known = self.letter(letter);
            self.letters.push(known);
        }
        number
    }

    fn letter(&self, letter: char) -> Letter {
        let mut known = Letter::default();
        let special = self.surnames.get(&letter);
        let usual = letter.to_pinyin().map(|read| plain(read.plain()));
        let mut readings: Vec<u16> = Vec::new();
        let several = letter.to_pinyin_multi().into_iter().flatten();
        let all = usual
            .into_iter()
            .chain(special.into_iter().flatten().copied())
            .chain(several.map(|read| plain(read.plain())));
        for reading in all.filter_map(|reading| self.syllables.get(reading)) {
            if !readings.contains(reading) {
                readings.push(*reading);
            }
        }
        for (place, reading) in known.readings.iter_mut().zip(&readings) {
            *place = *reading;
        }
        for (place, group) in known
            .groups
            .iter_mut()
            .zip(self.groups.get(&letter).into_iter().flatten())
        {
            *place = *group;
        }
        let head = special.and_then(|readings| readings.first());
        let head = head.and_then(|reading| self.syllables.get(reading));
        known.as_surname = head.copied().unwrap_or(known.readings[0]);
        known
    }

    /// The number of a toneless syllable, if there is such a one (音节编号).
    pub(crate) fn syllable(&self, text: &str) -> Option<u16> {
        self.syllables.get(text).copied()
    }

    fn at(&self, number: u16) -> &Letter {
        self.letters
            .get(usize::from(number))
            .unwrap_or(&self.letters[0])
    }

    /// How a character is usually read (常用读音), at the head of a name or within it.
    pub(crate) fn sound(&self, number: u16, is_head: bool) -> u16 {
        let letter = self.at(number);
        if is_head {
            letter.as_surname
        } else {
            letter.readings[0]
        }
    }

    /// Whether a character has some reading in common with another (同音), polyphones included.
    pub(crate) fn sound_alike(&self, a: u16, b: u16) -> bool {
        let (a, b) = (self.at(a), self.at(b));
        shared(&a.readings, &b.readings)
    }

    /// Whether a character can be read as a syllable (可读作).
    pub(crate) fn reads_as(&self, letter: u16, syllable: u16) -> bool {
        syllable != NONE && self.at(letter).readings.contains(&syllable)
    }

    /// Whether two syllables are easily misheard for one another (近音): zh and z, n and l, ing and in.
    pub(crate) fn misheard_alike(&self, a: u16, b: u16) -> bool {
        let loose = |syllable: u16| self.loose.get(usize::from(syllable)).copied();
        a != NONE && b != NONE && loose(a) == loose(b)
    }

    /// Whether two characters look alike (形近).
    pub(crate) fn look_alike(&self, a: u16, b: u16) -> bool {
        shared(&self.at(a).groups, &self.at(b).groups)
    }
}

fn shared(a: &[u16], b: &[u16]) -> bool {
    a.iter()
        .take_while(|number| **number != NONE)
        .any(|number| b.contains(number))
}

/// The pinyin tables write ü; so do few keyboards.
fn plain(syllable: &'static str) -> &'static str {
    match syllable {
        "lü" => "lv",
        "nü" => "nv",
        "lüe" => "lve",
        "nüe" => "nve",
        other => other,
    }
}

/// A syllable as somebody hears it who does not tell these sounds apart.
fn misheard(syllable: &str) -> String {
    let (head, tail) = match syllable {
        s if s.starts_with("zh") => ("z", &s[2..]),
        s if s.starts_with("ch") => ("c", &s[2..]),
        s if s.starts_with("sh") => ("s", &s[2..]),
        s if s.starts_with('n') || s.starts_with('r') => ("l", &s[1..]),
        s if s.starts_with("hu") && s.len() > 2 => ("f", &s[2..]),
        s => ("", s),
    };
    let tail = match tail.strip_suffix("ng") {
        Some(open) if open.ends_with(['a', 'e', 'i']) => format!("{open}n"),
        _ => tail.to_owned(),
    };
    format!("{head}{tail}")
}

fn entries(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn surnames() -> BTreeMap<char, Vec<&'static str>> {
    entries(SURNAMES)
        .filter_map(|line| {
            let (letter, readings) = line.split_once(' ')?;
            Some((letter.chars().next()?, readings.split(' ').collect()))
        })
        .collect()
}

fn groups() -> BTreeMap<char, Vec<u16>> {
    let mut groups: BTreeMap<char, Vec<u16>> = BTreeMap::new();
    for (number, line) in (1_u16..).zip(entries(LOOKALIKES)) {
        for letter in line.chars() {
            let of_letter = groups.entry(letter).or_default();
            if of_letter.last() != Some(&number) {
                of_letter.push(number);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_told_apart_by_sound_and_by_shape() {
        let mut table = Alphabet::new();
        let mut number = |letter| table.number(letter);
        let (wei, wei2, zeng, ceng, lu, chen) = (
            number('伟'),
            number('玮'),
            number('曾'),
            number('层'),
            number('吕'),
            number('陈'),
        );
        assert_eq!(number('伟'), wei, "a character keeps its number");
        let zhen = number('阵');
        assert!(table.sound_alike(wei, wei2) && table.look_alike(wei, wei2));
        assert!(table.sound_alike(zeng, ceng), "曾 is also read ceng");
        assert_eq!(table.sound(zeng, true), table.syllable("zeng").unwrap());
        assert_eq!(table.sound(lu, true), table.syllable("lv").unwrap());
        assert!(table.look_alike(chen, zhen) && !table.sound_alike(chen, zhen));
        assert!(!table.look_alike(0, 0) && !table.sound_alike(0, 0));
    }

    #[test]
    fn misheard_syllables_are_alike_and_others_are_not() {
        let table = Alphabet::new();
        let alike =
            |a, b| table.misheard_alike(table.syllable(a).unwrap(), table.syllable(b).unwrap());
        for (a, b) in [
            ("zhang", "zan"),
            ("lin", "ling"),
            ("nan", "lan"),
            ("hui", "fi"),
        ] {
            if table.syllable(b).is_some() {
                assert!(alike(a, b), "{a} {b}");
            }
        }
        assert!(!alike("wang", "huang") && !alike("li", "liu"));
    }
}
