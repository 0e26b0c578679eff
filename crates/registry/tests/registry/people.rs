//! Registering, finding and reading people (人员登记、查找与查看).

use crate::ground::{
    EAST, WEST, day, district, document, id, journalled, new_person, officer_of, region, registered,
};
use registry::people::{
    self, ChangeRefused, NewPerson, Query, Refused, RevealRefused, find_by_document, person, search,
};
use registry::register_person;
use store::Db;
use vocab::{Document, DocumentKind, Sex};

async fn names(db: &Db, scope: &access::Scope, text: &str) -> Vec<String> {
    let query = Query {
        text: text.to_owned(),
        region: None,
    };
    let page = search(db, scope, &query, 0, 50).await.unwrap();
    assert_eq!(
        page.total,
        u64::try_from(page.rows.len()).unwrap(),
        "{text}"
    );
    page.rows.into_iter().map(|row| row.name).collect()
}

fn with_phone(mut new: NewPerson, phone: &str) -> NewPerson {
    new.phone = Some(phone.to_owned());
    new
}

fixtures::db_tests! {
    migrations = registry::migrations();

    async fn one_document_is_one_person(db: Db) {
        let first = registered(&db, new_person("张芳", "99010119560715004", EAST)).await;
        let mut tx = db.begin().await.unwrap();
        let again = register_person(&mut tx, &officer_of(EAST), new_person("张芳", "99010119560715004", EAST)).await.unwrap();
        assert_eq!(again, Err(Refused::AlreadyRegistered(Some(first))));
        // Who lives elsewhere is not told to an officer of another community.
        let elsewhere = register_person(&mut tx, &officer_of(WEST), new_person("张芳", "99010119560715004", WEST)).await.unwrap();
        assert_eq!(elsewhere, Err(Refused::AlreadyRegistered(None)));
        // Two people without documents are two people.
        for _ in 0..2 {
            let mut nobody = new_person("无名氏", "99010119560715004", EAST);
            nobody.document = Document::none();
            assert!(register_person(&mut tx, &district(), nobody).await.unwrap().is_ok());
        }
        tx.commit().await.unwrap();
    }

    async fn a_person_is_shown_masked_and_the_read_is_journalled(db: Db) {
        let new = with_phone(new_person("张芳", "99010119560715004", EAST), "17000001234");
        let id = registered(&db, new).await;
        let seen = person(&db, &officer_of(EAST), id).await.unwrap().unwrap();
        assert_eq!(seen.name, "张芳");
        assert_eq!(seen.sex, Sex::Female);
        assert_eq!(seen.birth_date, Some(day("1956-07-15")));
        assert!(seen.document_masked.contains("****") && !seen.document_masked.contains("0715"));
        assert_eq!(seen.phone_masked.as_deref(), Some("170****1234"));
        let found = find_by_document(&db, &officer_of(EAST), &document("99010119560715004")).await.unwrap();
        assert_eq!(found.unwrap().id, id);
        assert_eq!(journalled(&db).await, ["person.register", "person.read", "person.read"]);
        assert!(store::journal::verify(&db).await.unwrap().is_intact());
    }

    async fn numbers_are_revealed_for_a_purpose_only_and_never_silently(db: Db) {
        let new = with_phone(new_person("张芳", "99010119560715004", EAST), "17000001234");
        let person = registered(&db, new).await;
        let mut tx = db.begin().await.unwrap();
        let scope = officer_of(EAST);
        assert_eq!(people::reveal(&mut tx, &scope, person, " ").await.unwrap(), Err(RevealRefused::PurposeMissing));
        assert_eq!(people::reveal(&mut tx, &officer_of(WEST), person, "核对").await.unwrap(), Err(RevealRefused::NotFound));
        let clear = people::reveal(&mut tx, &scope, person, "核对银行卡户名").await.unwrap().unwrap();
        assert_eq!(clear.document_number, id("99010119560715004"));
        assert_eq!(clear.phone.as_deref(), Some("17000001234"));
        tx.commit().await.unwrap();
        let page = store::journal::page(&db, &store::journal::Filter::default(), 0, 10).await.unwrap();
        let reveal = page.rows.iter().find(|entry| entry.event.act == "person.reveal").unwrap();
        assert_eq!(reveal.event.purpose, "核对银行卡户名");
        assert!(!reveal.event.detail.to_string().contains("1956"));
    }

    async fn people_are_found_by_every_part_of_what_is_known(db: Db) {
        registered(&db, with_phone(new_person("王小明", "99010119900101001", EAST), "17000001234")).await;
        registered(&db, with_phone(new_person("曾强", "99010119900101003", EAST), "17000005678")).await;
        registered(&db, new_person("阿不都·热合曼", "99010119900101005", EAST)).await;
        registered(&db, new_person("Maria Silva", "99010119900101007", EAST)).await;
        let scope = officer_of(EAST);
        for text in ["王小明", "小明", "明", "wangxiaoming", "wang xiao", "xiaoming", "wxm", "xm", "WXM", " 王 "] {
            assert_eq!(names(&db, &scope, text).await, ["王小明"], "{text}");
        }
        for text in ["zengqiang", "zq", "曾"] {
            assert_eq!(names(&db, &scope, text).await, ["曾强"], "{text}");
        }
        for text in ["热合曼", "阿不都热合曼", "阿不都·热"] {
            assert_eq!(names(&db, &scope, text).await, ["阿不都·热合曼"], "{text}");
        }
        for text in ["maria", "SILVA", "Maria Silva"] {
            assert_eq!(names(&db, &scope, text).await, ["Maria Silva"], "{text}");
        }
        let number = id("99010119900101001");
        for text in [&number, &number.to_lowercase(), &number[14..], &number[13..], &number[12..], "1234", "17000001234", "170-0000-1234"] {
            assert_eq!(names(&db, &scope, text).await, ["王小明"], "{text}");
        }
        for text in ["李", "zzz", "9999", "17000009999", "%", "_", "' or 1=1 --"] {
            assert!(names(&db, &scope, text).await.is_empty(), "{text}");
        }
        assert_eq!(names(&db, &scope, "").await.len(), 4);
    }

    async fn an_old_number_of_fifteen_digits_finds_its_holder(db: Db) {
        registered(&db, new_person("王小明", "44030019900101001", EAST)).await;
        assert_eq!(names(&db, &officer_of(EAST), "440300900101001").await, ["王小明"]);
    }

    async fn rare_characters_are_kept_and_found_by_themselves(db: Db) {
        // Extension A to H, compatibility ideographs and the dot; none is changed on its way in and out.
        let rare = ["䶮", "㼆", "𬱖", "𠅤", "𡘙", "㛃", "𫖯", "𬭳", "鿍", "𰻞", "凉", "龦"];
        for (n, character) in rare.iter().enumerate() {
            let seventeen = format!("990101199001{:02}001", n + 1);
            registered(&db, new_person(&format!("{character}小"), &seventeen, EAST)).await;
        }
        for character in rare {
            let expected = format!("{character}小");
            assert_eq!(names(&db, &officer_of(EAST), character).await, std::slice::from_ref(&expected));
            assert_eq!(names(&db, &officer_of(EAST), &expected).await, [expected]);
        }
        // They can be written down for others and come back the same.
        let all: String = rare.concat();
        let table = sheets::Table {
            name: "名单".to_owned(),
            notes: vec![],
            columns: vec![sheets::Column::new("姓名", sheets::Kind::Text, 20)],
            rows: vec![vec![sheets::Field::text(all.clone())]],
            open_rows: 0,
        };
        let bytes = sheets::csv(&table, sheets::Encoding::Gb18030).unwrap();
        assert_eq!(sheets::read(&bytes, sheets::Limits::default()).unwrap()[0].rows[1][0].text(), all);
    }

    async fn another_community_does_not_exist(db: Db) {
        let east = registered(&db, with_phone(new_person("王小明", "99010119900101001", EAST), "17000001234")).await;
        let west = registered(&db, with_phone(new_person("王小红", "99010119900101002", WEST), "17000001234")).await;
        let scope = officer_of(EAST);
        let number = id("99010119900101002");
        assert_eq!(person(&db, &scope, west).await.unwrap(), None);
        assert_eq!(find_by_document(&db, &scope, &document("99010119900101002")).await.unwrap(), None);
        for text in ["", "王", "小红", "wxh", "wangxiaohong", "1234", "17000001234", &number, &number[14..], &number[12..]] {
            let found = names(&db, &scope, text).await;
            assert!(!found.contains(&"王小红".to_owned()), "{text}");
        }
        // Not even by asking for the other place.
        let query = Query { text: "王".to_owned(), region: Some(region(WEST)) };
        assert_eq!(search(&db, &scope, &query, 0, 10).await.unwrap().total, 0);
        assert_eq!(people::rows(&db, &scope, &[east, west]).await.unwrap().len(), 1);
        let mut tx = db.begin().await.unwrap();
        let moved = people::move_home(&mut tx, &scope, west, region(EAST), "").await.unwrap();
        assert_eq!(moved, Err(ChangeRefused::NotFound));
        assert_eq!(people::set_phone(&mut tx, &scope, west, None).await.unwrap(), Err(ChangeRefused::NotFound));
        assert_eq!(people::move_home(&mut tx, &scope, east, region(WEST), "").await.unwrap(), Err(ChangeRefused::OutsideScope));
        let outside = register_person(&mut tx, &scope, new_person("李四", "99010119900101009", WEST)).await.unwrap();
        assert_eq!(outside, Err(Refused::OutsideScope));
        tx.rollback().await.unwrap();
        // The district sees both and each where they live.
        assert_eq!(names(&db, &district(), "1234").await.len(), 2);
        assert_eq!(names(&db, &officer_of("990101001"), "王").await.len(), 2);
        assert_eq!(names(&db, &officer_of("990102"), "王").await.len(), 0);
    }

    async fn moving_and_a_new_phone_change_where_and_how_somebody_is_found(db: Db) {
        let id = registered(&db, with_phone(new_person("王小明", "99010119900101001", EAST), "17000001234")).await;
        let mut tx = db.begin().await.unwrap();
        people::move_home(&mut tx, &district(), id, region(WEST), "二号楼").await.unwrap().unwrap();
        people::set_phone(&mut tx, &district(), id, Some("170 0000 9876")).await.unwrap().unwrap();
        assert_eq!(people::set_phone(&mut tx, &district(), id, Some("12")).await.unwrap(), Err(ChangeRefused::NotAPhone));
        tx.commit().await.unwrap();
        assert!(names(&db, &officer_of(EAST), "王小明").await.is_empty());
        for text in ["王小明", "9876", "17000009876", "wxm"] {
            assert_eq!(names(&db, &officer_of(WEST), text).await, ["王小明"], "{text}");
        }
        assert!(names(&db, &officer_of(WEST), "1234").await.is_empty());
        assert!(people::phone_tail_is(&db, id, "9876").await.unwrap());
        assert!(!people::phone_tail_is(&db, id, "1234").await.unwrap());
        let seen = person(&db, &officer_of(WEST), id).await.unwrap().unwrap();
        assert_eq!((seen.version, seen.address.as_str()), (3, "二号楼"));
    }

    async fn the_database_holds_no_clear_number(db: Db) {
        use sea_orm::{ConnectionTrait, Statement};
        let number = id("99010119560715004");
        let person = registered(&db, with_phone(new_person("张芳", "99010119560715004", EAST), "17000001234")).await;
        let mut tx = db.begin().await.unwrap();
        let account = registry::accounts::Account {
            bank: "样例银行".to_owned(),
            number: "6222020000000000000".to_owned(),
            holder: "张芳".to_owned(),
            kind: registry::accounts::AccountKind::Card,
            agreement: None,
        };
        registry::accounts::set_account(&mut tx, &district(), person, account).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        for table in ["registry_person", "registry_search_key", "registry_account"] {
            let statement = Statement::from_string(db.conn().get_database_backend(), format!("select * from {table}"));
            let rows = db.conn().query_all_raw(statement).await.unwrap();
            assert!(!rows.is_empty(), "{table}");
            let all = format!("{rows:?}");
            for clear in [number.as_str(), "17000001234", "6222020000000000000"] {
                assert!(!all.contains(clear), "{table}");
            }
        }
        let journal = store::journal::page(&db, &store::journal::Filter::default(), 0, 100).await.unwrap().rows;
        assert!(!journal.is_empty());
        let all = format!("{journal:?}");
        for clear in [number.as_str(), "17000001234", "6222020000000000000"] {
            assert!(!all.contains(clear), "the journal");
        }
    }

    async fn accounts_follow_each_other_and_are_exported_with_a_journal_entry(db: Db) {
        use registry::accounts::{Account, AccountKind, Kept, Refused, account_of, accounts_for_payment, set_account, with_account};
        let person = registered(&db, new_person("张芳", "99010119560715004", EAST)).await;
        let account = |number: &str, kind| Account {
            bank: "样例银行".to_owned(),
            number: number.to_owned(),
            holder: "张芳".to_owned(),
            kind,
            agreement: None,
        };
        let mut tx = db.begin().await.unwrap();
        let scope = officer_of(EAST);
        let wrong = account("6222020000000000001", AccountKind::Card);
        assert_eq!(set_account(&mut tx, &scope, person, wrong).await.unwrap(), Err(Refused::CheckDigit));
        let passbook = account("6222020000000000001", AccountKind::Passbook);
        assert_eq!(set_account(&mut tx, &scope, person, passbook).await.unwrap(), Ok(Kept { doubtful: true, unchanged: false }));
        let card = account("6222 0200 0000 0000 000", AccountKind::Card);
        assert_eq!(set_account(&mut tx, &scope, person, card.clone()).await.unwrap(), Ok(Kept { doubtful: false, unchanged: false }));
        assert_eq!(set_account(&mut tx, &scope, person, card.clone()).await.unwrap(), Ok(Kept { doubtful: false, unchanged: true }));
        assert_eq!(set_account(&mut tx, &officer_of(WEST), person, card).await.unwrap(), Err(Refused::NotFound));
        let seen = account_of(&tx, &scope, person).await.unwrap().unwrap();
        assert!(seen.number_masked.ends_with("0000") && seen.number_masked.starts_with('*') && !seen.doubtful);
        let paid = accounts_for_payment(&mut tx, &scope, &[person], "2026-06 发放").await.unwrap();
        assert_eq!(paid[&person].number, "6222020000000000000");
        assert!(accounts_for_payment(&mut tx, &officer_of(WEST), &[person], "发放").await.unwrap().is_empty());
        assert!(account_of(&tx, &officer_of(WEST), person).await.unwrap().is_none());
        assert_eq!(with_account(&tx, &[person]).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
        assert!(journalled(&db).await.contains(&"account.export".to_owned()));
    }

    async fn other_documents_register_people_too(db: Db) {
        let today = db.today();
        let mut tx = db.begin().await.unwrap();
        for (kind, number) in [
            (DocumentKind::Passport, "E12345678"),
            (DocumentKind::ForeignPermanentResident, "USA110090010100"),
            (DocumentKind::BirthCertificate, "R440012345"),
            (DocumentKind::ResidencePermit, "810000199001010019"),
        ] {
            let mut new = new_person("某人", "99010119900101001", EAST);
            new.document = Document::read(kind, number, today).unwrap();
            register_person(&mut tx, &district(), new).await.unwrap().unwrap();
        }
        tx.commit().await.unwrap();
        for text in ["e12345678", "USA110090010100", "R440012345", "810000199001010019"] {
            assert_eq!(names(&db, &officer_of(EAST), text).await.len(), 1, "{text}");
        }
    }
}
