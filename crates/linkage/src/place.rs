//! Places (住址): region and address as one thing, for whoever moves changes both, and how near two of them are.
//!
//! An address is taken apart into a street (all words but those for building, unit and room) and its numbers; 3栋201室 and
//! 3-201 are the same. Guarantees: districts written before the street do not matter. Deliberately absent: a gazetteer; renamed
//! streets are other streets.

use crate::alphabet::Alphabet;
use crate::distance::alignment;
use crate::name::half_width;
use crate::table::{Table, fingerprint};

/// One of the two has none (缺失).
pub const MISSING: u8 = 0;
/// The same street and numbers (地址相同).
pub const ADDRESS: u8 = 1;
/// The same street and first number (同一楼).
pub const BUILDING: u8 = 2;
/// The same numbers, and a street written nearly so (地址相近).
pub const SIMILAR: u8 = 3;
/// The same street (同一街路).
pub const STREET: u8 = 4;
/// The same county (同一区县).
pub const REGION: u8 = 5;
/// The same prefecture (同一地市).
pub const CITY: u8 = 6;
/// Different (不同).
pub const DIFFERENT: u8 = 7;

/// The levels in words (各档).
pub const WORDS: &[&str] = &[
    "缺失",
    "相同",
    "同一楼",
    "门牌相同而街路写法相近",
    "同一街路",
    "同一区县",
    "同一地市",
    "不同",
];

/// Characters kept of a street when it is compared with another.
const KEPT: usize = 16;

/// All streets of a register (街路表). Number 0 is none.
#[derive(Debug)]
pub(crate) struct Streets {
    different: Table,
    letters: Vec<[u16; KEPT]>,
    /// Fingerprints of the streets, the same in every register.
    prints: Vec<u64>,
}

impl Default for Streets {
    fn default() -> Self {
        Self {
            different: Table::default(),
            letters: vec![[0; KEPT]],
            prints: vec![0],
        }
    }
}

/// An address taken apart (拆开的地址).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Address {
    pub(crate) street: u32,
    /// Up to four numbers of sixteen bits, the last lowest.
    pub(crate) numbers: u64,
}

/// A place as it is compared (住址的比对形式).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) address: Address,
    pub(crate) region: u32,
}

impl Streets {
    /// Takes an address apart (拆开地址). `room` is a buffer to be used again.
    pub(crate) fn address(
        &mut self,
        alphabet: &mut Alphabet,
        written: &str,
        room: &mut String,
    ) -> Address {
        let (head, numbers) = take_apart(written, room);
        let street = room.get(head..).filter(|rest| !rest.is_empty());
        let street = street.unwrap_or(room.as_str());
        Address {
            street: self.number(alphabet, street),
            numbers,
        }
    }

    fn number(&mut self, alphabet: &mut Alphabet, street: &str) -> u32 {
        if street.is_empty() {
            return 0;
        }
        let print = fingerprint(street.as_bytes());
        let (number, is_new) = self.different.number(print);
        if is_new {
            self.prints.push(print);
            let mut letters = [0; KEPT];
            for (place, letter) in letters.iter_mut().zip(street.chars()) {
                *place = alphabet.number(letter);
            }
            self.letters.push(letters);
        }
        number + 1
    }

    /// What a street is called in every register (街路指纹), 0 of none.
    pub(crate) fn print(&self, street: u32) -> u64 {
        let print = usize::try_from(street)
            .ok()
            .and_then(|street| self.prints.get(street));
        print.copied().unwrap_or(0)
    }

    fn letters(&self, street: u32) -> &[u16] {
        let letters = usize::try_from(street)
            .ok()
            .and_then(|street| self.letters.get(street));
        let letters: &[u16] = letters.map_or(&[], |letters| letters);
        let length = letters.iter().take_while(|letter| **letter != 0).count();
        &letters[..length]
    }

    /// Whether two streets may be one, written differently: one character in four, or one name within the other.
    fn are_similar(&self, a: u32, b: u32) -> bool {
        let (a, b) = (self.letters(a), self.letters(b));
        let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        if short.len() >= 2 && (long.starts_with(short) || long.ends_with(short)) {
            return true;
        }
        let allowed = u32::try_from(long.len() / 3).unwrap_or(0).max(1);
        short.len() >= 3 && alignment(short, long) <= allowed
    }

    /// The level of two places (比较).
    pub(crate) fn level(&self, a: Place, b: Place) -> u8 {
        let has_both = a.address.street != 0 && b.address.street != 0;
        let same_county = a.region != 0 && a.region == b.region;
        let has_regions = a.region != 0 && b.region != 0;
        let same_city = a.region / 100 == b.region / 100;
        if has_both {
            let (x, y) = (a.address, b.address);
            let same_numbers = x.numbers == y.numbers && x.numbers != 0;
            if x.street == y.street {
                if same_numbers {
                    return ADDRESS;
                }
                if same_city || !has_regions {
                    let same_first = first(x.numbers) == first(y.numbers) && x.numbers != 0;
                    return if same_first { BUILDING } else { STREET };
                }
            } else if same_numbers
                && (same_county || !has_regions)
                && self.are_similar(x.street, y.street)
            {
                return SIMILAR;
            }
        }
        match (has_regions, same_county, same_city) {
            (false, ..) if has_both => DIFFERENT,
            (false, ..) => MISSING,
            (true, true, _) => REGION,
            (true, false, true) => CITY,
            (true, false, false) => DIFFERENT,
        }
    }
}

/// Takes an address apart: its words go to `room`, the first byte after its districts and its numbers, each one more than
/// written, come back.
fn take_apart(written: &str, room: &mut String) -> (usize, u64) {
    room.clear();
    let mut numbers = 0_u64;
    let mut number: Option<u64> = None;
    let mut head = 0;
    for letter in written.chars().map(half_width) {
        if let Some(digit) = letter.to_digit(10) {
            number = Some((number.unwrap_or(0) * 10 + u64::from(digit)) % 65_521);
            continue;
        }
        if let Some(number) = number.take() {
            numbers = numbers << 16 | (number + 1);
        }
        match letter {
            '号' | '栋' | '幢' | '单' | '元' | '室' | '楼' | '层' | '座' | '房' | '弄' | '组'
            | '队' | '户' => {}
            '省' | '市' | '县' | '镇' | '乡' | '旗' => {
                head = room.len();
            }
            '区' | '道' if is_district(room, letter) => head = room.len(),
            '\u{4E00}'..='\u{9FFF}' => room.push(letter),
            _ if letter.is_alphanumeric() => room.extend(letter.to_lowercase()),
            _ => {}
        }
    }
    if let Some(number) = number {
        numbers = numbers << 16 | (number + 1);
    }
    (head, numbers)
}

/// The building an address lies in (所在楼栋), the same for everybody who writes it: its street, and its numbers but the last, which is
/// a room where there are several. None where no number is written: a village without house numbers is no building.
pub fn building(address: &str) -> Option<String> {
    let mut room = String::new();
    let (head, numbers) = take_apart(address, &mut room);
    let outer = numbers >> 16;
    let kept = if outer == 0 { numbers } else { outer };
    if kept == 0 {
        return None;
    }
    let street = room.get(head..).filter(|rest| !rest.is_empty());
    Some(format!("{} {kept:x}", street.unwrap_or(room.as_str())))
}

/// The first of up to four numbers.
fn first(numbers: u64) -> u64 {
    (0..4)
        .rev()
        .map(|place| numbers >> (16 * place) & 0xFFFF)
        .find(|number| *number != 0)
        .unwrap_or(0)
}

/// 区 after 小, 社, 园 and the like is part of a name; 道 ends a district only as 街道.
fn is_district(before: &str, letter: char) -> bool {
    match letter {
        '道' => before.ends_with('街'),
        _ => !before.ends_with(['小', '社', '园', '新', '苑', '校', '厂', '工', '业']),
    }
}

/// Reads a region (读取区划): its code of six digits, or a number of its own for a name. 0 if there is none.
pub(crate) fn region(written: &str) -> u32 {
    let text = written.trim();
    if text.is_empty() {
        return 0;
    }
    match text.get(..text.len().min(6)).map(str::parse::<u32>) {
        Some(Ok(code)) if code >= 10_000 => code,
        // Far from all codes, and one name is never in another's city.
        _ => 10_000_000 + crate::sort::halves(fingerprint(text.as_bytes())).1 / 200 * 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        alphabet: Alphabet,
        streets: Streets,
    }

    impl World {
        fn place(&mut self, region: &str, address: &str) -> Place {
            let mut room = String::new();
            Place {
                address: self.streets.address(&mut self.alphabet, address, &mut room),
                region: super::region(region),
            }
        }
    }

    #[test]
    fn levels_of_places_are_as_worked_by_hand() {
        let mut world = World {
            alphabet: Alphabet::new(),
            streets: Streets::default(),
        };
        let usual = world.place("440306", "广东省深圳市宝安区西乡街道固戍路12号3栋201室");
        for (region, address, expected) in [
            ("440306", "固戍路12号3栋201", ADDRESS),
            ("440306", "宝安区固戍路１２－３－２０１", ADDRESS),
            ("440306", "固戍路12号", BUILDING),
            ("440306", "固戌路12号3栋201", SIMILAR),
            ("440306", "西乡固戍路12号3栋201", ADDRESS),
            ("440306", "西乡街固戍路12号3栋201", SIMILAR),
            ("440306", "固戍路15号", STREET),
            ("440306", "前进路15号", REGION),
            ("440303", "前进路15号", CITY),
            ("110101", "固戍路15号", DIFFERENT),
            ("", "前进路15号", DIFFERENT),
            ("", "", MISSING),
            ("440306", "", REGION),
        ] {
            let other = world.place(region, address);
            assert_eq!(
                world.streets.level(usual, other),
                expected,
                "{region} {address}"
            );
            assert_eq!(
                world.streets.level(other, usual),
                expected,
                "{region} {address}"
            );
        }
    }

    #[test]
    fn a_building_is_an_address_without_its_room() {
        let usual = building("广东省深圳市宝安区固戍路12号3栋201室").unwrap();
        for (address, same) in [
            ("固戍路12号3栋502", true),
            ("宝安区固戍路１２－３－１０１", true),
            ("固戍路12号4栋201室", false),
            ("固戌路12号3栋201室", false),
            // Nobody said which building of the yard: another thing.
            ("固戍路12号", false),
        ] {
            assert_eq!(building(address).unwrap() == usual, same, "{address}");
        }
        // A house with one number is itself; its rooms lie in it.
        assert_eq!(building("固戍路12号"), building("固戍路12号101室"));
        assert_eq!(building("3栋201室"), building("3栋"));
        for nothing in ["", "王家村", "宝安区固戍路"] {
            assert_eq!(building(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn regions_without_a_code_are_the_same_only_by_name() {
        assert_eq!(region("440306001"), 440_306);
        assert_eq!(region("宝安区"), region(" 宝安区 "));
        assert_ne!(region("宝安区") / 100, region("福田区") / 100);
        assert_eq!(region(""), 0);
    }
}
