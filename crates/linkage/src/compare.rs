//! Comparing two records (比较): a level for each of six things, and how rare what they share is.
//!
//! Guarantees: nothing is allocated, and the order of the two does not matter. What one record lacks is compared with what the
//! other's identity number says, when only one has a number. Deliberately absent: what a level is worth, see `model`.

use crate::identity::{self, Kind};
use crate::register::{Entry, Register};
use crate::{birth, name, phone, place};

/// What is compared, in the order of [`Levels::all`] (比较项).
pub const FIELDS: [&str; 6] = ["姓名", "身份证号", "出生日期", "性别", "电话", "住址"];

/// Levels of the sex (性别各档): unknown, the same, different.
pub const SEXES: &[&str] = &["缺失", "相同", "不同"];

/// The words of a field's levels (各档的说法).
pub fn words(field: usize) -> &'static [&'static str] {
    match field {
        0 => name::WORDS,
        1 => identity::WORDS,
        2 => birth::WORDS,
        3 => SEXES,
        4 => phone::WORDS,
        _ => place::WORDS,
    }
}

/// A level for each field (各项的档), four bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Levels(u32);

impl Levels {
    /// Levels one by one, in the order of [`FIELDS`].
    pub fn of_all(all: [u8; 6]) -> Self {
        let packed = all.iter().rev();
        Self(packed.fold(0, |packed, level| packed << 4 | u32::from(*level)))
    }

    /// As one number, to be kept (打包).
    pub fn packed(self) -> u32 {
        self.0
    }

    /// From such a number (读回).
    pub fn of_packed(packed: u32) -> Self {
        Self(packed)
    }

    /// All six, in the order of [`FIELDS`].
    pub fn all(self) -> [usize; 6] {
        let mut all = [0; 6];
        for (place, level) in all.iter_mut().enumerate() {
            *level = usize::try_from(self.0 >> (4 * place) & 0xF).unwrap_or(0);
        }
        all
    }

    /// The level of one field.
    pub fn of(self, field: usize) -> u8 {
        u8::try_from(self.0 >> (4 * field) & 0xF).unwrap_or(0)
    }
}

/// How two records stand to each other (比较结果).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// The levels.
    pub levels: Levels,
    /// The logarithm of how often two strangers share just these values, where the levels say that they are shared.
    pub rarity: f32,
}

/// Compares two records (比较两条记录).
pub fn compare(register: &Register, a: u32, b: u32) -> Compared {
    let (x, y) = (register.entry(a), register.entry(b));
    let records = register.whole().max(1);
    let mut rarity = Rarity {
        product: 1.0,
        records: f64::from(records),
    };
    let levels = Levels::of_all([
        names(register, x, y, &mut rarity),
        ids(register, (a, x), (b, y)),
        births(register, x, y, &mut rarity),
        sexes(x, y),
        phones(x, y, &mut rarity),
        places(register, x, y, &mut rarity),
    ]);
    Compared {
        levels,
        rarity: rarity.logarithm(),
    }
}

/// The chance that a stranger has these values too.
struct Rarity {
    product: f64,
    records: f64,
}

impl Rarity {
    /// So many different people have this value. One of them is this person, so the others are what counts; where there seems
    /// to be no other, half a person may have been missed.
    fn shared_by(&mut self, people: u32) {
        let others = f64::from(people.saturating_sub(1)).max(0.5);
        self.product *= others / self.records;
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "seven digits of a logarithm are plenty"
    )]
    fn logarithm(&self) -> f32 {
        if self.product < 1.0 {
            self.product.ln() as f32
        } else {
            0.0
        }
    }
}

fn names(register: &Register, x: &Entry, y: &Entry, rarity: &mut Rarity) -> u8 {
    if x.name == 0 || y.name == 0 {
        return name::MISSING;
    }
    let form = register.form_of(x);
    if x.name == y.name {
        rarity.shared_by(form.people);
        return name::SAME;
    }
    let level = name::level(&register.alphabet, form, register.form_of(y));
    match level {
        name::ORDER => rarity.shared_by(form.people),
        name::SOUND => rarity.shared_by(form.sound_people.max(register.form_of(y).sound_people)),
        _ => {}
    }
    level
}

fn ids(register: &Register, (a, x): (u32, &Entry), (b, y): (u32, &Entry)) -> u8 {
    let (one, other) = (x.code(), y.code());
    let contradicts = x.contradicts || y.contradicts;
    match (one.kind, other.kind) {
        (Kind::Missing, _) | (_, Kind::Missing) => identity::MISSING,
        (Kind::Odd, _) | (_, Kind::Odd) => {
            let (one, other) = (register.written_id(a), register.written_id(b));
            identity::odd_level(one.bytes(), other.bytes())
        }
        _ => identity::level(one, other, contradicts),
    }
}

fn births(register: &Register, x: &Entry, y: &Entry, rarity: &mut Rarity) -> u8 {
    let mut level = birth::level(x.birth, y.birth);
    let mut day = x.birth;
    if level == birth::MISSING || level > birth::SAME {
        // Where only one has a number, its date may be the true one.
        let told = match (x.code().birth(), y.code().birth()) {
            (told, 0) if told != x.birth => Some((told, y.birth)),
            (0, told) if told != y.birth => Some((told, x.birth)),
            _ => None,
        };
        if let Some((told, said)) = told {
            let better = birth::level(told, said);
            if better != birth::MISSING && (level == birth::MISSING || better < level) {
                (level, day) = (better, told);
            }
        }
    }
    if level == birth::SAME {
        rarity.shared_by(register.born_on(day));
    }
    level
}

fn sexes(x: &Entry, y: &Entry) -> u8 {
    let said = |entry: &Entry| match entry.sex {
        0 => entry.code().sex(),
        sex => sex,
    };
    match (said(x), said(y)) {
        (0, _) | (_, 0) => 0,
        (one, other) if one == other => 1,
        _ => 2,
    }
}

fn phones(x: &Entry, y: &Entry, rarity: &mut Rarity) -> u8 {
    let level = phone::level(x.phone, y.phone);
    if level == phone::SAME {
        rarity.shared_by(u32::from(x.with_phone));
    }
    level
}

fn places(register: &Register, x: &Entry, y: &Entry, rarity: &mut Rarity) -> u8 {
    let level = register.streets.level(x.place(), y.place());
    if level == place::ADDRESS {
        rarity.shared_by(u32::from(x.at_address));
    }
    level
}

/// Whether a level of a field is judged by how rare the shared value is, not by how often the level occurs.
pub(crate) fn is_by_rarity(field: usize, level: usize) -> bool {
    let level = u8::try_from(level).unwrap_or(0);
    match field {
        0 => matches!(level, name::SAME | name::ORDER | name::SOUND),
        2 => level == birth::SAME,
        4 => level == phone::SAME,
        5 => level == place::ADDRESS,
        _ => false,
    }
}
