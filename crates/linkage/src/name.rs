//! Names (姓名): how near two ways of writing a name are, as a level in words.
//!
//! Characters are compared as characters, syllables as syllables; a name in pinyin letters is taken apart into syllables and
//! compared with one in characters by its sound. Guarantees: nothing is allocated while two names are compared; the order of
//! family and given name does not matter for the levels down to [`NEAR`]. Deliberately absent: former names and nicknames, which
//! are other names.

use crate::alphabet::Alphabet;
use crate::table::{Table, fingerprint, mix};

/// Units kept of a name (characters, or syllables of a name in letters); what comes after tells nobody apart.
const UNITS: usize = 8;

/// One of the two has no name (缺失).
pub const MISSING: u8 = 0;
/// The same but for blanks, dots and case (相同).
pub const SAME: u8 = 1;
/// The same characters in another order (姓名颠倒).
pub const ORDER: u8 = 2;
/// The same sound, tones aside (同音), also of characters against letters.
pub const SOUND: u8 = 3;
/// One character looks or sounds nearly like the other's (形近或音近).
pub const NEAR: u8 = 4;
/// One of three or more characters is another (一字不同).
pub const ONE: u8 = 5;
/// One has a character more (多一字或少一字).
pub const DROPPED: u8 = 6;
/// Only the family name is the same (仅姓相同).
pub const SURNAME: u8 = 7;
/// Different (不同).
pub const DIFFERENT: u8 = 8;

/// The levels in words (各档).
pub const WORDS: &[&str] = &[
    "缺失",
    "相同",
    "字同而次序不同",
    "同音",
    "一字形近或音近",
    "一字不同",
    "多一字或少一字",
    "仅姓相同",
    "不同",
];

/// A name as it is compared (姓名的比对形式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Form {
    letters: [u16; UNITS],
    sounds: [u16; UNITS],
    length: u8,
    /// Of its characters in any order; 0 if it is in letters.
    pub(crate) letters_key: u32,
    /// Of its syllables in any order; 0 if one of them is unknown.
    pub(crate) sound_key: u32,
    /// Different people who have this name, and who have one that sounds so; counted when the register is complete.
    pub(crate) people: u32,
    pub(crate) sound_people: u32,
}

impl Form {
    /// How the family name sounds, 0 if unknown (姓的读音).
    pub(crate) fn surname(&self) -> u16 {
        self.sounds[0]
    }

    /// How the rest sounds, 0 if unknown (名的读音).
    pub(crate) fn given(&self) -> u32 {
        let rest = &self.sounds[1..usize::from(self.length).max(1)];
        if rest.is_empty() || rest.contains(&0) {
            return 0;
        }
        any_order(rest)
    }
}

/// All names of a register (姓名表). Number 0 is no name.
#[derive(Debug)]
pub(crate) struct Names {
    written: Table,
    /// By what was written: the form's number.
    form_of: Vec<u32>,
    different: Table,
    pub(crate) forms: Vec<Form>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            written: Table::default(),
            form_of: Vec::new(),
            different: Table::default(),
            forms: vec![Form::default()],
        }
    }
}

impl Names {
    /// The number of a name as somebody wrote it (编号); 0 if nothing is left of it.
    pub(crate) fn number(&mut self, alphabet: &mut Alphabet, written: &str) -> u32 {
        let (raw, is_new) = self.written.number(fingerprint(written.as_bytes()));
        let raw = usize::try_from(raw).unwrap_or(usize::MAX);
        if !is_new {
            return self.form_of.get(raw).copied().unwrap_or(0);
        }
        let spelled = spelled(written);
        let plain: String = spelled.chars().filter(|letter| *letter != ' ').collect();
        let number = if plain.is_empty() {
            0
        } else {
            let (number, is_new) = self.different.number(fingerprint(plain.as_bytes()));
            if is_new {
                self.forms.push(form(alphabet, &spelled, &plain));
            }
            number + 1
        };
        self.form_of.push(number);
        number
    }

    pub(crate) fn form(&self, number: u32) -> &Form {
        let number = usize::try_from(number).unwrap_or(0);
        self.forms.get(number).unwrap_or(&self.forms[0])
    }
}

/// Lower case, half width, without remarks in brackets; what separates Latin words becomes one blank.
fn spelled(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut bracket = false;
    for letter in written.chars() {
        let letter = half_width(letter);
        match letter {
            '(' | '[' => bracket = true,
            ')' | ']' => bracket = false,
            _ if bracket || letter.is_ascii_digit() => {}
            _ if letter.is_alphabetic() => text.extend(letter.to_lowercase().map(untoned)),
            _ if !text.ends_with(' ') && !text.is_empty() => text.push(' '),
            _ => {}
        }
    }
    text.truncate(text.trim_end().len());
    // A remark that was opened first and never closed would leave nothing.
    text
}

/// The same character of the ASCII table, where there is one (半角).
pub(crate) fn half_width(letter: char) -> char {
    match letter {
        '！'..='～' => char::from_u32(u32::from(letter) - 0xFEE0).unwrap_or(letter),
        '　' => ' ',
        _ => letter,
    }
}

fn untoned(letter: char) -> char {
    match letter {
        'ā' | 'á' | 'ǎ' | 'à' => 'a',
        'ē' | 'é' | 'ě' | 'è' => 'e',
        'ī' | 'í' | 'ǐ' | 'ì' => 'i',
        'ō' | 'ó' | 'ǒ' | 'ò' => 'o',
        'ū' | 'ú' | 'ǔ' | 'ù' => 'u',
        'ü' | 'ǖ' | 'ǘ' | 'ǚ' | 'ǜ' => 'v',
        _ => letter,
    }
}

fn form(alphabet: &mut Alphabet, spelled: &str, plain: &str) -> Form {
    let mut form = Form::default();
    let mut length = 0;
    if plain.bytes().all(|byte| byte.is_ascii_lowercase())
        && let Some(syllables) = syllables(alphabet, spelled)
    {
        for (place, syllable) in form.sounds.iter_mut().zip(&syllables) {
            (*place, length) = (*syllable, length + 1);
        }
    } else {
        for (place, letter) in plain.chars().take(UNITS).enumerate() {
            let number = alphabet.number(letter);
            form.letters[place] = number;
            form.sounds[place] = alphabet.sound(number, place == 0);
            length += 1;
        }
        // Of the characters themselves, not of their numbers here: the key is the same in every register.
        let all = plain.chars().take(UNITS).map(u64::from);
        form.letters_key = stirred(all);
        if plain.chars().count() > UNITS {
            // Only a beginning is kept: whole names are told apart by their text alone.
            form.letters_key = low(fingerprint(plain.as_bytes()));
        }
    }
    let sounds = &form.sounds[..length];
    if !sounds.contains(&0) && length > 1 {
        form.sound_key = any_order(sounds);
    }
    form.length = u8::try_from(length).unwrap_or(0);
    form
}

/// A name in letters as syllables: as few as can be, never over a blank.
fn syllables(alphabet: &Alphabet, spelled: &str) -> Option<Vec<u16>> {
    let mut all = Vec::new();
    for word in spelled.split(' ') {
        // best[i]: how few syllables make the first i letters, and where the last of them begins.
        let mut best: Vec<Option<(usize, usize)>> = vec![None; word.len() + 1];
        best[0] = Some((0, 0));
        for end in 1..=word.len() {
            best[end] = (end.saturating_sub(6)..end)
                .filter_map(|from| {
                    let (count, _) = best[from]?;
                    alphabet.syllable(word.get(from..end)?)?;
                    Some((count + 1, from))
                })
                .min();
        }
        let mut ends = Vec::new();
        let mut end = word.len();
        while end > 0 {
            let (_, from) = best[end]?;
            ends.push(alphabet.syllable(&word[from..end])?);
            end = from;
        }
        all.extend(ends.into_iter().rev());
    }
    (!all.is_empty()).then_some(all)
}

fn any_order(units: &[u16]) -> u32 {
    stirred(units.iter().map(|unit| u64::from(*unit)))
}

fn stirred(units: impl Iterator<Item = u64>) -> u32 {
    let sum = units.fold(0_u64, |sum, unit| sum.wrapping_add(mix(unit + 1)));
    low(mix(sum)).max(1)
}

fn low(number: u64) -> u32 {
    crate::sort::halves(number).1
}

/// How near two different names are (比较). The caller has seen that neither is missing and that they are not the same.
pub(crate) fn level(alphabet: &Alphabet, a: &Form, b: &Form) -> u8 {
    if a.letters_key == b.letters_key && a.letters_key != 0 {
        return ORDER;
    }
    if a.sound_key == b.sound_key && a.sound_key != 0 {
        return SOUND;
    }
    let straight = in_order(alphabet, a, b);
    if straight <= NEAR || a.length != b.length || a.length < 2 {
        return straight;
    }
    // Family name last: one unit goes to the other end.
    let length = usize::from(b.length);
    let mut turned = *b;
    turned.letters[..length].rotate_left(1);
    turned.sounds[..length].rotate_left(1);
    if in_order(alphabet, a, &turned) <= NEAR {
        return NEAR;
    }
    turned.letters[..length].rotate_right(2 % length);
    turned.sounds[..length].rotate_right(2 % length);
    if in_order(alphabet, a, &turned) <= NEAR {
        return NEAR;
    }
    straight
}

/// How one unit stands to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Same,
    Sound,
    Near,
    Other,
}

fn unit(alphabet: &Alphabet, a: (&Form, usize), b: (&Form, usize)) -> Unit {
    let (x, y) = (a.0.letters[a.1], b.0.letters[b.1]);
    let (sound_x, sound_y) = (a.0.sounds[a.1], b.0.sounds[b.1]);
    let heard = match (x, y) {
        (0, 0) if sound_x == sound_y => return Unit::Same,
        (0, 0) => false,
        (0, letter) => alphabet.reads_as(letter, sound_x),
        (letter, 0) => alphabet.reads_as(letter, sound_y),
        (x, y) if x == y => return Unit::Same,
        (x, y) => alphabet.sound_alike(x, y),
    };
    if heard {
        Unit::Sound
    } else if alphabet.misheard_alike(sound_x, sound_y) || alphabet.look_alike(x, y) {
        Unit::Near
    } else {
        Unit::Other
    }
}

fn in_order(alphabet: &Alphabet, a: &Form, b: &Form) -> u8 {
    let lengths = (usize::from(a.length), usize::from(b.length));
    let head = unit(alphabet, (a, 0), (b, 0));
    let otherwise = if head <= Unit::Sound {
        SURNAME
    } else {
        DIFFERENT
    };
    if lengths.0 != lengths.1 {
        let is_shorter = if lengths.0 < lengths.1 {
            lies_in(alphabet, a, b)
        } else {
            lies_in(alphabet, b, a)
        };
        return if is_shorter { DROPPED } else { otherwise };
    }
    let (mut near, mut other) = (0, 0);
    for place in 0..lengths.0 {
        match unit(alphabet, (a, place), (b, place)) {
            Unit::Same | Unit::Sound => {}
            Unit::Near => near += 1,
            Unit::Other => other += 1,
        }
        if near + other > 2 {
            return otherwise;
        }
    }
    match (near, other, lengths.0) {
        (0, 0, 2..) => SOUND,
        (1, 0, 2..) | (2, 0, 3..) => NEAR,
        (0, 1, 3..) | (1, 1, 4..) | (0, 2, 6..) => ONE,
        _ => otherwise,
    }
}

/// Whether the shorter name is the longer one without a unit, or the beginning of a long one.
fn lies_in(alphabet: &Alphabet, short: &Form, long: &Form) -> bool {
    let (few, many) = (usize::from(short.length), usize::from(long.length));
    if few < 2 || (many - few > 1 && few < 3) {
        return false;
    }
    let mut place = 0;
    for at in 0..many {
        if place < few && unit(alphabet, (short, place), (long, at)) <= Unit::Sound {
            place += 1;
        } else if many - few > 1 && place < few {
            return false;
        }
    }
    place == few
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The level of two names as written.
    fn of(a: &str, b: &str) -> u8 {
        let (mut alphabet, mut names) = (Alphabet::new(), Names::default());
        let (x, y) = (
            names.number(&mut alphabet, a),
            names.number(&mut alphabet, b),
        );
        let there = level(&alphabet, names.form(x), names.form(y));
        let back = level(&alphabet, names.form(y), names.form(x));
        match (x, y) {
            (0, _) | (_, 0) => MISSING,
            (x, y) if x == y => SAME,
            _ => {
                assert_eq!(there, back, "{a} {b}");
                there
            }
        }
    }

    #[test]
    fn levels_of_names_are_as_worked_by_hand() {
        for (a, b, expected) in [
            ("", "张伟", MISSING),
            ("123", "张伟", MISSING),
            ("张 伟", "张伟", SAME),
            ("张伟（已故）", "张伟", SAME),
            ("阿依古丽·买买提", "阿依古丽.买买提", SAME),
            ("伟张", "张伟", ORDER),
            ("小明王", "王小明", ORDER),
            ("张伟", "章玮", SOUND),
            ("曾国华", "zeng guohua", SOUND),
            ("张伟", "WEI ZHANG", SOUND),
            ("Lǚ Fāng", "吕芳", SOUND),
            ("张晓明", "zhangxiaoming", SOUND),
            // 林 and 琳 sound alike; 陈 and 阵 only look alike.
            ("陈琳", "阵林", NEAR),
            ("黄静", "黄净", SOUND),
            ("刘兰英", "刘南英", NEAR),
            ("陈建国", "阵建国", NEAR),
            // 国 becomes 军, read otherwise and of another shape: one of three.
            ("陈建国", "陈建军", ONE),
            // Of two characters one is half the name.
            ("陈国", "陈军", SURNAME),
            ("陈国", "李国", DIFFERENT),
            ("陈建国", "陈国", DROPPED),
            ("陈建国", "陈建", DROPPED),
            ("陈建国", "陈志军", SURNAME),
            ("陈建国", "李志军", DIFFERENT),
            ("艾合买提江吐尔逊", "艾合买提江", DROPPED),
        ] {
            assert_eq!(of(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn letters_are_taken_apart_into_few_syllables_and_never_over_a_blank() {
        let alphabet = Alphabet::new();
        let parts = |text: &str| syllables(&alphabet, text).map(|parts| parts.len());
        assert_eq!(parts("zhang wei"), Some(2));
        assert_eq!(parts("xian"), Some(1));
        assert_eq!(parts("xi an"), Some(2));
        assert_eq!(parts("zhangxiaoming"), Some(3));
        assert_eq!(parts("smith"), None);
    }
}
