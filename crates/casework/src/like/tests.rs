//! Merging (合并), text by text: each table shows the texts, own first, and what the merged table says or which faults
//! it has, with their places.

use super::{FORM, PROCEDURE, Shape, merged};
use crate::source_text::SourceText;
use policy::Fault;
use toml::de::{DeTable, DeValue};

/// The merged table as text, keys in order, and the faults.
fn merge(shape: &Shape, texts: &[&str]) -> (String, Vec<Fault>) {
    let names = ["own.toml", "middle.toml", "root.toml"];
    let source = SourceText::new(
        names
            .iter()
            .zip(texts)
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
    );
    let shown = show_table(&merged(&source, shape));
    (shown, source.into_faults())
}

fn show_table(table: &DeTable<'_>) -> String {
    let each: Vec<String> = table
        .iter()
        .map(|(key, value)| format!("{}={}", key.get_ref(), show(value.get_ref())))
        .collect();
    format!("{{{}}}", each.join(" "))
}

fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Table(table) => show_table(table),
        DeValue::Array(items) => {
            let each: Vec<String> = items.iter().map(|item| show(item.get_ref())).collect();
            format!("[{}]", each.join(" "))
        }
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Integer(integer) => integer.as_str().to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn texts_are_merged_key_by_key_and_id_by_id() {
    let table: &[(&str, &Shape, &[&str], &str)] = &[
        (
            "alone a text means what it says",
            &PROCEDURE,
            &["[[act]]\nid = 'a'\nfrom = ['s']\n"],
            "{act=[{from=[s] id=a}]}",
        ),
        (
            "tables override key by key, lists inside replace",
            &PROCEDURE,
            &[
                "[procedure]\nstart = 'b'\nchannels = ['online']\n",
                "[procedure]\nstart = 'a'\nchannels = ['window', 'post']\nreceipt = 'r'\n",
            ],
            "{procedure={channels=[online] receipt=r start=b}}",
        ),
        (
            "inner tables too",
            &PROCEDURE,
            &[
                "remedies.suit.to_zh = '本地法院'\n",
                "[remedies]\nsuit = { amount = 6, to_zh = '法院' }\nreview = { amount = 60 }\n",
            ],
            "{remedies={review={amount=60} suit={amount=6 to_zh=本地法院}}}",
        ),
        (
            "ids override in their place, new ids follow",
            &PROCEDURE,
            &[
                "[[act]]\nid = 'new'\n[[act]]\nid = 'a'\nneeds.opinion = false\n",
                "[[act]]\nid = 'a'\nto = 's'\n[act.needs]\nopinion = true\nparticipants = 2\n[[act]]\nid = 'b'\n",
            ],
            "{act=[{id=a needs={opinion=false participants=2} to=s} {id=b} {id=new}]}",
        ),
        (
            "after says where",
            &PROCEDURE,
            &[
                "[[state]]\nid = 'new'\nafter = 'a'\n[[state]]\nid = 'newer'\nafter = 'new'\n",
                "[[state]]\nid = 'a'\n[[state]]\nid = 'b'\n",
            ],
            "{state=[{id=a} {id=new} {id=newer} {id=b}]}",
        ),
        (
            "fields and grounds replace whole",
            &PROCEDURE,
            &[
                "[[act]]\nid = 'a'\n[[act.ground]]\nid = 'g'\n",
                "[[act]]\nid = 'a'\n[[act.ground]]\nid = 'x'\n[[act.ground]]\nid = 'y'\n",
            ],
            "{act=[{ground=[{id=g}] id=a}]}",
        ),
        (
            "what is left out is left out of the lists as well",
            &PROCEDURE,
            &[
                "without = ['act.b', 'state.t', 'evidence.e', 'publicity', 'act.c.letter']\n",
                "[publicity]\ndays = 7\n[[state]]\nid = 's'\n[[state]]\nid = 't'\n[[evidence]]\nid = 'e'\n[[act]]\nid = 'b'\n[[act]]\nid = 'c'\nfrom = ['s', 't']\nletter = 'l'\nother_than = ['a', 'b']\nneeds = { acts = ['b'], evidence = ['e', 'f'] }\n[[clock]]\nid = 'k'\nstarts_on = ['b', 'c']\nstops_on = ['b']\npauses_in = ['t']\n",
            ],
            "{act=[{from=[s] id=c needs={acts=[] evidence=[f]} other_than=[a]}] clock=[{id=k pauses_in=[] starts_on=[c] stops_on=[]}] evidence=[] state=[{id=s}]}",
        ),
        (
            "left out and written anew is replaced",
            &PROCEDURE,
            &[
                "without = ['act.a']\n[[act]]\nid = 'a'\nto = 't'\n",
                "[[act]]\nid = 'a'\nletter = 'l'\n",
            ],
            "{act=[{id=a to=t}]}",
        ),
        (
            "articles in one place; where none is said, the procedure's own",
            &PROCEDURE,
            &[
                "[articles]\nact.a = 'law:1'\nground.g = 'law:2'\nclock.k = 'law:3'\npublicity = 'law:4'\n[procedure]\narticle = 'own:1'\n[review]\namount = 12\n",
                "[publicity]\ndays = 7\n[[act]]\nid = 'a'\n[[act.ground]]\nid = 'g'\n[[act]]\nid = 'b'\n[[act.ground]]\nid = 'h'\n[[clock]]\nid = 'k'\narticle = 'old:1'\n",
            ],
            "{act=[{article=law:1 ground=[{article=law:2 id=g}] id=a} {article=own:1 ground=[{article=own:1 id=h}] id=b}] clock=[{article=law:3 id=k}] procedure={article=own:1} publicity={article=law:4 days=7} review={amount=12 article=own:1}}",
        ),
        (
            "three texts, the nearest wins",
            &PROCEDURE,
            &[
                "[[act]]\nid = 'a'\nzh = '一'\n",
                "without = ['act.a.en']\n[[act]]\nid = 'a'\nzh = '二'\nto = 't'\n",
                "[[act]]\nid = 'a'\nzh = '三'\nen = 'three'\nfrom = ['s']\n",
            ],
            "{act=[{from=[s] id=a to=t zh=一}]}",
        ),
        (
            "forms: questions by fact, conditions replace whole",
            &FORM,
            &[
                "[[page]]\nid = 'p'\n[[page.question]]\nfact = 'new'\nafter = 'a'\n[[page.question]]\nfact = 'b'\nwhen = { fact = 'a', is = true }\n",
                "[[page]]\nid = 'p'\nzh = '页'\n[[page.question]]\nfact = 'a'\n[[page.question]]\nfact = 'b'\nrequired = true\nwhen = { fact = 'a', in = ['1'] }\n",
            ],
            "{page=[{id=p question=[{fact=a} {fact=new} {fact=b required=true when={fact=a is=true}}] zh=页}]}",
        ),
        (
            "forms: a question left out",
            &FORM,
            &[
                "without = ['page.p.question.a']\n",
                "[[page]]\nid = 'p'\n[[page.question]]\nfact = 'a'\n[[page.question]]\nfact = 'b'\n",
            ],
            "{page=[{id=p question=[{fact=b}]}]}",
        ),
    ];
    for (name, shape, texts, expected) in table {
        let (shown, faults) = merge(shape, texts);
        assert_eq!(faults, [], "{name}");
        assert_eq!(shown, *expected, "{name}");
    }
}

#[test]
fn what_cannot_be_merged_is_refused_where_it_stands() {
    // name · texts · file, line, column, part of the sentence
    type Row = (
        &'static str,
        &'static [&'static str],
        (&'static str, u32, u32, &'static str),
    );
    const ROOT: &str = "[publicity]\ndays = 7\n[[act]]\nid = 'a'\narticle = 'x:1'\n";
    let table: &[Row] = &[
        (
            "nothing of that name to leave out",
            &["\nwithout = ['act.a', 'act.b']\n", ROOT],
            ("own.toml", 2, 21, "act.b"),
        ),
        (
            "nothing to leave it out of",
            &["without = ['act.a']\n"],
            ("own.toml", 1, 11, "like"),
        ),
        (
            "without is a list",
            &["without = 'act.a'\n", ROOT],
            ("own.toml", 1, 11, "列表"),
        ),
        (
            "after an id that is not there",
            &["[[act]]\nid = 'b'\nafter = 'z'\n", ROOT],
            ("own.toml", 3, 9, "after"),
        ),
        (
            "an article for an act that is not there",
            &["articles.act.z = 'x:2'\n", ROOT],
            ("own.toml", 1, 14, "act.z"),
        ),
        (
            "an article for a table that is not there",
            &["articles.review = 'x:2'\n", ROOT],
            ("own.toml", 1, 10, "[review]"),
        ),
        (
            "an article for something else",
            &["articles.state.s = 'x:2'\n", ROOT],
            ("own.toml", 1, 10, "act.x"),
        ),
        (
            "an article said twice in one file",
            &[
                "[articles]\nact.b = 'x:2'\n[[act]]\nid = 'b'\narticle = 'x:3'\n",
                ROOT,
            ],
            ("own.toml", 2, 9, "两次"),
        ),
        (
            "the syntax of the text below",
            &["", "[procedure\n"],
            ("middle.toml", 1, 11, "own.toml 沿用了这里"),
        ),
    ];
    for (name, texts, (file, line, column, said)) in table {
        let (_, faults) = merge(&PROCEDURE, texts);
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.file.as_str(), fault.line, fault.column))
            .collect();
        assert_eq!(found, [(*file, *line, *column)], "{name}: {faults:?}");
        assert!(faults[0].sentence_zh.contains(said), "{name}: {faults:?}");
    }
}

#[test]
fn an_id_said_twice_in_one_file_is_left_for_the_reader_to_refuse() {
    let twice = "[[act]]\nid = 'a'\nto = 's'\n[[act]]\nid = 'a'\nto = 't'\n";
    let (shown, faults) = merge(&PROCEDURE, &[twice, "[[act]]\nid = 'a'\nfrom = ['s']\n"]);
    assert_eq!(faults, []);
    assert_eq!(shown, "{act=[{from=[s] id=a to=s} {id=a to=t}]}");
}
