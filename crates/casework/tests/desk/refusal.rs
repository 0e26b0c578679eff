//! Refusing (不予确认): with every condition not met and its article, by somebody else, in a letter.

use super::town::*;
use casework::ActInput;
use casework::act::Refused;
use casework::letter::{self, Lang};
use casework::procedure::StateKind;
use policy::Outcome;
use std::sync::Arc;
use store::TestClock;
use vocab::Value;

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn a_household_with_too_much_income_is_refused_with_reasons_and_articles(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.record(family.widow, "wage", Value::Int(2_000_000), "社保").await;
        town.investigate(case).await;
        assert!(matches!(
            town.act(&town.reviewer, case, "post_notice", ActInput::default()).await,
            Err(Refused::Determination { found: Some(Outcome::NotMet), .. })
        ));
        town.act(&town.reviewer, case, "report_refusal", saying("收入超过标准")).await.unwrap();
        assert!(matches!(
            town.act(&town.district, case, "confirm", saying("同意")).await,
            Err(Refused::ActMissing(_))
        ));
        let refused = town.act(&town.district, case, "refuse", saying("收入超过标准，不予确认")).await.unwrap();
        let view = town.view(case).await;
        assert_eq!(view.row.case.kind, StateKind::Final);
        assert_eq!(view.row.case.entitlement, None);
        assert_eq!(view.decisions.last().unwrap().kind, "refuse");
        let stored = view.stored.unwrap();
        assert!(stored.conditions.iter().any(|condition| condition.refusal.is_some()));

        let pdf = letter::pdf(&town.db, &town.window, &town.desk, refused.letter.unwrap(), Lang::Zh, "https://x.test")
            .await
            .unwrap()
            .unwrap();
        let text = text_of(&pdf);
        assert!(text.contains("行政复议") && text.contains("张桂䶮"), "{text}");
        let reason = stored.conditions.iter().find_map(|condition| condition.refusal.as_ref()).unwrap();
        let said: String = reason.zh.chars().filter(|letter| !letter.is_whitespace()).collect();
        assert!(text.contains(&said), "{text}");
        // The same letter tomorrow is the same bytes.
        town.to_day("2026-12-01");
        let again = letter::pdf(&town.db, &town.window, &town.desk, refused.letter.unwrap(), Lang::Zh, "https://x.test")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(pdf, again);
    }
}
