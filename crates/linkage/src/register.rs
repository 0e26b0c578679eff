//! The register (名册) in memory: one entry of 48 bytes a record, every name, street and character kept once.
//!
//! Entries lie in rows, not columns: two records are compared at random places, and a row is one cache line, six columns are six.
//! Guarantees: records keep the order in which they came, and the same records give the same numbers. Once [`Register::finish`] has
//! counted, an entry knows how many different people share its phone and address. Deliberately absent: the records' own ids and
//! the text of their addresses; the caller has them.

use crate::alphabet::Alphabet;
use crate::birth;
use crate::identity::{self, Cleaned, Code, Kind};
use crate::name::{Form, Names};
use crate::phone;
use crate::place::{self, Address, Place, Streets};
use crate::sort::{by_key, halves};
use crate::table::mix;

/// A record as somebody wrote it (一条人员记录). Every part may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Person<'a> {
    /// The name (姓名), in characters or pinyin.
    pub name: &'a str,
    /// The identity number (身份证号), 18 or 15 characters or a damaged one.
    pub id_number: &'a str,
    /// The birth date (出生日期), whole or in part.
    pub birth: &'a str,
    /// The sex (性别): 男, 女, M, F, or the codes 1 and 2.
    pub sex: &'a str,
    /// The telephone number (电话).
    pub phone: &'a str,
    /// The region (区划): a code of the administrative divisions, or a name.
    pub region: &'a str,
    /// The address (地址).
    pub address: &'a str,
}

/// A record whose parts other than words are read already (已读取的记录).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) id_number: &'a str,
    pub(crate) birth: u32,
    pub(crate) sex: u8,
    pub(crate) phone: u64,
    pub(crate) region: u32,
    pub(crate) address: &'a str,
}

/// A sex written as nought: female where no two occurs, unknown where it does (GB/T 2261.1 knows nought, one, two and nine).
const NOUGHT: u8 = 3;

/// What is compared of a record (比对条目).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) phone: u64,
    numbers: u64,
    pub(crate) name: u32,
    pub(crate) birth: u32,
    street: u32,
    pub(crate) region: u32,
    /// Different people at this address, and with this phone.
    pub(crate) at_address: u16,
    pub(crate) with_phone: u16,
    kind: Kind,
    province: u8,
    pub(crate) sex: u8,
    /// The identity number speaks of another birth date or sex than the record.
    pub(crate) contradicts: bool,
}

impl Entry {
    pub(crate) fn code(&self) -> Code {
        Code {
            digits: self.id,
            province: self.province,
            kind: self.kind,
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            address: Address {
                street: self.street,
                numbers: self.numbers,
            },
            region: self.region,
        }
    }
}

/// How many different people of a register share a value of one record (同值人数), that record's own person among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sharing {
    /// Its name.
    pub name: u32,
    /// A name that sounds so.
    pub sound: u32,
    /// Its birth date.
    pub birth: u32,
    /// Its telephone number.
    pub phone: u32,
    /// Its address.
    pub address: u32,
}

/// Records taken away from a register for a while (分出的记录).
#[derive(Debug)]
pub struct Later(Vec<Entry>);

/// Records to be linked (名册).
#[derive(Debug, Default)]
pub struct Register {
    pub(crate) alphabet: Alphabet,
    pub(crate) names: Names,
    pub(crate) streets: Streets,
    pub(crate) entries: Vec<Entry>,
    /// Identity numbers of no regular shape, by record.
    odd: Vec<(u32, Cleaned)>,
    /// How many records were born on a day; see [`day_number`].
    births: Vec<u32>,
    /// Records of the register of which this is a part; 0 if it is whole.
    whole: u32,
    room: String,
}

impl Register {
    /// An empty register (空名册).
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records it has (记录数).
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none (是否为空).
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Makes room for so many more (预留).
    pub fn reserve(&mut self, records: usize) {
        self.entries.reserve_exact(records);
    }

    /// Adds a record (加入一条记录); its number is the count of those before it.
    pub fn push(&mut self, person: &Person<'_>) {
        self.push_row(&Row {
            name: person.name,
            id_number: person.id_number,
            birth: birth::read(person.birth),
            sex: sex(person.sex),
            phone: phone::read(person.phone),
            region: place::region(person.region),
            address: person.address,
        });
    }

    pub(crate) fn push_row(&mut self, row: &Row<'_>) {
        let cleaned = identity::cleaned(row.id_number);
        let code = identity::code(&cleaned);
        if code.kind == Kind::Odd {
            let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
            self.odd.push((number, cleaned));
        }
        let address = self
            .streets
            .address(&mut self.alphabet, row.address, &mut self.room);
        let entry = Entry {
            id: code.digits,
            phone: row.phone,
            numbers: address.numbers,
            name: self.names.number(&mut self.alphabet, row.name),
            birth: row.birth,
            street: address.street,
            region: row.region,
            at_address: 1,
            with_phone: 1,
            kind: code.kind,
            province: code.province,
            sex: row.sex,
            contradicts: false,
        };
        self.entries.push(entry);
    }

    /// Takes the records from one on away, to be added again later (分出).
    pub fn split_off(&mut self, from: usize) -> Later {
        Later(self.entries.split_off(from))
    }

    /// Adds records that were taken away from this very register (加回).
    pub fn append(&mut self, later: Later) {
        self.entries.extend(later.0);
    }

    /// Counts who shares what (统计), once all records are in. Records added later are not counted, but may be compared.
    pub fn finish(&mut self) {
        self.settle(0);
        let mut births = vec![0; DAYS];
        for entry in &self.entries {
            births[day_number(entry.birth)] += 1;
        }
        self.births = births;
        let (entries, forms) = (&self.entries, &self.names.forms);
        let sound = |entry: &Entry| form(forms, entry.name).sound_key;
        let ((named, sounding), (phones, addresses)) = std::thread::scope(|scope| {
            let names = scope.spawn(|| {
                (
                    sharing(entries, |entry| entry.name),
                    sharing(entries, sound),
                )
            });
            let rest = (
                sharing(entries, |entry| key(entry.phone)),
                sharing(entries, address_key),
            );
            (names.join().unwrap_or_default(), rest)
        });
        for (record, people) in named {
            let name = place_of(self.entries[place_of(record)].name);
            self.names.forms[name].people = people;
        }
        for (record, people) in sounding {
            let name = place_of(self.entries[place_of(record)].name);
            self.names.forms[name].sound_people = people;
        }
        let small = |people: u32| u16::try_from(people).unwrap_or(u16::MAX);
        for (record, people) in phones {
            self.entries[place_of(record)].with_phone = small(people);
        }
        for (record, people) in addresses {
            self.entries[place_of(record)].at_address = small(people);
        }
    }

    /// Makes the first record comparable with the others (单条比对) as if all of a larger register were here: so many records, and
    /// what the first shares with how many different people there. Only comparisons with the first as `a` are right after it.
    pub fn finish_beside(&mut self, whole: u32, sharing: Sharing) {
        self.settle(0);
        self.whole = whole;
        self.births = vec![0; DAYS];
        let Some(first) = self.entries.first().copied() else {
            return;
        };
        for day in [first.birth, first.code().birth()] {
            self.births[day_number(day)] = sharing.birth;
        }
        let small = |people: u32| u16::try_from(people).unwrap_or(u16::MAX);
        self.entries[0].with_phone = small(sharing.phone);
        self.entries[0].at_address = small(sharing.address);
        let form = &mut self.names.forms[place_of(first.name)];
        form.people = sharing.name;
        form.sound_people = sharing.sound;
    }

    /// Forgets the records and keeps what was learned of characters (清空记录).
    pub(crate) fn forget(&mut self) {
        self.entries.clear();
        self.odd.clear();
    }

    /// Records of the whole register.
    pub(crate) fn whole(&self) -> u32 {
        match self.whole {
            0 => u32::try_from(self.entries.len()).unwrap_or(u32::MAX),
            whole => whole,
        }
    }

    /// What can be said of records from this one on only when all are known.
    pub(crate) fn settle(&mut self, from: usize) {
        let has_two = self.entries.iter().any(|entry| entry.sex == 2);
        for entry in &mut self.entries[from..] {
            if entry.sex == NOUGHT {
                entry.sex = if has_two { 0 } else { 2 };
            }
            let (born, sex) = (entry.code().birth(), entry.code().sex());
            let days = birth::level(entry.birth, born);
            let other_sex = sex != 0 && entry.sex != 0 && sex != entry.sex;
            entry.contradicts = days >= birth::YEAR || other_sex && days != birth::SAME;
        }
    }

    pub(crate) fn entry(&self, record: u32) -> &Entry {
        &self.entries[place_of(record)]
    }

    pub(crate) fn form_of(&self, entry: &Entry) -> &Form {
        self.names.form(entry.name)
    }

    /// An identity number of no regular shape, or the regular one written out.
    pub(crate) fn written_id(&self, record: u32) -> Cleaned {
        let code = self.entry(record).code();
        if code.kind == Kind::Odd {
            let found = self
                .odd
                .binary_search_by_key(&record, |(number, _)| *number);
            return found.map_or_else(|_| Cleaned::default(), |place| self.odd[place].1);
        }
        let mut text = String::with_capacity(18);
        for (number, digits) in [(u64::from(code.province), 2), (code.digits, 16)] {
            for place in (0..digits).rev() {
                let digit = u32::try_from(number >> (4 * place) & 0xF).unwrap_or(0);
                text.push(char::from_digit(digit, 10).unwrap_or('X'));
            }
        }
        identity::cleaned(&text)
    }

    /// How many records were born that day (当日出生人数).
    pub(crate) fn born_on(&self, day: u32) -> u32 {
        self.births.get(day_number(day)).copied().unwrap_or(0)
    }
}

/// A sex as people and programs write it (性别). 1 male, 2 female, 0 unknown.
pub(crate) fn sex(written: &str) -> u8 {
    match written.trim() {
        "男" | "男性" | "M" | "m" | "male" | "Male" | "1" => 1,
        "女" | "女性" | "F" | "f" | "female" | "Female" | "2" => 2,
        "0" => NOUGHT,
        _ => 0,
    }
}

const DAYS: usize = 256 * 16 * 32;

fn day_number(date: u32) -> usize {
    let (year, month, day) = birth::parts(date);
    let number = year.saturating_sub(1850).min(255) * 512 + month * 32 + day;
    place_of(number).min(DAYS - 1)
}

/// The place in memory of a record's number.
pub(crate) fn place_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn form(forms: &[Form], name: u32) -> &Form {
    &forms[place_of(name)]
}

/// A short key of a long number, 0 of 0.
pub(crate) fn key(number: u64) -> u32 {
    if number == 0 {
        0
    } else {
        halves(mix(number)).0.max(1)
    }
}

/// A short key of an address with a number, else 0.
pub(crate) fn address_key(entry: &Entry) -> u32 {
    if entry.street == 0 || entry.numbers == 0 {
        return 0;
    }
    key(mix(entry.numbers) ^ u64::from(entry.street))
}

/// For every record that shares the key with another: how many different birth dates there are, the nearest one gets to different
/// people before any record is linked.
fn sharing(entries: &[Entry], key: impl Fn(&Entry) -> u32) -> Vec<(u32, u32)> {
    let mut keyed: Vec<u64> = Vec::with_capacity(entries.len());
    for (number, entry) in (0_u64..).zip(entries) {
        let key = key(entry);
        if key != 0 {
            keyed.push(u64::from(key) << 32 | number);
        }
    }
    by_key(&mut keyed, &mut Vec::new());
    let mut shared = Vec::new();
    let mut births = Vec::new();
    for group in keyed.chunk_by(|a, b| a >> 32 == b >> 32) {
        if group.len() < 2 {
            continue;
        }
        births.clear();
        births.extend(group.iter().map(|number| {
            let entry = &entries[place_of(halves(*number).1)];
            match entry.birth {
                0 => entry.code().birth(),
                birth => birth,
            }
        }));
        births.sort_unstable();
        births.dedup();
        let people = u32::try_from(births.len()).unwrap_or(u32::MAX);
        shared.extend(group.iter().map(|number| (halves(*number).1, people)));
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_fits_a_cache_line() {
        assert!(size_of::<Entry>() <= 48);
    }

    #[test]
    fn people_are_counted_by_their_birth_dates_not_by_their_records() {
        let mut register = Register::new();
        for (name, birth) in [
            ("张伟", "1950-03-12"),
            ("张伟", "1950-03-12"),
            ("章玮", "1960-01-01"),
        ] {
            register.push(&Person {
                name,
                birth,
                phone: "13812345678",
                address: "前进路1号",
                ..Person::default()
            });
        }
        register.finish();
        let entry = register.entry(0);
        assert_eq!((entry.with_phone, entry.at_address), (2, 2));
        let form = register.form_of(entry);
        assert_eq!((form.people, form.sound_people), (1, 2));
        assert_eq!(register.born_on(entry.birth), 2);
    }

    #[test]
    fn nought_is_female_only_where_nobody_is_two() {
        let of = |codes: &[&str]| {
            let mut register = Register::new();
            for sex in codes {
                register.push(&Person {
                    sex,
                    ..Person::default()
                });
            }
            register.finish();
            register
                .entries
                .iter()
                .map(|entry| entry.sex)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&["0", "1"]), [2, 1]);
        assert_eq!(of(&["0", "1", "2", "男", "9"]), [0, 1, 2, 1, 0]);
    }

    #[test]
    fn a_number_of_another_birth_date_or_sex_contradicts_its_record() {
        let mut register = Register::new();
        for (birth, sex) in [
            ("1990-01-01", "男"),
            ("1990-01-01", "女"),
            ("1962-07-30", "男"),
            ("1990-01-07", "男"),
            ("", "女"),
        ] {
            register.push(&Person {
                id_number: "440300199001010016",
                birth,
                sex,
                ..Person::default()
            });
        }
        register.finish();
        let found: Vec<bool> = register
            .entries
            .iter()
            .map(|entry| entry.contradicts)
            .collect();
        // The sex alone may be a slip where the day is right; without a day it is all there is.
        assert_eq!(found, [false, false, true, false, true]);
        assert_eq!(register.written_id(0).bytes(), b"440300199001010016");
    }
}
