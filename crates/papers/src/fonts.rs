//! The system's fonts (字体), found once for the life of the process.
//!
//! Guarantees: a font file is read when a face of it is first used and then kept; without any font the answer says what
//! to install. Deliberately absent: fonts of our own, and any choice between them: templates name their fonts.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// Where fonts usually stand on the systems we run on.
const FOLDERS: &[&str] = &[
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/opt/huimin/fonts",
];

/// All faces found (字体清单).
pub(crate) struct Shelf {
    /// What typst chooses from.
    pub(crate) book: LazyHash<FontBook>,
    faces: Vec<Face>,
}

struct Face {
    file: PathBuf,
    index: u32,
    font: OnceLock<Option<Font>>,
}

impl Shelf {
    /// The face at a place of the book; read when first asked for.
    pub(crate) fn font(&self, at: usize) -> Option<Font> {
        let face = self.faces.get(at)?;
        face.font
            .get_or_init(|| Font::new(Bytes::new(std::fs::read(&face.file).ok()?), face.index))
            .clone()
    }

    /// Whether no font was found at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.faces.is_empty()
    }
}

/// The fonts of this machine (系统字体).
pub(crate) fn shelf() -> &'static Shelf {
    static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
        let mut files = Vec::new();
        for folder in FOLDERS {
            collect(Path::new(folder), &mut files);
        }
        // The order of a directory is the file system's whim; ours is always the same.
        files.sort();
        let mut book = FontBook::new();
        let mut faces = Vec::new();
        for file in files {
            let Ok(bytes) = std::fs::read(&file) else {
                continue;
            };
            // The index counts the faces of a collection; a face typst cannot use is skipped, the count goes on.
            for index in 0..64 {
                let Some(info) = FontInfo::new(&bytes, index) else {
                    break;
                };
                book.push(info);
                faces.push(Face {
                    file: file.clone(),
                    index,
                    font: OnceLock::new(),
                });
            }
        }
        Shelf {
            book: LazyHash::new(book),
            faces,
        }
    });
    &SHELF
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| {
                ["ttf", "otf", "ttc", "otc"].contains(&extension.to_lowercase().as_str())
            })
        {
            files.push(path);
        }
    }
}
