//! Procedures and forms built on others (沿用), on copies of the real packs: every template carries a programme of a few
//! lines, a place overrides its nation, and what is wrong is refused in the file where it stands.

use super::town::Town;
use casework::Desk;
use casework::form::Form;
use casework::procedure::{Applies, Effect};
use casework::submit::{Choice, Refused};
use policy::{Book, Fault};
use std::path::Path;
use std::sync::Arc;
use store::TestClock;

/// The packs with these files written anew, or removed.
struct Packs(tempfile::TempDir);

impl Packs {
    fn with(files: &[(&str, Option<&str>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        fixtures::copy(&packs, folder.path()).unwrap();
        let leaf = folder.path().join("baoan/longevity");
        std::fs::create_dir_all(&leaf).unwrap();
        for (heading, file) in LEAF {
            std::fs::write(leaf.join(file), fixtures::block(heading).unwrap()).unwrap();
        }
        for (file, text) in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text {
                Some(text) => std::fs::write(&path, text).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
        }
        Self(folder)
    }

    fn load(&self, place: &str) -> Result<Desk, Vec<Fault>> {
        Desk::load(self.0.path(), place)
    }

    /// The desk over a book read before, with these files as well; they are put back afterwards.
    fn try_over(&self, book: &Arc<Book>, files: &[(&str, &str)]) -> Result<Desk, Vec<String>> {
        let path = |file: &str| self.0.path().join(file);
        let before: Vec<_> = files
            .iter()
            .map(|(file, _)| std::fs::read(path(file)).ok())
            .collect();
        for (file, text) in files {
            std::fs::write(path(file), text).unwrap();
        }
        let desk = Desk::over(Arc::clone(book));
        for ((file, _), before) in files.iter().zip(before) {
            match before {
                Some(text) => std::fs::write(path(file), text).unwrap(),
                None => std::fs::remove_file(path(file)).unwrap(),
            }
        }
        desk.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    fn book(&self, place: &str) -> Arc<Book> {
        Arc::new(Book::load(self.0.path(), place).unwrap())
    }
}

/// A programme nothing else is like: the one the guide makes.
const LEAF: [(&str, &str); 5] = [
    ("2. The law", "law.md"),
    ("3. Numbers", "parameters.toml"),
    ("4. Rules", "rules.toml"),
    ("5. Wording", "wording.toml"),
    ("6. Worked cases", "cases.toml"),
];

const OWN: &str = "baoan/longevity/procedure.toml";
const DIBAO: &str = "national/dibao/procedure.toml";

#[test]
fn every_template_carries_a_programme_of_a_few_lines() {
    let table: &[(&str, &str, &[&str])] = &[
        ("allowance", "", &["accept", "confirm"]),
        (
            "district_allowance",
            "",
            &["accept", "report_to_district", "confirm"],
        ),
        (
            "investigated",
            "publicity.days = 7\n",
            &["visit", "post_notice", "confirm"],
        ),
        (
            "investigated_once",
            "publicity.days = 7\n",
            &["visit", "post_notice", "confirm"],
        ),
        (
            "qualification",
            "",
            &["visit", "report_to_district", "confirm"],
        ),
        ("once", "", &["accept", "confirm"]),
        ("district_once", "", &["report_to_district", "confirm"]),
        ("order", "", &["confirm", "record_service", "finish"]),
        (
            "referral",
            "[[act]]\nid = \"confirm\"\nneeds.determination = [\"met\"]\n",
            &["refer", "confirm", "refuse"],
        ),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/national/procedures");
    let packs = Packs::with(&[]);
    let book = packs.book("baoan");
    let templates = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        path.file_stem().unwrap().to_string_lossy().into_owned()
    });
    for template in templates {
        let row = table.iter().find(|row| row.0 == template);
        let (_, more, acts) = row.copied().unwrap_or(("", "", &[]));
        let text =
            format!("like = \"{template}\"\nprocedure.article = \"longevity2025:3\"\n{more}");
        let desk = packs
            .try_over(&book, &[(OWN, &text)])
            .unwrap_or_else(|faults| panic!("{template}: {faults:?}"));
        let procedure = desk.procedure("longevity").unwrap();
        assert_eq!(procedure.applies, Applies::Person, "{template}");
        for act in acts {
            assert!(procedure.act(act).is_some(), "{template}: {act}");
        }
        for effect in [
            Effect::Accept,
            Effect::Grant,
            Effect::Refuse,
            Effect::Withdraw,
            Effect::Appeal,
        ] {
            assert!(
                procedure.acts.iter().any(|act| act.effect == effect),
                "{template}: {effect:?}"
            );
        }
    }
}

#[test]
fn a_place_overrides_what_its_nation_says() {
    let local = "like = \"parent\"\nprocedure.decided_by = \"street\"\n[[act]]\nid = \"confirm\"\nroles = [\"street_reviewer\"]\n";
    let named = local.replace("parent", "national");
    for text in [local, named.as_str()] {
        let packs = Packs::with(&[("baoan/dibao/procedure.toml", Some(text))]);
        let desk = packs.load("baoan").unwrap();
        let nation = packs.load("national").unwrap();
        let (here, there) = (
            desk.procedure("dibao").unwrap(),
            nation.procedure("dibao").unwrap(),
        );
        assert_eq!(here.decided_by, vocab::region::Level::Street);
        assert_eq!(there.decided_by, vocab::region::Level::District);
        assert_eq!(here.acts.len(), there.acts.len());
        assert_eq!(
            here.act("confirm").unwrap().other_than,
            there.act("confirm").unwrap().other_than
        );
        // What is like it in the nation follows it here.
        assert_eq!(
            desk.procedure("dibao_single").unwrap().decided_by,
            vocab::region::Level::Street
        );
    }
    let template = "like = \"parent\"\nprocedure.channels = [\"window\"]\n";
    let packs = Packs::with(&[
        ("baoan/procedures/allowance.toml", Some(template)),
        (
            OWN,
            Some("like = \"allowance\"\nprocedure.article = \"longevity2025:3\"\n"),
        ),
    ]);
    let desk = packs.load("baoan").unwrap();
    assert_eq!(desk.procedure("longevity").unwrap().channels.len(), 1);
}

#[test]
fn what_is_wrong_is_refused_in_the_file_where_it_stands() {
    let own = |text: &str| {
        format!("like = \"allowance\"\nprocedure.article = \"longevity2025:3\"\n{text}")
    };
    // What is written where · the faults, each as the beginning of what is told.
    type Row = (
        &'static str,
        Vec<(&'static str, String)>,
        &'static [&'static str],
    );
    let table: Vec<Row> = vec![
        (
            "no such template",
            vec![(OWN, "\nlike = \"alowance\"\n".to_owned())],
            &["baoan/longevity/procedure.toml:2:8: 没有叫“alowance”的模板"],
        ),
        (
            "no procedure above",
            vec![(OWN, "like = \"parent\"\n".to_owned())],
            &["baoan/longevity/procedure.toml:1:8: 上级规则包里没有"],
        ),
        (
            "like itself",
            vec![(OWN, "like = \"longevity\"\n".to_owned())],
            &["baoan/longevity/procedure.toml:1:8: like 绕成了圈"],
        ),
        (
            "a circle of two",
            vec![
                (OWN, "like = \"dibao\"\n".to_owned()),
                (DIBAO, "like = \"longevity\"\n".to_owned()),
            ],
            &[
                "baoan/longevity/procedure.toml:1:8: like 绕成了圈：national/dibao/procedure.toml → baoan/longevity/procedure.toml → national/dibao/procedure.toml",
                "national/dibao/procedure.toml:1:8: like 绕成了圈：baoan/longevity/procedure.toml → national/dibao/procedure.toml → baoan/longevity/procedure.toml",
            ],
        ),
        (
            "like is a text",
            vec![(OWN, "like = 7\n".to_owned())],
            &["baoan/longevity/procedure.toml:1:8: like 应是加引号的文字"],
        ),
        (
            "a mistake of its own, in an act taken over",
            vec![(OWN, own("[[act]]\nid = \"confirm\"\nroles = [\"boss\"]\n"))],
            &["baoan/longevity/procedure.toml:5:10: 没有名为 boss 的岗位"],
        ),
        (
            "what an act taken over still needs",
            vec![(
                OWN,
                own(
                    "[[clock]]\nid = \"total\"\nzh = \"时限\"\nen = \"Limit\"\namount = 20\nunit = \"wd\"\nstarts_on = [\"accept\"]\nstops_on = [\"dream\"]\n",
                ),
            )],
            &["baoan/longevity/procedure.toml:10:13: 时限 total 提到的行为 dream 不存在"],
        ),
        (
            "the article everything takes",
            vec![(
                OWN,
                "like = \"allowance\"\nprocedure.article = \"longevity2025:999\"\n".to_owned(),
            )],
            &["baoan/longevity/procedure.toml:2:21: law.md 中没有"],
        ),
        (
            "a mistake of the template, with whom it hurts",
            vec![
                (
                    "national/procedures/small.toml",
                    "like = \"allowance\"\n\n[procedure]\nchannels = [\"pigeon\"]\n".to_owned(),
                ),
                (
                    OWN,
                    "like = \"small\"\nprocedure.article = \"longevity2025:3\"\n".to_owned(),
                ),
            ],
            &[
                "national/procedures/small.toml:4:13: channels 不能是 pigeon；只能是 window、home_visit、online、post、referral（baoan/longevity/procedure.toml 沿用了这里）",
                "baoan/longevity/procedure.toml:2:1: channels 至少要写一种渠道",
            ],
        ),
        (
            "a question that is not asked before",
            vec![(
                "national/dibao/form.toml",
                "like = \"common\"\nwithout = [\"page.hardship.question.disability_level\"]\n"
                    .to_owned(),
            )],
            &["national/forms/common.toml:"],
        ),
        (
            "a fact that is never asked, unknown",
            vec![(
                "national/dibao/form.toml",
                "rest = true\nnever = [\"shoe_size\"]\n".to_owned(),
            )],
            &["national/dibao/form.toml:2:10: facts.toml 中没有事实 shoe_size"],
        ),
    ];
    let packs = Packs::with(&[]);
    let book = packs.book("baoan");
    for (name, files, expected) in table {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(file, text)| (*file, text.as_str()))
            .collect();
        let faults = packs.try_over(&book, &files).err().unwrap_or_default();
        for begins in expected {
            assert!(
                faults.iter().any(|fault| fault.starts_with(begins)),
                "{name}: {begins}\n{faults:#?}"
            );
        }
    }
}

#[test]
fn a_template_that_misses_something_says_for_whom() {
    let text = "like = \"investigated\"\nprocedure.article = \"longevity2025:3\"\n";
    let packs = Packs::with(&[]);
    let faults = packs
        .try_over(&packs.book("baoan"), &[(OWN, text)])
        .unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(
        faults[0].starts_with("national/procedures/investigated.toml:")
            && faults[0].ends_with("缺少 days（baoan/longevity/procedure.toml 沿用了这里）"),
        "{faults:#?}"
    );
}

#[test]
fn without_a_procedure_the_rule_book_answers_and_nobody_can_apply() {
    let packs = Packs::with(&[]);
    let desk = packs.load("baoan").unwrap();
    assert!(desk.programme("longevity").is_some());
    assert!(desk.procedure("longevity").is_none());
    assert!(desk.form("longevity").is_none());
    assert!(desk.open_programmes().all(|open| open.id != "longevity"));
}

/// Page and facts, with `!` where an answer is required and `?` where it hangs on another.
fn outline(form: &Form) -> Vec<String> {
    form.pages
        .iter()
        .map(|page| {
            let asks: Vec<String> = page
                .asks
                .iter()
                .map(|ask| {
                    let required = if ask.required { "!" } else { "" };
                    let hangs = if ask.when.is_some() { "?" } else { "" };
                    format!("{}{required}{hangs}", ask.fact)
                })
                .collect();
            format!("{}: {}", page.id, asks.join(" "))
        })
        .collect()
}

#[test]
fn a_programme_without_a_form_asks_what_its_rules_read() {
    let gradual = "national/dibao_gradual/form.toml";
    let outlined = |text: Option<&str>| {
        let packs = Packs::with(&[(gradual, text)]);
        let desk = packs.load("national").unwrap();
        outline(desk.form("dibao_gradual").unwrap())
    };
    let whole = outlined(None);
    let own = "dibao_gradual: income_rise_by_work! income_over_since! dibao_amount_before!";
    assert_eq!(whole.last().unwrap(), own);
    // The pages of the shared form keep their questions and conditions; what the register says of a death is not asked.
    let hardship = whole.iter().find(|page| page.starts_with("hardship: "));
    assert!(hardship.is_none_or(
        |page| !page.contains("disability_kind!?") || page.contains("disability_level")
    ));
    assert!(whole.iter().all(|page| !page.contains("died_on")));
    // What a form asks itself is not asked again, and some things are nobody's to answer.
    let some = outlined(Some(
        "rest = true\nnever = [\"dibao_amount_before\"]\n[[page]]\nid = \"first\"\nzh = \"先问\"\nen = \"First\"\n[[page.question]]\nfact = \"income_over_since\"\n",
    ));
    assert_eq!(some.first().unwrap(), "first: income_over_since");
    assert_eq!(some.last().unwrap(), "dibao_gradual: income_rise_by_work!");
    // What an act records is not asked.
    let file = "national/dibao_gradual/procedure.toml";
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../packs")
            .join(file),
    )
    .unwrap();
    let text = text.replacen("[[act]]\nid = \"propose\"\n", "[[act]]\nid = \"propose\"\nfield = [{ id = \"rise\", zh = \"增收\", en = \"Rise\", type = \"bool\", fact = \"income_rise_by_work\" }]\n", 1);
    assert!(text.contains("\"rise\""), "{text}");
    let packs = Packs::with(&[(gradual, None), (file, Some(&text))]);
    let desk = packs.load("national").unwrap();
    let form = outline(desk.form("dibao_gradual").unwrap());
    assert_eq!(
        form.last().unwrap(),
        "dibao_gradual: income_over_since! dibao_amount_before!"
    );
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn what_one_person_applies_for_is_required_of_that_person(db: store::Db, clock: Arc<TestClock>) {
        const SECURITIES: &str = "[[page]]\nid = \"property\"\nzh = \"财产\"\nen = \"Property\"\n[[page.question]]\nfact = \"securities\"\nrequired = true\n";
        let of_the_family = format!("like = \"parent\"\n{SECURITIES}");
        let packs = Packs::with(&[
            (OWN, Some(fixtures::block("7. The procedure").unwrap())),
            ("baoan/longevity/form.toml", Some(SECURITIES)),
            ("baoan/dibao/form.toml", Some(&of_the_family)),
        ]);
        let town = Town::with(db, clock, packs.load("baoan").unwrap()).await;
        let family = town.widow().await;
        // The widow says what securities she has; for the children nobody does.
        let answers = town.declared(&family);
        let alone = |member| vec![Choice { programme: "longevity".to_owned(), member: Some(member) }];
        let asked = Err(Refused::Unanswered(
            town.desk.book.fact("securities").unwrap().label_zh.clone(),
        ));

        let draft = town.draft(family.household, &["longevity"], &answers).await;
        let of_a_child = town.application(draft, alone(family.children[0]), family.widow);
        assert_eq!(town.submit(of_a_child).await, asked);
        let of_the_widow = town.application(draft, alone(family.widow), family.widow);
        assert!(town.submit(of_the_widow).await.is_ok());

        // A programme for the household requires it of everybody.
        let draft = town.draft(family.household, &["dibao", "longevity"], &answers).await;
        let mut both = alone(family.widow);
        both.push(Choice { programme: "dibao".to_owned(), member: None });
        assert_eq!(town.submit(town.application(draft, both, family.widow)).await, asked);
    }
}
