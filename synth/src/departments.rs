//! What departments would deliver of invented people (虚构的部门数据): rows by source and column, beside strangers.
//!
//! Guarantees: the same seed, people and day give the same rows; what is already said of a person is what the departments
//! say of them too, so that nothing differs but what somebody planted; strangers' numbers are of counties that do not
//! exist. Some of the strangers' rows are broken, as in life. Deliberately absent: headings, encodings and files, which the
//! packs agree on, and any deceit: whoever wants one changes the rows.

use chrono::{Datelike, Days, Months, NaiveDate};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use vocab::{Money, Sex, Value};

/// One row (一行): cells by the column's id in the packs; what is not named is blank.
pub type Row = Vec<(&'static str, String)>;

/// All rows by source (全部数据).
pub type Rows = BTreeMap<&'static str, Vec<Row>>;

/// Strangers for each thousand of the people.
const STRANGERS: usize = 30;
/// Of so many strangers' rows one is broken.
const ONE_BROKEN_OF: usize = 40;
/// The first digits of strangers' numbers: a county that does not exist.
const STRANGE_COUNTY: &str = "440396";

/// A person departments know of (部门数据里的人).
#[derive(Debug, Clone)]
pub struct Resident {
    /// The identity number (身份证号).
    pub id_no: String,
    /// The name (姓名).
    pub name: String,
    /// The sex (性别).
    pub sex: Sex,
    /// The birth date (出生日期).
    pub born: NaiveDate,
    /// Whether registered here (是否本地户籍).
    pub local: bool,
    /// The household's number.
    pub household: usize,
    /// The code of the relation to the head: 02 the head, 1x the spouse.
    pub relation: String,
    /// The division lived in, twelve digits.
    pub division: String,
    /// The address.
    pub address: String,
    /// What is said of the person, by fact.
    pub facts: BTreeMap<String, Value>,
    /// What is said of the household, by fact; of its head.
    pub household_facts: BTreeMap<String, Value>,
}

impl Resident {
    fn number(&self, fact: &str) -> Option<i64> {
        match self.facts.get(fact)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    fn word(&self, fact: &str) -> Option<&str> {
        match self.facts.get(fact)? {
            Value::Text(word) => Some(word),
            _ => None,
        }
    }

    fn is_head(&self) -> bool {
        self.relation.starts_with('0')
    }

    fn is_spouse(&self) -> bool {
        self.relation.starts_with('1')
    }
}

/// What departments deliver of these people on a day (部门数据).
pub fn rows(seed: u64, residents: &[Resident], day: NaiveDate) -> Rows {
    let mut writing = Writing {
        rng: ChaCha8Rng::seed_from_u64(seed ^ 0x0064_6570_7473),
        day,
        serial: 0,
        rows: Rows::new(),
    };
    for (at, one) in residents.iter().enumerate() {
        writing.registers(one);
        writing.work(one);
        writing.property(one);
        let spouse = residents[at..]
            .iter()
            .take_while(|other| other.household == one.household)
            .find(|other| other.is_spouse());
        if let Some(spouse) = spouse.filter(|_| one.is_head()) {
            writing.marriage(one, spouse);
        }
    }
    writing.strangers(residents.len() * STRANGERS / 1_000 + 20);
    writing.rows
}

struct Writing {
    rng: ChaCha8Rng,
    day: NaiveDate,
    serial: u64,
    rows: Rows,
}

/// Fen as yuan with two digits.
pub fn yuan(fen: i64) -> String {
    Money::from_fen(fen).yuan_plain()
}

impl Writing {
    fn put(&mut self, source: &'static str, one: &Resident, more: Row) {
        let mut row = vec![("id_no", one.id_no.clone()), ("name", one.name.clone())];
        row.extend(more);
        self.rows.entry(source).or_default().push(row);
    }

    fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn back(&mut self, most_days: u64) -> NaiveDate {
        self.day - Days::new(self.rng.random_range(30..most_days))
    }

    fn below(&mut self, of_thousand: u32) -> bool {
        self.rng.random_range(0..1_000) < of_thousand
    }

    fn month(&self, back: u32) -> String {
        let first = self.day.with_day(1).unwrap_or(self.day) - Months::new(back);
        first.format("%Y%m").to_string()
    }

    /// Household register, disability, custody.
    fn registers(&mut self, one: &Resident) {
        if one.local {
            let moved = self.back(9_000);
            let more = vec![
                ("book_no", format!("H{:08}", one.household)),
                ("relation", one.relation.clone()),
                ("division", one.division.clone()),
                ("address", one.address.clone()),
                ("moved_on", moved.max(one.born).to_string()),
                ("state", "1".to_owned()),
            ];
            self.put("hukou", one, more);
        }
        if let Some(level) = one
            .word("disability_level")
            .filter(|level| *level != "none")
        {
            let kinds = [
                "sight",
                "hearing",
                "speech",
                "physical",
                "intellectual",
                "mental",
            ];
            let kind = one.word("disability_kind").unwrap_or("physical");
            let code = kinds.iter().position(|word| *word == kind).unwrap_or(3) + 1;
            let issued = self.back(3_000);
            let more = vec![
                ("card_no", format!("{}{code}{level}", one.id_no)),
                ("kind", code.to_string()),
                ("level", level.to_owned()),
                ("issued_on", issued.to_string()),
                ("state", "1".to_owned()),
            ];
            self.put("disability", one, more);
        }
        let kind = match one.word("absence") {
            Some("prison") => "1",
            Some("compulsory_rehab") => "2",
            _ => return,
        };
        let since = self.back(900);
        let more = vec![
            ("kind", kind.to_owned()),
            ("since", since.to_string()),
            ("until", (since + Months::new(48)).to_string()),
            ("state", "1".to_owned()),
        ];
        self.put("custody", one, more);
    }

    /// Insurance, tax, the housing fund, a stall.
    fn work(&mut self, one: &Resident) {
        let last = self.month(1);
        let insured = |scheme: &str, state: &str, base: String, pension: String| {
            vec![
                ("scheme", scheme.to_owned()),
                ("state", state.to_owned()),
                ("base", base),
                ("pension", pension),
                ("period", last.clone()),
            ]
        };
        if let Some(wage) = one.number("wage").filter(|wage| *wage > 0) {
            let more = insured("110", "1", yuan(wage), String::new());
            self.put("social_insurance", one, more);
            for back in 1..=12 {
                let more = vec![
                    ("period", self.month(back)),
                    ("kind", "0101".to_owned()),
                    ("payer", format!("样例企业{}", one.household % 97)),
                    ("income", yuan(wage)),
                    ("tax", yuan(wage / 100)),
                ];
                self.put("tax", one, more);
            }
            if self.below(400) {
                let months = self.rng.random_range(6..60_i64);
                let serial = self.serial();
                let more = vec![
                    ("account", format!("GJJ{serial:08}")),
                    ("employer", format!("样例企业{}", one.household % 97)),
                    ("base", yuan(wage)),
                    ("balance", yuan(wage / 10 * months)),
                    ("paid_to", last.clone()),
                    ("state", "01".to_owned()),
                ];
                self.put("housing_fund", one, more);
            }
        }
        if let Some(pension) = one.number("basic_pension").filter(|fen| *fen > 0) {
            let more = insured("170", "4", String::new(), yuan(pension));
            self.put("social_insurance", one, more);
        }
        if one.number("business_net").is_some_and(|net| net > 0) {
            let serial = self.serial();
            let since = self.back(4_000);
            let more = vec![
                ("code", format!("92990101MA{serial:08}")),
                ("business", format!("{}小店", one.name)),
                ("kind", "2".to_owned()),
                ("role", "3".to_owned()),
                ("since", since.to_string()),
                ("state", "1".to_owned()),
            ];
            self.put("business", one, more);
        }
    }

    /// Banks, securities, vehicles, homes.
    fn property(&mut self, one: &Resident) {
        let deposits = match one.number("deposits") {
            Some(known) => known,
            None if self.day.year() - one.born.year() < 18 => 0,
            None => self.rng.random_range(0..400_i64) * 10_000,
        };
        if deposits > 0 {
            // Two accounts where it is enough for two.
            let first = if deposits > 500_000 {
                deposits / 3
            } else {
                deposits
            };
            for (kind, fen) in [("1", first), ("2", deposits - first)] {
                if fen > 0 {
                    let serial = self.serial();
                    let more = vec![
                        ("bank", "样例银行".to_owned()),
                        ("account", format!("629997{serial:013}")),
                        ("kind", kind.to_owned()),
                        ("balance", yuan(fen)),
                        ("day", self.day.to_string()),
                        ("state", "0".to_owned()),
                    ];
                    self.put("bank", one, more);
                }
            }
        }
        if let Some(value) = one.number("securities").filter(|fen| *fen > 0) {
            let serial = self.serial();
            let more = vec![
                ("institution", "样例证券".to_owned()),
                ("account", format!("Z{serial:09}")),
                ("kind", "2".to_owned()),
                ("value", yuan(value)),
                ("day", self.day.to_string()),
            ];
            self.put("securities", one, more);
        }
        for _ in 0..one.number("vehicles").unwrap_or(0) {
            let serial = self.serial();
            let first = self.back(3_600);
            let value = self.rng.random_range(30..250_i64) * 100_000;
            let more = vehicle(serial, first, value);
            self.put("vehicle", one, more);
        }
        let homes = match one.household_facts.get("houses") {
            Some(Value::Int(homes)) if one.is_head() => *homes,
            _ => 0,
        };
        for home in 0..homes {
            let registered = self.back(6_000);
            let more = vec![
                ("unit_no", format!("990101{:010}F{home:04}", one.household)),
                ("place", one.address.clone()),
                ("area", self.rng.random_range(45..120).to_string()),
                ("purpose", "10".to_owned()),
                ("share", "0".to_owned()),
                ("registered_on", registered.to_string()),
                ("state", "1".to_owned()),
            ];
            self.put("property", one, more);
        }
    }

    fn marriage(&mut self, one: &Resident, spouse: &Resident) {
        let (man, woman) = match one.sex {
            Sex::Male => (one, spouse),
            _ => (spouse, one),
        };
        let grown = one.born.max(spouse.born) + Months::new(22 * 12);
        let registered = grown.min(self.day - Days::new(400));
        let serial = self.serial();
        let more = vec![
            ("spouse_id_no", woman.id_no.clone()),
            ("spouse_name", woman.name.clone()),
            ("registered_on", registered.to_string()),
            ("certificate", format!("J990101-{serial:07}")),
            ("state", "1".to_owned()),
        ];
        self.put("marriage", man, more);
    }

    /// People of elsewhere, living and dead; some of their rows are broken.
    fn strangers(&mut self, count: usize) {
        for at in 0..count {
            let born = self.day - Days::new(self.rng.random_range(7_000..31_000));
            let sequence = at % 1_000;
            let body = format!("{STRANGE_COUNTY}{}{sequence:03}", born.format("%Y%m%d"));
            let Some(check) = vocab::id_number::check_digit(&body) else {
                continue;
            };
            let wrong = at % ONE_BROKEN_OF == ONE_BROKEN_OF - 1;
            let check = match (wrong, check) {
                (false, check) => check,
                (true, '0') => '1',
                (true, _) => '0',
            };
            let one = Resident {
                id_no: format!("{body}{check}"),
                name: format!("外地{at}"),
                sex: Sex::Male,
                born,
                local: true,
                household: 90_000_000 + at,
                relation: "02".to_owned(),
                division: "990199000000".to_owned(),
                address: "邻县".to_owned(),
                facts: BTreeMap::from([("securities".to_owned(), Value::Int(2_000_000))]),
                household_facts: BTreeMap::new(),
            };
            let died = self.back(700).max(born);
            let dead = vec![
                ("died_on", died.to_string()),
                ("reported_on", (died + Days::new(5)).to_string()),
            ];
            let serial = self.serial();
            match at % 5 {
                0 => {
                    self.put("death", &one, dead);
                    let burnt = vec![
                        ("died_on", died.to_string()),
                        ("cremated_on", (died + Days::new(3)).to_string()),
                        ("home", "样例县殡仪馆".to_owned()),
                    ];
                    self.put("funeral", &one, burnt);
                }
                1 => self.put("vehicle", &one, vehicle(serial, died, 9_000_000)),
                2 => self.put("business", &one, company(serial, died)),
                3 => self.property(&one),
                _ => self.registers(&one),
            }
        }
    }
}

/// A car's row without its owner (机动车记录).
pub fn vehicle(serial: u64, first: NaiveDate, fen: i64) -> Row {
    vec![
        ("plate", format!("样A{serial:05}")),
        ("plate_kind", "小型汽车".to_owned()),
        ("kind", "1".to_owned()),
        ("brand", "样例牌".to_owned()),
        ("first_registered", first.to_string()),
        ("value", yuan(fen)),
        ("state", "A".to_owned()),
    ]
}

/// A company's row without its person (公司记录).
pub fn company(serial: u64, since: NaiveDate) -> Row {
    vec![
        ("code", format!("91990101MA{serial:08}")),
        ("business", format!("样例商贸{serial}有限公司")),
        ("kind", "1".to_owned()),
        ("role", "1".to_owned()),
        ("capital", "50".to_owned()),
        ("since", since.to_string()),
        ("state", "1".to_owned()),
    ]
}
