//! Packs with one mistake each (错误的规则包): the loader names the place and says what to do.

use crate::village::{files, load, write};
use policy::Book;

/// Loads the village with one text replaced; gives the faults as printed.
fn faults_after(file: &str, from: &str, to: &str) -> (String, Vec<String>) {
    let mut changed = files();
    let text = changed.entry(file.to_owned()).or_default();
    assert!(
        from.is_empty() || text.contains(from),
        "{file} has no {from}"
    );
    *text = if from.is_empty() {
        format!("{text}{to}")
    } else {
        text.replacen(from, to, 1)
    };
    let text = text.clone();
    let faults = match load(&changed) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    };
    (text, faults)
}

/// Line and column of a mark in a text, as an editor counts them.
fn place(text: &str, mark: &str) -> (usize, usize) {
    let at = text
        .find(mark)
        .unwrap_or_else(|| panic!("no {mark} in {text}"));
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

macro_rules! broken {
    ($($name:ident: $file:literal, $from:expr => $to:expr, at $mark:expr, $says:literal;)*) => {$(
        #[test]
        fn $name() {
            let (text, faults) = faults_after($file, $from, $to);
            let (line, column) = place(&text, $mark);
            let place = format!("{}:{line}:{column}: ", $file);
            assert!(
                faults.iter().any(|fault| fault.starts_with(&place) && fault.contains($says)),
                "wanted {place}…{}…\ngot {faults:#?}",
                $says
            );
        }
    )*};
}

const AID: &str = "nation/aid/rules.toml";

broken! {
    an_argued_mutant_of_no_rule: "nation/aid/mutants.toml", "" => "[[equivalent]]\nrule = \"nothing\"\nmutation = \"x\"\nbecause = \"y\"\n", at "\"nothing\"", "本目录没有叫“nothing”的变量、条件或参数";
    an_argued_mutant_without_reason: "nation/aid/mutants.toml", "" => "[[equivalent]]\nrule = \"per_head\"\nmutation = \"x\"\nbecause = \"\"\n", at "\"\"\n", "because 不能空着";
    an_unknown_name: "nation/aid/rules.toml", "per_head < standard" => "per_hed < standard", at "per_hed <", "没有叫“per_hed”的事实、变量或参数；是不是想写 per_head？";
    an_unknown_name_in_the_middle_of_a_formula: "nation/aid/rules.toml", "standard * people - household_income" => "standard * people - incom", at "incom\"", "没有叫“incom”";
    a_circle: "nation/aid/rules.toml", "household_income / people" => "household_income / people + per_head", at "\"per_head\"\nof", "成了圈：aid.per_head → aid.per_head";
    a_circle_across_programmes: "nation/aid/rules.toml", "deposits <= limit" => "deposits <= limit and any(members.elder.outcome = 'met')", at "\"deposits_low\"", "规则互相引用成了圈";
    money_by_month_plus_money_by_year: "nation/people/rules.toml", "greatest(wage + gift, 0)" => "greatest(wage + gift + bonus, 0)", at "wage + gift + bonus", "每月金额（money/month）和每年金额（money/year）不能相加；按年的金额先用 per_month";
    money_compared_with_a_count: "nation/aid/rules.toml", "per_head < standard" => "per_head < people", at "per_head < people", "不能比较";
    a_number_in_place_of_a_published_standard: "nation/aid/rules.toml", "per_head < standard" => "per_head < 125000", at "per_head < 125000", "金额的标准请放进 parameters.toml";
    arithmetic_with_yes_and_no: "nation/people/rules.toml", "present and in_place(hukou)" => "present + present = 2", at "present + present", "不能参加 + - * / 计算";
    a_rule_without_an_article: "nation/aid/rules.toml", "article = \"aidlaw:18\"\nformula = \"household_income / people\"" => "formula = \"household_income / people\"", at "[[variable]]\nid = \"per_head\"", "变量“per_head”没有写依据的法条";
    an_article_without_an_anchor: "nation/aid/rules.toml", "article = \"aidlaw:19\"" => "article = \"aidlaw:20\"", at "\"aidlaw:20\"", "《救助法》里没有“20”这一条";
    a_law_nobody_knows: "nation/aid/rules.toml", "article = \"aidlaw:19\"" => "article = \"nolaw:20\"", at "\"nolaw:20\"", "没有代号为“nolaw”的法律";
    a_citation_that_is_none: "nation/aid/rules.toml", "article = \"aidlaw:19\"" => "article = \"第十九条\"", at "\"第十九条\"", "法条引用应写作";
    a_parameter_with_a_gap: "nation/aid/parameters.toml", "{ from = 2020-01-01, value = 100000," => "{ from = 2020-01-01, until = 2020-07-01, value = 100000,", at "{ from = 2021-01-01", "从 2020-07-01 到 2021-01-01 之间没有值";
    a_parameter_that_overlaps: "nation/aid/parameters.toml", "{ from = 2020-01-01, value = 100000," => "{ from = 2020-01-01, until = 2021-07-01, value = 100000,", at "{ from = 2021-01-01", "有两个值";
    two_values_from_the_same_day: "nation/aid/parameters.toml", "{ from = 2021-01-01," => "{ from = 2020-01-01,", at "{ from = 2020-01-01, value = 125000", "有两个值从 2020-01-01 开始";
    values_out_of_order: "nation/aid/parameters.toml", "{ from = 2021-01-01," => "{ from = 2019-01-01,", at "{ from = 2019-01-01", "没有按日期排列";
    a_value_without_a_source: "nation/aid/parameters.toml", ", source = \"通告二\"" => "", at "{ from = 2021-01-01", "缺少“source”";
    an_empty_parameter_without_a_note: "nation/aid/parameters.toml", "values = []\nnote = \"由当地规定\"" => "values = []", at "[]", "一个值也没有";
    an_unknown_unit: "nation/aid/parameters.toml", "unit = \"fen/person/month\"" => "unit = \"yuan\"", at "\"yuan\"", "不认识的单位“yuan”";
    an_empty_band: "nation/elder/parameters.toml", "{ 70 = 20000, 80 = 30000 }" => "{}", at "{}", "分档表是空的";
    a_band_out_of_order: "nation/elder/parameters.toml", "{ 70 = 20000, 80 = 30000 }" => "{ 80 = 30000, 70 = 20000 }", at "70 = 20000", "必须从小到大";
    an_amount_with_decimals: "nation/elder/parameters.toml", "70 = 20000" => "70 = 200.00", at "200.00", "应当是整数（金额以分为单位，不写小数）";
    a_banded_parameter_without_band: "nation/elder/rules.toml", "band(allowance, age_years)" => "allowance", at "allowance\"", "请写 band(allowance, 档位依据)";
    a_refusal_without_wording: "nation/aid/rules.toml", "refuses = \"deposits_high\"" => "refuses = \"too_rich\"", at "\"too_rich\"", "不符合的理由“too_rich”没有用语";
    a_refusal_without_english: "nation/aid/wording.toml", "en = \"Your deposits {deposits} exceed {limit}.\"" => "", at "deposits_high]", "“refusal.deposits_high”缺少英文文字";
    a_condition_without_wording: "nation/aid/wording.toml", "[condition.deposits_low]" => "[condition.deposits_lo]", at "deposits_lo]", "[condition.deposits_lo] 说的东西不存在";
    a_placeholder_that_names_nothing: "nation/aid/wording.toml", "{deposits} 元，超过" => "{deposit} 元，超过", at "{deposit}", "句子里的 {deposit} 不是事实、变量或参数";
    a_placeholder_of_one_member_in_a_sentence_for_all: "nation/aid/wording.toml", "{deposits} 元，超过" => "{wage} 元，超过", at "{wage}", "每个成员各有一个";
    a_place_overriding_without_saying_so: "village/aid/rules.toml", "" => "[[condition]]\nid = \"income_low\"\narticle = \"aidlaw:18\"\ntest = \"per_head <= standard\"\nrefuses = \"income_high\"\n", at "[[condition]]", "要替换它，请写 replaces";
    a_place_replacing_what_does_not_exist: "village/aid/rules.toml", "" => "[[condition]]\nid = \"new_one\"\narticle = \"aidlaw:18\"\nreplaces = \"aidlaw:18\"\ntest = \"per_head <= standard\"\nrefuses = \"income_high\"\n", at "\"aidlaw:18\"\ntest", "没有什么可以 replaces";
    excluding_a_programme_that_does_not_exist: "nation/aid/rules.toml", "excludes = [\"elder\"]" => "excludes = [\"elders\"]", at "\"elders\"", "没有叫“elders”的事项";
    an_unknown_key: "nation/aid/rules.toml", "refuses = \"deposits_high\"" => "refuses = \"deposits_high\"\nrefuse = 1", at "refuse = 1", "不认识的键“refuse”";
    an_unknown_key_in_a_case: "village/aid/cases.toml", "as_of = 2021-06-01" => "as_of = 2021-06-01\nas_off = 1", at "as_off", "不认识的键“as_off”";
    not_toml_at_all: "nation/aid/parameters.toml", "what = \"存款限额\"" => "what = 存款限额", at "存款限额", "不是正确的 TOML";
    a_subquery: "nation/aid/rules.toml", "per_head < standard" => "per_head < (select 1)", at "select", "不能写子查询";
    a_cast: "nation/aid/rules.toml", "per_head < standard" => "cast(per_head as int) < 0", at "per_head as int", "不能转换类型";
    a_default_in_place_of_a_fact: "nation/people/rules.toml", "greatest(wage + gift, 0)" => "coalesce(wage, 0) + gift", at "coalesce", "默认值不能代替事实";
    an_unknown_function: "nation/people/rules.toml", "greatest(wage + gift, 0)" => "sqrt(wage) + gift", at "sqrt", "没有函数“sqrt”";
    glued_strings: "nation/people/rules.toml", "present and in_place(hukou)" => "hukou || 'x' = 'y'", at "hukou || 'x'", "不能用运算符“||”";
    null: "nation/aid/rules.toml", "per_head < standard" => "per_head <> null", at "null", "空值不能代表任何值";
    is_null: "nation/aid/rules.toml", "per_head < standard" => "per_head is null", at "per_head is null", "请写 known(x)";
    a_case_without_else: "nation/people/rules.toml", "greatest(wage + gift, 0)" => "case when present then wage + gift end", at "case when", "case 必须写 else";
    a_decimal: "nation/people/rules.toml", "greatest(wage + gift, 0)" => "wage * 0.5 + gift", at "0.5", "公式里只写整数";
    text_after_the_formula: "nation/aid/rules.toml", "per_head < standard" => "per_head < standard; drop", at "; drop", "已经结束";
    a_formula_that_ends_too_early: "nation/aid/rules.toml", "per_head < standard" => "per_head <", at "per_head <\"", "公式读不懂";
    an_aggregate_in_a_person_formula: "nation/people/rules.toml", "greatest(wage + gift, 0)" => "sum(wage) + gift", at "sum(wage)", "个人公式里不能用 sum";
    a_bare_member_fact_in_a_household_formula: "nation/aid/rules.toml", "deposits <= limit" => "wage = 0 and deposits <= limit", at "wage = 0", "请写 sum（members.wage）";
    nested_aggregates: "nation/aid/rules.toml", "sum(members.income)" => "sum(sum(members.income))", at "sum(members.income))", "不能套在另一个汇总里面";
    a_household_fact_bare_in_a_person_formula: "nation/people/rules.toml", "present and in_place(hukou)" => "present and deposits = 0", at "deposits = 0", "请写 household.deposits";
    money_every_month_without_an_amount: "nation/aid/rules.toml", "amount = \"standard * people - household_income\"\n" => "", at "[benefit]", "必须写 amount";
    an_amount_that_is_not_money: "nation/aid/rules.toml", "standard * people - household_income" => "people", at "people\"\nevery", "公式得到的是个数（count），这里要的是每月金额";
    versions_out_of_order: "nation/aid/rules.toml", "[benefit]" => "[[condition]]\nid = \"income_low\"\nfrom = 2021-07-01\narticle = \"aidlaw:18\"\ntest = \"true\"\nrefuses = \"income_high\"\n[[condition]]\nid = \"income_low\" # again\nfrom = 2021-07-01\narticle = \"aidlaw:18\"\ntest = \"true\"\nrefuses = \"income_high\"\n[benefit]", at "\"income_low\" # again", "没有按日期先后排列";
    a_rule_written_twice: "nation/aid/rules.toml", "[benefit]" => "[[condition]]\nid = \"income_low\" # again\narticle = \"aidlaw:18\"\ntest = \"true\"\nrefuses = \"income_high\"\n[benefit]", at "\"income_low\" # again", "写了两次";
    a_pack_on_an_unknown_pack: "village/pack.toml", "builds_on = \"nation\"" => "builds_on = \"empire\"", at "\"empire\"", "没有叫“empire”的规则包";
    a_region_outside_the_pack: "village/aid/parameters.toml", "region = \"990101001\"" => "region = \"440306001\"", at "\"440306001\"", "不在本规则包的辖区内";
    a_region_list_outside_the_pack: "village/regions.toml", "code = \"990101001001\"" => "code = \"440306001001\"", at "\"440306001001\"", "不在本规则包的辖区";
    two_cases_of_one_name: "village/aid/cases.toml", "收入正好等于标准" => "两口人，按差额发", at "\"两口人，按差额发\"\nas_of = 2021-06-01\nhousehold = { deposits = 100 }\nmembers = [{", "写了两次";
    a_case_without_because: "village/aid/cases.toml", "because = \"低于才给，等于不给\"" => "", at "[[case]]\nname = \"收入正好等于标准\"", "没有写 because";
    a_case_naming_an_unknown_fact: "village/aid/cases.toml", "wage = 125000" => "wages = 125000", at "wages", "没有叫“wages”的事实；是不是想写 wage？";
    a_case_naming_an_unknown_refusal: "village/aid/cases.toml", "refusals = [\"income_high\"]" => "refusals = [\"income_too_high\"]", at "\"income_too_high\"", "没有条件会给出理由";
    a_case_naming_an_unknown_variable: "village/aid/cases.toml", "per_head = 32500" => "per_capita = 32500", at "per_capita", "没有用到变量“per_capita”";
    a_case_with_a_value_of_the_wrong_kind: "village/aid/cases.toml", "wage = 125000" => "wage = \"125000\"", at "\"125000\"", "事实“wage”的值应当是每月金额";
    a_household_fact_among_the_members: "village/aid/cases.toml", "wage = 125000" => "deposits = 125000", at "deposits = 125000", "要写在家庭";
    a_code_nobody_declared: "nation/aid/rules.toml", "deposits <= limit" => "grade = 'C' or deposits <= limit", at "grade = 'C'", "代码“C”不在可用的代码里：A、B";
    comparing_with_to_verify: "nation/elder/rules.toml", "'not_met'" => "'to_verify'", at "aid.outcome = 'to_verify'", "请写 not known(….outcome)";
    rounding_a_count_to_fen: "nation/people/rules.toml", "formula = \"count(*) filter (where members.counted)\"" => "formula = \"count(*)\"\nround = \"floor_fen\"", at "\"floor_fen\"", "不能用“floor_fen”舍入";
    an_unknown_rounding: "nation/aid/rules.toml", "floor_fen" => "floor_cent", at "\"floor_cent\"", "不认识的舍入方式";
    a_name_used_twice: "nation/aid/parameters.toml", "[rate]" => "[deposits]", at "deposits", "名字“deposits”已经是 people 里的事实";
    a_person_condition_for_households: "nation/aid/rules.toml", "id = \"income_low\"\n" => "id = \"income_low\"\nof = \"person\"\n", at "\"person\"", "条件也要是家庭的";
    covering_by_something_else: "nation/aid/rules.toml", "covers = \"counted\"" => "covers = \"people\"", at "\"people\"\nexcludes", "不是成员的是否变量";
    starting_with_a_condition_nobody_dates: "nation/elder/rules.toml", "starts_on = \"birthday\"\n" => "", at "[benefit]", "要写 starts_on";
    a_fact_without_wording: "nation/people/facts.toml", "" => "\n[[fact]]\nid = \"pets\"\nof = \"household\"\ntype = \"count\"\nsource = \"x\"\n", at "\"pets\"", "事实“pets”没有用语";
    an_unknown_type: "nation/people/facts.toml", "type = \"text\"" => "type = \"string\"", at "\"string\"", "不认识的类型“string”";
    a_zero_for_a_fact_the_formula_does_not_use: "nation/people/rules.toml", "fact = \"gift\"" => "fact = \"deposits\"", at "\"deposits\"", "公式里没有用到事实“deposits”";
    looking_back_over_a_variable: "nation/people/rules.toml", "present and in_place(hukou)" => "avg_months(12, income) > 0", at "income) > 0", "只能回看事实";
}

#[test]
fn a_missing_file_is_named() {
    let mut changed = files();
    changed.remove("nation/aid/law.md");
    let faults = load(&changed).unwrap_err();
    assert!(
        faults.iter().any(|fault| fault.file.ends_with("aid/law.md")
            && fault.sentence_zh.contains("缺少文件 law.md")),
        "{faults:#?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let faults = Book::load(folder.path(), "nowhere").unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "nowhere/pack.toml:1:1: 没有叫“nowhere”的规则包（找不到 nowhere/pack.toml）"
    );
}

#[test]
fn a_fact_declared_twice_with_another_meaning_names_both_places() {
    let (_, faults) = faults_after(
        "nation/people/facts.toml",
        "",
        "\n[[fact]]\nid = \"wage\"\nof = \"household\"\ntype = \"money/month\"\nsource = \"x\"\n",
    );
    assert!(
        faults
            .iter()
            .any(|fault| fault
                .contains("事实“wage”在 nation/people/facts.toml:14 已经登记过，意思不同")),
        "{faults:#?}"
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_reading_order() {
    let mut changed = files();
    let rules = changed.get_mut(AID).unwrap();
    *rules = rules
        .replace("per_head < standard", "per_hed < standrd")
        .replace("\"aidlaw:19\"", "\"aidlaw:99\"");
    let wording = changed.get_mut("nation/people/wording.toml").unwrap();
    *wording = wording.replace("en = \"Wage\"", "");
    let faults = load(&changed).unwrap_err();
    let lines: Vec<(String, u32)> = faults
        .iter()
        .map(|fault| (fault.file.clone(), fault.line))
        .collect();
    let mut sorted = lines.clone();
    sorted.sort();
    assert_eq!(lines, sorted);
    assert!(faults.len() >= 4, "{faults:#?}");
    assert_eq!(
        lines
            .iter()
            .filter(|(file, line)| file == AID && *line == 19)
            .count(),
        2,
        "{faults:#?}"
    );
}

#[test]
fn a_fact_id_keeps_its_type_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files());
    let said = policy::commands::lock(folder.path());
    assert!(said.ok, "{}", said.text);
    assert!(Book::load(folder.path(), "village").is_ok());
    let mut changed = files();
    let facts = changed.get_mut("nation/people/facts.toml").unwrap();
    *facts = facts.replace(
        "id = \"bonus\"\nof = \"person\"\ntype = \"money/year\"",
        "id = \"bonus\"\nof = \"person\"\ntype = \"money\"",
    );
    write(folder.path(), &changed);
    let faults = Book::load(folder.path(), "village").unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(
        (faults[0].file.as_str(), faults[0].line),
        ("nation/people/facts.toml", 27)
    );
    assert!(
        faults[0]
            .sentence_zh
            .contains("在上次发布时是 of = \"person\"、type = \"money/year\"")
    );
    assert!(!policy::commands::lock(folder.path()).ok);
}

#[test]
fn a_condition_that_no_case_makes_unknown_stops_publication() {
    let mut changed = files();
    let cases = changed.get_mut("village/aid/cases.toml").unwrap();
    *cases = cases[..cases.find("[[case]]\nname = \"工资不知道\"").unwrap()].to_owned();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &changed);
    let said = policy::commands::check(folder.path(), "village");
    assert!(!said.ok);
    assert!(
        said.text
            .contains("nation/aid/rules.toml:16:1: 没有办例使条件“income_low”得到“待核实”"),
        "{}",
        said.text
    );
}

#[test]
fn a_place_may_replace_a_national_rule_on_a_legal_basis() {
    let mut changed = files();
    changed.insert(
        "village/aid/rules.toml".to_owned(),
        "[[condition]]\nid = \"income_low\"\narticle = \"aidlaw:18\"\nreplaces = \"aidlaw:23\"\ntest = \"per_head <= standard\"\nrefuses = \"income_high\"\n".to_owned(),
    );
    let cases = changed.get_mut("village/aid/cases.toml").unwrap();
    *cases = cases.replace(
        "outcome = \"not_met\", refusals = [\"income_high\"]",
        "outcome = \"to_verify\"",
    );
    let book = load(&changed).unwrap();
    let aid = book.programme("aid").unwrap();
    assert_eq!(
        aid.conditions[0].versions[0].formula,
        "per_head <= standard"
    );
    assert_eq!(
        aid.conditions[0].versions[0]
            .replaces
            .as_ref()
            .unwrap()
            .to_string(),
        "aidlaw:23"
    );
    assert_eq!(aid.conditions.len(), 2);
}
