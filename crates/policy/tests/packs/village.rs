//! An invented nation and village (虚构规则包): one library, a programme for households, one for persons.

use chrono::NaiveDate;
use policy::{Ask, Book, Determination, Fault};
use std::collections::BTreeMap;
use std::path::Path;
use vocab::{DatedFact, FactSheet, Record, Value};

pub const FILES: &[(&str, &str)] = &[
    (
        "nation/pack.toml",
        r#"id = "nation"
version = "1.0"
builds_on = "none"
division = "000000"

[name]
zh = "全国"
en = "Nation"
"#,
    ),
    (
        "nation/people/law.md",
        "# civil 《民法典》 主席令第45号\nsource: 试验\ndate: 2021-01-01\n\n## art-17\n十八周岁以上的自然人为成年人。\n\n## art-1067\n父母与子女互负义务。\n",
    ),
    (
        "nation/people/facts.toml",
        r#"[[fact]]
id = "birth_date"
of = "person"
type = "date"
source = "户籍登记"

[[fact]]
id = "present"
of = "person"
type = "bool"
source = "入户调查"

[[fact]]
id = "wage"
of = "person"
type = "money/month"
source = "社保"
sensitivity = "sensitive"

[[fact]]
id = "gift"
of = "person"
type = "money/month"
source = "本人申报"

[[fact]]
id = "bonus"
of = "person"
type = "money/year"
source = "本人申报"

[[fact]]
id = "hukou"
of = "person"
type = "text"
source = "户籍登记"

[[fact]]
id = "grade"
of = "household"
type = "code"
codes = ["A", "B"]
source = "评估"

[[fact]]
id = "deposits"
of = "household"
type = "money"
source = "银行"
"#,
    ),
    (
        "nation/people/rules.toml",
        r#"[[variable]]
id = "age_years"
of = "person"
gives = "count"
article = "civil:17"
formula = "age(birth_date)"

[[variable]]
id = "counted"
of = "person"
gives = "bool"
article = "civil:1067"
formula = "present and in_place(hukou)"

[[variable]]
id = "income"
of = "person"
gives = "money/month"
article = "civil:1067"
formula = "greatest(wage + gift, 0)"
absent_is_zero = [{ fact = "gift", article = "civil:17" }]

[[variable]]
id = "people"
of = "household"
gives = "count"
article = "civil:1067"
formula = "count(*) filter (where members.counted)"
"#,
    ),
    (
        "nation/people/wording.toml",
        r#"[fact.birth_date]
zh = "出生日期"
en = "Date of birth"
[fact.present]
zh = "共同生活"
en = "Lives here"
[fact.wage]
zh = "工资"
en = "Wage"
hint_zh = "每月到手的工资"
[fact.gift]
zh = "赠与"
en = "Gifts"
[fact.bonus]
zh = "年终奖"
en = "Bonus"
[fact.hukou]
zh = "户籍地"
en = "Registered at"
[fact.grade]
zh = "评估等级"
en = "Grade"
[code.grade.A]
zh = "甲"
en = "first"
[code.grade.B]
zh = "乙"
en = "second"
[fact.deposits]
zh = "存款"
en = "Deposits"
[variable.age_years]
zh = "年龄"
en = "Age"
[variable.counted]
zh = "计入家庭"
en = "Counted"
[variable.income]
zh = "收入"
en = "Income"
[variable.people]
zh = "家庭人数"
en = "Members counted"
"#,
    ),
    (
        "nation/aid/law.md",
        "# aidlaw 《救助法》\nsource: 试验\ndate: 2020-01-01\n\n## art-18\n收入低于标准的，给予救助。\n\n## art-19\n存款不超过限额。\n\n## art-23\n按差额发给。\n",
    ),
    (
        "nation/aid/parameters.toml",
        r#"[standard]
what = "救助标准"
unit = "fen/person/month"
values = [
  { from = 2020-01-01, value = 100000, source = "通告一" },
  { from = 2021-01-01, value = 125000, source = "通告二" },
]

[limit]
what = "存款限额"
unit = "fen"
values = []
note = "由当地规定"

[rate]
what = "上浮比例"
unit = "bp"
values = [{ from = 2020-01-01, value = 15000, source = "通告三" }]
"#,
    ),
    (
        "nation/aid/rules.toml",
        r#"[[variable]]
id = "household_income"
of = "household"
gives = "money/month"
article = "aidlaw:18"
formula = "sum(members.income) filter (where members.counted)"

[[variable]]
id = "per_head"
of = "household"
gives = "money/month"
article = "aidlaw:18"
formula = "household_income / people"
round = "floor_fen"

[[condition]]
id = "income_low"
article = "aidlaw:18"
test = "per_head < standard"
refuses = "income_high"

[[condition]]
id = "deposits_low"
article = "aidlaw:19"
test = "deposits <= limit"
refuses = "deposits_high"

[benefit]
to = "household"
amount = "standard * people - household_income"
every = "month"
starts = "month_after_decision"
covers = "counted"
excludes = ["elder"]
review = { A = "12 months" }
article = "aidlaw:23"
"#,
    ),
    (
        "nation/aid/wording.toml",
        r#"[programme]
zh = "困难救助"
en = "Aid"
[programme.summary]
zh = "收入低于标准的家庭，按月补足差额。"
en = "The difference to the standard, every month."
[variable.household_income]
zh = "家庭收入"
en = "Household income"
[variable.per_head]
zh = "人均收入"
en = "Income per head"
[condition.income_low]
zh = "人均月收入 {per_head} 元低于标准 {standard} 元"
en = "Income per head {per_head} is below {standard}"
[condition.deposits_low]
zh = "存款 {deposits} 元不超过 {limit} 元"
en = "Deposits {deposits} are within {limit}"
[refusal.income_high]
zh = "您家人均月收入 {per_head} 元，不低于标准 {standard} 元。收入变化时可以再申请。"
en = "Your income per head {per_head} is not below {standard}. You may apply again when it changes."
[refusal.deposits_high]
zh = "您家存款 {deposits} 元，超过限额 {limit} 元。"
en = "Your deposits {deposits} exceed {limit}."
"#,
    ),
    (
        "nation/aid/cases.toml",
        r#"[[case]]
name = "全国没有限额，待核实"
as_of = 2021-06-01
household = { deposits = 100 }
members = [{ present = true, hukou = "990101001001", wage = 1000 }]
expect = { outcome = "to_verify", missing = [], faults = ["标准未公布"] }
because = "限额由当地规定，全国没有数值"
"#,
    ),
    (
        "nation/elder/law.md",
        "# elderlaw 《老年人法》\nsource: 试验\ndate: 2013-07-01\n\n## art-33\n给予高龄津贴。\n",
    ),
    (
        "nation/elder/parameters.toml",
        r#"[allowance]
what = "高龄津贴"
unit = "fen/person/month"
bands = [{ from = 2020-01-01, value = { 70 = 20000, 80 = 30000 }, source = "通告四" }]

[elder_age]
what = "起发年龄"
unit = "years"
values = [{ from = 2010-01-01, value = 70, source = "通告五" }]
"#,
    ),
    (
        "nation/elder/rules.toml",
        r#"[[variable]]
id = "birthday"
of = "person"
gives = "date"
article = "elderlaw:33"
formula = "add_years(birth_date, elder_age)"

[[condition]]
id = "old_enough"
of = "person"
article = "elderlaw:33"
test = "age_years >= elder_age"
refuses = "too_young"

[[condition]]
id = "no_aid"
of = "person"
article = "elderlaw:33"
test = "aid.outcome = 'not_met'"
refuses = "has_aid"

[benefit]
to = "person"
amount = "band(allowance, age_years)"
every = "month"
starts = "month_of_condition"
starts_on = "birthday"
article = "elderlaw:33"
"#,
    ),
    (
        "nation/elder/wording.toml",
        r#"[programme]
zh = "高龄津贴"
en = "Old-age allowance"
[variable.birthday]
zh = "满龄日"
en = "Day of reaching the age"
[condition.old_enough]
zh = "年满 {elder_age} 周岁（{age_years}）"
en = "At least {elder_age} years old ({age_years})"
[condition.no_aid]
zh = "没有享受困难救助"
en = "No aid is received"
[refusal.too_young]
zh = "未满 {elder_age} 周岁。"
en = "Younger than {elder_age}."
[refusal.has_aid]
zh = "家庭已符合困难救助（{aid.outcome}）。"
en = "The household has aid ({aid.outcome})."
"#,
    ),
    ("nation/elder/cases.toml", ""),
    (
        "village/pack.toml",
        r#"id = "village"
version = "1.2"
builds_on = "nation"
division = "990101"
demo = true

[name]
zh = "试验村"
en = "Village"
"#,
    ),
    (
        "village/regions.toml",
        r#"[[region]]
code = "990101001000"
name = "东街道"
en = "East"

[[region]]
code = "990101001001"
name = "东一社区"
from = 2020-01-01
"#,
    ),
    (
        "village/aid/parameters.toml",
        r#"[limit]
values = [
  { from = 2020-01-01, value = 5000000, source = "村规" },
  { from = 2020-01-01, region = "990101001", value = 3000000, source = "街道规定" },
]
"#,
    ),
    ("village/aid/procedure.toml", "steps = 1\n"),
    (
        "village/aid/cases.toml",
        r#"[[case]]
name = "两口人，按差额发"
as_of = 2021-06-01
household = { deposits = 100 }
members = [
  { present = true, hukou = "990101001001", wage = 60000, gift = 5000 },
  { present = true, hukou = "990101001001", wage = 0 },
  { present = false, hukou = "990101001001" },
]
expect = { outcome = "met", amount = 185000, refusals = [], covered = [0, 1], variables = { per_head = 32500, people = 2 }, member_variables = [{ member = 0, income = 65000 }, { member = 2, counted = false, income = "unknown" }] }
because = "1,250.00 × 2 − 650.00 = 1,850.00"

[[case]]
name = "收入正好等于标准"
as_of = 2021-06-01
household = { deposits = 100 }
members = [{ present = true, hukou = "990101001001", wage = 125000 }]
expect = { outcome = "not_met", refusals = ["income_high"] }
because = "低于才给，等于不给"

[[case]]
name = "存款超过街道的限额"
as_of = 2021-06-01
region = "990101001001"
household = { deposits = 4000000 }
members = [{ present = true, hukou = "990101001001", wage = 1 }]
expect = { outcome = "not_met", refusals = ["deposits_high"] }
because = "街道限额 30,000.00"

[[case]]
name = "工资不知道"
as_of = 2021-06-01
household = { deposits = 100 }
members = [{ present = true, hukou = "990101001001" }]
expect = { outcome = "to_verify", missing = ["wage"] }
because = "工资不知道，不能当作没有"
"#,
    ),
    (
        "village/elder/cases.toml",
        r#"[[case]]
name = "八十岁，家庭不享受救助"
as_of = 2021-06-01
household = { deposits = 9000000 }
members = [
  { present = true, hukou = "990101001001", wage = 200000, birth_date = 1941-06-01 },
  { present = true, hukou = "990101001001", wage = 200000, birth_date = 1951-06-02 },
  { present = true, hukou = "990101001001", wage = 200000 },
]
expect = [
  { member = 0, outcome = "met", amount = 30000, covered = [0], variables = { birthday = 2011-06-01 } },
  { member = 1, outcome = "not_met", refusals = ["too_young"] },
  { member = 2, outcome = "to_verify", missing = ["birth_date"] },
]
because = "满 80 岁当日按 300.00 发；差一天满 70 不发"

[[case]]
name = "家庭享受救助，救助待核实"
as_of = 2021-06-01
household = { deposits = 0 }
members = [{ present = true, hukou = "990101001001", birth_date = 1941-06-01 }]
expect = { member = 0, outcome = "to_verify", missing = ["wage"] }
because = "救助未定，津贴也未定"

[[case]]
name = "家庭享受救助"
as_of = 2021-06-01
household = { deposits = 0 }
members = [{ present = true, hukou = "990101001001", wage = 0, birth_date = 1941-06-01 }]
expect = { outcome = "not_met", refusals = ["has_aid"] }
because = "两项只能享受一项"
"#,
    ),
];

/// The files as a map that a test changes.
pub fn files() -> BTreeMap<String, String> {
    FILES
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

/// The village without the gap it has on purpose: where nobody counts, the division by nobody has no refusal.
pub fn files_without_gap() -> BTreeMap<String, String> {
    let mut files = files();
    let rules = files.entry("nation/aid/rules.toml".to_owned()).or_default();
    *rules = rules.replace("per_head < standard", "per_head < standard and people >= 1");
    files
}

/// Writes files below a folder.
pub fn write(packs: &Path, files: &BTreeMap<String, String>) {
    for (name, text) in files {
        let path = packs.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Loads the village from files.
pub fn load(files: &BTreeMap<String, String>) -> Result<Book, Vec<Fault>> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    Book::load(folder.path(), "village")
}

/// The village as it is.
pub fn village() -> Book {
    load(&files()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A record of plain values.
pub fn record<const N: usize>(facts: [(&str, Value); N]) -> Record {
    facts
        .into_iter()
        .map(|(fact, value)| (fact.to_owned(), vec![DatedFact::plain(value)]))
        .collect()
}

/// Somebody of the village with a wage.
pub fn villager(wage: i64) -> Record {
    record([
        ("present", Value::Bool(true)),
        ("hukou", Value::Text("990101001001".to_owned())),
        ("wage", Value::Int(wage)),
        ("birth_date", Value::Date(day("1980-01-01"))),
    ])
}

/// A household with deposits and members.
pub fn household(deposits: i64, members: Vec<Record>) -> FactSheet {
    FactSheet {
        household: record([("deposits", Value::Int(deposits))]),
        members,
        member_keys: Vec::new(),
    }
}

/// The determination of the aid on a day.
pub fn aid(book: &Book, sheet: &FactSheet, as_of: &str) -> Determination {
    let ask = Ask {
        programmes: Some(vec!["aid".to_owned()]),
        ..Ask::on(day(as_of))
    };
    book.evaluate(sheet, &ask).pop().unwrap()
}
