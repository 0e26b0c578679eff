//! A harder register (更难的虚构名册): people of households, each with one to six records, and the dirt of real offices.
//!
//! Name order swapped, pinyin for characters, characters of the same sound or shape, missing days and months, lunar birthdays, phones
//! of whole families and of a village's clerk, phones handed on, twins with neighbouring numbers, five hundred people at one
//! address, namesakes born the same day, numbers of one's spouse. Guarantees: the same seed, size and kind give the same
//! rows; it knows nothing of how `linkage` compares, only the calendar is shared. Two kinds: one to develop on, and one that is held back
//! for judging, with other proportions. Deliberately absent: real people.

use crate::harder_names::{GIVEN, STREETS, SURNAMES};
use linkage::birth;
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// How often each kind of dirt occurs, of a thousand records (千分比).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    name_order: u32,
    pinyin: u32,
    homophone: u32,
    lookalike: u32,
    other_character: u32,
    dropped_character: u32,
    birth_missing: u32,
    day_missing: u32,
    month_missing: u32,
    new_year: u32,
    day_month: u32,
    lunar: u32,
    birth_digit: u32,
    id_missing: u32,
    id_old: u32,
    id_swap: u32,
    id_digit: u32,
    id_lost: u32,
    id_of_kin: u32,
    sex_wrong: u32,
    sex_missing: u32,
    phone_missing: u32,
    phone_changed: u32,
    phone_digit: u32,
    address_missing: u32,
    moved: u32,
    address_short: u32,
    street_typo: u32,
    region_missing: u32,
    twins: u32,
    family_phone: u32,
    clerk_phone: u32,
    reused_phone: u32,
    institution: u32,
    namesake: u32,
    /// How many of a thousand people have one record, at most two, and so on.
    records: [u32; 5],
}

/// To develop on (开发用).
pub(crate) const DEVELOPMENT: Shares = Shares {
    name_order: 25,
    pinyin: 50,
    homophone: 45,
    lookalike: 35,
    other_character: 15,
    dropped_character: 12,
    birth_missing: 50,
    day_missing: 30,
    month_missing: 25,
    new_year: 25,
    day_month: 25,
    lunar: 35,
    birth_digit: 25,
    id_missing: 120,
    id_old: 50,
    id_swap: 30,
    id_digit: 35,
    id_lost: 12,
    id_of_kin: 8,
    sex_wrong: 12,
    sex_missing: 25,
    phone_missing: 180,
    phone_changed: 200,
    phone_digit: 20,
    address_missing: 80,
    moved: 140,
    address_short: 50,
    street_typo: 30,
    region_missing: 60,
    twins: 12,
    family_phone: 200,
    clerk_phone: 10,
    reused_phone: 20,
    institution: 20,
    namesake: 3,
    records: [520, 750, 860, 930, 975],
};

/// Held back for judging (留作评判).
pub(crate) const HELD: Shares = Shares {
    name_order: 40,
    pinyin: 40,
    homophone: 70,
    lookalike: 45,
    other_character: 20,
    dropped_character: 15,
    birth_missing: 70,
    day_missing: 50,
    month_missing: 35,
    new_year: 35,
    day_month: 35,
    lunar: 60,
    birth_digit: 35,
    id_missing: 170,
    id_old: 60,
    id_swap: 45,
    id_digit: 45,
    id_lost: 20,
    id_of_kin: 12,
    sex_wrong: 15,
    sex_missing: 30,
    phone_missing: 220,
    phone_changed: 260,
    phone_digit: 25,
    address_missing: 100,
    moved: 190,
    address_short: 60,
    street_typo: 45,
    region_missing: 80,
    twins: 20,
    family_phone: 260,
    clerk_phone: 15,
    reused_phone: 35,
    institution: 30,
    namesake: 6,
    records: [450, 700, 830, 920, 970],
};

/// A row of the register (一行).
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) person: i64,
    pub(crate) name: String,
    pub(crate) id_no: String,
    pub(crate) birth: String,
    pub(crate) sex: String,
    pub(crate) region: String,
    pub(crate) address: String,
    pub(crate) phone: String,
}

/// One character with its sound, others of that sound, and others of its shape.
type Letter = (&'static str, &'static str, &'static str, &'static str);

#[derive(Debug, Clone)]
struct Human {
    surname: (&'static str, &'static str),
    given: Vec<Letter>,
    /// Days from 1970-01-01.
    born: i32,
    man: bool,
    id: String,
    phone: String,
}

#[derive(Debug, Clone)]
struct Home {
    region: u32,
    street: String,
    numbers: [u32; 3],
    phone: String,
}

struct World {
    rng: ChaCha8Rng,
    shares: Shares,
    used: std::collections::BTreeSet<String>,
    phones: Vec<String>,
    clerk: (String, u32),
}

/// About so many records (生成).
pub(crate) fn invent(records: usize, seed: u64, shares: Shares) -> Vec<Line> {
    let mut world = World {
        rng: ChaCha8Rng::seed_from_u64(seed),
        shares,
        used: std::collections::BTreeSet::new(),
        phones: Vec::new(),
        clerk: (String::new(), 0),
    };
    let mut lines = Vec::with_capacity(records + 8);
    let mut people = 0;
    let mut institution: Option<(Home, u32)> = None;
    while lines.len() < records {
        let home = match &mut institution {
            Some((home, left)) if *left > 0 => {
                *left -= 1;
                home.clone()
            }
            _ => {
                let home = world.home();
                let opens = world.share(world.shares.institution.div_ceil(10));
                institution = opens.then(|| (home.clone(), 500));
                home
            }
        };
        let lives_alone = institution.as_ref().is_some_and(|(_, left)| *left > 0);
        let members = world.members(if lives_alone { 1 } else { 0 });
        for (at, human) in members.iter().enumerate() {
            people += 1;
            let kin = members.get((at + 1) % members.len()).unwrap_or(human);
            for _ in 0..world.records() {
                let mut line = world.line(human, kin, &home);
                line.person = people;
                lines.push(line);
            }
            if world.share(shares.namesake) {
                let other = world.namesake(human);
                let elsewhere = world.home();
                people += 1;
                for _ in 0..world.records() {
                    let mut line = world.line(&other, &other, &elsewhere);
                    line.person = people;
                    lines.push(line);
                }
            }
        }
    }
    lines.truncate(records);
    // In no order that says who belongs together.
    for at in (1..lines.len()).rev() {
        let with = world.rng.random_range(0..=at);
        lines.swap(at, with);
    }
    lines
}

impl World {
    fn share(&mut self, of_thousand: u32) -> bool {
        self.rng.random_range(0..1_000) < of_thousand
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.random_range(0..from.len())]
    }

    /// Early ones are more frequent.
    fn early<T: Copy>(&mut self, from: &[T]) -> T {
        let (a, b) = (
            self.rng.random_range(0..from.len()),
            self.rng.random_range(0..from.len()),
        );
        from[a.min(b)]
    }

    fn records(&mut self) -> usize {
        let drawn = self.rng.random_range(0..1_000);
        1 + self
            .shares
            .records
            .iter()
            .filter(|bound| drawn >= **bound)
            .count()
    }

    fn home(&mut self) -> Home {
        let city = self.rng.random_range(1..=12_u32);
        let street = format!(
            "{}{}",
            self.pick(STREETS),
            self.pick(&["路", "街", "巷", "村", "大道"])
        );
        Home {
            region: 440_000 + city * 100 + self.rng.random_range(1..=9),
            street,
            numbers: [
                self.rng.random_range(1..300),
                self.rng.random_range(1..30),
                self.rng.random_range(101..2_400),
            ],
            phone: self.phone(),
        }
    }

    fn phone(&mut self) -> String {
        if !self.phones.is_empty() && self.share(self.shares.reused_phone) {
            let at = self.rng.random_range(0..self.phones.len());
            return self.phones[at].clone();
        }
        let head = self.pick(&[
            "130", "135", "136", "137", "138", "139", "150", "151", "158", "159", "180", "186",
            "188",
        ]);
        let phone = format!("{head}{:08}", self.rng.random_range(0..100_000_000));
        self.phones.push(phone.clone());
        phone
    }

    fn human(&mut self, surname: (&'static str, &'static str), born: i32) -> Human {
        let mut given = vec![self.early(GIVEN)];
        if self.rng.random_range(0..100) < 78 {
            given.push(self.early(GIVEN));
        }
        let man = self.rng.random_range(0..2) == 0;
        let id = self.id(born, man, None);
        let phone = self.phone();
        Human {
            surname,
            given,
            born,
            man,
            id,
            phone,
        }
    }

    /// A number nobody has; after another person's, the next one of the same sex.
    fn id(&mut self, born: i32, man: bool, after: Option<&str>) -> String {
        let day = birth::text_of_days(born).replace('-', "");
        let mut place = format!(
            "44{:02}{:02}",
            self.rng.random_range(1..=19),
            self.rng.random_range(1..=25)
        );
        let mut number = self.rng.random_range(0..500) * 2 + u32::from(man);
        if let Some(other) = after {
            place = other[..6].to_owned();
            number =
                (other[14..17].parse::<u32>().unwrap_or(0) + 2) % 1_000 / 2 * 2 + u32::from(man);
        }
        loop {
            let body = format!("{place}{day}{number:03}");
            let id = format!("{body}{}", check(&body));
            if self.used.insert(id.clone()) {
                return id;
            }
            number = (number + 2) % 1_000;
        }
    }

    /// The people of a home; `alone` bounds them to one.
    fn members(&mut self, alone: usize) -> Vec<Human> {
        let surname = self.early(SURNAMES);
        // Days of 1930 to 1975.
        let head = self.rng.random_range(-14_600..1_800);
        let mut members = vec![self.human(surname, head)];
        let size = if alone == 1 {
            1
        } else {
            self.rng.random_range(1..=5)
        };
        while members.len() < size {
            let is_spouse = members.len() == 1;
            let surname = if is_spouse {
                self.early(SURNAMES)
            } else {
                surname
            };
            let apart = if is_spouse {
                self.rng.random_range(-2_000..2_000)
            } else {
                self.rng.random_range(7_000..13_000)
            };
            let human = self.human(surname, head + apart);
            let twins = !is_spouse && self.share(self.shares.twins * 4);
            if twins {
                let mut twin = human.clone();
                let last = twin.given.len() - 1;
                twin.given[last] = self.early(GIVEN);
                if self.share(500) {
                    twin.man = !twin.man;
                }
                twin.id = self.id(twin.born, twin.man, Some(&human.id));
                twin.phone = self.phone();
                members.push(human);
                members.push(twin);
            } else {
                members.push(human);
            }
        }
        members
    }

    fn namesake(&mut self, human: &Human) -> Human {
        let mut other = human.clone();
        other.id = self.id(other.born, other.man, None);
        other.phone = self.phone();
        other
    }

    fn line(&mut self, human: &Human, kin: &Human, home: &Home) -> Line {
        let shares = self.shares;
        let moved = self.share(shares.moved).then(|| self.home());
        let lives = moved.as_ref().unwrap_or(home);
        let sex = if self.share(shares.sex_wrong) {
            !human.man
        } else {
            human.man
        };
        let region = if self.share(shares.region_missing) {
            String::new()
        } else {
            lives.region.to_string()
        };
        Line {
            person: 0,
            name: self.name(human),
            id_no: self.number(human, kin),
            birth: self.birth(human.born),
            sex: if self.share(shares.sex_missing) {
                String::new()
            } else {
                (if sex { "男" } else { "女" }).to_owned()
            },
            region,
            address: self.address(lives),
            phone: self.call(human, home),
        }
    }

    fn name(&mut self, human: &Human) -> String {
        let shares = self.shares;
        let mut letters: Vec<String> = human
            .given
            .iter()
            .map(|letter| letter.0.to_owned())
            .collect();
        let at = self.rng.random_range(0..letters.len());
        let (_, _, homophones, lookalikes) = human.given[at];
        if self.share(shares.homophone) && !homophones.is_empty() {
            let others: Vec<char> = homophones.chars().collect();
            letters[at] = self.pick(&others).to_string();
        } else if self.share(shares.lookalike) && !lookalikes.is_empty() {
            let others: Vec<char> = lookalikes.chars().collect();
            letters[at] = self.pick(&others).to_string();
        } else if self.share(shares.other_character) {
            letters[at] = self.pick(GIVEN).0.to_owned();
        } else if self.share(shares.dropped_character) && letters.len() > 1 {
            letters.remove(at);
        }
        let given = letters.concat();
        if self.share(shares.pinyin) {
            let given: String = human.given.iter().map(|letter| letter.1).collect();
            let (family, upper) = (human.surname.1, self.rng.random_range(0..4));
            return match upper {
                0 => format!("{family}{given}"),
                1 => format!("{} {}", family.to_uppercase(), given.to_uppercase()),
                2 => format!("{given} {family}"),
                _ => format!("{family} {given}"),
            };
        }
        match self.rng.random_range(0..1_000) {
            drawn if drawn < shares.name_order => format!("{given}{}", human.surname.0),
            drawn if drawn < shares.name_order + 20 => format!("{} {given}", human.surname.0),
            _ => format!("{}{given}", human.surname.0),
        }
    }

    fn birth(&mut self, born: i32) -> String {
        let shares = self.shares;
        let text = birth::text_of_days(born);
        let (year, month, day) = (&text[..4], &text[5..7], &text[8..]);
        let kinds = [
            shares.birth_missing,
            shares.day_missing,
            shares.month_missing,
            shares.new_year,
            shares.day_month,
            shares.lunar,
            shares.birth_digit,
        ];
        let mut drawn = self.rng.random_range(0..1_000);
        let kind = kinds.iter().position(|share| {
            let hit = drawn < *share;
            drawn = drawn.saturating_sub(*share);
            hit
        });
        match kind {
            Some(0) => String::new(),
            Some(1) => format!("{year}-{month}"),
            Some(2) => year.to_owned(),
            Some(3) => format!("{year}-01-01"),
            Some(4) if day <= "12" => format!("{year}-{day}-{month}"),
            Some(5) => match birth::lunar_of_days(born) {
                Some((year, month, day)) => format!("{year}-{month:02}-{day:02}"),
                None => text,
            },
            Some(6) => {
                let mut letters: Vec<char> = text.chars().collect();
                let at = self.pick(&[2, 3, 6, 9]);
                letters[at] = char::from_digit(self.rng.random_range(0..10), 10).unwrap_or('0');
                letters.into_iter().collect()
            }
            _ => text,
        }
    }

    fn number(&mut self, human: &Human, kin: &Human) -> String {
        let shares = self.shares;
        if self.share(shares.id_missing) {
            return String::new();
        }
        let mut id = if self.share(shares.id_of_kin) {
            kin.id.clone()
        } else {
            human.id.clone()
        };
        if self.share(shares.id_old) && &id[6..8] == "19" {
            id = format!("{}{}", &id[..6], &id[8..17]);
        }
        let mut letters: Vec<char> = id.chars().collect();
        if self.share(shares.id_swap) {
            let at = self.rng.random_range(5..letters.len() - 2);
            letters.swap(at, at + 1);
        } else if self.share(shares.id_digit) {
            let at = self.rng.random_range(0..letters.len() - 1);
            letters[at] = char::from_digit(self.rng.random_range(0..10), 10).unwrap_or('0');
        } else if self.share(shares.id_lost) {
            let at = self.rng.random_range(0..letters.len());
            letters.remove(at);
        }
        letters.into_iter().collect()
    }

    fn address(&mut self, home: &Home) -> String {
        let shares = self.shares;
        if self.share(shares.address_missing) {
            return String::new();
        }
        let mut street = home.street.clone();
        if self.share(shares.street_typo) {
            let other = self.pick(STREETS).chars().next().unwrap_or('新');
            let mut letters: Vec<char> = street.chars().collect();
            letters[0] = other;
            street = letters.into_iter().collect();
        }
        let [house, building, room] = home.numbers;
        let numbers = match self.rng.random_range(0..1_000_u32) {
            drawn if drawn < shares.address_short => format!("{house}号"),
            0..500 => format!("{house}号{building}栋{room}室"),
            500..750 => format!("{house}号{building}栋{room}"),
            _ => format!("{house}-{building}-{room}"),
        };
        let head = if self.share(200) {
            "广东省示例市示例区"
        } else {
            ""
        };
        format!("{head}{street}{numbers}")
    }

    fn call(&mut self, human: &Human, home: &Home) -> String {
        let shares = self.shares;
        if self.share(shares.phone_missing) {
            return String::new();
        }
        if self.share(shares.clerk_phone) {
            if self.clerk.1 == 0 {
                self.clerk = (self.phone(), 120);
            }
            self.clerk.1 -= 1;
            return self.clerk.0.clone();
        }
        let mut phone = if self.share(shares.family_phone) {
            home.phone.clone()
        } else {
            human.phone.clone()
        };
        if self.share(shares.phone_changed) {
            phone = self.phone();
        }
        if self.share(shares.phone_digit) {
            let mut letters: Vec<char> = phone.chars().collect();
            let at = self.rng.random_range(3..letters.len());
            letters[at] = char::from_digit(self.rng.random_range(0..10), 10).unwrap_or('0');
            phone = letters.into_iter().collect();
        }
        phone
    }
}

/// The check character of seventeen digits, GB 11643.
fn check(body: &str) -> char {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits = body.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    "10X98765432"
        .chars()
        .nth(usize::try_from(sum % 11).unwrap_or(0))
        .unwrap_or('X')
}
