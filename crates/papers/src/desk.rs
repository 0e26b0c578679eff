//! What the typesetter sees (排版台): templates, their data, the files handed in, the fonts; nothing else exists for it.

use crate::fault::TemplateFault;
use crate::fonts::shelf;
use crate::glyphs::set_data;
use crate::pdf::Piece;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};

/// Templates, data, files, fonts (排版台).
pub(crate) struct Desk {
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
    /// One paper on the desk.
    pub(crate) fn of_one(piece: &Piece) -> anyhow::Result<Self> {
        let mut desk = Self {
            main: id_of("main.typ")?,
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        desk.lay("", piece)?;
        Ok(desk)
    }

    /// Many papers, one after the other, each in a folder of its own and beginning on the front of a sheet.
    pub(crate) fn of_many(pieces: &[Piece]) -> anyhow::Result<Self> {
        let main = id_of("main.typ")?;
        let mut desk = Self {
            main,
            sources: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        let mut whole = String::new();
        for (number, piece) in (1..).zip(pieces) {
            if number > 1 {
                whole.push_str("#pagebreak(to: \"odd\", weak: true)\n");
            }
            writeln!(whole, "#include \"{number}/main.typ\"")?;
            desk.lay(&format!("{number}/"), piece)?;
        }
        desk.sources
            .insert("main.typ".to_owned(), Source::new(main, whole));
        Ok(desk)
    }

    fn lay(&mut self, folder: &str, piece: &Piece) -> anyhow::Result<()> {
        let mut data = piece.data.clone();
        set_data(&mut data);
        self.put(format!("{folder}data.json"), serde_json::to_vec(&data)?)?;
        self.put(
            format!("{folder}main.typ"),
            piece.template.clone().into_bytes(),
        )?;
        for (name, bytes) in &piece.files {
            self.put(format!("{folder}{name}"), bytes.clone())?;
        }
        Ok(())
    }

    fn put(&mut self, name: String, bytes: Vec<u8>) -> anyhow::Result<()> {
        let id = id_of(&name)?;
        if name.ends_with(".typ") {
            let source = Source::new(id, String::from_utf8(bytes.clone())?);
            self.sources.insert(name.clone(), source);
        }
        self.files.insert(name, Bytes::new(bytes));
        Ok(())
    }

    /// A mistake with its place.
    pub(crate) fn fault(&self, found: &SourceDiagnostic) -> TemplateFault {
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
