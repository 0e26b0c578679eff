//! Telling from the act to the telephone (告知全程), on both databases, over a real connection to a gateway and to a mail server.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

#[expect(dead_code, reason = "the town knows more stories than these")]
#[path = "../../casework/tests/desk/town.rs"]
mod town;

#[path = "telling/world.rs"]
mod world;

use chrono::Duration;
use notify::contact::{NewContact, set_contact};
use notify::message::{self, MessageFilter, MessageSort, Refused};
use notify::send::Did;
use notify::{Channel, Happening, State, note};
use std::sync::Arc;
use store::{Db, TestClock, journal};
use town::saying;
use world::{World, instant};

/// The text of the message about an application handed in, as `messages.toml` has it.
fn received(number: &str) -> String {
    format!("张*䶮：已收到您的申请，办件号{number}，凭回执编号查进度。问询12345")
}

fixtures::db_tests! {
    migrations = notify::migrations();

    async fn what_happened_is_told_once_by_its_way_and_noted(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock).await;
        let town = &world.town;
        let (_, case, submitted) = town.dibao_case().await;
        let number = submitted.cases[0].1.clone();
        let fed = world.follow().await;
        assert_eq!((fed.messages, fed.notes), (1, 1));
        assert_eq!(world.follow().await.messages, 0, "an entry is told of once");
        assert_eq!(world.send().await, Some(Did::Sent));
        assert_eq!(world.send().await, None);

        let held = world.gateway.held();
        let (key, taken) = held.iter().next().unwrap();
        assert_eq!(held.len(), 1);
        assert_eq!((taken.to.as_str(), taken.times, taken.parts), ("138****5678", 1, 1));
        assert_eq!(taken.text, received(&number));
        let title = town.desk.title("dibao").0;
        assert!(!taken.text.contains(&title), "no programme in a message");

        let rows = world.messages(case).await;
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].id, rows[0].state, rows[0].happening), (*key, State::Sent, Some(Happening::Submitted)));
        notify::send::ask_after(&town.db, &world.carriers).await.unwrap();
        let rows = world.messages(case).await;
        assert_eq!((rows[0].state, rows[0].text.as_deref()), (State::Delivered, Some(received(&number).as_str())));

        // That the number was taken out stands in the journal, with what for.
        let entries = journal::after(&town.db, 0, 10_000).await.unwrap();
        let of = |act: &str| entries.iter().filter(|entry| entry.event.act == act).collect::<Vec<_>>();
        assert_eq!(of("notify.send").len(), 1);
        let shown = of("person.reveal");
        assert_eq!((shown.len(), shown[0].event.purpose.as_str()), (1, "告知：收到申请"));
        assert!(!format!("{entries:?}").contains("13812345678"));
        assert!(of("notify.undelivered").is_empty());
    }

    async fn killed_between_sending_and_noting_the_gateway_drops_the_double(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock.clone()).await;
        let (_, case, _) = world.town.dibao_case().await;
        world.follow().await;
        // It dies with the gateway's answer in its hand: nothing is noted.
        assert!(world.send_and_die().await);
        assert_eq!(world.gateway.held().values().next().unwrap().times, 1);
        assert_eq!(world.messages(case).await[0].state, State::Queued);
        assert_eq!(world.send().await, None, "the lease still stands");
        clock.advance(Duration::minutes(3));
        assert_eq!(world.send().await, Some(Did::Sent));
        let held = world.gateway.held();
        assert_eq!(held.len(), 1, "one message with one key");
        assert_eq!(held.values().next().unwrap().times, 2, "handed over twice, taken once");
        assert_eq!(world.messages(case).await.len(), 1);
    }

    async fn nobody_is_woken_and_waiting_is_no_attempt(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock.clone()).await;
        // 13:30 UTC is 21:30 in China: the night ends at eight, which is midnight UTC.
        clock.set(instant("2026-09-01T13:30:00Z"));
        let (_, case, _) = world.town.dibao_case().await;
        world.follow().await;
        let rows = world.messages(case).await;
        let morning = instant("2026-09-02T00:00:00Z");
        assert_eq!((rows[0].state, rows[0].not_before), (State::Held, Some(morning)));
        clock.set(instant("2026-09-01T23:59:59Z"));
        assert_eq!(world.send().await, None);
        clock.set(morning);
        assert_eq!(world.send().await, Some(Did::Sent));

        // Written at 20:59:50, found by the worker at 21:00:10: it waits too.
        clock.set(instant("2026-09-03T12:59:50Z"));
        let asking = casework::ActInput { items: vec!["银行流水".to_owned()], ..casework::ActInput::default() };
        world.town.act(&world.town.window, case, "ask_once", asking).await.unwrap();
        world.follow().await;
        clock.set(instant("2026-09-03T13:00:10Z"));
        let until = instant("2026-09-04T00:00:00Z");
        assert_eq!(world.send().await, Some(Did::PutOff(until)));
        assert_eq!(world.messages(case).await[1].state, State::Held);
        clock.set(until);
        assert_eq!(world.send().await, Some(Did::Sent));
        assert_eq!(world.gateway.held().len(), 2);
    }

    async fn a_gateway_that_fails_is_tried_ten_times_then_the_desk_is_told_and_an_officer_sends_again(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock.clone()).await;
        let town = &world.town;
        let (_, case, _) = town.dibao_case().await;
        world.follow().await;
        world.gateway.fail(10);
        let mut waits = Vec::new();
        loop {
            match world.send().await.unwrap() {
                Did::Again(at) => {
                    waits.push((at - town.db.now()).num_seconds());
                    clock.set(at);
                }
                Did::Dead => break,
                other => panic!("{other:?}"),
            }
        }
        // Fifteen seconds, doubled each time up to an hour; the tenth failure is the last.
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 960, 1_920, 3_600]);
        let dead = world.messages(case).await.remove(0);
        assert_eq!(dead.state, State::Dead);
        assert_eq!(dead.reason, "短信网关暂时不能发送（503）");
        world.follow().await;
        let notes = note::list(&town.db, &town.reviewer.actor, true, 0, 10).await.unwrap();
        assert!(notes.rows.iter().any(|one| one.happening == Some(Happening::Undelivered)), "{notes:?}");

        let again = world.resend(&town.reviewer, dead.id).await.unwrap();
        assert_eq!(world.resend(&town.reviewer, dead.id).await, Err(Refused::Again));
        assert_eq!(world.resend(&town.reviewer, again).await, Err(Refused::Waits));
        assert_eq!(world.resend(&town.neighbour, dead.id).await, Err(Refused::NotFound));
        assert_eq!(world.send().await, Some(Did::Sent));
        assert!(world.gateway.held().contains_key(&again), "sent again under a key of its own");
        let rows = world.messages(case).await;
        assert_eq!((rows.len(), rows[1].resent_by.as_str()), (2, "李审核"));
    }

    async fn a_number_that_does_not_exist_is_not_tried_again(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock).await;
        world.gateway.knows_not("13812345678");
        let (_, case, _) = world.town.dibao_case().await;
        world.follow().await;
        assert_eq!(world.send().await, Some(Did::GivenUp(State::Failed)));
        assert_eq!(world.send().await, None);
        let rows = world.messages(case).await;
        assert_eq!((rows[0].state, rows[0].reason.as_str()), (State::Failed, "号码不存在或不能接收"));
    }

    async fn who_objects_meanwhile_is_sent_nothing_by_nobody(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock).await;
        let town = &world.town;
        let (family, case, _) = town.dibao_case().await;
        world.follow().await;
        let new = NewContact { no_sms: true, ..NewContact::default() };
        let mut tx = town.db.begin().await.unwrap();
        set_contact(&mut tx, &town.window, family.widow, &new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.send().await, Some(Did::GivenUp(State::OptedOut)));
        assert!(world.gateway.held().is_empty());
        let first = world.messages(case).await.remove(0);
        assert_eq!(world.resend(&town.reviewer, first.id).await, Err(Refused::OptedOut));
        // The next is not even written into the outbox.
        town.act(&town.window, case, "accept", town::accepting()).await.unwrap();
        world.follow().await;
        assert_eq!(world.messages(case).await[1].state, State::OptedOut);
        assert_eq!(world.send().await, None);
        let mut tx = town.db.begin().await.unwrap();
        let elsewhere = set_contact(&mut tx, &town.neighbour, family.widow, &new).await.unwrap();
        assert_eq!(elsewhere, Err(notify::contact::Refused::NotFound));
        let wrong = NewContact { email: Some("zhang".to_owned()), ..NewContact::default() };
        let refused = set_contact(&mut tx, &town.window, family.widow, &wrong).await.unwrap();
        assert_eq!(refused, Err(notify::contact::Refused::NotAnAddress));
    }

    async fn mail_goes_to_a_real_server_with_the_key_in_its_number(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock).await.with_mail();
        let town = &world.town;
        let family = town.widow().await;
        let new = NewContact { email: Some("zhang@example.cn".to_owned()), english: true, no_sms: true, ..NewContact::default() };
        let mut tx = town.db.begin().await.unwrap();
        set_contact(&mut tx, &town.window, family.widow, &new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let draft = town.draft(family.household, &["dibao"], &town.declared(&family)).await;
        let choice = casework::submit::Choice { programme: "dibao".to_owned(), member: None };
        let submitted = town.submit(town.application(draft, vec![choice], family.widow)).await.unwrap();
        assert_eq!(world.follow().await.messages, 1, "by the way she wants, and no other");
        assert_eq!(world.send().await, Some(Did::Sent));
        let row = world.messages(submitted.cases[0].0).await.remove(0);
        assert_eq!((row.channel, row.state), (Channel::Email, State::Sent));
        let mail = world.mails();
        assert_eq!(mail.len(), 1);
        assert!(mail[0].contains("RCPT TO:<zhang@example.cn>"), "{}", mail[0]);
        assert!(mail[0].contains(&format!("Message-ID: <{}@example.gov.cn>", row.id)), "{}", mail[0]);
        assert!(row.text.unwrap().contains("we have your application"));
    }

    async fn another_places_officer_sees_no_message_and_no_note(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock).await;
        let town = &world.town;
        let (_, case, _) = town.dibao_case().await;
        town.act(&town.window, case, "withdraw", saying("不申请了")).await.unwrap();
        world.follow().await;
        let seen = async |scope: &access::Scope| {
            let all = (MessageSort::Newest, false);
            let list = message::list(&town.db, scope, &MessageFilter::default(), all, 0, 10).await.unwrap();
            let notes = note::list(&town.db, &scope.actor, true, 0, 10).await.unwrap();
            assert_eq!(notes.total, note::unread_count(&town.db, &scope.actor).await.unwrap());
            (list.total, notes.total)
        };
        // Received and withdrawn; the withdrawal is told to reviewers of the street, the handing in to the window that did it.
        assert_eq!(seen(&town.reviewer).await, (2, 1));
        assert_eq!(seen(&town.neighbour).await, (0, 0));
        assert_eq!(seen(&town.window).await, (2, 0), "nobody is told of what they did themselves");
        assert!(message::of_case(&town.db, &town.neighbour, case).await.unwrap().is_empty());

        let tx = town.db.begin().await.unwrap();
        let notes = note::list(&town.db, &town.reviewer.actor, true, 0, 10).await.unwrap();
        let id = notes.rows[0].id;
        assert_eq!(note::mark_seen(&tx, &town.neighbour.actor, id).await.unwrap(), None);
        assert!(note::mark_seen(&tx, &town.reviewer.actor, id).await.unwrap().is_some());
        assert!(note::mark_seen(&tx, &town.reviewer.actor, id).await.unwrap().is_some(), "twice is once");
        tx.commit().await.unwrap();
        assert_eq!(seen(&town.reviewer).await, (2, 0));
        assert_eq!(seen(&town.second).await, (2, 1), "each has seen their own");
        let tx = town.db.begin().await.unwrap();
        assert_eq!(note::mark_all_seen(&tx, &town.second.actor).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(seen(&town.second).await, (2, 0));
    }

    async fn what_is_long_past_is_not_told_and_a_closed_way_says_so(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock.clone()).await;
        let town = &world.town;
        let (_, case, _) = town.dibao_case().await;
        // The house begins to tell nine days later: the telling begins seven days back.
        clock.advance(Duration::days(9));
        assert_eq!(world.follow().await.messages, 0);
        town.act(&town.window, case, "accept", town::accepting()).await.unwrap();
        // Nobody followed for eight days: it stays, and says why.
        clock.advance(Duration::days(8));
        assert_eq!(world.follow().await.messages, 1);
        assert_eq!(world.messages(case).await[0].state, State::Lapsed);

        let mut closed = world;
        closed.carriers = notify::Carriers::default();
        closed.town.act(&closed.town.window, case, "withdraw", saying("不申请了")).await.unwrap();
        closed.follow().await;
        let last = closed.messages(case).await.pop().unwrap();
        assert_eq!((last.state, last.happening.map(Happening::word)), (State::Off, Some("withdraw")));
        assert_eq!(closed.resend(&closed.town.reviewer, last.id).await, Err(Refused::Off));
    }

    async fn a_payment_is_told_when_the_bank_confirms_it_and_once(db: Db, clock: Arc<TestClock>) {
        let world = World::new(db, clock.clone()).await;
        let (family, case) = world.granted().await;
        world.follow().await;
        let before = world.messages(case).await.len();
        let run = world.paid(family.widow, "2026-10").await;
        world.follow().await;
        let rows = world.messages(case).await;
        assert_eq!(rows.len(), before + 1, "{rows:?}");
        let last = rows.last().unwrap();
        assert_eq!(last.happening, Some(Happening::Paid));
        let text = last.text.clone().unwrap();
        assert!(text.contains("2026年10月的款项已到账") && !text.contains("元"), "{text}");
        // The bank sends the same answer again.
        world.bank_says(run).await;
        world.follow().await;
        assert_eq!(world.messages(case).await.len(), before + 1);
    }
}
