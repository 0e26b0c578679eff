//! Which records are compared at all (分块键): those that agree on all parts of some key. The keys are data, see `data/keys.txt`.
//!
//! Guarantees: a block larger than its key's cap is not compared, and is counted and reported. Deliberately absent: comparing, see
//! `compare`.

use crate::identity::Kind;
use crate::place::Address;
use crate::register::{Entry, Register, address_key, key};
use crate::sort::halves;
use crate::table::mix;

/// The keys of the house (默认分块键).
pub const KEYS: &str = include_str!("../data/keys.txt");

/// One thing two records must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Id,
    IdHead,
    IdTail,
    Birth,
    BirthYear,
    BirthDay,
    Sex,
    Name,
    Sound,
    Surname,
    Given,
    Region,
    Street,
    Address,
    Phone,
}

const PARTS: &[(&str, Part)] = &[
    ("id", Part::Id),
    ("id.head", Part::IdHead),
    ("id.tail", Part::IdTail),
    ("birth", Part::Birth),
    ("birth.year", Part::BirthYear),
    ("birth.day", Part::BirthDay),
    ("sex", Part::Sex),
    ("name", Part::Name),
    ("sound", Part::Sound),
    ("surname", Part::Surname),
    ("given", Part::Given),
    ("region", Part::Region),
    ("street", Part::Street),
    ("address", Part::Address),
    ("phone", Part::Phone),
];

/// A blocking key (分块键).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
    cap: usize,
    parts: Vec<Part>,
}

/// Why a text is no list of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No cap in front, or no parts.
    #[error("分块键第 {0} 行应为“上限 部分+部分”，例如 60 name+birth；请改正这一行")]
    Shape(usize),
    /// A part nobody knows.
    #[error("分块键第 {line} 行的“{part}”不认识；可用的部分见 data/keys.txt 开头的说明")]
    Part {
        /// The line.
        line: usize,
        /// The word.
        part: String,
    },
}

/// Reads keys (读取分块键).
///
/// # Errors
/// [`KeyFault`] for the first line that is none.
pub fn keys(text: &str) -> Result<Vec<Key>, KeyFault> {
    let lines = (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let (cap, rest) = line.split_once(' ').ok_or(KeyFault::Shape(number))?;
            let parts = rest.split('+').map(|word| {
                let found = PARTS.iter().find(|(known, _)| *known == word);
                found.map(|(_, part)| *part).ok_or_else(|| KeyFault::Part {
                    line: number,
                    part: word.to_owned(),
                })
            });
            Ok(Key {
                text: rest.to_owned(),
                cap: cap.parse().map_err(|_| KeyFault::Shape(number))?,
                parts: parts.collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

impl Key {
    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Records a block may have (上限).
    pub fn cap(&self) -> usize {
        self.cap
    }

    /// The one or two keys of a record: a birth date and that of its number may differ. 0 is none.
    pub(crate) fn of(&self, register: &Register, entry: &Entry) -> [u32; 2] {
        self.blocks(entry, |part| value(part, register, entry))
    }

    /// As [`Key::of`], but the same in every register, for keys that are kept.
    pub(crate) fn everywhere(&self, register: &Register, entry: &Entry) -> [u32; 2] {
        self.blocks(entry, |part| match part {
            Part::Street => register.streets.print(entry.place().address.street),
            Part::Address => {
                let Address { street, numbers } = entry.place().address;
                if street == 0 || numbers == 0 {
                    0
                } else {
                    mix(register.streets.print(street) ^ mix(numbers))
                }
            }
            part => value(part, register, entry),
        })
    }

    fn blocks(&self, entry: &Entry, value: impl Fn(Part) -> u64) -> [u32; 2] {
        let mut state = 0x5851_F42D_4C95_7F2D_u64;
        let mut births = None;
        for part in &self.parts {
            let value = match part {
                Part::Birth => {
                    let whole = |day: u32| if day & 0xFF == 0 { 0 } else { day };
                    let own = whole(entry.birth);
                    let told = entry.code().birth();
                    births = Some(if own == 0 { [told, 0] } else { [own, told] });
                    continue;
                }
                part => value(*part),
            };
            if value == 0 {
                return [0; 2];
            }
            state = mix(state ^ value);
        }
        let hash = |day: u32| halves(mix(state ^ u64::from(day) << 3)).0.max(1);
        match births {
            None => [halves(mix(state)).0.max(1), 0],
            Some([0, _]) => [0; 2],
            Some([own, told]) if told == 0 || told == own => [hash(own), 0],
            Some([own, told]) => [hash(own), hash(told)],
        }
    }
}

fn value(part: Part, register: &Register, entry: &Entry) -> u64 {
    let code = entry.code();
    let is_regular = !matches!(code.kind, Kind::Missing | Kind::Odd);
    let of_id = |digits: u64| if is_regular { digits + 1 } else { 0 };
    let form = || register.form_of(entry);
    let day = match entry.birth {
        0 => code.birth(),
        day => day,
    };
    match part {
        Part::Id if code.kind == Kind::Missing => 0,
        Part::Id => u64::from(key(code.digits ^ u64::from(code.province) << 56)),
        Part::IdHead => of_id(code.digits >> 16 | u64::from(code.province) << 48),
        Part::IdTail => of_id(code.digits & 0xFF_FFFF),
        Part::Birth => 0,
        Part::BirthYear => u64::from(day >> 16),
        Part::BirthDay if day & 0xFF == 0 => 0,
        Part::BirthDay => u64::from(day & 0xFFFF),
        Part::Sex => u64::from(match entry.sex {
            0 => code.sex(),
            sex => sex,
        }),
        Part::Name => u64::from(form().letters_key),
        Part::Sound => u64::from(form().sound_key),
        Part::Surname => u64::from(form().surname()),
        Part::Given => u64::from(form().given()),
        Part::Region => u64::from(entry.region),
        Part::Street => u64::from(entry.place().address.street),
        Part::Address => u64::from(address_key(entry)),
        Part::Phone => u64::from(key(entry.phone)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::Person;

    #[test]
    fn the_keys_of_the_house_can_be_read_and_mistakes_are_told_with_their_line() {
        let all = keys(KEYS).unwrap();
        assert!(all.len() > 10 && all.iter().all(|key| key.cap > 1));
        assert_eq!(keys("# so\nname"), Err(KeyFault::Shape(2)));
        let unknown = KeyFault::Part {
            line: 1,
            part: "nam".to_owned(),
        };
        assert_eq!(keys("5 nam+birth"), Err(unknown));
    }

    #[test]
    fn records_meet_where_they_agree_on_all_parts_and_never_where_one_is_missing() {
        let mut register = Register::new();
        let wei = |birth, id_number| Person {
            name: "张伟",
            birth,
            id_number,
            ..Person::default()
        };
        register.push(&wei("1950-03-12", ""));
        register.push(&wei("", ""));
        register.push(&wei("1951-03-12", "440300195003120017"));
        register.push(&Person {
            name: "伟 张",
            birth: "1950-03-12",
            ..Person::default()
        });
        register.finish();
        let key = &keys("9 name+birth").unwrap()[0];
        let of = |record| key.of(&register, register.entry(record));
        assert_eq!(of(1), [0, 0]);
        assert_eq!(of(0), of(3), "the order of the name does not matter");
        assert_eq!(of(0)[0], of(2)[1], "the date inside the number counts too");
    }
}
