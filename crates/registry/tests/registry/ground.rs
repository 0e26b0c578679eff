//! The invented street the tests live in (测试用的街道): two communities, and short ways to say common things.

use access::{Actor, Purpose, Role, Scope};
use chrono::NaiveDate;
use registry::people::NewPerson;
use registry::places::PlaceRow;
use store::Db;
use vocab::ids::{OfficerId, PersonId};
use vocab::{Document, DocumentKind, Kinship, Region, Sex};

pub const EAST: &str = "990101001001";
pub const WEST: &str = "990101001002";

pub fn region(code: &str) -> Region {
    code.parse().unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn kin(code: &str) -> Kinship {
    Kinship::read(code).unwrap()
}

/// An officer of one place.
pub fn officer_of(code: &str) -> Scope {
    let officer = OfficerId(uuid::Uuid::from_u128(7));
    let actor = Actor::officer(officer, "王窗口", vec![(Role::WindowOfficer, region(code))]);
    Scope {
        actor,
        region: region(code),
        purpose: Purpose::Application,
    }
}

pub fn district() -> Scope {
    officer_of("990101")
}

/// A valid identity number from its first seventeen digits.
pub fn id(seventeen: &str) -> String {
    format!(
        "{seventeen}{}",
        vocab::id_number::check_digit(seventeen).unwrap()
    )
}

pub fn document(seventeen: &str) -> Document {
    Document::read(DocumentKind::ResidentId, &id(seventeen), day("2026-06-01")).unwrap()
}

pub fn new_person(name: &str, seventeen: &str, lives_in: &str) -> NewPerson {
    NewPerson {
        name: name.to_owned(),
        document: document(seventeen),
        sex: Sex::Unknown,
        birth_date: None,
        phone: None,
        hukou: Some(region("990101001001")),
        lives_in: region(lives_in),
        address: "一号楼101".to_owned(),
    }
}

pub async fn registered(db: &Db, new: NewPerson) -> PersonId {
    let mut tx = db.begin().await.unwrap();
    let id = registry::register_person(&mut tx, &district(), new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    id
}

pub async fn with_places(db: &Db) {
    let place = |code: &str, zh: &str, en: &str| PlaceRow {
        code: region(code),
        name_zh: zh.to_owned(),
        name_en: Some(en.to_owned()),
        parent: None,
        from: None,
        until: None,
    };
    let rows = [
        place("990101", "样例县", "Sample County"),
        place("990101001", "东街街道", "Dongjie Subdistrict"),
        place(EAST, "东门社区", "Dongmen Community"),
        place(WEST, "西门社区", "Ximen Community"),
    ];
    let mut tx = db.begin().await.unwrap();
    registry::places::load_places(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
}

/// The acts in the journal, oldest first.
pub async fn journalled(db: &Db) -> Vec<String> {
    let page = store::journal::page(db, &store::journal::Filter::default(), 0, 1000)
        .await
        .unwrap();
    let mut entries = page.rows;
    entries.sort_by_key(|entry| entry.seq);
    entries.into_iter().map(|entry| entry.event.act).collect()
}
