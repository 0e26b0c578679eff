//! One person under two identifiers is paid once (同一人不重复享受).

use super::town::*;
use access::Scope;
use casework::same_person;
use casework::take_over::{Refused, TakeOver};
use casework::{ActInput, act};
use ledger::NewEntitlement;
use registry::merging::{self, Choices, NewMerge};
use std::sync::Arc;
use store::TestClock;
use vocab::ids::{DecisionId, PersonId};
use vocab::{Money, Month};

impl Town {
    /// The widow's second record, under a number she had before.
    pub async fn second_record(&self) -> PersonId {
        self.person(&id_number("440306195401021", 3), "张芳", None)
            .await
    }

    async fn paid(&self, who: PersonId, programme: &str) {
        let mut tx = self.db.begin().await.unwrap();
        let new = NewEntitlement {
            decision: DecisionId(tx.new_id()),
            programme: programme.to_owned(),
            payee: who,
            household: None,
            region: region(HOME),
            amount: Money::from_fen(50_000),
            covered: Vec::new(),
            from: Month::of(tx.today()),
            until: None,
            excludes: Vec::new(),
            part: String::new(),
        };
        ledger::entitle(&mut tx, &self.district, &new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// What this record is paid ends before it began: it was a mistake.
    async fn ends(&self, who: PersonId) {
        let all = ledger::entitlements_of(self.db.conn(), &self.district, who).await;
        let mut tx = self.db.begin().await.unwrap();
        for right in all.unwrap() {
            let stop = ledger::Stop {
                entitlement: right.id,
                from: right.from,
                decision: DecisionId(tx.new_id()),
                monthly: None,
            };
            ledger::stop(&mut tx, &self.district, &stop)
                .await
                .unwrap()
                .unwrap();
        }
        tx.commit().await.unwrap();
    }
}

fn act_input(grounds: &[&str], opinion: &str) -> ActInput {
    ActInput {
        grounds: grounds.iter().map(|one| (*one).to_owned()).collect(),
        ..saying(opinion)
    }
}

fn merge_of(survivor: PersonId, merged: PersonId) -> NewMerge {
    NewMerge {
        survivor,
        merged,
        choices: Choices::default(),
        reason: "本人持两证到场".to_owned(),
        in_payment: false,
    }
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn two_records_paid_the_same_are_not_merged(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        let twin = town.second_record().await;
        town.paid(twin, "dibao").await;
        town.grant(case).await;
        let mut tx = town.db.begin().await.unwrap();
        let refused = same_person::prepare(&mut tx, &town.reviewer, &town.desk, merge_of(family.widow, twin)).await.unwrap();
        assert!(matches!(refused, Err(same_person::Refused::PaidTwice(..))), "{refused:?}");
    }

    async fn a_merge_of_somebody_in_payment_takes_two(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let family = town.widow().await;
        let twin = town.second_record().await;
        town.paid(twin, "old_age_allowance").await;
        let mut tx = town.db.begin().await.unwrap();
        let merge = same_person::prepare(&mut tx, &town.reviewer, &town.desk, merge_of(family.widow, twin)).await.unwrap().unwrap();
        let own = same_person::decide(&mut tx, &town.reviewer, &town.desk, merge).await.unwrap();
        let expected = merging::Refused::SamePerson(access::SamePerson);
        assert_eq!(own, Err(same_person::Refused::Register(expected)));
        same_person::decide(&mut tx, &town.second, &town.desk, merge).await.unwrap().unwrap();
        assert_eq!(registry::same_person(&tx, twin).await.unwrap(), [family.widow, twin]);
    }

    async fn who_was_merged_gets_no_second_right_under_another_identifier(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        let twin = town.second_record().await;
        town.paid(twin, "dibao").await;
        let mut tx = town.db.begin().await.unwrap();
        let merge = same_person::prepare(&mut tx, &town.reviewer, &town.desk, merge_of(family.widow, twin)).await.unwrap().unwrap();
        same_person::decide(&mut tx, &town.second, &town.desk, merge).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        town.publish(case).await;
        town.clock.advance(chrono::Duration::days(9));
        town.act(&town.reviewer, case, "report_to_district", Default::default()).await.unwrap();
        let refused = town.act(&town.district, case, "confirm", saying("同意")).await;
        let Err(act::Refused::Ledger(sentence)) = refused else { panic!("{refused:?}") };
        assert!(sentence.contains("已享受“dibao”"), "{sentence}");
    }

    async fn who_was_merged_is_not_taken_over_into_a_second_right(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let family = town.widow().await;
        let twin = town.second_record().await;
        town.paid(twin, "dibao").await;
        let mut tx = town.db.begin().await.unwrap();
        let merge = same_person::prepare(&mut tx, &town.reviewer, &town.desk, merge_of(family.widow, twin)).await.unwrap().unwrap();
        same_person::decide(&mut tx, &town.second, &town.desk, merge).await.unwrap().unwrap();
        let one = TakeOver {
            household: family.household,
            member: None,
            programme: "dibao".to_owned(),
            applicant: family.widow,
            decided_on: day("2025-03-01"),
            old_number: "宝民〔2025〕7号".to_owned(),
            amount: Money::from_fen(90_000),
            from: Month::of(tx.today()).next(),
            covered: vec![family.widow],
        };
        let system = Scope::system(town.desk.book.place().division);
        let answers = casework::take_over::take_over(&mut tx, &system, &town.desk, &[one]).await.unwrap();
        let Err(Refused::Ledger(ledger::entitle::Refused::AlreadyEntitled { person, .. })) = &answers[0] else { panic!("{answers:?}") };
        assert_eq!(*person, twin);
    }

    async fn a_suspended_right_is_neither_merged_over_nor_resumed_beside_another_of_the_same_person(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.grant(case).await;
        let suspending = act_input(&["cannot_be_reached"], "联系不上");
        town.act(&town.district, case, "suspend", suspending).await.unwrap();
        let twin = town.second_record().await;
        town.paid(twin, "dibao").await;
        // Granted in September, it runs from October; suspended from October on, nothing of it is due. Still nobody merges the two.
        let mut tx = town.db.begin().await.unwrap();
        let refused = same_person::prepare(&mut tx, &town.reviewer, &town.desk, merge_of(family.widow, twin)).await.unwrap();
        assert!(matches!(refused, Err(same_person::Refused::PaidTwice(..))), "{refused:?}");
        tx.rollback().await.unwrap();

        // Merged before anybody looked at suspended rights: the register alone does not know of money.
        let mut tx = town.db.begin().await.unwrap();
        let merge = merging::prepare(&mut tx, &town.reviewer, merge_of(family.widow, twin)).await.unwrap().unwrap();
        merging::decide(&mut tx, &town.second, merge, false).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let refused = town.act(&town.district, case, "resume", saying("已联系上")).await;
        let Err(act::Refused::Ledger(sentence)) = refused else { panic!("{refused:?}") };
        assert!(sentence.contains("已享受“dibao”"), "{sentence}");
        // Once the other one has ended, it runs again.
        town.ends(twin).await;
        town.act(&town.district, case, "resume", saying("已联系上")).await.unwrap();
    }

    async fn a_right_given_back_on_appeal_does_not_run_beside_another_of_the_same_person(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.grant(case).await;
        town.to_day("2026-10-10");
        town.act(&town.reviewer, case, "hear", saying("本人说没有隐瞒")).await.unwrap();
        town.act(&town.district, case, "stop", act_input(&["fraud"], "停发")).await.unwrap();
        let appeal = ActInput { said: "请求恢复".to_owned(), ..ActInput::default() };
        town.act(&town.window, case, "appeal", appeal).await.unwrap();
        // Meanwhile she is given the same under a number she had before, and the two records become one.
        let twin = town.second_record().await;
        town.to_day("2026-11-10");
        town.paid(twin, "dibao").await;
        let mut tx = town.db.begin().await.unwrap();
        let merge = same_person::prepare(&mut tx, &town.reviewer, &town.desk, merge_of(family.widow, twin)).await.unwrap().unwrap();
        same_person::decide(&mut tx, &town.second, &town.desk, merge).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let refused = town.act(&town.other_district, case, "overturn_on_appeal", saying("恢复")).await;
        let Err(act::Refused::Ledger(sentence)) = refused else { panic!("{refused:?}") };
        assert!(sentence.contains("已享受“dibao”"), "{sentence}");
        town.ends(twin).await;
        town.act(&town.other_district, case, "overturn_on_appeal", saying("恢复")).await.unwrap();
    }
}
