//! What is told, to whom, in which words (告知规则): `messages.toml` at the top of a pack, the nation's first, a place's over it.
//!
//! ```toml
//! [hours]
//! quiet_from = "21:00"
//! quiet_until = "08:00"
//! late_days = 7                  # what happened longer ago is no longer told
//!
//! [[message]]
//! on = "request_supplement"      # one word of the closed list, see happening.rs
//! to = "applicant"               # applicant | desk
//! channels = ["sms", "email"]    # an applicant's
//! role = "street_reviewer"       # a desk's; without it, whose turn the case is
//! urgent = true                  # also at night
//! parts = 1                      # how many parts the Chinese text may need at most
//! zh = "{name}：您的申请{number}缺材料，请在{due}前补交。"
//! en = "…"
//!
//! [[silent]]
//! on = "determine"
//! why = "……"                     # each happening is told, or it is said why not
//! ```
//!
//! Guarantees: every mistake is told at its place, an unknown field and a text too long among them; nothing that can happen to a
//! case is left unsaid. Deliberately absent: a programme by name; what differs by programme is what the letters are for.

use crate::carrier::Channel;
use crate::happening::Happening;
use crate::hours::Quiet;
use crate::text::{Field, Template};
use access::Role;
use policy::toml_file::{Reading, Source as File, Table};
use policy::{Book, Fault, Faults, Spot};
use std::collections::BTreeMap;

/// The file in a pack.
const FILE: &str = "messages.toml";
/// The most parts any text may need.
const MOST_PARTS: i64 = 3;
/// The longest time after which something is still told.
const MOST_DAYS: i64 = 60;

/// Who is told (告知对象).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Whoever applied, by these ways.
    Applicant(Vec<Channel>),
    /// Officers with this role over the case's place; without one, those whose turn it is.
    Desk(Option<Role>),
}

impl To {
    const fn word(&self) -> &'static str {
        match self {
            Self::Applicant(_) => "applicant",
            Self::Desk(_) => "desk",
        }
    }
}

/// One rule (告知规则).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What happened.
    pub on: Happening,
    /// Who is told.
    pub to: To,
    /// Whether it does not wait for the morning.
    pub urgent: bool,
    /// What is said, Chinese.
    pub zh: Template,
    /// What is said, English.
    pub en: Template,
}

/// All rules of a place (全部告知规则).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// When nobody is woken.
    pub quiet: Quiet,
    /// After so many days a happening is no longer told.
    pub late_days: u32,
    /// The rules, by happening and by whom they tell.
    rules: BTreeMap<(Happening, &'static str), Rule>,
}

/// What the layers said so far.
#[derive(Default)]
struct Draft {
    quiet: Option<(chrono::NaiveTime, chrono::NaiveTime)>,
    late_days: Option<u32>,
    rules: BTreeMap<(Happening, &'static str), Rule>,
    silent: BTreeMap<Happening, Spot>,
}

/// The rules of a rule book; all their mistakes become one message (读取告知规则).
///
/// # Errors
/// Every mistake, with its place.
pub fn rules_of(book: &Book) -> anyhow::Result<Rules> {
    let told = |faults: Vec<Fault>| policy::all_of(&faults, ("告知规则", "messages"));
    Rules::of(book).map_err(|faults| anyhow::Error::msg(told(faults)))
}

impl Rules {
    /// Those of a place (读取告知规则).
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn of(book: &Book) -> Result<Self, Vec<Fault>> {
        let faults = Faults::default();
        let mut draft = Draft::default();
        let layers = File::layers(book, FILE, &faults);
        let office = longest_office(book);
        for file in &layers {
            draft.read(file, &faults, &office);
        }
        let last = layers.last().map_or(FILE, |file| &*file.file);
        let rules = draft.finish(last, &faults);
        let found = faults.into_sorted();
        match rules {
            Some(rules) if found.is_empty() => Ok(rules),
            _ => Err(found),
        }
    }

    /// The rules for what happened (适用规则).
    pub fn on(&self, happening: Happening) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .filter(move |((on, _), _)| *on == happening)
            .map(|(_, rule)| rule)
    }

    /// Whether anybody is told of it (是否告知).
    pub fn tells(&self, happening: Happening) -> bool {
        self.on(happening).next().is_some()
    }
}

/// The longest name of an office of the place.
fn longest_office(book: &Book) -> String {
    let place = book.place();
    let names = place.regions.iter().map(|region| &region.name_zh);
    names
        .chain([&place.name_zh])
        .max_by_key(|name| name.chars().count())
        .cloned()
        .unwrap_or_default()
}

impl Draft {
    fn read(&mut self, file: &File, faults: &Faults, office: &str) {
        let reading = Reading {
            source: file,
            faults,
        };
        let text = file.text.clone();
        let Some(parsed) = reading.parse(&text) else {
            return;
        };
        let span = parsed.span();
        let whole = Table::new(reading, parsed.get_ref(), span);
        if let Some(hours) = whole.get("hours").and_then(|cell| cell.table()) {
            self.hours(&hours);
        }
        for table in whole.tables("message") {
            if let Some(rule) = message(&table, office) {
                let key = (rule.on, rule.to.word());
                self.silent.remove(&rule.on);
                self.rules.insert(key, rule);
            }
        }
        for table in whole.tables("silent") {
            let spot = table.spot();
            if let Some(on) = happening(&table) {
                table.need_text("why");
                self.rules.retain(|(told, _), _| *told != on);
                self.silent.insert(on, spot);
            }
            table.no_other_keys("on、why");
        }
        whole.no_other_keys("hours、message、silent");
    }

    fn hours(&mut self, hours: &Table<'_>) {
        let time = |key: &str| {
            let said = hours.need_text(key)?;
            let time = Quiet::read(&said.text);
            if time.is_none() {
                hours
                    .reading
                    .faults
                    .note(&said.spot, "应像 21:00 这样写时刻".to_owned());
            }
            time
        };
        let span = (time("quiet_from"), time("quiet_until"));
        if let (Some(from), Some(until)) = span {
            self.quiet = Some((from, until));
        }
        if let Some(cell) = hours.need("late_days")
            && let Some(days) = cell.whole()
        {
            match u32::try_from(days) {
                Ok(read) if (1..=MOST_DAYS).contains(&days) => self.late_days = Some(read),
                _ => hours
                    .reading
                    .faults
                    .note(&cell.spot(), format!("应是 1 到 {MOST_DAYS} 天")),
            }
        }
        // Whether the value is a law's or an office's own.
        hours.text("tag");
        hours.no_other_keys("quiet_from、quiet_until、late_days、tag");
    }

    fn finish(self, file: &str, faults: &Faults) -> Option<Rules> {
        let end = Spot::start_of(file);
        for happening in Happening::all() {
            let said = self.rules.keys().any(|(on, _)| *on == happening)
                || self.silent.contains_key(&happening);
            if !said {
                let (zh, _) = happening.wording();
                let word = happening.word();
                faults.note(
                    &end,
                    format!(
                        "没有写“{word}”（{zh}）告诉谁：写 [[message]]，或者 [[silent]] 并说明理由"
                    ),
                );
            }
        }
        if self.quiet.is_none() || self.late_days.is_none() {
            faults.note(&end, "缺少 [hours]：免打扰时段和 late_days".to_owned());
        }
        let (from, until) = self.quiet?;
        Some(Rules {
            quiet: Quiet { from, until },
            late_days: self.late_days?,
            rules: self.rules,
        })
    }
}

fn happening(table: &Table<'_>) -> Option<Happening> {
    let said = table.need_text("on")?;
    let found = Happening::from_word(&said);
    if found.is_none() {
        let known: Vec<&str> = Happening::all().map(Happening::word).collect();
        table.reading.faults.note(
            &said.spot,
            format!("不认识的事由“{}”；可以写：{}", said.text, known.join("、")),
        );
    }
    found
}

/// The fields a happening has: a day or a month only where there is one.
fn has(on: Happening, field: Field) -> bool {
    use casework::procedure::Effect;
    match field {
        Field::Until => on == Happening::Act(Effect::StartPublicity),
        Field::Month => matches!(on, Happening::Paid),
        Field::Name | Field::Number | Field::Office | Field::Due | Field::Line => true,
    }
}

fn message(table: &Table<'_>, office: &str) -> Option<Rule> {
    let faults = table.reading.faults;
    let on = happening(table);
    let to = audience(table);
    let urgent = table.get("urgent").and_then(|cell| cell.flag());
    let allowed = match table.get("parts") {
        None => 1,
        Some(cell) => match cell.whole() {
            Some(parts) if (1..=MOST_PARTS).contains(&parts) => usize::try_from(parts).unwrap_or(1),
            Some(_) => {
                faults.note(&cell.spot(), format!("应是 1 到 {MOST_PARTS} 条"));
                1
            }
            None => 1,
        },
    };
    let template = |key: &str, at_most: usize| {
        let said = table.need_text(key)?;
        let read = match Template::read(&said.text) {
            Ok(read) => read,
            Err(word) => {
                let known: Vec<&str> = Field::ALL.iter().map(|field| field.word()).collect();
                faults.note(
                    &said.spot,
                    format!("不认识的字段“{word}”；可以写：{}", known.join("、")),
                );
                return None;
            }
        };
        if let Some(on) = on
            && let Some(field) = read.fields().find(|field| !has(on, *field))
        {
            let (word, on) = (field.word(), on.word());
            faults.note(&said.spot, format!("“{on}”没有字段“{word}”"));
        }
        let needed = read.parts_at_most(office);
        if needed > at_most {
            faults.note(
                &said.spot,
                format!("最长会有 {needed} 条短信（每条 70 字），只允许 {at_most} 条"),
            );
        }
        Some(read)
    };
    let most = usize::try_from(MOST_PARTS).unwrap_or(1);
    let zh = template("zh", allowed);
    // Chinese letters in the name make the English text count as long.
    let en = template("en", most);
    table.no_other_keys("on、to、channels、role、urgent、parts、zh、en");
    Some(Rule {
        on: on?,
        to: to?,
        urgent: urgent.unwrap_or(false),
        zh: zh?,
        en: en?,
    })
}

fn audience(table: &Table<'_>) -> Option<To> {
    let faults = table.reading.faults;
    let said = table.need_text("to")?;
    match said.text.as_str() {
        "applicant" => {
            let cell = table.need("channels")?;
            let mut channels = Vec::new();
            for word in cell.texts() {
                match Channel::from_word(&word) {
                    Some(channel) if !channels.contains(&channel) => channels.push(channel),
                    Some(_) => faults.note(&word.spot, "渠道写了两次".to_owned()),
                    None => faults.note(
                        &word.spot,
                        format!("不认识的渠道“{}”；可以写：sms、email", word.text),
                    ),
                }
            }
            if channels.is_empty() {
                faults.note(&cell.spot(), "至少写一个渠道".to_owned());
            }
            Some(To::Applicant(channels))
        }
        "desk" => {
            let role = match table.text("role") {
                None => None,
                Some(word) => match word.text.parse::<Role>() {
                    Ok(role) => Some(role),
                    Err(fault) => {
                        faults.note(&word.spot, fault.to_string());
                        None
                    }
                },
            };
            Some(To::Desk(role))
        }
        _ => {
            faults.note(
                &said.spot,
                "应是 applicant（申请人）或 desk（岗位）".to_owned(),
            );
            None
        }
    }
}
