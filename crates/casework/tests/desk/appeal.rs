//! Appeals answered in favour (申诉改变原决定): what was withheld is paid, to the fen and once.

use super::packs::with_replaced;
use super::town::*;
use casework::act::Refused;
use casework::letter::Lang;
use casework::procedure::StateKind;
use casework::{ActInput, CaseView};
use ledger::{LineFilter, NewPayRun, PayLine};
use std::sync::Arc;
use store::TestClock;
use vocab::ids::CaseId;
use vocab::{Money, Month, Value};

/// (1,250.00 × 3 − 1,000.00) + 125.00 for the widow + 2 × 250.00 for the children = 3,375.00 a month.
const MONTHLY: Money = Money::from_fen(337_500);

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// Granted in January 2026, so from February.
async fn granted_in_january(town: &Town) -> (Family, CaseId) {
    town.to_day("2026-01-05");
    let (family, case, _) = town.dibao_case().await;
    town.verify(&family).await;
    town.grant(case).await;
    (family, case)
}

/// A month proposed and released by two officers, on the fifth of the month; her lines in it.
async fn pay(town: &Town, family: &Family, at: &str) -> Vec<PayLine> {
    town.to_day(&format!("{at}-05"));
    let new = NewPayRun {
        month: month(at),
        region: region("440306"),
        programmes: None,
    };
    let nobody = ledger::Obstacles::default();
    let mut tx = town.db.begin().await.unwrap();
    let Ok(run) = ledger::propose(&mut tx, &town.finance, &new, &nobody)
        .await
        .unwrap()
    else {
        // Nobody is due anything.
        return Vec::new();
    };
    tx.commit().await.unwrap();
    let mut releaser = town.finance.clone();
    releaser.actor.officer = vocab::ids::OfficerId(uuid::Uuid::from_u128(55));
    ledger::release(
        &town.db,
        &releaser,
        run.id,
        &format!("test {}", run.id),
        &nobody,
    )
    .await
    .unwrap()
    .unwrap();
    let filter = LineFilter {
        run: Some(run.id),
        ..LineFilter::default()
    };
    let lines = ledger::lines(&town.db, &town.finance, &filter, 0, 50)
        .await
        .unwrap()
        .rows;
    lines
        .into_iter()
        .filter(|line| line.payee == family.widow && line.net > Money::ZERO)
        .collect()
}

async fn stop(town: &Town, case: CaseId, from: Option<&str>) {
    town.to_day("2026-04-10");
    town.act(&town.reviewer, case, "hear", saying("本人说没有隐瞒"))
        .await
        .unwrap();
    let stopping = ActInput {
        grounds: vec!["fraud".to_owned()],
        from: from.map(month),
        ..saying("停发")
    };
    town.act(&town.district, case, "stop", stopping)
        .await
        .unwrap();
}

async fn appeal(town: &Town, case: CaseId, day: &str) {
    town.to_day(day);
    let appeal = ActInput {
        said: "没有隐瞒收入，请求恢复".to_owned(),
        ..ActInput::default()
    };
    town.act(&town.window, case, "appeal", appeal)
        .await
        .unwrap();
}

async fn due(town: &Town, view: &CaseView, at: &str) -> Money {
    let id = view.row.case.entitlement.unwrap();
    ledger::entitlement(town.db.conn(), &town.district, id)
        .await
        .unwrap()
        .unwrap()
        .due(month(at))
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn stopped_wrongly_in_april_and_set_right_in_june_two_months_are_paid_and_nothing_twice(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case) = granted_in_january(&town).await;
        for at in ["2026-02", "2026-03", "2026-04"] {
            let lines = pay(&town, &family, at).await;
            assert_eq!(lines.iter().map(|line| line.net).collect::<Vec<_>>(), [MONTHLY], "{at}");
        }
        // Decided on 10 April, so from May on: May and June go out without her.
        stop(&town, case, None).await;
        assert!(pay(&town, &family, "2026-05").await.is_empty());
        assert!(pay(&town, &family, "2026-06").await.is_empty());

        appeal(&town, case, "2026-06-20").await;
        let view = town.view(case).await;
        assert!(view.timeline.last().unwrap().opinion.contains("没有隐瞒收入"), "whoever answers can read it");
        // Two people: not who stopped it, and nobody without the role.
        for (who, expected) in [(&town.district, "same_person"), (&town.reviewer, "not_your_role")] {
            let refused = town.act(who, case, "overturn_on_appeal", saying("恢复")).await.unwrap_err();
            assert_eq!(refused.code(), expected);
        }
        assert_eq!(
            town.act(&town.other_district, case, "overturn_on_appeal", ActInput::default()).await,
            Err(Refused::OpinionMissing)
        );
        let set_right = town.act(&town.other_district, case, "overturn_on_appeal", saying("停发的依据不成立，恢复")).await.unwrap();
        let view = town.view(case).await;
        assert_eq!((view.row.case.kind, view.row.case.amount), (StateKind::InForce, Some(MONTHLY)));
        // Looked at again half a year after the day it runs again, as any case without a class.
        let reviews = casework::review::list(&town.db, &town.reviewer, &town.desk, &casework::review::ReviewFilter::default(), 0, 9).await.unwrap();
        assert_eq!(reviews.rows.iter().map(|row| (row.row.case.id, row.due_on)).collect::<Vec<_>>(), [(case, day("2026-12-21"))]);
        let decision = view.decisions.last().unwrap();
        assert_eq!(
            (decision.kind.as_str(), decision.from_month.as_deref(), decision.amount),
            ("overturn", Some("2026-05"), Some(MONTHLY))
        );
        assert!(decision.determination.is_some(), "it quotes what the rule book says of May");
        assert_eq!(due(&town, &view, "2026-05").await, MONTHLY);

        let letter = set_right.letter.unwrap();
        let pdf = casework::letter::pdf(&town.db, &town.district, &town.desk, letter, Lang::Zh, "https://example.test").await.unwrap().unwrap();
        let text = text_of(&pdf);
        for said in ["申诉答复书（改变原决定）", "2026年5月", "3,375.00", "行政复议"] {
            assert!(text.contains(said), "{said}: {text}");
        }

        // July: 3,375.00 for the month, and 2 × 3,375.00 = 6,750.00 for May and June; 10,125.00 in one line.
        let lines = pay(&town, &family, "2026-07").await;
        let paid: Vec<_> = lines.iter().map(|line| (line.regular.fen(), line.arrears.fen(), line.net.fen())).collect();
        assert_eq!(paid, [(337_500, 675_000, 1_012_500)]);
        assert!(pay(&town, &family, "2026-07").await.is_empty(), "nothing is paid twice");
        let again = town.act(&town.district, case, "overturn_on_appeal", saying("再来一次")).await.unwrap_err();
        assert_eq!(again.code(), "task_missing");
        assert!(ledger::audit(&town.db, &town.finance, 2026).await.unwrap().is_clean());
        // February to July: 6 × 3,375.00 = 20,250.00.
        let filter = LineFilter::default();
        let all = ledger::lines(&town.db, &town.finance, &filter, 0, 100).await.unwrap().rows;
        let sum: i64 = all.iter().filter(|line| line.payee == family.widow).map(|line| line.net.fen()).sum();
        assert_eq!(sum, 2_025_000);
    }

    async fn what_was_to_be_paid_back_for_a_wrong_stop_is_set_against_what_is_due_again(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case) = granted_in_january(&town).await;
        for at in ["2026-02", "2026-03", "2026-04"] {
            pay(&town, &family, at).await;
        }
        // From April on, which is paid already: 3,375.00 were to come back.
        stop(&town, case, Some("2026-04")).await;
        let open = async || {
            let found = ledger::open_recoveries(&town.db, &town.finance, false, 0, 10).await.unwrap();
            found.rows.iter().map(|one| one.remaining.fen()).sum::<i64>()
        };
        assert_eq!(open().await, 337_500);
        pay(&town, &family, "2026-05").await;
        appeal(&town, case, "2026-05-20").await;
        town.act(&town.other_district, case, "overturn_on_appeal", saying("恢复")).await.unwrap();
        assert_eq!(open().await, 0, "nobody pays back what was due");
        // June: the month itself, and May; April was paid in April.
        let lines = pay(&town, &family, "2026-06").await;
        let paid: Vec<_> = lines.iter().map(|line| (line.regular.fen(), line.arrears.fen(), line.recovery.fen())).collect();
        assert_eq!(paid, [(337_500, 337_500, 0)]);
        assert!(ledger::audit(&town.db, &town.finance, 2026).await.unwrap().is_clean());
    }

    async fn each_month_withheld_is_worth_what_the_rules_of_that_month_say(db: store::Db, clock: Arc<TestClock>) {
        // An invented rise to 1,300.00 in June: three counted, so 3 × 50.00 = 150.00 more from June on.
        let desk = with_replaced(&[(            "baoan/dibao/parameters.toml",
            "]\n\n[dibao_money_limit]",
            "  { from = 2026-06-01, value = 130000, demo = true, source = \"演示：测试用的调整\" },\n]\n\n[dibao_money_limit]")]);
        let town = Town::with(db, clock, desk).await;
        let (family, case) = granted_in_january(&town).await;
        stop(&town, case, None).await;
        appeal(&town, case, "2026-06-20").await;
        // A fact that came to light meanwhile: in May she was in a home of the state. Then nothing was due in May.
        town.record(family.widow, "in_tekun", Value::Bool(true), "本人申报").await;
        let refused = town.act(&town.other_district, case, "overturn_on_appeal", saying("恢复")).await.unwrap_err();
        assert!(matches!(refused, Refused::NotDueThen { month: at, .. } if at == month("2026-05")), "{refused}");
        town.record(family.widow, "in_tekun", Value::Bool(false), "本人申报").await;
        town.act(&town.other_district, case, "overturn_on_appeal", saying("恢复")).await.unwrap();
        let view = town.view(case).await;
        assert_eq!(due(&town, &view, "2026-05").await, MONTHLY);
        assert_eq!(due(&town, &view, "2026-06").await, Money::from_fen(352_500));
        assert_eq!(view.row.case.amount, Some(Money::from_fen(352_500)));
    }

    async fn a_refusal_set_aside_is_decided_anew_and_starts_when_it_should_have(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.authorise(&family).await;
        // The bank confused two people: 300,000.00 are far above three times 30,000.00.
        town.find(family.widow, "deposits", Value::Int(30_000_000)).await.unwrap();
        town.investigate(case).await;
        town.act(&town.reviewer, case, "report_refusal", saying("存款超限")).await.unwrap();
        town.to_day("2026-09-20");
        town.act(&town.district, case, "refuse", saying("不予确认")).await.unwrap();
        appeal(&town, case, "2026-10-12").await;
        assert!(matches!(
            town.act(&town.district, case, "reopen_on_appeal", saying("重办")).await,
            Err(Refused::SamePerson { .. })
        ));
        let reopened = town.act(&town.other_district, case, "reopen_on_appeal", saying("银行核对有误，重新办理")).await.unwrap();
        assert_eq!(reopened.state, "investigating");
        assert!(reopened.letter.is_some());
        town.find(family.widow, "deposits", Value::Int(500_000)).await.unwrap();
        town.act(&town.reviewer, case, "preliminary_opinion", saying("已更正")).await.unwrap();
        town.act(&town.reviewer, case, "post_notice", ActInput::default()).await.unwrap();
        town.to_day("2026-10-26");
        town.act(&town.reviewer, case, "report_to_district", ActInput::default()).await.unwrap();
        town.act(&town.district, case, "confirm", saying("同意")).await.unwrap();
        // Granted on 20 September it would have been paid from October; granted now it is paid from October all the same.
        let view = town.view(case).await;
        let right = ledger::entitlement(town.db.conn(), &town.district, view.row.case.entitlement.unwrap()).await.unwrap().unwrap();
        assert_eq!((right.from, right.due(month("2026-10"))), (month("2026-10"), MONTHLY));
        let lines = pay(&town, &family, "2026-11").await;
        // November 3,375.00 and October 3,375.00.
        assert_eq!(lines.iter().map(|line| line.net.fen()).collect::<Vec<_>>(), [675_000]);
    }
}
