//! Stories at the door (登录故事), on both databases: signing in, being slowed down, losing a role, a code shown twice.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

use access::session::{self, Opened};
use access::sign_in::{Knock, Refused};
use access::{
    Door, NewOfficer, Permission, Role, Scope, Signed, is_fresh, officer, prove_again,
    second_factor, sign_in,
};
use chrono::Duration;
use std::sync::Arc;
use store::{Db, TestClock};
use vocab::Region;
use vocab::ids::OfficerId;

const PASSWORD: &str = "Street-Lamp-27";

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

fn knock<'a>(login: &'a str, password: &'a str, address: &'a str) -> Knock<'a> {
    Knock {
        login,
        password,
        address,
        device: "测试浏览器",
    }
}

async fn officer_named(db: &Db, door: &Door, login: &str, roles: &[(Role, &str)]) -> OfficerId {
    let scope = Scope::system(region("440306"));
    let mut tx = db.begin().await.unwrap();
    let new = NewOfficer {
        login: login.into(),
        name: "王窗口".into(),
        person_number: None,
        must_change: false,
    };
    let id = officer::create_officer(&mut tx, &scope, door, new, PASSWORD)
        .await
        .unwrap()
        .unwrap();
    for (role, code) in roles {
        officer::grant_role(&mut tx, &scope, id, *role, region(code))
            .await
            .unwrap()
            .unwrap();
    }
    tx.commit().await.unwrap();
    id
}

async fn enter(db: &Db, door: &Door, login: &str) -> Opened {
    sign_in(db, door, &knock(login, PASSWORD, "10.0.0.1"))
        .await
        .unwrap()
        .unwrap()
}

async fn behind(db: &Db, door: &Door, token: &str) -> Option<Signed> {
    session::signed(db, door.times, token).await.unwrap()
}

fixtures::db_tests! {
    migrations = access::migrations();

    async fn an_officer_signs_in_and_his_roles_come_along(db: Db) {
        let door = Door::for_tests().unwrap();
        let id = officer_named(&db, &door, "wang", &[(Role::WindowOfficer, "440306001001")]).await;
        let opened = sign_in(&db, &door, &knock(" Wang ", PASSWORD, "10.0.0.1")).await.unwrap().unwrap();
        assert_eq!(opened.token.len(), 43);
        let signed = behind(&db, &door, &opened.token).await.unwrap();
        assert_eq!(signed.actor.officer, id);
        assert_eq!(signed.actor.roles, [(Role::WindowOfficer, region("440306001001"))]);
        assert!(behind(&db, &door, "another token").await.is_none());
        assert!(store::journal::verify(&db).await.unwrap().is_intact());
    }

    async fn a_role_taken_away_is_gone_at_the_next_request(db: Db) {
        let door = Door::for_tests().unwrap();
        let id = officer_named(&db, &door, "wang", &[(Role::WindowOfficer, "440306001001")]).await;
        let opened = enter(&db, &door, "wang").await;
        let scope = Scope::system(region("440306"));
        let mut tx = db.begin().await.unwrap();
        officer::revoke_role(&mut tx, &scope, id, Role::WindowOfficer, region("440306001001")).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert!(behind(&db, &door, &opened.token).await.unwrap().actor.roles.is_empty());
        let mut tx = db.begin().await.unwrap();
        officer::disable_officer(&mut tx, &scope, id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert!(behind(&db, &door, &opened.token).await.is_none());
        assert_eq!(
            sign_in(&db, &door, &knock("wang", PASSWORD, "10.0.0.1")).await.unwrap().map(|_| ()),
            Err(Refused::WrongNameOrPassword)
        );
    }

    async fn five_failures_slow_an_account_down_and_a_quarter_of_an_hour_later_it_opens(
        db: Db,
        clock: Arc<TestClock>,
    ) {
        let door = Door::for_tests().unwrap();
        officer_named(&db, &door, "wang", &[]).await;
        for login in ["wang", "nobody-by-this-name"] {
            for _ in 0..5 {
                let answer = sign_in(&db, &door, &knock(login, "wrong", "10.0.0.1")).await.unwrap();
                assert_eq!(answer.map(|_| ()), Err(Refused::WrongNameOrPassword));
            }
            let sixth = sign_in(&db, &door, &knock(login, PASSWORD, "10.0.0.2")).await.unwrap().map(|_| ());
            assert!(matches!(sixth, Err(Refused::TooManyTries { .. })), "{login} {sixth:?}");
        }
        clock.advance(Duration::minutes(16));
        enter(&db, &door, "wang").await;
    }

    async fn a_success_wipes_the_slate_of_the_account(db: Db, clock: Arc<TestClock>) {
        let door = Door::for_tests().unwrap();
        officer_named(&db, &door, "wang", &[]).await;
        for _ in 0..3 {
            for _ in 0..4 {
                clock.advance(Duration::seconds(1));
                let answer = sign_in(&db, &door, &knock("wang", "wrong", "10.0.0.1")).await.unwrap();
                assert_eq!(answer.map(|_| ()), Err(Refused::WrongNameOrPassword));
            }
            clock.advance(Duration::seconds(1));
            enter(&db, &door, "wang").await;
        }
    }

    async fn twenty_failures_from_one_address_stop_that_address_only(db: Db) {
        let door = Door::for_tests().unwrap();
        officer_named(&db, &door, "wang", &[]).await;
        for number in 0..20 {
            let login = format!("guess-{number}");
            assert!(sign_in(&db, &door, &knock(&login, "wrong", "10.6.6.6")).await.unwrap().is_err());
        }
        let stopped = sign_in(&db, &door, &knock("wang", PASSWORD, "10.6.6.6")).await.unwrap().map(|_| ());
        assert!(matches!(stopped, Err(Refused::TooManyTries { .. })), "{stopped:?}");
        enter(&db, &door, "wang").await;
    }

    async fn thirty_tries_at_once_count_each_other(db: Db) {
        let door = Door::for_tests().unwrap();
        officer_named(&db, &door, "wang", &[]).await;
        let tries = (0..30).map(|number| {
            let (db, door) = (db.clone(), door.clone());
            tokio::spawn(async move {
                let address = format!("10.1.0.{number}");
                sign_in(&db, &door, &knock("wang", "wrong", &address)).await.unwrap().map(|_| ())
            })
        });
        let mut read = 0;
        for attempt in tries.collect::<Vec<_>>() {
            if attempt.await.unwrap() == Err(Refused::WrongNameOrPassword) {
                read += 1;
            }
        }
        assert!(read <= 5, "{read} passwords were looked at");
    }

    async fn sessions_end_by_idleness_by_age_and_by_number(db: Db, clock: Arc<TestClock>) {
        let door = Door::for_tests().unwrap();
        let id = officer_named(&db, &door, "wang", &[]).await;
        let idle = enter(&db, &door, "wang").await;
        clock.advance(Duration::minutes(30));
        assert!(behind(&db, &door, &idle.token).await.is_none());

        let old = enter(&db, &door, "wang").await;
        for _ in 0..24 {
            clock.advance(Duration::minutes(19));
            assert!(behind(&db, &door, &old.token).await.is_some());
        }
        clock.advance(Duration::minutes(25));
        assert!(behind(&db, &door, &old.token).await.is_none(), "eight hours are over");

        let first = enter(&db, &door, "wang").await;
        let mut others = Vec::new();
        for _ in 0..3 {
            clock.advance(Duration::seconds(1));
            others.push(enter(&db, &door, "wang").await);
        }
        assert!(behind(&db, &door, &first.token).await.is_none(), "the oldest of four went");
        assert_eq!(session::open_of(&db, door.times, id).await.unwrap().len(), 3);

        let mut tx = db.begin().await.unwrap();
        session::end(&mut tx, OfficerId(uuid::Uuid::from_u128(9)), others[0].session.id, "别人").await.unwrap();
        session::end(&mut tx, id, others[1].session.id, "退出").await.unwrap();
        tx.commit().await.unwrap();
        assert!(behind(&db, &door, &others[0].token).await.is_some(), "nobody ends another's session");
        assert!(behind(&db, &door, &others[1].token).await.is_none());
    }

    async fn a_code_is_asked_for_once_enrolled_and_works_once(db: Db, clock: Arc<TestClock>) {
        let door = Door::for_tests().unwrap();
        officer_named(&db, &door, "wang", &[(Role::Finance, "440306")]).await;
        let opened = enter(&db, &door, "wang").await;
        let signed = behind(&db, &door, &opened.token).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let enrolment = second_factor::begin(&mut tx, &signed).await.unwrap();
        tx.commit().await.unwrap();
        assert!(enrolment.link.contains(&enrolment.secret));
        let code = |at: chrono::DateTime<chrono::Utc>| {
            let secret = totp_rs::Secret::try_from_base32(&enrolment.secret).unwrap();
            let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
            totp.generate(u64::try_from(at.timestamp()).unwrap()).to_string()
        };
        let mut tx = db.begin().await.unwrap();
        assert_eq!(second_factor::confirm(&mut tx, &signed, "000000").await.unwrap(), Err(second_factor::Refused::WrongCode));
        let first = code(db.now());
        second_factor::confirm(&mut tx, &signed, &first).await.unwrap().unwrap();
        tx.commit().await.unwrap();

        clock.advance(Duration::seconds(60));
        let half = enter(&db, &door, "wang").await;
        let waiting = behind(&db, &door, &half.token).await.unwrap();
        assert!(!waiting.session.proved && waiting.actor.roles.is_empty(), "a password alone opens nothing");
        let again = second_factor::show(&db, &door, &waiting, &first).await.unwrap();
        assert_eq!(again.map(|_| ()), Err(second_factor::Refused::WrongCode));
        let fresh = code(db.now());
        let whole = second_factor::show(&db, &door, &waiting, &fresh).await.unwrap().unwrap();
        assert!(behind(&db, &door, &half.token).await.is_none(), "the token changes with the rights");
        assert_eq!(behind(&db, &door, &whole.token).await.unwrap().actor.roles.len(), 1);

        let other = enter(&db, &door, "wang").await;
        let waiting = behind(&db, &door, &other.token).await.unwrap();
        let replayed = second_factor::show(&db, &door, &waiting, &fresh).await.unwrap();
        assert_eq!(replayed.map(|_| ()), Err(second_factor::Refused::WrongCode), "the same code a second time");
        for _ in 0..5 {
            drop(second_factor::show(&db, &door, &waiting, "000000").await.unwrap());
        }
        assert!(behind(&db, &door, &other.token).await.is_none(), "five wrong codes end the session");
        let newer = enter(&db, &door, "wang").await;
        let waiting = behind(&db, &door, &newer.token).await.unwrap();
        clock.advance(Duration::seconds(60));
        let right = code(db.now());
        let unread = second_factor::show(&db, &door, &waiting, &right).await.unwrap();
        assert_eq!(unread.map(|_| ()), Err(second_factor::Refused::TooManyTries), "even the right one is not read now");
    }

    async fn who_is_there_is_shown_once_more_by_password_or_by_code_and_for_a_while_only(db: Db, clock: Arc<TestClock>) {
        let door = Door::for_tests().unwrap();
        officer_named(&db, &door, "wang", &[(Role::Finance, "440306")]).await;
        let opened = enter(&db, &door, "wang").await;
        let now_behind = async || behind(&db, &door, &opened.token).await.unwrap();
        let signed = now_behind().await;
        let fresh = async || is_fresh(&now_behind().await.session, door.times, db.now());
        assert!(!fresh().await, "signing in does not count");
        let wrong = prove_again(&db, &door, &signed, "Not-It-2026").await.unwrap();
        assert_eq!(wrong, Err(prove_again::Refused::WrongPassword));
        assert!(!fresh().await);
        prove_again(&db, &door, &signed, PASSWORD).await.unwrap().unwrap();
        assert!(fresh().await);
        clock.advance(Duration::minutes(door.times.again_minutes));
        assert!(!fresh().await, "five minutes are over");

        // With a code enrolled the password is no longer what is asked for, and a code serves once.
        let mut tx = db.begin().await.unwrap();
        let enrolment = second_factor::begin(&mut tx, &signed).await.unwrap();
        let code = |at: chrono::DateTime<chrono::Utc>| {
            let secret = totp_rs::Secret::try_from_base32(&enrolment.secret).unwrap();
            let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
            totp.generate(u64::try_from(at.timestamp()).unwrap()).to_string()
        };
        let first = code(db.now());
        second_factor::confirm(&mut tx, &signed, &first).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        clock.advance(Duration::seconds(60));
        for shown in [PASSWORD, first.as_str()] {
            let refused = prove_again(&db, &door, &signed, shown).await.unwrap();
            assert_eq!(refused, Err(prove_again::Refused::WrongCode));
        }
        prove_again(&db, &door, &signed, &code(db.now())).await.unwrap().unwrap();
        assert!(fresh().await);
        assert!(store::journal::verify(&db).await.unwrap().is_intact());
    }

    async fn one_person_has_one_account_and_nobody_serves_himself(db: Db) {
        let door = Door::for_tests().unwrap();
        let scope = Scope::system(region("440306"));
        let mut tx = db.begin().await.unwrap();
        let new = |login: &str| NewOfficer {
            login: login.into(),
            name: "李四".into(),
            person_number: Some("440306198001011234".into()),
            must_change: true,
        };
        let id = officer::create_officer(&mut tx, &scope, &door, new("lisi"), PASSWORD).await.unwrap().unwrap();
        let second = officer::create_officer(&mut tx, &scope, &door, new("lisi2"), PASSWORD).await.unwrap();
        assert_eq!(second, Err(officer::Refused::SamePersonHasAccount));
        let taken = officer::create_officer(&mut tx, &scope, &door, new("LISI"), PASSWORD).await.unwrap();
        assert_eq!(taken, Err(officer::Refused::LoginTaken("lisi".into())));
        officer::grant_role(&mut tx, &scope, id, Role::Administrator, region("440306")).await.unwrap().unwrap();
        let row = officer::by_login(&db, "nobody").await.unwrap();
        assert!(row.is_none());
        tx.commit().await.unwrap();

        let opened = enter(&db, &door, "lisi").await;
        assert!(opened.must_change);
        let signed = behind(&db, &door, &opened.token).await.unwrap();
        let own = Scope::of(&signed.actor, Permission::ManageOfficers, access::Purpose::System).unwrap();
        let mut tx = db.begin().await.unwrap();
        let answer = officer::grant_role(&mut tx, &own, id, Role::Finance, region("440306")).await.unwrap();
        assert_eq!(answer, Err(officer::Refused::Oneself));
        let elsewhere = officer::grant_role(&mut tx, &own, id, Role::Finance, region("440304")).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(elsewhere, Err(officer::Refused::Denied(access::Denied::Elsewhere)));
        let wrong = officer::change_own_password(&db, &door, &signed, "not it", "Another-Lamp-28").await.unwrap();
        assert_eq!(wrong, Err(officer::Refused::WrongPassword));
        officer::change_own_password(&db, &door, &signed, PASSWORD, "Another-Lamp-28").await.unwrap().unwrap();
        assert!(!behind(&db, &door, &opened.token).await.unwrap().must_change);
    }

    async fn an_administrator_sees_the_accounts_of_his_region_only(db: Db) {
        let door = Door::for_tests().unwrap();
        let here = officer_named(&db, &door, "here", &[(Role::WindowOfficer, "440306001001")]).await;
        let there = {
            let scope = Scope::system(Region::NATION);
            let id = officer_named(&db, &door, "there", &[]).await;
            let mut tx = db.begin().await.unwrap();
            officer::grant_role(&mut tx, &scope, id, Role::WindowOfficer, region("440304001001")).await.unwrap().unwrap();
            tx.commit().await.unwrap();
            id
        };
        let scope = Scope::system(region("440306"));
        let page = officer::list(&db, &scope, 0, 10).await.unwrap();
        assert_eq!((page.total, page.rows[0].id), (1, here));
        assert!(officer::officer(&db, &scope, there).await.unwrap().is_none());
        let mut tx = db.begin().await.unwrap();
        assert_eq!(officer::disable_officer(&mut tx, &scope, there).await.unwrap(), Err(officer::Refused::NoSuchOfficer));
        tx.rollback().await.unwrap();
    }
}
