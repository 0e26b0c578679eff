//! Organisations (组织): which two entries of a list are one company, shop or association, and why.
//!
//! Small lists, compared by the same ideas as people with weights set by hand, not learned: there are thousands of organisations in a
//! district, not millions, and each has a code with two check characters. Guarantees: two valid codes that differ are two
//! organisations until somebody looks; brackets, widths, blanks and the words for the legal form do not make two names of one.
//! Deliberately absent: branches, which are organisations of their own with codes of their own; learning.

use crate::distance::alignment;
use crate::link::Outcome;
use crate::name::half_width;
use crate::phone;
use std::collections::{BTreeMap, BTreeSet};
use vocab::uscc::Uscc;

/// An entry as somebody wrote it (一条组织记录). Every part may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Organisation {
    /// The name (名称).
    pub name: String,
    /// The unified social credit code (统一社会信用代码).
    pub code: String,
    /// The legal representative (法定代表人).
    pub representative: String,
    /// The telephone number (电话).
    pub phone: String,
    /// The address (住所).
    pub address: String,
}

/// How two entries agree on one thing (一项的档): in words, and what it speaks for one organisation, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// The field (比对项).
    pub field: &'static str,
    /// The level (档).
    pub level: &'static str,
    /// For (above nought) or against.
    pub bits: i32,
}

/// A pair worth telling (一对组织).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// The earlier entry.
    pub a: usize,
    /// The later one.
    pub b: usize,
    /// Why.
    pub agreements: Vec<Agreement>,
    /// The sum of the bits.
    pub bits: i32,
    /// What is to be done.
    pub outcome: Outcome,
}

/// From so many bits on it is one organisation: one in four thousand, of the few that share a block, would be wrong.
const SAME: i32 = 12;
/// Below so many nobody needs to look.
const LOOK: i32 = 5;
/// Entries a block may have.
const CAP: usize = 200;

/// Words of the legal form (组织形式), longest first.
const FORMS: [&str; 9] = [
    "股份有限责任公司",
    "有限责任公司",
    "股份有限公司",
    "集团有限公司",
    "有限公司",
    "股份公司",
    "集团公司",
    "分公司",
    "公司",
];

/// A name without widths, blanks and signs (规范名称): （深圳） and (深圳) are one.
pub fn plain(name: &str) -> String {
    name.chars()
        .map(half_width)
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The name without the words of the legal form (字号和行业); a branch stays a branch.
pub fn core(name: &str) -> String {
    let plain = plain(name);
    let form = FORMS.iter().find(|form| plain.ends_with(*form));
    match form {
        Some(form) if *form != "分公司" => plain.trim_end_matches(form).to_owned(),
        _ => plain,
    }
}

/// A code in capital letters without what does not belong to it, and whether it is valid.
fn code(written: &str) -> (String, bool) {
    let text: String = written
        .chars()
        .map(half_width)
        .filter(|letter| letter.is_ascii_alphanumeric())
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let is_valid = Uscc::read(&text).is_ok();
    (text, is_valid)
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// Compares two entries, thing by thing (比较); what one lacks is left out.
pub fn compare(a: &Organisation, b: &Organisation) -> Vec<Agreement> {
    let mut all = Vec::new();
    let mut say = |field, (level, bits)| all.push(Agreement { field, level, bits });
    let ((x, x_valid), (y, y_valid)) = (code(&a.code), code(&b.code));
    if !x.is_empty() && !y.is_empty() {
        let slips = alignment(x.as_bytes(), y.as_bytes());
        say(
            "统一社会信用代码",
            match (slips, x_valid && y_valid) {
                (0, _) => ("相同", 20),
                (_, true) => ("两个有效代码不同", -12),
                (1, false) => ("错一位或相邻两位颠倒", 11),
                (2, false) => ("错两处", 6),
                _ => ("不同", -8),
            },
        );
    }
    let (x, y) = (plain(&a.name), plain(&b.name));
    if !x.is_empty() && !y.is_empty() {
        let (c, d) = (letters(&core(&a.name)), letters(&core(&b.name)));
        let shorter = c.len().min(d.len());
        let within = |one: &[char], other: &[char]| one.len() > 3 && other.ends_with(one);
        say(
            "名称",
            if x == y {
                ("相同", 10)
            } else if c == d {
                ("仅组织形式写法不同", 9)
            } else if shorter > 3 && alignment(&c, &d) == 1 {
                ("一字不同", 5)
            } else if within(&c, &d) || within(&d, &c) {
                ("一个带地名，一个不带", 5)
            } else {
                ("不同", -5)
            },
        );
    }
    let (x, y) = (
        letters(&plain(&a.representative)),
        letters(&plain(&b.representative)),
    );
    if !x.is_empty() && !y.is_empty() {
        say(
            "法定代表人",
            match alignment(&x, &y) {
                0 => ("相同", 4),
                1 if x.len() > 2 => ("一字不同", 2),
                _ => ("不同", -1),
            },
        );
    }
    let (x, y) = (phone::read(&a.phone), phone::read(&b.phone));
    if x != 0 && y != 0 {
        say(
            "电话",
            if x == y {
                ("相同", 4)
            } else {
                ("不同", -1)
            },
        );
    }
    let (x, y) = (plain(&a.address), plain(&b.address));
    if !x.is_empty() && !y.is_empty() {
        let ends = x.ends_with(y.as_str()) || y.ends_with(x.as_str());
        say("住所", if ends { ("相同", 3) } else { ("不同", -1) });
    }
    all
}

/// What is to be done with two entries (结论), with the reasons; `None` where nobody needs to look.
pub fn judged(a: &Organisation, b: &Organisation) -> Option<(Vec<Agreement>, i32, Outcome)> {
    let agreements = compare(a, b);
    let bits: i32 = agreements.iter().map(|one| one.bits).sum();
    let of = |field: &str| agreements.iter().find(|one| one.field == field);
    let two_codes = of("统一社会信用代码").is_some_and(|one| one.bits == -12);
    let other_name = of("名称").is_some_and(|one| one.bits < 0);
    let same_code = of("统一社会信用代码").is_some_and(|one| one.bits == 20);
    // Two valid codes under one name, and one code under two names, are for somebody to look at, however much else agrees.
    let same_name = of("名称").is_some_and(|one| one.bits >= 9);
    let outcome = if two_codes {
        if !same_name {
            return None;
        }
        Outcome::Numbers
    } else if same_code && other_name {
        Outcome::Numbers
    } else if bits >= SAME {
        Outcome::Same
    } else if bits >= LOOK {
        Outcome::Doubtful
    } else {
        return None;
    };
    Some((agreements, bits, outcome))
}

/// The blocks of an entry: whoever shares one is compared.
fn blocks(one: &Organisation) -> Vec<String> {
    let mut blocks = Vec::new();
    let (code, _) = code(&one.code);
    if code.len() >= 16 {
        blocks.push(format!("c:{code}"));
        // A slip stands in one half only.
        blocks.push(format!("h:{}", &code[..8]));
        blocks.push(format!("t:{}", &code[8..16]));
    }
    let core = core(&one.name);
    if !core.is_empty() {
        let tail: String = core.chars().rev().take(6).collect();
        let head: String = core.chars().take(4).collect();
        blocks.push(format!("n:{core}"));
        blocks.push(format!("e:{tail}"));
        blocks.push(format!("b:{head}"));
    }
    let phone = phone::read(&one.phone);
    if phone != 0 {
        blocks.push(format!("p:{phone}"));
    }
    let representative = plain(&one.representative);
    let address = plain(&one.address);
    if !representative.is_empty() && !address.is_empty() {
        blocks.push(format!("r:{representative}:{address}"));
    }
    blocks
}

/// What came out of a list (组织链接结果).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Together {
    /// For each entry the first entry of its organisation.
    pub organisation: Vec<usize>,
    /// Pairs worth telling, in the order of their entries.
    pub pairs: Vec<Alike>,
    /// Blocks too large to be compared, with their sizes.
    pub capped: Vec<usize>,
}

/// Links a list with itself (组织去重). What is sure is joined, the surest first, unless a group would hold two valid codes.
pub fn together(list: &[Organisation]) -> Together {
    let mut by_block: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, one) in list.iter().enumerate() {
        for block in blocks(one) {
            by_block.entry(block).or_default().push(place);
        }
    }
    let mut met = BTreeSet::new();
    let mut capped = Vec::new();
    for block in by_block.values() {
        if block.len() > CAP {
            capped.push(block.len());
            continue;
        }
        for (at, a) in block.iter().enumerate() {
            met.extend(block[at + 1..].iter().filter(|b| *b != a).map(|b| (*a, *b)));
        }
    }
    let mut pairs: Vec<Alike> = met
        .into_iter()
        .filter_map(|(a, b)| {
            let (agreements, bits, outcome) = judged(&list[a], &list[b])?;
            Some(Alike {
                a,
                b,
                agreements,
                bits,
                outcome,
            })
        })
        .collect();
    let mut groups = Groups::new(list);
    let mut order: Vec<usize> = (0..pairs.len())
        .filter(|place| pairs[*place].outcome == Outcome::Same)
        .collect();
    order.sort_by_key(|place| (-pairs[*place].bits, *place));
    for place in order {
        let (a, b) = (pairs[place].a, pairs[place].b);
        if !groups.join(a, b) {
            pairs[place].outcome = Outcome::Numbers;
        }
    }
    Together {
        organisation: (0..list.len()).map(|place| groups.root(place)).collect(),
        pairs,
        capped,
    }
}

struct Groups {
    parent: Vec<usize>,
    valid: Vec<Option<String>>,
}

impl Groups {
    fn new(list: &[Organisation]) -> Self {
        let valid = list.iter().map(|one| {
            let (code, is_valid) = code(&one.code);
            is_valid.then_some(code)
        });
        Self {
            parent: (0..list.len()).collect(),
            valid: valid.collect(),
        }
    }

    fn root(&self, place: usize) -> usize {
        let mut at = place;
        while self.parent[at] != at {
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) -> bool {
        let (x, y) = (self.root(a), self.root(b));
        if x == y {
            return true;
        }
        let (root, leaf) = (x.min(y), x.max(y));
        if let (Some(one), Some(other)) = (&self.valid[root], &self.valid[leaf])
            && one != other
        {
            return false;
        }
        if self.valid[root].is_none() {
            self.valid[root] = self.valid[leaf].take();
        }
        self.parent[leaf] = root;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A valid code of the tests of `vocab`, and another.
    const CODE: &str = "91350100M000100Y43";

    fn of(name: &str, code: &str, representative: &str) -> Organisation {
        Organisation {
            name: name.to_owned(),
            code: code.to_owned(),
            representative: representative.to_owned(),
            ..Organisation::default()
        }
    }

    fn level(a: &Organisation, b: &Organisation, field: &str) -> &'static str {
        let all = compare(a, b);
        all.iter()
            .find(|one| one.field == field)
            .map_or("", |one| one.level)
    }

    #[test]
    fn brackets_widths_and_the_legal_form_do_not_make_two_names() {
        assert_eq!(
            plain("惠民（深圳）养老服务 有限公司"),
            plain("惠民(深圳)养老服务有限公司")
        );
        for form in ["有限公司", "有限责任公司", "公司", "股份有限公司", ""] {
            assert_eq!(core(&format!("惠民养老服务{form}")), "惠民养老服务");
        }
        assert_eq!(core("惠民养老服务宝安分公司"), "惠民养老服务宝安分公司");
        let (a, b) = (
            of("惠民养老服务有限公司", "", ""),
            of("惠民养老服务有限责任公司", "", ""),
        );
        assert_eq!(level(&a, &b, "名称"), "仅组织形式写法不同");
        let b = of("深圳惠民养老服务有限公司", "", "");
        assert_eq!(level(&a, &b, "名称"), "一个带地名，一个不带");
    }

    #[test]
    fn a_slip_in_a_code_shows_in_its_check_and_two_valid_codes_are_two() {
        assert!(Uscc::read(CODE).is_ok());
        let a = of("惠民养老服务有限公司", CODE, "王强");
        let slipped = of("惠民养老服务有限公司", "91350100M000101Y43", "王强");
        assert_eq!(
            level(&a, &slipped, "统一社会信用代码"),
            "错一位或相邻两位颠倒"
        );
        // 11 for the slip, 10 for the name, 4 for the representative.
        let (_, bits, outcome) = judged(&a, &slipped).unwrap();
        assert_eq!((bits, outcome), (25, Outcome::Same));
        let lower = of("惠民养老服务有限公司", "９１350100m000100y43", "");
        assert_eq!(level(&a, &lower, "统一社会信用代码"), "相同");
        let other_name = of("福安物业管理有限公司", CODE, "王强");
        assert_eq!(judged(&a, &other_name).unwrap().2, Outcome::Numbers);
    }

    #[test]
    fn a_group_never_holds_two_valid_codes() {
        let other = {
            // Another valid code: the last two characters are found by trying.
            let signs: Vec<char> = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().collect();
            let pairs = signs
                .iter()
                .flat_map(|a| signs.iter().map(move |b| (*a, *b)));
            pairs
                .map(|(a, b)| format!("91350100M000200Y{a}{b}"))
                .find(|code| Uscc::read(code).is_ok())
                .unwrap()
        };
        let list = [
            of("惠民养老服务有限公司", CODE, "王强"),
            of("惠民养老服务公司", "", "王强"),
            of("惠民养老服务有限责任公司", &other, "王强"),
            of("福安物业管理有限公司", "", "李芳"),
        ];
        let together = together(&list);
        // 9 for the name and 4 for the representative join the second to the first; the third has another valid code.
        assert_eq!(together.organisation, [0, 0, 2, 3]);
        let outcome = |a, b| {
            let pair = together
                .pairs
                .iter()
                .find(|pair| (pair.a, pair.b) == (a, b));
            pair.map(|pair| pair.outcome)
        };
        assert_eq!(outcome(0, 2), Some(Outcome::Numbers));
        assert_eq!(outcome(1, 2), Some(Outcome::Numbers));
        assert_eq!(outcome(0, 3), None);
    }
}
