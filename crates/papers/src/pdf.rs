//! From a template and its data to a PDF (排版成 PDF).
//!
//! The template reads its data with `json("data.json")` and may import or show the files handed in beside it. Nothing
//! else exists for it. Deliberately absent: the current date (`datetime.today()` fails): a letter's date is data, or the
//! same letter would not be the same tomorrow.

use crate::fonts::shelf;
use anyhow::bail;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

/// One mistake in a template (模板错误).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The file: `main.typ` is the template itself.
    pub file: String,
    /// The line, from 1; 0 where the compiler names none.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, as the typesetter says it.
    pub sentence: String,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.sentence
        )
    }
}

/// All mistakes of a template (模板错误清单).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("文书模板有误 (the template has mistakes)：{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("；"))]
pub struct PaperFault(pub Vec<TemplateFault>);

/// Sets a letter (生成 PDF) from a template and its data.
///
/// # Errors
/// [`PaperFault`] with the template's mistakes, or a fault when there is no font at all.
pub fn pdf(template: &str, data: &serde_json::Value) -> anyhow::Result<Vec<u8>> {
    pdf_with(template, data, &BTreeMap::new())
}

/// As [`pdf`], with more files the template may import or show, by name.
///
/// # Errors
/// [`PaperFault`] with the template's mistakes, or a fault when there is no font at all.
pub fn pdf_with(
    template: &str,
    data: &serde_json::Value,
    files: &BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<Vec<u8>> {
    if shelf().is_empty() {
        bail!(
            "这台机器上没有字体，请先安装中文字体，例如 fonts-noto-cjk (no fonts found; install fonts-noto-cjk)"
        );
    }
    let desk = Desk::new(template, data, files)?;
    let set = typst::compile::<PagedDocument>(&desk)
        .output
        .and_then(|document| {
            let options = PdfOptions {
                creator: Smart::Custom(Some("Huimin".to_owned())),
                timestamp: None,
                ..PdfOptions::default()
            };
            typst_pdf::pdf(&document, &options)
        });
    // What one letter left in the typesetter's memory is of no use for letters of other people long after.
    typst::comemo::evict(10);
    set.map_err(|faults| PaperFault(faults.iter().map(|fault| desk.fault(fault)).collect()).into())
}

/// What the typesetter sees: the template, its data, the files handed in, the fonts.
struct Desk {
    main: FileId,
    sources: BTreeMap<String, Source>,
    files: BTreeMap<String, Bytes>,
}

static LIBRARY: LazyLock<LazyHash<Library>> =
    LazyLock::new(|| LazyHash::new(<Library as LibraryExt>::default()));

fn id_of(name: &str) -> anyhow::Result<FileId> {
    let path = VirtualPath::new(name)
        .map_err(|fault| anyhow::anyhow!("the file name “{name}”: {fault:?}"))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

/// The name under which a file was handed in; a file of a package has none, so it is not found.
fn name_of(id: FileId) -> Option<&'static str> {
    let path = id.get();
    matches!(path.root(), VirtualRoot::Project).then(|| path.vpath().get_without_slash())
}

impl Desk {
    fn new(
        template: &str,
        data: &serde_json::Value,
        extra: &BTreeMap<String, Vec<u8>>,
    ) -> anyhow::Result<Self> {
        let main = id_of("main.typ")?;
        let mut sources = BTreeMap::from([(
            "main.typ".to_owned(),
            Source::new(main, template.to_owned()),
        )]);
        let mut files = BTreeMap::from([(
            "data.json".to_owned(),
            Bytes::new(serde_json::to_vec(data)?),
        )]);
        for (name, bytes) in extra {
            let id = id_of(name)?;
            if name.ends_with(".typ") {
                sources.insert(
                    name.clone(),
                    Source::new(id, String::from_utf8(bytes.clone())?),
                );
            }
            files.insert(name.clone(), Bytes::new(bytes.clone()));
        }
        Ok(Self {
            main,
            sources,
            files,
        })
    }

    fn fault(&self, found: &SourceDiagnostic) -> TemplateFault {
        let mut sentence = found.message.to_string();
        for hint in &found.hints {
            sentence.push('；');
            sentence.push_str(&hint.v);
        }
        let id = found.span.id();
        let place = id.zip(self.range(found.span)).and_then(|(id, range)| {
            let before = self.sources.get(name_of(id)?)?.text().get(..range.start)?;
            let column = before
                .rsplit('\n')
                .next()
                .map_or(0, |last| last.chars().count())
                + 1;
            Some((before.matches('\n').count() + 1, column))
        });
        let (line, column) = place.unwrap_or((0, 0));
        TemplateFault {
            file: id.and_then(name_of).unwrap_or("main.typ").to_owned(),
            line,
            column,
            sentence,
        }
    }
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &shelf().book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        name_of(id)
            .and_then(|name| self.sources.get(name))
            .cloned()
            .ok_or_else(|| missing(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        name_of(id)
            .and_then(|name| self.files.get(name))
            .cloned()
            .ok_or_else(|| missing(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        shelf().font(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn missing(id: FileId) -> FileError {
    FileError::NotFound(id.get().vpath().get_without_slash().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::process::Command;

    const LETTER: &str = r#"
#import "letter.typ": seal
#let d = json("data.json")
#set page(paper: "a4", margin: 25mm)
#set text(font: ("Noto Serif CJK SC", "Noto Sans CJK SC"), lang: d.lang, size: 12pt)
= 确认通知书
#d.name 同志：经审核，给予 #d.amount 元/月。
#seal(d.issuer)
#image("qr.svg", width: 24mm)
"#;

    fn beside() -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([
            (
                "letter.typ".to_owned(),
                "#let seal(name) = align(right)[#name（盖章）]"
                    .as_bytes()
                    .to_vec(),
            ),
            (
                "qr.svg".to_owned(),
                crate::qr_svg("https://example.test/progress/X")
                    .unwrap()
                    .into_bytes(),
            ),
        ])
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
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).unwrap()
    }

    #[test]
    fn a_letter_carries_chinese_text_and_rare_characters() {
        let data = json!({ "lang": "zh", "name": "龚䶮㼆𬱖", "amount": "1,950.00", "issuer": "新安街道办事处" });
        let set = pdf_with(LETTER, &data, &beside()).unwrap();
        assert!(set.starts_with(b"%PDF"));
        let text = text_of(&set);
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
        let data = json!({ "lang": "zh", "name": "张芳", "amount": "1.00", "issuer": "甲" });
        let once = pdf_with(LETTER, &data, &beside()).unwrap();
        assert_eq!(once, pdf_with(LETTER, &data, &beside()).unwrap());
    }

    #[test]
    fn a_mistake_is_said_with_its_place_and_nothing_outside_can_be_reached() {
        for (template, line, said) in [
            ("第一行\n#unknown_thing", 2, "unknown"),
            ("#read(\"/etc/passwd\")", 1, "not found"),
            ("\n\n#image(\"photo.png\")", 3, "not found"),
            ("#import \"@preview/cetz:0.3.0\"", 1, ""),
            ("#datetime.today()", 1, "date"),
        ] {
            let fault = pdf(template, &json!({})).unwrap_err();
            let PaperFault(faults) = fault.downcast::<PaperFault>().unwrap();
            assert_eq!(faults[0].line, line, "{faults:?}");
            assert!(faults[0].sentence.contains(said), "{faults:?}");
        }
    }
}
