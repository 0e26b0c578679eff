//! Payments over HTTP (发放): from the proposal to the bank's answer, with two officers and without script.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is not there"
)]

mod house;
#[path = "../../casework/tests/desk/town.rs"]
#[expect(
    dead_code,
    reason = "the walk of casework's own tests; this file goes a part of it"
)]
mod town;

use access::{Role, Scope};
use axum::http::{StatusCode, header};
use house::{HERE, House, id_number, migrations, region};
use ledger::{BankOutcome, LineFilter, NewEntitlement, PayLine};
use registry::accounts::{Account, AccountKind};
use std::sync::Arc;
use store::{Db, TestClock};
use town::Town;
use uuid::Uuid;
use vocab::ids::{DecisionId, PersonId};
use vocab::{Money, Region};

/// What an act that asks again is sent with.
const SHOWN: [(&str, &str); 1] = [("again.shown", house::PASSWORD)];

/// A district with two finance officers and a window officer; two people are entitled, one of them without an account.
async fn town(db: Db) -> (House, PersonId, PersonId) {
    let house = House::over(db).await;
    house.officer("fin-a", &[(Role::Finance, "990101")]).await;
    house.officer("fin-b", &[(Role::Finance, "990101")]).await;
    house.officer("win", &[(Role::WindowOfficer, HERE)]).await;
    let paid = house
        .person("陈阿婆", &id_number("19500101", 1), HERE)
        .await;
    let unpaid = house
        .person("李阿公", &id_number("19500102", 2), HERE)
        .await;
    let scope = Scope::system(Region::NATION);
    let mut tx = house.app.db.begin().await.unwrap();
    let account = Account {
        bank: "建设银行".into(),
        number: "6217000000000000003".into(),
        holder: "陈阿婆".into(),
        kind: AccountKind::Passbook,
        agreement: None,
    };
    registry::accounts::set_account(&mut tx, &scope, paid, account)
        .await
        .unwrap()
        .unwrap();
    for (number, person) in [(1, paid), (2, unpaid)] {
        let new = NewEntitlement {
            decision: DecisionId(Uuid::from_u128(number)),
            programme: house.app.desk.book.programmes()[0].id.clone(),
            payee: person,
            household: None,
            region: region(HERE),
            amount: Money::from_fen(20_000),
            covered: vec![person],
            from: "2026-06".parse().unwrap(),
            until: None,
            excludes: Vec::new(),
            part: String::new(),
        };
        ledger::entitle(&mut tx, &scope, &new)
            .await
            .unwrap()
            .unwrap();
    }
    tx.commit().await.unwrap();
    (house, paid, unpaid)
}

async fn lines(house: &House) -> Vec<PayLine> {
    let scope = Scope::system(Region::NATION);
    ledger::lines(&house.app.db, &scope, &LineFilter::default(), 0, 100)
        .await
        .unwrap()
        .rows
}

fixtures::db_tests! {
    migrations = migrations();

    async fn a_run_goes_from_the_proposal_to_the_banks_answer_with_four_eyes(db: Db) {
        let (house, paid, _) = town(db).await;
        let mut first = house.signed_in("fin-a").await;
        let list = first.get("/pay-runs").await;
        assert!(list.holds("还没有发放批次") && list.holds("拟定发放"), "{}", list.text());

        let proposed = first.post("/pay-runs", &[("month", "2026-06"), ("region", "990101")]).await;
        assert_eq!(proposed.status, StatusCode::SEE_OTHER, "{}", proposed.text());
        let (run, _) = proposed.location().split_once('?').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let page = first.get(&proposed.location()).await;
        assert!(page.holds("没有可用的收款账户") && page.holds("请由另一位同事复核放款") && page.holds("李阿公"), "{}", page.text());
        assert!(!page.holds("确认放款"));
        let all = first.get(&format!("{run}?show=new")).await;
        assert!(all.holds("陈阿婆") && all.holds("200.00") && all.holds("新增"));
        let again = first.post("/pay-runs", &[("month", "2026-06"), ("region", "990101")]).await;
        assert_eq!(again.location(), format!("{run}?done=open"));

        let refused = first.post(&format!("{run}/release"), &SHOWN).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.holds("请由另一位同事办理这一步"), "{}", refused.text());
        let early = first.post(&format!("{run}/file"), &[("format", "csv")]).await;
        assert!(early.holds("尚未放款"), "{}", early.text());

        let mut second = house.signed_in("fin-b").await;
        assert!(second.get(&run).await.holds("确认放款"));
        let asked = second.post(&format!("{run}/release"), &[]).await;
        assert!(asked.status == StatusCode::OK && asked.holds("请再次验证身份") && asked.holds("name=\"again.shown\""), "{}", asked.text());
        let released = second.post(&format!("{run}/release"), &SHOWN).await;
        assert_eq!(released.location(), format!("{run}?done=released"), "{}", released.text());
        let twice = second.post(&format!("{run}/release"), &[]).await;
        assert_eq!(twice.location(), format!("{run}?done=released"));

        first.get(&run).await;
        let file = first.post(&format!("{run}/file"), &[("format", "csv")]).await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.text());
        let kind = file.headers.get(header::CONTENT_TYPE).unwrap().to_str().unwrap();
        assert_eq!(kind, "text/csv; charset=gb18030");
        assert_eq!(second.post(&format!("{run}/file"), &[("format", "csv")]).await.body, file.body);
        let sheet = sheets::read(&file.body, sheets::Limits::default()).unwrap();
        let text = format!("{sheet:?}");
        assert!(text.contains("6217000000000000003") && text.contains("陈阿婆") && !text.contains("李阿公"), "{text}");
        assert!(first.post(&format!("{run}/file"), &[("format", "xlsx")]).await.body.starts_with(b"PK"));
        assert_eq!(first.post(&format!("{run}/sent"), &[]).await.location(), format!("{run}?done=sent"));

        let nonsense = first.upload(&format!("{run}/return"), &[], ("file", "x.csv", "a,b\n1,2\n".as_bytes())).await;
        assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(nonsense.holds("没有找到表头"), "{}", nonsense.text());
        let none = first.post(&format!("{run}/return"), &[]).await;
        assert!(none.holds("请先选择要上传的文件"));

        let lines = lines(&house).await;
        let line = lines.iter().find(|line| line.payee == paid).unwrap();
        let outcome = BankOutcome::Returned { code: "E1".into(), reason: "账号户名不符".into() };
        let mut answer = exchange::bank_return::sample(&[(line, outcome)]).unwrap();
        answer.extend_from_slice("X-1,1.00,成功,,\n".as_bytes());
        let result = first.upload(&format!("{run}/return"), &[], ("file", "hui.csv", &answer)).await;
        assert_eq!(result.status, StatusCode::OK, "{}", result.text());
        assert!(result.holds("回盘结果") && result.holds("账号户名不符"), "{}", result.text());
        let again = first.upload(&format!("{run}/return"), &[], ("file", "hui.csv", &answer)).await;
        assert!(again.holds("以前已导入"));

        let path = format!("/pay-lines/{}", line.id);
        let page = first.get(&path).await;
        assert!(page.holds("联系本人") && page.holds("建设银行") && page.holds("账户已更正，重发"), "{}", page.text());
        assert!(!page.holds("6217000000000000003"));
        assert_eq!(first.post(&format!("{path}/reissue"), &[]).await.location(), path);
        assert!(first.get(&path).await.holds("下一次拟定发放时会自动带上这一笔"));
        let next = first.post("/pay-runs", &[("month", "2026-07"), ("region", "990101")]).await;
        let page = first.get(&next.location()).await;
        assert!(page.holds("2026-07"), "{}", page.text());
    }

    async fn a_release_asks_for_the_password_once_more_and_holds_for_five_minutes(db: Db, clock: Arc<TestClock>) {
        let (house, _, _) = town(db).await;
        let mut first = house.signed_in("fin-a").await;
        let proposed = first.post("/pay-runs", &[("month", "2026-06"), ("region", "990101")]).await;
        let run = proposed.location().split('?').next().unwrap().to_owned();
        let release = format!("{run}/release");
        let state = async || {
            let scope = Scope::system(Region::NATION);
            let id = run.rsplit('/').next().unwrap().parse().unwrap();
            ledger::run(house.app.db.conn(), &scope, id).await.unwrap().unwrap().state
        };
        let mut second = house.signed_in("fin-b").await;
        // Having just signed in is not enough; looking needs nothing.
        assert_eq!(second.get(&run).await.status, StatusCode::OK);
        let asked = second.post(&release, &[("note", "六月")]).await;
        assert!(asked.holds("请再次验证身份") && asked.holds("name=\"note\" value=\"六月\""), "{}", asked.text());
        let empty = second.post(&release, &[("again.shown", "")]).await;
        assert!(empty.status == StatusCode::UNPROCESSABLE_ENTITY && empty.holds("请填写密码"), "{}", empty.text());
        let wrong = second.post(&release, &[("again.shown", "Not-It-2026")]).await;
        assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.holds("密码不对"), "{}", wrong.text());
        assert!(!wrong.holds("Not-It-2026"), "a password is not written back");
        assert_eq!(state().await, ledger::RunState::Proposed, "nothing was released");
        clock.advance(chrono::Duration::seconds(1));
        assert!(second.post(&release, &SHOWN).await.location().ends_with("done=released"));

        // Four minutes later it still holds, five minutes later it does not: 5 × 60 s after it was shown.
        clock.advance(chrono::Duration::minutes(4));
        second.get(&run).await;
        assert!(second.post(&release, &[]).await.location().ends_with("done=released"));
        clock.advance(chrono::Duration::minutes(1));
        second.get(&run).await;
        assert!(second.post(&release, &[]).await.holds("请再次验证身份"));
        // Another session of the same officer has shown nothing yet.
        let mut elsewhere = house.signed_in("fin-b").await;
        elsewhere.get(&run).await;
        assert!(elsewhere.post(&release, &[]).await.holds("请再次验证身份"));

        // Five wrong tries are borne; the sixth ends the session and says so. Signing in is not locked by it.
        for _ in 0..5 {
            let wrong = elsewhere.post(&release, &[("again.shown", "Not-It-2026")]).await;
            assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let ended = elsewhere.post(&release, &SHOWN).await;
        assert_eq!(ended.status, StatusCode::UNAUTHORIZED, "{}", ended.text());
        assert!(!ended.holds("Not-It-2026") && !ended.holds(house::PASSWORD));
        assert!(elsewhere.get("/pay-runs").await.location().starts_with("/sign-in"));
        drop(house.signed_in("fin-b").await);
        let entries = store::journal::page(&house.app.db, &store::journal::Filter::default(), 0, 200).await.unwrap();
        let count = |act: &str| entries.rows.iter().filter(|entry| entry.event.act == act).count();
        assert_eq!((count("access.proved_again"), count("access.not_proved_again")), (1, 6));
    }

    async fn a_run_can_be_cancelled_until_money_moves_and_a_far_month_is_refused(db: Db) {
        let (house, _, _) = town(db).await;
        let mut first = house.signed_in("fin-a").await;
        let far = first.post("/pay-runs", &[("month", "2027-01"), ("region", "990101")]).await;
        assert_eq!(far.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(far.holds("只能拟定到下个月"), "{}", far.text());
        let wrong = first.post("/pay-runs", &[("month", "June"), ("region", "")]).await;
        assert!(wrong.holds("不是月份") && wrong.holds("请选择发放的地区"), "{}", wrong.text());
        let proposed = first.post("/pay-runs", &[("month", "2026-06"), ("region", "990101")]).await;
        let run = proposed.location().split('?').next().unwrap().to_owned();
        assert_eq!(first.post(&format!("{run}/cancel"), &[]).await.location(), "/pay-runs?done=cancelled");
        assert!(first.get(&run).await.holds("这一批已作废"));
        let mut second = house.signed_in("fin-b").await;
        let late = second.post(&format!("{run}/release"), &SHOWN).await;
        assert!(late.holds("已作废，请重新拟定"), "{}", late.text());
    }

    async fn payments_are_hidden_from_windows_and_from_other_places(db: Db) {
        let (house, _, _) = town(db).await;
        house.officer("far", &[(Role::Finance, "440307")]).await;
        let mut first = house.signed_in("fin-a").await;
        let proposed = first.post("/pay-runs", &[("month", "2026-06"), ("region", "990101")]).await;
        let run = proposed.location().split('?').next().unwrap().to_owned();
        let mut window = house.signed_in("win").await;
        assert_eq!(window.get("/pay-runs").await.status, StatusCode::FORBIDDEN);
        assert_eq!(window.get(&run).await.status, StatusCode::FORBIDDEN);
        let mut far = house.signed_in("far").await;
        assert_eq!(far.get(&run).await.status, StatusCode::NOT_FOUND);
        assert_eq!(far.post(&format!("{run}/release"), &SHOWN).await.status, StatusCode::NOT_FOUND);
        assert!(far.get("/pay-runs").await.holds("还没有发放批次"));
        let line = lines(&house).await[0].id;
        assert_eq!(far.get(&format!("/pay-lines/{line}")).await.status, StatusCode::NOT_FOUND);
    }

    async fn money_that_came_back_becomes_a_task_at_the_window_of_its_case(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db.clone(), clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.grant(case).await;
        let house = House::ruled_by(db, Arc::new(town.desk.clone()), web::WebConfig::default()).await;
        house.officer("fin-a", &[(Role::Finance, "440306")]).await;
        house.officer("fin-b", &[(Role::Finance, "440306")]).await;
        let scope = Scope::system(Region::NATION);
        let mut tx = house.app.db.begin().await.unwrap();
        let account = Account {
            bank: "农业银行".into(),
            number: "123456789012".into(),
            holder: "张桂䶮".into(),
            kind: AccountKind::Passbook,
            agreement: None,
        };
        registry::accounts::set_account(&mut tx, &scope, family.widow, account).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut first = house.signed_in("fin-a").await;
        let mut second = house.signed_in("fin-b").await;
        let month = vocab::Month::of(house.app.db.today()).next().to_string();
        let proposed = first.post("/pay-runs", &[("month", &month), ("region", "440306")]).await;
        let run = proposed.location().split('?').next().unwrap().to_owned();
        second.get(&run).await;
        assert!(second.post(&format!("{run}/release"), &SHOWN).await.location().ends_with("done=released"));
        first.get(&run).await;
        assert!(first.post(&format!("{run}/sent"), &[]).await.location().ends_with("done=sent"));
        first.get(&run).await;
        let lines = lines(&house).await;
        let outcome = BankOutcome::Returned { code: "E2".into(), reason: "账户已销户".into() };
        let answers: Vec<_> = lines.iter().map(|line| (line, outcome.clone())).collect();
        let answer = exchange::bank_return::sample(&answers).unwrap();
        let result = first.upload(&format!("{run}/return"), &[], ("file", "hui.csv", &answer)).await;
        assert!(result.holds("已给窗口登记 1 条待办"), "{}", result.text());
        let view = town.view(case).await;
        assert!(view.tasks.contains(&casework::procedure::TaskKind::ReturnedPayment));
    }
}
