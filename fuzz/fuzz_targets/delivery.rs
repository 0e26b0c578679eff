//! A department's file, as the landing reads it (部门送来的文件): separated text in both encodings, fixed width, Parquet, and
//! workbooks, whose parts are damaged inside a sound archive as well as from without.
//!
//! The first byte chooses the kind, the rest is the content. Whatever the readers say, they say it: what is looked for is that
//! they come back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Write;
use std::path::PathBuf;
use std::sync::LazyLock;
use verify::delivery::Delivery;
use verify::{Source, Sources};

static SOURCES: LazyLock<Sources> = LazyLock::new(|| {
    let packs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../packs");
    let book = policy::Book::load(&packs, "baoan").expect("the pack of the demonstration loads");
    Sources::of(&book).expect("its sources load")
});

/// Where the file lies: in memory, one for each process.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("fuzz-{}", std::process::id())));

/// What a reader catches of a library is caught; what gets out of a reader still ends the run.
static QUIET: LazyLock<()> = LazyLock::new(|| std::panic::set_hook(Box::new(|told| eprintln!("{told}"))));

fuzz_target!(|bytes: &[u8]| {
    LazyLock::force(&QUIET);
    let Some((kind, content)) = bytes.split_first() else {
        return;
    };
    let file = match kind % 8 {
        0..=2 => content.to_vec(),
        3 => [b"PAR1", content, b"PAR1"].concat(),
        4 => workbook(content, SHARED),
        5 => workbook(SHEET, content),
        6 => workbook(content, content),
        _ => {
            let _said = sheets::read(content, sheets::Limits::default());
            return;
        }
    };
    std::fs::write(&*FILE, &file).expect("the folder in memory takes a file");
    let all: Vec<&Source> = SOURCES.0.values().collect();
    // Several ways a file may arrive: each source agrees on others.
    for source in [all[0], all[usize::from(kind / 8) % all.len()]] {
        let Ok(delivery) = Delivery::open(source, &FILE) else {
            continue;
        };
        let mut worker = delivery.worker();
        let mut rows = 0;
        while let Ok(Some(batch)) = worker.batch() {
            rows += batch.rows;
            if rows > 100_000 {
                break;
            }
        }
    }
});

const SHEET: &[u8] = br#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2"><v>45213</v></c></row></sheetData></worksheet>"#;
const SHARED: &[u8] = br#"<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="3" uniqueCount="3"><si><t>id_no</t></si><si><t>name</t></si><si><t>11010519491231002X</t></si></sst>"#;

/// A sound archive with a sheet and its shared texts as given (压缩包完好、内容任意的工作簿).
fn workbook(sheet: &[u8], shared: &[u8]) -> Vec<u8> {
    let parts: [(&str, &[u8]); 6] = [
        ("[Content_Types].xml", br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#),
        ("_rels/.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
        ("xl/workbook.xml", br#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", shared),
    ];
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in parts {
        archive.start_file(name, stored).expect("an archive in memory takes a part");
        archive.write_all(content).expect("an archive in memory takes bytes");
    }
    archive.finish().expect("an archive in memory is finished").into_inner()
}
