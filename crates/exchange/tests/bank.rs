//! From a released run to the bank and back (代发与回盘), with the real registry and ledger on both databases.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by failing there"
)]

use access::{Actor, Purpose, Role, Scope};
use exchange::bank_file::{Refused, Unsendable};
use exchange::{Format, bank_file, bank_return, blocked};
use ledger::{
    BankOutcome, Blocked, LineFilter, LineState, NewEntitlement, NewPayRun, Obstacles, PayLine,
    PayRun,
};
use registry::accounts::{Account, AccountKind, set_account};
use registry::people::{NewPerson, record_death};
use sheets::Limits;
use std::collections::BTreeMap;
use store::Db;
use uuid::Uuid;
use vocab::ids::{DecisionId, OfficerId, PersonId};
use vocab::{Document, DocumentKind, Money, Month, Region, Sex};

const EAST: &str = "990101001001";

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

fn scope(number: u128, role: Role, place: &str) -> Scope {
    let actor = Actor::officer(
        OfficerId(Uuid::from_u128(number)),
        "经办",
        vec![(role, region(place))],
    );
    Scope {
        actor,
        region: region(place),
        purpose: Purpose::Payment,
    }
}

fn finance(number: u128) -> Scope {
    scope(number, Role::Finance, "990101")
}

fn june() -> Month {
    "2026-06".parse().unwrap()
}

async fn person(db: &Db, name: &str, seventeen: &str) -> PersonId {
    let number = format!(
        "{seventeen}{}",
        vocab::id_number::check_digit(seventeen).unwrap()
    );
    let new = NewPerson {
        name: name.to_owned(),
        document: Document::read(
            DocumentKind::ResidentId,
            &number,
            "2026-06-01".parse().unwrap(),
        )
        .unwrap(),
        sex: Sex::Unknown,
        birth_date: None,
        phone: None,
        hukou: Some(region(EAST)),
        lives_in: region(EAST),
        address: "一号楼101".to_owned(),
    };
    let mut tx = db.begin().await.unwrap();
    let window = scope(9, Role::WindowOfficer, "990101");
    let id = registry::register_person(&mut tx, &window, new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn account(db: &Db, id: PersonId, holder: &str, number: &str) {
    let given = Account {
        bank: "样县农村商业银行".to_owned(),
        number: number.to_owned(),
        holder: holder.to_owned(),
        kind: AccountKind::Passbook,
        agreement: None,
    };
    let mut tx = db.begin().await.unwrap();
    set_account(&mut tx, &scope(9, Role::WindowOfficer, "990101"), id, given)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
}

async fn entitled(db: &Db, payee: PersonId, fen: i64) {
    let new = NewEntitlement {
        decision: DecisionId(db.new_id()),
        programme: "old_age".to_owned(),
        payee,
        household: None,
        region: region(EAST),
        amount: Money::from_fen(fen),
        covered: Vec::new(),
        from: june(),
        until: None,
        excludes: Vec::new(),
        part: String::new(),
    };
    let mut tx = db.begin().await.unwrap();
    ledger::entitle(&mut tx, &finance(1), &new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
}

fn new_run() -> NewPayRun {
    NewPayRun {
        month: june(),
        region: region("990101"),
        programmes: None,
    }
}

async fn obstacles(db: &Db) -> Obstacles {
    let concerned = ledger::concerned(db, &finance(1), &new_run())
        .await
        .unwrap();
    blocked(db, &finance(1), &concerned).await.unwrap()
}

async fn released(db: &Db, blocked: &Obstacles) -> PayRun {
    let mut tx = db.begin().await.unwrap();
    let run = ledger::propose(&mut tx, &finance(1), &new_run(), blocked)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    ledger::release(db, &finance(2), run.id, "key", blocked)
        .await
        .unwrap()
        .unwrap()
        .run
}

async fn file(db: &Db, run: &PayRun, format: Format) -> Result<exchange::BankFile, Refused> {
    let purposes = BTreeMap::from([("old_age".to_owned(), "高龄津贴".to_owned())]);
    let mut tx = db.begin().await.unwrap();
    let made = bank_file(db, &mut tx, &finance(2), run.id, format, &purposes)
        .await
        .unwrap();
    if made.is_ok() {
        tx.commit().await.unwrap();
    } else {
        tx.rollback().await.unwrap();
    }
    made
}

async fn lines(db: &Db, run: &PayRun) -> Vec<PayLine> {
    let filter = LineFilter {
        run: Some(run.id),
        ..LineFilter::default()
    };
    ledger::lines(db, &finance(1), &filter, 0, 100)
        .await
        .unwrap()
        .rows
}

async fn two_people(db: &Db) -> [PersonId; 2] {
    let first = person(db, "䶮𬱖", "99010119500101001").await;
    let second = person(db, "张芳", "99010119500101002").await;
    account(db, first, "䶮𬱖", "6200000000000001").await;
    account(db, second, "张芳", "6200000000000002").await;
    entitled(db, first, 20_000).await;
    entitled(db, second, 125_050).await;
    [first, second]
}

fixtures::db_tests! {
    migrations = exchange::migrations();

    async fn a_run_is_one_file_in_two_forms_and_the_same_bytes_for_ever(db: Db) {
        let [first, _] = two_people(&db).await;
        let run = released(&db, &obstacles(&db).await).await;
        let csv = file(&db, &run, Format::CsvGb18030).await.unwrap();
        let xlsx = file(&db, &run, Format::Xlsx).await.unwrap();
        assert_eq!((csv.lines, csv.total, &csv.sm3), (2, Money::from_fen(145_050), &xlsx.sm3));
        account(&db, first, "䶮𬱖", "6200000000000009").await;
        assert_eq!(file(&db, &run, Format::CsvGb18030).await.unwrap().bytes, csv.bytes);
        assert_eq!(file(&db, &run, Format::Xlsx).await.unwrap().bytes, xlsx.bytes);

        for bytes in [&csv.bytes, &xlsx.bytes] {
            let sheet = sheets::read(bytes, Limits::default()).unwrap().remove(0);
            let rows: Vec<Vec<String>> =
                sheet.rows.iter().map(|row| row.iter().map(sheets::Cell::text).collect()).collect();
            assert_eq!(rows[0], ["序号", "户名", "账号", "开户行", "金额(元)", "用途", "指令号"]);
            let mut names: Vec<&str> = rows[1..3].iter().map(|row| &*row[1]).collect();
            names.sort_unstable();
            assert_eq!(names, ["䶮𬱖", "张芳"]);
            for (row, line) in rows[1..3].iter().zip(lines(&db, &run).await) {
                assert_eq!(sheets::Cell::Text(row[4].clone()).money().unwrap(), Some(line.net));
                assert_eq!((&*row[5], &row[6]), ("高龄津贴2026-06", &line.instruction));
            }
            assert_eq!((&*rows[3][1], &*rows[3][2]), ("合计", "2笔"));
            assert_eq!(sheets::Cell::Text(rows[3][4].clone()).money().unwrap(), Some(csv.total));
        }
    }

    async fn the_banks_answer_comes_back_through_the_file(db: Db) {
        let [_, second] = two_people(&db).await;
        let run = released(&db, &obstacles(&db).await).await;
        let sent = file(&db, &run, Format::CsvGb18030).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        ledger::mark_sent(&mut tx, &finance(2), run.id, &sent.sm3).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let all = lines(&db, &run).await;
        let came_back = BankOutcome::Returned { code: "R03".to_owned(), reason: "账号户名不符".to_owned() };
        let answers: Vec<(&PayLine, BankOutcome)> = all
            .iter()
            .map(|line| (line, if line.payee == second { came_back.clone() } else { BankOutcome::Settled }))
            .collect();
        let bytes = bank_return::sample(&answers).unwrap();
        let answer = bank_return::read(&bytes).unwrap();
        assert!(answer.faults.is_empty());
        for round in 0..2 {
            let mut tx = db.begin().await.unwrap();
            let done = ledger::bank_return(&mut tx, &finance(2), run.id, &answer.sm3, &answer.results).await.unwrap().unwrap();
            tx.commit().await.unwrap();
            let expected = if round == 0 { (1, 1, 0) } else { (0, 0, 2) };
            assert_eq!((done.settled, done.returned, done.unchanged), expected);
        }
        let line = lines(&db, &run).await.into_iter().find(|line| line.payee == second).unwrap();
        assert_eq!((line.state, line.bank_reason.as_deref()), (LineState::Returned, Some("账号户名不符")));
        assert!(ledger::audit(&db, &finance(1), 2026).await.unwrap().is_clean());
    }

    async fn who_has_no_account_or_died_is_told_before_the_run(db: Db) {
        let [first, second] = two_people(&db).await;
        let third = person(&db, "李梅", "99010119500101003").await;
        entitled(&db, third, 10_000).await;
        let mut tx = db.begin().await.unwrap();
        let died = "2026-05-31".parse().unwrap();
        let window = scope(9, Role::WindowOfficer, "990101");
        record_death(&mut tx, &window, first, died, "公安").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let found = obstacles(&db).await;
        let expected = BTreeMap::from([(first, Blocked::Died { on: died }), (third, Blocked::NoAccount)]);
        assert_eq!(found, expected.into());
        let run = released(&db, &found).await;
        let csv = file(&db, &run, Format::CsvGb18030).await.unwrap();
        assert_eq!((csv.lines, csv.total), (1, Money::from_fen(125_050)));
        assert_eq!(lines(&db, &run).await.iter().filter(|line| line.payee == second).count(), 1);
    }

    async fn a_line_the_bank_cannot_read_refuses_the_whole_file(db: Db) {
        let first = person(&db, "王\u{E001}", "99010119500101001").await;
        account(&db, first, "王\u{E001}", "6200000000000001").await;
        let second = person(&db, "李梅", "99010119500101003").await;
        entitled(&db, first, 20_000).await;
        entitled(&db, second, 20_000).await;
        let run = released(&db, &Obstacles::default()).await;
        let Err(Refused::Lines(mut wrong)) = file(&db, &run, Format::Xlsx).await else { panic!("refused") };
        wrong.sort_by_key(|(_, why)| *why == Unsendable::NoAccount);
        let whys: Vec<_> = wrong.iter().map(|(_, why)| *why).collect();
        assert_eq!(whys, [Unsendable::BadCharacter("户名"), Unsendable::NoAccount]);
    }

    async fn only_finance_of_the_place_gets_the_file_and_only_after_the_release(db: Db) {
        two_people(&db).await;
        let mut tx = db.begin().await.unwrap();
        let run = ledger::propose(&mut tx, &finance(1), &new_run(), &Obstacles::default()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(file(&db, &run, Format::Xlsx).await, Err(Refused::NotReleased));
        let none = BTreeMap::new();
        for (stranger, expected) in [
            (scope(3, Role::Finance, "990102"), "NotFound"),
            (scope(4, Role::Auditor, "990101"), "Denied"),
        ] {
            let mut tx = db.begin().await.unwrap();
            let made = bank_file(&db, &mut tx, &stranger, run.id, Format::Xlsx, &none).await.unwrap();
            tx.rollback().await.unwrap();
            assert!(format!("{made:?}").contains(expected), "{made:?}");
        }
    }
}
