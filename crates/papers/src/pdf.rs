//! From a template and its data to a PDF (排版成 PDF), for the archive; and to pictures of its pages, for the screen.
//!
//! The template reads its data with `json("data.json")` and may import or show the files handed in beside it. Nothing
//! else exists for it. Guarantees: what comes out is PDF/A-2a: fonts inside, colours defined, text that can be searched and read
//! aloud, every picture with words for it, no script, nothing to fetch; its date is the `date` of its data. Deliberately absent: the current
//! date (`datetime.today()` fails): a letter's date is data, or the same letter would not be the same tomorrow.

use crate::desk::Desk;
use crate::fault::PaperFault;
use crate::fonts::shelf;
use anyhow::bail;
use serde_json::Value;
use std::collections::BTreeMap;
use typst::diag::SourceResult;
use typst::foundations::{Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};
use typst_svg::SvgOptions;

/// China is so many minutes ahead of the world's clock.
const CHINA: i32 = 8 * 60;

/// A paper to be set (待排文书): its template, its data, and the files beside them by name.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The template.
    pub template: String,
    /// Its data; `date` is the day of the paper, `2026-06-20`.
    pub data: Value,
    /// More files it may import or show.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Sets a letter (生成 PDF) from a template and its data.
///
/// # Errors
/// [`PaperFault`] with the template's mistakes, or a fault when there is no font at all.
pub fn pdf(template: &str, data: &Value) -> anyhow::Result<Vec<u8>> {
    pdf_with(template, data, &BTreeMap::new())
}

/// As [`pdf`], with more files the template may import or show, by name.
///
/// # Errors
/// [`PaperFault`] with the template's mistakes, or a fault when there is no font at all.
pub fn pdf_with(
    template: &str,
    data: &Value,
    files: &BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<Vec<u8>> {
    pdf_of(&Piece {
        template: template.to_owned(),
        data: data.clone(),
        files: files.clone(),
    })
}

/// Sets one paper (生成 PDF).
///
/// # Errors
/// [`PaperFault`] with the template's mistakes, or a fault when there is no font at all.
pub fn pdf_of(piece: &Piece) -> anyhow::Result<Vec<u8>> {
    let kept = archive(day_of(&piece.data))?;
    set(&Desk::of_one(piece)?, |document| {
        typst_pdf::pdf(&document, &kept)
    })
}

/// Sets many papers as one PDF (合并 PDF), each beginning on the front of a sheet, under a title of the whole.
///
/// # Errors
/// As [`pdf_of`]; a mistake names the paper by its place: `3/main.typ`.
pub fn pdf_of_many(pieces: &[Piece], title: &str) -> anyhow::Result<Vec<u8>> {
    // The whole is as new as the newest in it; days as texts are in their order.
    let newest = pieces
        .iter()
        .max_by_key(|piece| piece.data.get("date").and_then(Value::as_str));
    let kept = archive(newest.and_then(|piece| day_of(&piece.data)))?;
    set(&Desk::of_many(pieces)?, |mut document| {
        let info = document.info_mut();
        info.title = Some(title.into());
        info.author.clear();
        info.date = Smart::Auto;
        typst_pdf::pdf(&document, &kept)
    })
}

/// The pages of a paper as SVG (页面图), as they would be printed.
///
/// # Errors
/// As [`pdf_of`].
pub fn pages(piece: &Piece) -> anyhow::Result<Vec<String>> {
    let kept = archive(day_of(&piece.data))?;
    set(&Desk::of_one(piece)?, |document| {
        let options = SvgOptions::default();
        let drawn = document
            .pages()
            .iter()
            .map(|page| typst_svg::svg(page, &options))
            .collect();
        // What cannot be kept is not shown either.
        typst_pdf::pdf(&document, &kept).map(|_| drawn)
    })
}

/// The day a paper bears, from its data.
fn day_of(data: &Value) -> Option<Datetime> {
    let mut parts = data.get("date")?.as_str()?.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Datetime::from_ymd_hms(year, month, day, 0, 0, 0)
}

/// How a PDF for the archive is made, bearing a day.
fn archive(day: Option<Datetime>) -> anyhow::Result<PdfOptions> {
    let standards = PdfStandards::new(&[PdfStandard::A_2a])
        .map_err(|fault| anyhow::anyhow!("PDF/A-2a: {}", fault.message()))?;
    Ok(PdfOptions {
        creator: Smart::Custom(Some("Huimin".to_owned())),
        timestamp: day.and_then(|day| Timestamp::new_local(day, CHINA)),
        standards,
        ..PdfOptions::default()
    })
}

fn set<T>(desk: &Desk, made: impl FnOnce(PagedDocument) -> SourceResult<T>) -> anyhow::Result<T> {
    if shelf().is_empty() {
        bail!(
            "这台机器上没有字体，请先安装中文字体，例如 fonts-noto-cjk (no fonts found; install fonts-noto-cjk)"
        );
    }
    let set = typst::compile::<PagedDocument>(desk).output.and_then(made);
    // What one letter left in the typesetter's memory is of no use for letters of other people long after.
    typst::comemo::evict(10);
    set.map_err(|faults| PaperFault(faults.iter().map(|fault| desk.fault(fault)).collect()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::process::Command;

    const LETTER: &str = r#"
#import "letter.typ": seal
#let d = json("data.json")
#set document(title: "确认通知书", author: d.issuer)
#set page(paper: "a4", margin: 25mm)
#set text(font: ("Noto Serif CJK SC", "Noto Sans CJK SC"), lang: d.lang, size: 12pt)
= 确认通知书
#d.name 同志：经审核，给予 #d.amount 元/月。
#seal(d.issuer)
#image("qr.svg", width: 24mm, alt: "核验文书的二维码")
"#;

    const LINK: &str = "https://example.test/verify/BA2026-000318-7-9M2Q-XW4T";

    fn letter_of(name: &str) -> Piece {
        Piece {
            template: LETTER.to_owned(),
            data: json!({ "lang": "zh", "date": "2026-06-20", "name": name, "amount": "1,950.00", "issuer": "新安街道办事处" }),
            files: BTreeMap::from([
                (
                    "letter.typ".to_owned(),
                    "#let seal(name) = align(right)[#name（盖章）]"
                        .as_bytes()
                        .to_vec(),
                ),
                (
                    "qr.svg".to_owned(),
                    crate::qr_svg(LINK).unwrap().into_bytes(),
                ),
            ]),
        }
    }

    /// What a tool of poppler says of a PDF.
    fn told(tool: &str, before: &[&str], pdf: &[u8], after: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letter.pdf");
        std::fs::write(&file, pdf).unwrap();
        let out = Command::new(tool)
            .args(before)
            .arg(&file)
            .args(after)
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).unwrap()
    }

    fn text_of(pdf: &[u8]) -> String {
        told("pdftotext", &["-layout"], pdf, &["-"])
    }

    fn holds(pdf: &[u8], words: &str) -> bool {
        pdf.windows(words.len())
            .any(|some| some == words.as_bytes())
    }

    #[test]
    fn a_letter_carries_chinese_text_and_rare_characters() {
        let text = text_of(&pdf_of(&letter_of("龚䶮㼆𬱖")).unwrap());
        for words in [
            "确认通知书",
            "䶮",
            "㼆",
            "𬱖",
            "1,950.00",
            "新安街道办事处（盖章）",
        ] {
            assert!(text.contains(words), "{words} is missing in {text}");
        }
    }

    #[test]
    fn the_same_letter_is_the_same_bytes() {
        let letter = letter_of("张芳");
        assert_eq!(pdf_of(&letter).unwrap(), pdf_of(&letter).unwrap());
        let both = [letter.clone(), letter];
        assert_eq!(
            pdf_of_many(&both, "两份").unwrap(),
            pdf_of_many(&both, "两份").unwrap()
        );
    }

    /// ISO 19005-2, 6.6.4: part and conformance in the metadata; 6.2.3: an output intent; 6.2.11.4: every font embedded;
    /// 6.1.3 no encryption, 6.5.1 no script; 6.7.2 and 6.7.4: tagged, with its language.
    #[test]
    fn every_paper_is_made_for_the_archive() {
        let pdf = pdf_of(&letter_of("张芳")).unwrap();
        for words in [
            "<pdfaid:part>2</pdfaid:part>",
            "<pdfaid:conformance>A</pdfaid:conformance>",
            "/OutputIntents",
            "/GTS_PDFA1",
            "/Lang",
            "/StructTreeRoot",
            "/Alt",
        ] {
            assert!(holds(&pdf, words), "{words}");
        }
        for words in ["/Encrypt", "/JavaScript", "/JS", "/Launch", "/EmbeddedFile"] {
            assert!(!holds(&pdf, words), "{words}");
        }
        let info = told("pdfinfo", &["-isodates"], &pdf, &[]);
        for words in [
            "确认通知书",
            "新安街道办事处",
            "2026-06-20T00:00:00+08",
            "Tagged:          yes",
            "Encrypted:       no",
            "JavaScript:      no",
            "(A4)",
        ] {
            assert!(info.contains(words), "{words} is missing in {info}");
        }
        let fonts = told("pdffonts", &[], &pdf, &[]);
        let faces: Vec<&str> = fonts.lines().skip(2).collect();
        assert!(!faces.is_empty());
        for face in faces {
            // Embedded, a part of the font only, with what each of its signs means.
            assert!(face.contains("yes yes yes"), "{face}");
        }
    }

    #[test]
    fn a_picture_without_words_and_a_paper_without_a_day_are_refused() {
        let mut mute = letter_of("张芳");
        mute.template = mute.template.replace(", alt: \"核验文书的二维码\"", "");
        let mut dayless = letter_of("张芳");
        dayless.data["date"] = json!("");
        for (piece, said) in [(mute, "替代文字"), (dayless, "没有日期")] {
            let fault = pdf_of(&piece)
                .unwrap_err()
                .downcast::<PaperFault>()
                .unwrap();
            assert!(fault.0[0].sentence_zh().contains(said), "{fault}");
        }
    }

    /// The first page at so many dots an inch, as PNG.
    fn seen(pdf: &[u8], dots: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let (file, picture) = (folder.path().join("a.pdf"), folder.path().join("a"));
        std::fs::write(&file, pdf).unwrap();
        let done = Command::new("pdftoppm")
            .args(["-png", "-singlefile", "-r", dots])
            .arg(&file)
            .arg(&picture)
            .status()
            .unwrap();
        assert!(done.success());
        std::fs::read(folder.path().join("a.png")).unwrap()
    }

    #[test]
    fn the_code_on_the_printed_page_is_read_back() {
        let pdf = pdf_of(&letter_of("张芳")).unwrap();
        // As a telephone sees it from near and a copier from far.
        for dots in ["300", "100"] {
            assert_eq!(
                crate::qr_in(&seen(&pdf, dots)).as_deref(),
                Some(LINK),
                "{dots}"
            );
        }
    }

    #[test]
    fn many_papers_are_one_file_each_on_its_own_sheet() {
        let three = ["张芳", "李\u{e815}", "王䶮"].map(letter_of);
        let pdf = pdf_of_many(&three, "文书合印（3 份）").unwrap();
        let info = told("pdfinfo", &[], &pdf, &[]);
        // One page each; the backs of the first two sheets stay empty.
        assert!(info.contains("Pages:           5"), "{info}");
        assert!(info.contains("文书合印（3 份）"), "{info}");
        let whole = text_of(&pdf);
        let pages: Vec<&str> = whole.split('\u{c}').collect();
        for (page, name) in [(0, "张芳"), (2, "李〔U+E815〕"), (4, "王䶮")] {
            assert!(pages[page].contains(name), "{name}: {pages:?}");
        }
        assert!(pages[1].trim().is_empty() && pages[3].trim().is_empty());
        assert!(holds(&pdf, "<pdfaid:conformance>A</pdfaid:conformance>"));
        // A mistake says in which of them.
        let mut wrong = three.to_vec();
        wrong[1].template.push_str("\n#d.nobody\n");
        let fault = pdf_of_many(&wrong, "x").unwrap_err();
        let PaperFault(faults) = fault.downcast::<PaperFault>().unwrap();
        assert_eq!(faults[0].file, "2/main.typ");
    }

    #[test]
    fn pages_are_pictures_of_what_would_be_printed() {
        let pages = pages(&letter_of("张芳")).unwrap();
        assert_eq!(pages.len(), 1);
        assert!(pages[0].starts_with("<svg") && !pages[0].contains("<script"));
    }

    #[test]
    fn a_mistake_is_said_with_its_place_and_nothing_outside_can_be_reached() {
        for (template, line, said, zh) in [
            (
                "第一行\n#unknown_thing",
                2,
                "unknown",
                "没有名为“unknown_thing”",
            ),
            ("#read(\"/etc/passwd\")", 1, "not found", "没有这个文件"),
            ("\n\n#image(\"photo.png\")", 3, "not found", "没有这个文件"),
            ("#import \"@preview/cetz:0.3.0\"", 1, "", ""),
            ("#datetime.today()", 1, "date", ""),
            (
                "#let d = json(\"data.json\")\n一\n#d.nobody",
                3,
                "nobody",
                "数据里没有“nobody”这一栏",
            ),
            ("#text(size: 12pt[甲]", 1, "unclosed", "括号没有闭合"),
        ] {
            let fault = pdf(template, &json!({ "date": "2026-06-20" })).unwrap_err();
            let PaperFault(faults) = fault.downcast::<PaperFault>().unwrap();
            assert_eq!(faults[0].line, line, "{faults:?}");
            assert!(faults[0].sentence.contains(said), "{faults:?}");
            assert!(
                faults[0].sentence_zh().contains(zh),
                "{}",
                faults[0].sentence_zh()
            );
        }
    }

    /// The measure of the house is a second for the slowest of a hundred; an unoptimised build is allowed three.
    #[test]
    fn a_letter_is_set_quickly() {
        let mut took: Vec<std::time::Duration> = (0..100)
            .map(|number| {
                let letter = letter_of(&format!("甲{number}"));
                let begun = std::time::Instant::now();
                pdf_of(&letter).unwrap();
                begun.elapsed()
            })
            .collect();
        took.sort();
        println!(
            "one letter: p50 {:?}, p99 {:?}{}",
            took[50],
            took[98],
            if cfg!(debug_assertions) {
                " (debug build)"
            } else {
                ""
            }
        );
        assert!(took[98].as_secs() < 3, "{:?}", took[98]);
    }
}
