//! Templates checked and looked at (文书模板检查和预览), with sample data, in both languages.
//!
//! Guarantees: a template that names a field the data do not have, or cannot be set, or cannot be kept as an archive PDF, is refused
//! with file, line and column. Deliberately absent: judging the wording.

use super::template::{Leads, SHARED, Template};
use super::{Lang, sample};
use crate::desk::{Desk, fault_file};
use papers::{PaperFault, Piece};
use policy::{Fault, Programme};
use std::collections::{BTreeMap, BTreeSet};

/// A template as it stands in the packs (一份文书模板).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Its file: `national/letters/granted.typ`.
    pub file: String,
    /// Its word.
    pub word: String,
    /// The programmes whose procedures print it, in the order of the book.
    pub programmes: Vec<String>,
}

/// The templates procedures print (在用的文书模板), by file.
pub fn used(desk: &Desk) -> Vec<Used> {
    let mut found: BTreeMap<String, Used> = BTreeMap::new();
    for procedure in desk.procedures() {
        let Some(programme) = desk.programme(&procedure.programme) else {
            continue;
        };
        let words: BTreeSet<&String> = procedure
            .receipt
            .iter()
            .chain(procedure.acts.iter().filter_map(|act| act.letter.as_ref()))
            .collect();
        for word in words {
            let Some((path, _)) = desk.texts.letter(programme, word) else {
                continue;
            };
            let file = fault_file(&desk.book, &path);
            found
                .entry(file.clone())
                .or_insert_with(|| Used {
                    file,
                    word: word.clone(),
                    programmes: Vec::new(),
                })
                .programmes
                .push(programme.id.clone());
        }
    }
    found.into_values().collect()
}

/// The mistakes of the templates among changed files (改动的模板有无错误); all of them when what they share changed.
pub(crate) fn faults_of(desk: &Desk, changed: &[String]) -> Vec<Fault> {
    let ends = |name: &str| changed.iter().any(|file| file.ends_with(name));
    if ends(&format!("/{SHARED}")) {
        return desk.check_letters();
    }
    let mut faults = Vec::new();
    for one in used(desk).iter().filter(|one| changed.contains(&one.file)) {
        let mut ways = BTreeSet::new();
        for programme in one.programmes.iter().filter_map(|id| desk.programme(id)) {
            if ways.insert(programme.benefit.every) {
                faults.extend(check(desk, programme, &one.word));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

/// What is looked at (预览对象).
#[derive(Debug, Clone, Copy)]
pub struct PreviewOf<'a> {
    /// For which programme.
    pub programme: &'a str,
    /// Which letter.
    pub word: &'a str,
    /// The file being written.
    pub file: &'a str,
    /// Its text as it is being written.
    pub text: &'a str,
    /// What templates share, if that is being written too.
    pub shared: Option<&'a str>,
    /// In which language.
    pub lang: Lang,
}

/// The pages of a letter with sample data (文书预览) as SVG, or the mistakes of its template.
///
/// # Errors
/// No font on this machine; no such letter.
pub fn preview(desk: &Desk, of: &PreviewOf<'_>) -> anyhow::Result<Result<Vec<String>, Vec<Fault>>> {
    let mut template = Template::of(desk, of.programme, of.word)?;
    let shared = of.file.ends_with(&format!("/{SHARED}"));
    if shared {
        template.shared = Some(of.text.to_owned());
    } else {
        of.text.clone_into(&mut template.main);
        if let Some(shared) = of.shared {
            template.shared = Some(shared.to_owned());
        }
    }
    let Some(programme) = desk.programme(of.programme) else {
        return Ok(Ok(Vec::new()));
    };
    let piece = sample_piece(desk, programme, of.word, &template, of.lang)?;
    match papers::pages(&piece) {
        Ok(pages) => Ok(Ok(pages)),
        Err(fault) => {
            let PaperFault(found) = fault.downcast()?;
            let name = |file: &str| match (file, shared) {
                (SHARED, false) => SHARED.to_owned(),
                ("main.typ", true) => format!("{}.typ", of.word),
                _ => of.file.to_owned(),
            };
            Ok(Err(found
                .iter()
                .map(|fault| as_fault(fault, name(&fault.file)))
                .collect()))
        }
    }
}

/// Compiles a template with sample data in both languages (检查文书模板).
pub(crate) fn check(desk: &Desk, programme: &Programme, word: &str) -> Vec<Fault> {
    let Some((file, _)) = desk.texts.letter(programme, word) else {
        return Vec::new();
    };
    let name = |path: &std::path::Path| fault_file(&desk.book, path);
    let shared = desk.book.place().texts.get(SHARED);
    let file_of = |inside: &str| match shared {
        Some((shared, _)) if inside == SHARED => name(shared),
        _ => name(&file),
    };
    let mut faults = Vec::new();
    for lang in [Lang::Zh, Lang::En] {
        let set = Template::of(desk, &programme.id, word)
            .and_then(|template| sample_piece(desk, programme, word, &template, lang))
            .and_then(|piece| papers::pdf_of(&piece));
        let Err(fault) = set else {
            continue;
        };
        match fault.downcast::<PaperFault>() {
            Ok(PaperFault(found)) => faults.extend(
                found
                    .iter()
                    .map(|found| as_fault(found, file_of(&found.file))),
            ),
            Err(fault) => faults.push(Fault {
                file: name(&file),
                line: 1,
                column: 1,
                sentence_zh: fault.to_string(),
            }),
        }
    }
    faults
}

fn sample_piece(
    desk: &Desk,
    programme: &Programme,
    word: &str,
    template: &Template,
    lang: Lang,
) -> anyhow::Result<Piece> {
    let leads = Leads {
        progress: "https://example.test/progress/SAMPLE".to_owned(),
        number: "YL2026-000001-7".to_owned(),
        check_code: "YL2026-000001-7-0000-0000".to_owned(),
        check: "https://example.test/verify/YL2026-000001-7-0000-0000".to_owned(),
    };
    let data = sample::contents(desk, programme, word).data(desk, lang);
    template.piece(data, &leads)
}

fn as_fault(found: &papers::TemplateFault, file: String) -> Fault {
    Fault {
        file,
        line: u32::try_from(found.line.max(1)).unwrap_or(1),
        column: u32::try_from(found.column.max(1)).unwrap_or(1),
        sentence_zh: format!("文书模板不能排版：{}", found.sentence_zh()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;

    fn desk() -> Desk {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        Desk::load(&packs, "baoan").unwrap()
    }

    fn text_of(pdf: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letter.pdf");
        std::fs::write(&file, pdf).unwrap();
        let out = Command::new("pdftotext")
            .arg("-layout")
            .arg(&file)
            .arg("-")
            .output()
            .unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap()
    }

    #[test]
    fn forty_reasons_and_a_long_name_stand_whole_on_numbered_pages() {
        let desk = desk();
        let programme = desk.programme("dibao").unwrap();
        let mut contents = sample::contents(&desk, programme, "refused");
        // Eighteen characters, as names of some peoples have, and one of the rarest.
        contents.applicant = "阿卜杜热合曼·买买提依明·艾合买提𬱖".to_owned();
        contents.address =
            "某某大道与某某东路交叉口西南侧某某花园二期第十二栋乙单元二十三层二三零一室".to_owned();
        contents.grounds = (1..=40)
            .map(|number| {
                let (zh, en, article) = contents.grounds[0].clone();
                (format!("{zh}之{number}"), en, article)
            })
            .collect();
        let template = Template::of(&desk, "dibao", "refused").unwrap();
        let leads = Leads {
            progress: "https://x.test/progress/S".to_owned(),
            number: "BA2026-000001-7".to_owned(),
            check_code: "BA2026-000001-7-0000-0000".to_owned(),
            check: "https://x.test/verify/BA2026-000001-7-0000-0000".to_owned(),
        };
        let piece = template
            .piece(contents.data(&desk, Lang::Zh), &leads)
            .unwrap();
        let alone = papers::pdf_of(&piece).unwrap();
        if let Some(folder) = std::option_env!("HUIMIN_LOOK") {
            std::fs::write(format!("{folder}/forty.pdf"), &alone).unwrap();
        }
        let text = text_of(&alone);
        let whole: String = text.split_whitespace().collect();
        for number in 1..=40 {
            assert!(
                whole.contains(&format!("样例事由之{number}依据")),
                "{number}"
            );
        }
        assert!(
            whole.contains("阿卜杜热合曼·买买提依明·艾合买提𬱖"),
            "{text}"
        );
        let pages: Vec<&str> = text
            .split('\u{c}')
            .filter(|page| !page.trim().is_empty())
            .collect();
        assert!(pages.len() > 2, "{}", pages.len());
        for (at, page) in pages.iter().enumerate() {
            let page: String = page.split_whitespace().collect();
            let foot = format!("第{}页，共{}页", at + 1, pages.len());
            assert!(
                page.contains(&foot) && page.contains("BA2026-000001-7"),
                "{foot}: {page}"
            );
        }
        // Printed with others each counts its own pages.
        let mut short = piece.clone();
        short.data["reasons"] = serde_json::json!([]);
        short.data["law"] = serde_json::json!([]);
        let both = text_of(&papers::pdf_of_many(&[piece, short], "两份").unwrap());
        let foot = format!("第1页，共{}页", pages.len());
        let both: String = both.split_whitespace().collect();
        assert_eq!(both.matches(&foot).count(), 1, "{both}");
        assert_eq!(both.matches("第1页，共").count(), 2, "{both}");
    }

    #[test]
    fn a_preview_is_the_letter_in_either_language_or_its_mistakes() {
        let desk = desk();
        let file = "national/letters/receipt.typ";
        let used = used(&desk);
        let one = used.iter().find(|one| one.file == file).unwrap();
        let look = |text: &str, lang| {
            preview(
                &desk,
                &PreviewOf {
                    programme: &one.programmes[0],
                    word: &one.word,
                    file,
                    text,
                    shared: None,
                    lang,
                },
            )
            .unwrap()
        };
        let text = "#import \"letter.typ\": *\n#show: document-of.with(t(\"样张\", \"Sample\"))\n#greeting\n#signed\n";
        let (zh, en) = (look(text, Lang::Zh).unwrap(), look(text, Lang::En).unwrap());
        assert_eq!((zh.len(), en.len()), (1, 1));
        assert_ne!(zh, en);
        let faults = look(&format!("{text}#d.no_such_field\n"), Lang::Zh).unwrap_err();
        assert_eq!(
            (faults[0].file.as_str(), faults[0].line),
            (file, 5),
            "{faults:?}"
        );
        assert!(
            faults[0]
                .sentence_zh
                .contains("数据里没有“no_such_field”这一栏"),
            "{faults:?}"
        );
    }
}
