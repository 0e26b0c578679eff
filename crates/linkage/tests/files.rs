//! Files in and out (文件): what is read as people write it, what is refused and where, and that nothing is left half-written.
//!
//! Guarantees: refusals name the row or the column. Deliberately absent: spreadsheets, see the program.
#![cfg(feature = "file")]
#![expect(clippy::unwrap_used, reason = "a test ends at what should not be")]

use linkage::file::{Records, Unread, read, write};
use linkage::{Linked, Settings, link};
use std::path::PathBuf;

const TABLE: &str = "编号,姓名,身份证号,出生日期,性别,手机号,住址
A1,张伟,440300199001010016,1990-01-01,男,13812345678,前进路1号
A2,李芳,,1985年3月15日,女,,人民路2号
A3,ZHANG WEI,440300900101001,,1,138-1234-5678,前进路1号
";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("linkage-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn of(path: &std::path::Path) -> Result<(Records, Linked), Unread> {
    let mut records = read(path, Records::default(), &mut |_| {})?;
    records.register.finish();
    let linked = link(&records.register, &Settings::usual(1).unwrap(), &|_, _| {});
    Ok((records, linked))
}

#[test]
fn utf8_and_gb18030_are_read_alike() {
    let folder = Folder::new("encodings");
    let (gb, _, _) = encoding_rs::GB18030.encode(TABLE);
    for (name, bytes) in [
        ("utf8.csv", TABLE.as_bytes().to_vec()),
        ("mark.csv", format!("\u{feff}{TABLE}").into_bytes()),
        ("gb.csv", gb.into_owned()),
        ("tabs.csv", TABLE.replace(',', "\t").into_bytes()),
    ] {
        let (records, linked) = of(&folder.file(name, &bytes)).unwrap();
        assert_eq!(records.register.len(), 3, "{name}");
        assert_eq!(records.ids.text(2), "A3", "{name}");
        assert_eq!(linked.person, [0, 1, 0], "{name}");
    }
}

#[test]
fn a_file_is_refused_with_row_and_column() {
    let folder = Folder::new("refusals");
    let told = |name: &str, bytes: &[u8]| of(&folder.file(name, bytes)).err().unwrap().to_string();
    let short = told("short.csv", b"name,phone\nA,1\nB\n");
    assert!(short.contains("第 3 行有 1 列，表头有 2 列"), "{short}");
    let twice = told("twice.csv", "姓名,name\n张伟,张伟\n".as_bytes());
    assert!(twice.contains("“姓名”和“name”两列都是姓名"), "{twice}");
    let nobody = told("nobody.csv", b"a,b\n1,2\n");
    assert!(
        nobody.contains("表头中没有姓名或身份证号") && nobody.contains("a、b"),
        "{nobody}"
    );
    let broken = told("broken.csv", b"name\nA\n\xFF\xFF\n");
    assert!(broken.contains("第 3 行的文字编码"), "{broken}");
    let parquet = told("broken.parquet", b"PAR1 and nothing more");
    assert!(parquet.contains("无法读取 Parquet 文件"), "{parquet}");
    assert!(matches!(
        of(&folder.0.join("absent.csv")),
        Err(Unread::File { .. })
    ));
}

#[test]
fn people_are_written_whole_with_their_reasons_and_can_be_read_as_a_table() {
    let folder = Folder::new("written");
    let (records, linked) = of(&folder.file("in.csv", TABLE.as_bytes())).unwrap();
    let out = folder.0.join("out.csv");
    write(&out, &records.ids, &linked, 0).unwrap();
    let text = std::fs::read_to_string(&out).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(
        rows[0].trim_start_matches('\u{feff}'),
        "record_id,cluster,outcome,probability,other,why"
    );
    assert!(
        rows[1].starts_with("A1,A1,同一人,0.99") || rows[1].starts_with("A1,A1,同一人,1.00"),
        "{}",
        rows[1]
    );
    assert!(
        rows[3].starts_with("A3,A1,同一人,") && rows[3].contains("姓名同音"),
        "{}",
        rows[3]
    );
    assert_eq!(rows[2], "A2,A2,无相近记录,,,");
    let parquet = folder.0.join("out.parquet");
    write(&parquet, &records.ids, &linked, 0).unwrap();
    assert_eq!(&std::fs::read(&parquet).unwrap()[..4], b"PAR1");
    let left = std::fs::read_dir(&folder.0).unwrap().count();
    assert_eq!(left, 3, "nothing beside what was asked for");
}

#[test]
fn what_cannot_be_written_leaves_what_was_there() {
    let folder = Folder::new("unwritten");
    let (records, linked) = of(&folder.file("in.csv", TABLE.as_bytes())).unwrap();
    let fault = write(
        &folder.0.join("nowhere").join("out.csv"),
        &records.ids,
        &linked,
        0,
    )
    .err()
    .unwrap();
    assert!(fault.to_string().contains("无法写出文件"), "{fault}");
}

#[test]
fn ids_that_stand_twice_are_found() {
    let folder = Folder::new("ids");
    let table = "id,name\n7,张伟\n8,李芳\n7,王强\n";
    let (records, _) = of(&folder.file("numbers.csv", table.as_bytes())).unwrap();
    assert_eq!(records.ids.repeated(), Some((0, 2)));
    // 007 is another id than 7.
    let (records, _) =
        of(&folder.file("texts.csv", table.replacen('7', "007", 1).as_bytes())).unwrap();
    assert_eq!(records.ids.repeated(), None);
    assert_eq!(records.ids.text(0), "007");
}
