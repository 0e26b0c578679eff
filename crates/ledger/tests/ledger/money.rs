//! What the ledger promises, as stories on both databases (总账的承诺).

use crate::town::{
    COMMUNITY, DISTRICT, STREET, Town, decision, finance, grant, month, nobody_blocked, person,
    region, yuan,
};
use ledger::payrun::bank_return::Why;
use ledger::payrun::{Blocked, Difference, LineState};
use ledger::{
    BankOutcome, BankResult, LineFilter, NewAmount, NewEntitlement, NewPayRun, Obstacles,
    Reinstatement, Repayment, Resumption, Stop, Suspension,
};
use sea_orm::ConnectionTrait;
use std::collections::BTreeMap;
use vocab::Money;

fn returned() -> BankOutcome {
    BankOutcome::Returned {
        code: "R03".to_owned(),
        reason: "账号不存在".to_owned(),
    }
}

fixtures::db_tests! {
    migrations = ledger::migrations();

    async fn a_right_pays_every_month_once_and_late_months_as_arrears(db: store::Db) {
        let town = Town::new(db);
        town.entitle(&grant(1, "old_age", 200, "2026-03")).await;
        let released = town.pay("2026-05").await;
        assert_eq!((released.posted, released.net), (1, yuan(600)));
        let line = &town.lines(&released.run).await[0];
        assert_eq!((line.regular, line.arrears, line.difference), (yuan(200), yuan(400), Difference::New));

        let again = town.pay("2026-05").await;
        assert_eq!((again.posted, again.net), (0, Money::ZERO));
        let next = town.pay("2026-06").await;
        assert_eq!(town.lines(&next.run).await[0].difference, Difference::Same);
        for (at, paid) in [("2026-02", 0), ("2026-03", 200), ("2026-05", 200), ("2026-06", 200)] {
            assert_eq!(town.paid_for(person(1), at).await, yuan(paid), "{at}");
        }
        town.assert_clean().await;
    }

    async fn a_decision_entitles_once_however_often_it_is_asked(db: store::Db) {
        let town = Town::new(db);
        let new = grant(1, "old_age", 200, "2026-06");
        let id = town.entitle(&new).await;
        assert_eq!(town.entitle(&new).await, id);
        let other = NewEntitlement { amount: yuan(300), ..new };
        let refused = in_tx!(town, tx, ledger::entitle(tx, &town.first, &other));
        assert_eq!(refused, Err(ledger::entitle::Refused::DecisionUsed));
    }

    async fn a_yearly_right_is_had_once_a_calendar_year(db: store::Db) {
        use ledger::entitle::Refused;
        let town = Town::new(db);
        let once = |at: &str, number: u128| {
            let new = grant(1, "award", 1000, at);
            let until = Some(new.from.next());
            NewEntitlement { until, decision: decision(number), ..new }
        };
        let first = once("2026-03", 901);
        let id = in_tx!(town, tx, ledger::entitle_for_year(tx, &town.first, &first)).unwrap();
        assert_eq!(in_tx!(town, tx, ledger::entitle_for_year(tx, &town.first, &first)), Ok(id));
        let released = town.pay("2026-05").await;
        assert_eq!(released.net, yuan(1000));
        for at in ["2026-01", "2026-12"] {
            let again = once(at, 902);
            let refused = in_tx!(town, tx, ledger::entitle_for_year(tx, &town.first, &again));
            let expected = Refused::AlreadyEntitled { programme: "award".to_owned(), person: person(1), entitlement: id };
            assert_eq!(refused, Err(expected), "{at}");
        }
        let next = once("2027-01", 903);
        assert!(in_tx!(town, tx, ledger::entitle_for_year(tx, &town.first, &next)).is_ok());
        town.assert_clean().await;
    }

    async fn one_person_is_never_entitled_twice_nor_to_what_excludes_each_other(db: store::Db) {
        use ledger::entitle::Refused;
        let town = Town::new(db);
        let mut family = grant(1, "dibao", 900, "2026-06");
        family.covered = vec![person(1), person(2)];
        family.excludes = vec!["tekun".to_owned()];
        let entitlement = town.entitle(&family).await;

        let mut other_household = grant(3, "dibao", 500, "2026-09");
        other_household.covered = vec![person(3), person(2)];
        let refused = in_tx!(town, tx, ledger::entitle(tx, &town.first, &other_household));
        let expected = Refused::AlreadyEntitled { programme: "dibao".to_owned(), person: person(2), entitlement };
        assert_eq!(refused, Err(expected));

        let excluded = grant(2, "tekun", 1500, "2026-06");
        let refused = in_tx!(town, tx, ledger::entitle(tx, &town.first, &excluded));
        let expected = Refused::Excluded { programme: "dibao".to_owned(), person: person(2), entitlement };
        assert_eq!(refused, Err(expected));

        let stop = Stop { entitlement, from: month("2026-08"), decision: decision(9), monthly: None };
        in_tx!(town, tx, ledger::stop(tx, &town.first, &stop)).unwrap();
        let later = grant(2, "tekun", 1500, "2026-08");
        town.entitle(&later).await;
        let before = grant(4, "tekun", 1500, "2026-07");
        let before = NewEntitlement { covered: vec![person(2)], ..before };
        assert!(in_tx!(town, tx, ledger::entitle(tx, &town.first, &before)).is_err());
    }

    async fn one_off_benefits_and_outside_places(db: store::Db) {
        let town = Town::new(db);
        let once = grant(1, "relief", 3000, "2026-05");
        let once = NewEntitlement { until: Some(month("2026-06")), ..once };
        town.entitle(&once).await;
        assert_eq!(town.pay("2026-06").await.net, yuan(3000));
        assert_eq!(town.pay("2026-06").await.net, Money::ZERO);
        let outside = NewEntitlement { region: region("440304"), ..grant(2, "relief", 1, "2026-06") };
        let refused = in_tx!(town, tx, ledger::entitle(tx, &town.first, &outside));
        assert_eq!(refused, Err(ledger::entitle::Refused::OutOfScope));
        town.assert_clean().await;
    }

    async fn who_proposed_cannot_release_and_a_stranger_sees_no_run(db: store::Db) {
        use ledger::payrun::release::Refused;
        let town = Town::new(db);
        town.entitle(&grant(1, "old_age", 200, "2026-06")).await;
        let run = town.propose("2026-06", &nobody_blocked()).await;
        let by = async |scope| ledger::release(&town.db, &scope, run.id, "k", &nobody_blocked()).await.unwrap();
        assert!(matches!(by(town.first.clone()).await, Err(Refused::SamePerson(_))));
        assert!(matches!(by(access::Scope::system(region(DISTRICT))).await, Err(Refused::SamePerson(_))));
        assert!(matches!(by(finance(3, "440304")).await, Err(Refused::NotFound)));
        assert!(matches!(by(finance(3, STREET)).await, Err(Refused::NotFound)));
        assert!(by(town.second.clone()).await.is_ok());
        assert!(by(town.second.clone()).await.is_ok(), "the same key gets the same answer");
        let other = ledger::release(&town.db, &town.second, run.id, "other", &nobody_blocked()).await.unwrap();
        assert_eq!(other.unwrap_err(), Refused::AlreadyReleased);
        town.assert_clean().await;
    }

    async fn a_late_raise_is_paid_as_arrears_and_a_late_cut_is_held_back(db: store::Db) {
        let town = Town::new(db);
        let entitlement = town.entitle(&grant(1, "dibao", 800, "2026-01")).await;
        for at in ["2026-01", "2026-02", "2026-03"] {
            town.pay(at).await;
        }
        let raise = new_amount(entitlement, 900, "2026-02", 7);
        let done = in_tx!(town, tx, ledger::change(tx, &town.first, &raise)).unwrap();
        assert_eq!(done.arrears, yuan(200));
        let again = in_tx!(town, tx, ledger::change(tx, &town.first, &raise)).unwrap();
        assert_eq!(again, done, "the same decision again changes nothing");
        let april = town.pay("2026-04").await;
        let line = &town.lines(&april.run).await[0];
        assert_eq!((line.regular, line.arrears, line.net), (yuan(900), yuan(200), yuan(1100)));
        assert_eq!((line.previous, line.difference), (Some(yuan(800)), Difference::Changed));

        let cut = NewAmount { monthly: Some(yuan(150)), ..new_amount(entitlement, 500, "2026-04", 8) };
        let done = in_tx!(town, tx, ledger::change(tx, &town.first, &cut)).unwrap();
        assert_eq!((done.overpaid, done.differences), (yuan(400), vec![(month("2026-04"), yuan(-400))]));
        assert_eq!(town.paid_for(person(1), "2026-04").await, yuan(900), "the past stays");
        for (at, net) in [("2026-05", 350), ("2026-06", 350), ("2026-07", 400)] {
            assert_eq!(town.pay(at).await.net, yuan(net), "{at}");
        }
        let recoveries = ledger::recoveries_of(town.db.conn(), &town.first, person(1)).await.unwrap();
        assert_eq!((recoveries.len(), recoveries[0].remaining), (1, Money::ZERO));
        town.assert_clean().await;
    }

    async fn a_stop_undone_is_set_against_what_was_to_be_recovered(db: store::Db) {
        let town = Town::new(db);
        let entitlement = town.entitle(&grant(1, "dibao", 800, "2026-01")).await;
        town.pay("2026-03").await;
        let stop = Stop { entitlement, from: month("2026-02"), decision: decision(7), monthly: None };
        let done = in_tx!(town, tx, ledger::stop(tx, &town.first, &stop)).unwrap();
        assert_eq!(done.overpaid, yuan(1600));
        assert_eq!(town.pay("2026-04").await.posted, 0);
        let paid = Repayment { recovery: done.recovery.unwrap(), key: "receipt 1".to_owned(), amount: yuan(600), reference: "收据1".to_owned() };
        for _ in 0..2 {
            in_tx!(town, tx, ledger::record_repayment(tx, &town.first, &paid)).unwrap();
        }
        let open = ledger::open_recoveries(&town.db, &town.first, true, 0, 10).await.unwrap();
        assert_eq!((open.total, open.rows[0].remaining), (1, yuan(1000)), "a repayment told twice counts once");
        let too_much = Repayment { key: "receipt 2".to_owned(), amount: yuan(1001), ..paid.clone() };
        let refused = in_tx!(town, tx, ledger::record_repayment(tx, &town.first, &too_much));
        assert_eq!(refused, Err(ledger::recover::Refused::TooMuch(yuan(1000))));

        let undo = Reinstatement { entitlement, from: month("2026-02"), decision: decision(8) };
        let done = in_tx!(town, tx, ledger::reinstate(tx, &town.first, &undo)).unwrap();
        assert_eq!((done.arrears, done.recovery), (yuan(1600), None));
        // 1 600.00 due again, 1 000.00 of them never came back: 600.00 arrears, April and May.
        let may = town.pay("2026-05").await;
        assert_eq!(may.net, yuan(600 + 800 + 800));
        let statement = ledger::statement(&town.db, &town.first, person(1), month("2026-01"), month("2027-01")).await.unwrap();
        assert_eq!((statement.receivable, statement.payable), (Money::ZERO, yuan(3 * 800 + 2200)));
        town.assert_clean().await;
    }

    async fn a_cut_is_first_set_against_arrears_nobody_has_paid(db: store::Db) {
        let town = Town::new(db);
        let entitlement = town.entitle(&grant(1, "dibao", 800, "2026-01")).await;
        town.pay("2026-02").await;
        let raise = new_amount(entitlement, 1000, "2026-01", 7);
        in_tx!(town, tx, ledger::change(tx, &town.first, &raise)).unwrap();
        let cut = new_amount(entitlement, 500, "2026-02", 8);
        let done = in_tx!(town, tx, ledger::change(tx, &town.first, &cut)).unwrap();
        // January +200, February +200 unpaid; now February −500: both unpaid amounts go, 100 remains to recover.
        assert_eq!(done.overpaid, yuan(500));
        let recoveries = ledger::recoveries_of(town.db.conn(), &town.first, person(1)).await.unwrap();
        assert_eq!(recoveries[0].total, yuan(100));
        let march = town.pay("2026-03").await;
        assert_eq!((march.net, town.lines(&march.run).await[0].arrears), (yuan(500), Money::ZERO));
        town.assert_clean().await;
    }

    async fn suspended_months_are_not_due_until_resumed_for_them(db: store::Db) {
        use ledger::suspend::Refused;
        let town = Town::new(db);
        let entitlement = town.entitle(&grant(1, "old_age", 200, "2026-01")).await;
        town.pay("2026-01").await;
        let pause = Suspension { entitlement, from: month("2026-02"), decision: decision(7) };
        in_tx!(town, tx, ledger::suspend(tx, &town.first, &pause)).unwrap();
        let second = Suspension { entitlement, from: month("2026-03"), decision: decision(8) };
        let refused = in_tx!(town, tx, ledger::suspend(tx, &town.first, &second));
        assert_eq!(refused, Err(Refused::AlreadySuspended));
        let march = town.pay("2026-02").await;
        let line = &town.lines(&march.run).await[0];
        assert_eq!((line.state, line.difference, line.net), (LineState::NotPaid, Difference::Stopped, Money::ZERO));
        let back = Resumption { entitlement, from: month("2026-02"), decision: decision(9) };
        in_tx!(town, tx, ledger::resume(tx, &town.first, &back)).unwrap();
        assert_eq!(town.pay("2026-03").await.net, yuan(400));
        town.assert_clean().await;
    }

    async fn what_cannot_be_paid_is_blocked_with_its_reason_and_paid_once_it_can(db: store::Db) {
        let town = Town::new(db);
        let mut family = grant(1, "dibao", 900, "2026-05");
        family.covered = vec![person(1), person(2)];
        town.entitle(&family).await;
        town.entitle(&grant(3, "old_age", 200, "2026-05")).await;
        let died = Blocked::Died { on: chrono::NaiveDate::from_ymd_opt(2026, 5, 20).unwrap() };
        let reasons = BTreeMap::from([(person(2), died.clone()), (person(3), Blocked::NoAccount)]).into();
        let run = NewPayRun { month: month("2026-05"), region: region(DISTRICT), programmes: None };
        let concerned = ledger::concerned(&town.db, &town.first, &run).await.unwrap();
        assert_eq!(concerned, [person(1), person(2), person(3)].into());

        let may = town.propose("2026-05", &reasons).await;
        let lines = town.lines(&may).await;
        let of = |number| lines.iter().find(|line| line.payee == person(number)).unwrap();
        assert_eq!((of(1).state, &of(1).blocked), (LineState::Proposed, &None), "the month of death is still paid");
        assert_eq!((of(3).state, &of(3).blocked), (LineState::Blocked, &Some(Blocked::NoAccount)));
        assert_eq!(town.release(&may).await.posted, 1);

        let june = town.propose("2026-06", &reasons).await;
        let lines = town.lines(&june).await;
        let family = lines.iter().find(|line| line.payee == person(1)).unwrap();
        assert_eq!(family.blocked, Some(died));
        in_tx!(town, tx, ledger::cancel(tx, &town.first, june.id)).unwrap();
        let june = town.pay("2026-06").await;
        assert_eq!((june.posted, june.net), (2, yuan(900 + 200 + 200)), "the account was registered meanwhile");
        town.assert_clean().await;
    }

    async fn what_changed_after_the_proposal_is_not_paid_as_proposed(db: store::Db) {
        let town = Town::new(db);
        let changed = town.entitle(&grant(1, "dibao", 800, "2026-06")).await;
        town.entitle(&grant(2, "dibao", 800, "2026-06")).await;
        town.entitle(&grant(3, "dibao", 800, "2026-06")).await;
        let run = town.propose("2026-06", &nobody_blocked()).await;
        let cut = new_amount(changed, 500, "2026-06", 7);
        in_tx!(town, tx, ledger::change(tx, &town.first, &cut)).unwrap();
        let blocked = BTreeMap::from([(person(3), Blocked::NoAccount)]).into();
        let released = ledger::release(&town.db, &town.second, run.id, "k", &blocked).await.unwrap().unwrap();
        assert_eq!((released.posted, released.blocked, released.net), (1, 2, yuan(800)));
        let lines = town.lines(&run).await;
        let of = |number| lines.iter().find(|line| line.payee == person(number)).unwrap();
        assert_eq!(of(1).blocked, Some(Blocked::ChangedSinceProposal));
        assert_eq!(of(3).blocked, Some(Blocked::NoAccount));
        let again = town.pay("2026-06").await;
        assert_eq!((again.posted, again.net), (2, yuan(1300)));
        town.assert_clean().await;
    }

    async fn one_person_under_two_identifiers_is_paid_the_same_once(db: store::Db) {
        let town = Town::new(db);
        // Person 2 turned out to be person 1 after both were decided; person 2 has something else, too.
        town.entitle(&grant(1, "dibao", 800, "2026-05")).await;
        town.entitle(&grant(2, "dibao", 700, "2026-05")).await;
        town.entitle(&NewEntitlement { decision: decision(9), ..grant(2, "old_age", 200, "2026-05") }).await;
        let also = BTreeMap::from([(person(1), vec![person(2)]), (person(2), vec![person(1)])]);
        let merged = Obstacles { also, ..Obstacles::default() };
        let duplicate = |who, at| Some(Blocked::DuplicateClaim { person: person(who), month: month(at) });
        let run = town.propose("2026-05", &merged).await;
        let lines = town.lines(&run).await;
        let mut dibao: Vec<_> = lines.iter().filter(|line| line.programme == "dibao").collect();
        dibao.sort_by_key(|line| line.seq);
        // One of the two is proposed, the other names it; what only one of them has is not touched.
        assert_eq!((dibao[0].state, &dibao[0].blocked), (LineState::Proposed, &None));
        let first = if dibao[0].payee == person(1) { 1 } else { 2 };
        assert_eq!((dibao[1].state, &dibao[1].blocked), (LineState::Blocked, &duplicate(first, "2026-05")));
        let other = lines.iter().find(|line| line.programme == "old_age").unwrap();
        assert_eq!(other.state, LineState::Proposed);
        in_tx!(town, tx, ledger::cancel(tx, &town.first, run.id)).unwrap();

        // Merged between proposal and release: the release sees it.
        let run = town.propose("2026-05", &nobody_blocked()).await;
        assert_eq!(town.lines(&run).await.iter().filter(|line| line.state == LineState::Proposed).count(), 3);
        let released = ledger::release(&town.db, &town.second, run.id, "k", &merged).await.unwrap().unwrap();
        assert_eq!((released.posted, released.blocked), (2, 1));
        // And in the next month, when one of them was claimed for already, the arrears of the other stay blocked.
        let june = town.propose("2026-06", &merged).await;
        let blocked: Vec<_> = town.lines(&june).await.into_iter().filter(|line| line.state == LineState::Blocked).collect();
        assert_eq!(blocked.len(), 1);
        assert_eq!(blocked[0].blocked, duplicate(if blocked[0].payee == person(1) { 2 } else { 1 }, "2026-05"));
        town.assert_clean().await;
    }

    async fn the_difference_against_last_month_is_told_person_by_person(db: store::Db) {
        let town = Town::new(db);
        let mut ids = Vec::new();
        for number in 1..=4 {
            ids.push(town.entitle(&grant(number, "dibao", 800, "2026-05")).await);
        }
        town.pay("2026-05").await;
        town.entitle(&grant(5, "dibao", 700, "2026-06")).await;
        let raise = new_amount(ids[1], 900, "2026-06", 21);
        in_tx!(town, tx, ledger::change(tx, &town.first, &raise)).unwrap();
        let stop = Stop { entitlement: ids[2], from: month("2026-06"), decision: decision(22), monthly: None };
        in_tx!(town, tx, ledger::stop(tx, &town.first, &stop)).unwrap();
        let run = town.propose("2026-06", &nobody_blocked()).await;
        let mut told: Vec<_> =
            town.lines(&run).await.iter().map(|line| (line.payee, line.difference, line.previous, line.net)).collect();
        told.sort();
        let expected = [
            (person(1), Difference::Same, Some(yuan(800)), yuan(800)),
            (person(2), Difference::Changed, Some(yuan(800)), yuan(900)),
            (person(3), Difference::Stopped, Some(yuan(800)), Money::ZERO),
            (person(4), Difference::Same, Some(yuan(800)), yuan(800)),
            (person(5), Difference::New, None, yuan(700)),
        ];
        assert_eq!(told, expected);
        let same = ledger::summary(&town.db, &town.first, run.id).await.unwrap();
        let same = same.iter().find(|row| row.difference == Difference::Same).unwrap();
        assert_eq!((same.lines, same.net), (2, yuan(1600)));
        let filter = LineFilter { run: Some(run.id), difference: Some(Difference::New), ..LineFilter::default() };
        assert_eq!(ledger::lines(&town.db, &town.first, &filter, 0, 10).await.unwrap().total, 1);
    }

    async fn the_banks_answer_counts_once_and_returned_money_goes_out_once_more(db: store::Db) {
        let town = Town::new(db);
        for number in 1..=3 {
            town.entitle(&grant(number, "old_age", 200, "2026-05")).await;
        }
        let may = town.pay("2026-05").await.run;
        let early = in_tx!(town, tx, ledger::bank_return(tx, &town.second, may.id, "f", &[]));
        assert_eq!(early, Err(ledger::payrun::bank_return::Refused::NotSent));
        for _ in 0..2 {
            in_tx!(town, tx, ledger::mark_sent(tx, &town.second, may.id, "sm3")).unwrap();
        }
        let other = in_tx!(town, tx, ledger::mark_sent(tx, &town.second, may.id, "another"));
        assert_eq!(other, Err(ledger::payrun::send::Refused::OtherFile));

        let lines = town.lines(&may).await;
        let said = |line: usize, outcome: BankOutcome, row| BankResult {
            instruction: lines[line].instruction.clone(),
            outcome,
            amount: None,
            row,
        };
        let nonsense = BankResult { instruction: "999".to_owned(), outcome: BankOutcome::Settled, amount: None, row: 4 };
        let wrong = BankResult { amount: Some(yuan(1)), ..said(2, BankOutcome::Settled, 5) };
        let results = [said(0, BankOutcome::Settled, 2), said(1, returned(), 3), nonsense, wrong];
        let first = in_tx!(town, tx, ledger::bank_return(tx, &town.second, may.id, "f", &results)).unwrap();
        assert_eq!((first.settled, first.returned, first.outstanding), (1, 1, 1));
        assert_eq!(first.returned_lines, [lines[1].id]);
        let whys: Vec<_> = first.not_taken.iter().map(|not| (not.row, not.why)).collect();
        assert_eq!(whys, [(4, Why::Unmatched), (5, Why::OtherAmount)]);
        let second = in_tx!(town, tx, ledger::bank_return(tx, &town.second, may.id, "f", &results)).unwrap();
        assert_eq!((second.settled, second.returned, second.unchanged), (0, 0, 2));
        let against = [said(0, returned(), 2), said(1, BankOutcome::Settled, 3)];
        let third = in_tx!(town, tx, ledger::bank_return(tx, &town.second, may.id, "g", &against)).unwrap();
        assert!(third.not_taken.iter().all(|not| not.why == Why::Contradicts) && third.not_taken.len() == 2);

        let june = town.propose("2026-06", &nobody_blocked()).await;
        assert_eq!(town.lines(&june).await.len(), 3, "nothing is sent again before the account is put right");
        town.release(&june).await;
        for _ in 0..2 {
            in_tx!(town, tx, ledger::reissue(tx, &town.first, lines[1].id)).unwrap();
        }
        let july = town.propose("2026-07", &nobody_blocked()).await;
        let repeated = town.lines(&july).await.into_iter().find(|line| line.reissues.is_some()).unwrap();
        assert_eq!((repeated.net, repeated.payee), (yuan(200), lines[1].payee));
        let released = town.release(&july).await;
        assert_eq!((released.posted, released.net), (4, yuan(800)));
        let refused = in_tx!(town, tx, ledger::reissue(tx, &town.first, lines[1].id));
        assert_eq!(refused, Err(ledger::payrun::reissue::Refused::AlreadyReissued));
        town.answer(&july, &BankOutcome::Settled).await;
        // May: 200 arrived late with July's file; still open are June's own line and nothing else.
        let statement = ledger::statement(&town.db, &town.first, lines[1].payee, month("2026-01"), month("2027-01")).await.unwrap();
        assert_eq!(statement.payable, yuan(200));
        let totals = ledger::totals(&town.db, &town.first, month("2026-05"), month("2026-08"), false).await.unwrap();
        let sums: Vec<_> = totals.iter().map(|row| (row.lines, row.net, row.settled, row.returned)).collect();
        let expected = [
            (3, yuan(600), yuan(200), Money::ZERO),
            (3, yuan(600), Money::ZERO, Money::ZERO),
            (3, yuan(600), yuan(800), Money::ZERO),
        ];
        assert_eq!(sums, expected);
        town.assert_clean().await;
    }

    async fn what_the_bank_took_back_later_is_corrected_by_a_reversal(db: store::Db) {
        let town = Town::new(db);
        town.entitle(&grant(1, "old_age", 200, "2026-05")).await;
        let run = town.pay("2026-05").await.run;
        town.answer(&run, &BankOutcome::Settled).await;
        let line = town.lines(&run).await.remove(0);
        let settle = ledger::transfer::derived(&["settle", &line.id.to_string()]).into();
        for _ in 0..2 {
            in_tx!(town, tx, ledger::correct(tx, &town.first, settle, "银行次日退汇")).unwrap();
        }
        assert_eq!(town.lines(&run).await[0].state, LineState::Returned);
        let statement = ledger::statement(&town.db, &town.first, person(1), month("2026-05"), month("2026-06")).await.unwrap();
        assert_eq!(statement.payable, yuan(200));
        let accrual = ledger::transfer::derived(&["accrue", &line.id.to_string(), "0"]).into();
        let refused = in_tx!(town, tx, ledger::correct(tx, &town.first, accrual, "误"));
        assert_eq!(refused, Err(ledger::correct::Refused::NotReversible(ledger::transfer::Code::Accrue)));
        town.assert_clean().await;
    }

    async fn an_officer_of_another_place_sees_nothing(db: store::Db) {
        let town = Town::new(db);
        let entitlement = town.entitle(&grant(1, "old_age", 200, "2026-05")).await;
        let run = town.pay("2026-05").await.run;
        let line = town.lines(&run).await.remove(0);
        let elsewhere = finance(4, "440306002");
        assert!(ledger::entitlement(town.db.conn(), &elsewhere, entitlement).await.unwrap().is_none());
        assert!(ledger::run(town.db.conn(), &elsewhere, run.id).await.unwrap().is_none());
        assert!(ledger::line(town.db.conn(), &elsewhere, line.id).await.unwrap().is_none());
        assert_eq!(ledger::lines(&town.db, &elsewhere, &LineFilter::default(), 0, 10).await.unwrap().total, 0);
        assert_eq!(ledger::runs(&town.db, &elsewhere, None, 0, 10).await.unwrap().total, 0);
        let statement = ledger::statement(&town.db, &elsewhere, person(1), month("2026-01"), month("2027-01")).await.unwrap();
        assert!(statement.months.is_empty() && statement.payable == Money::ZERO);
        let stop = Stop { entitlement, from: month("2026-06"), decision: decision(7), monthly: None };
        let refused = in_tx!(town, tx, ledger::stop(tx, &elsewhere, &stop));
        assert_eq!(refused, Err(ledger::stop::Refused::NotFound));
        let here = finance(5, COMMUNITY);
        assert_eq!(ledger::lines(&town.db, &here, &LineFilter::default(), 0, 10).await.unwrap().total, 1);
        let paid = ledger::in_payment(town.db.conn(), &here, &[person(1), person(2)], month("2026-06")).await.unwrap();
        assert_eq!(paid.len(), 1);
    }

    async fn transfers_claims_and_changes_cannot_be_altered(db: store::Db) {
        let town = Town::new(db);
        town.entitle(&grant(1, "old_age", 200, "2026-05")).await;
        town.pay("2026-05").await;
        for wrong in [
            "UPDATE ledger_transfer SET amount = 1",
            "DELETE FROM ledger_transfer",
            "UPDATE ledger_claim SET month = '2026-06'",
            "DELETE FROM ledger_claim",
            "UPDATE ledger_change SET amount = 1",
        ] {
            let tx = town.db.begin().await.unwrap();
            assert!(tx.conn().execute_unprepared(wrong).await.is_err(), "{wrong}");
            tx.rollback().await.unwrap();
        }
        town.assert_clean().await;
    }

    async fn the_audit_finds_what_was_altered_behind_the_ledgers_back(db: store::Db) {
        use ledger::audit::Check;
        let town = Town::new(db);
        town.entitle(&grant(1, "old_age", 200, "2026-05")).await;
        town.pay("2026-05").await;
        let report = ledger::audit(&town.db, &town.first, 2026).await.unwrap();
        assert!(report.is_clean());
        assert_eq!((report.runs, report.lines, report.claims, report.released), (1, 1, 1, yuan(200)));
        let plus = |kind, sign| format!("UPDATE ledger_account SET debits = debits {sign} 1 WHERE kind = '{kind}'");
        let state = |state| format!("UPDATE ledger_pay_line SET state = '{state}'");
        let regular = |fen| format!("UPDATE ledger_pay_line SET regular = {fen}, net = {fen}");
        for (wrong, right, check) in [
            (plus("expense", '+'), plus("expense", '-'), Check::BalanceDiffers),
            (plus("expense", '+'), plus("expense", '-'), Check::SumsNotZero),
            (state("settled"), state("posted"), Check::LineDiffersFromTransfers),
            (state("proposed"), state("posted"), Check::MovedWithoutRelease),
            (regular(19_999), regular(20_000), Check::LineDiffersFromTransfers),
            (regular(19_999), regular(20_000), Check::LineDiffersFromClaims),
            ("UPDATE ledger_pay_run SET released_by = proposed_by".to_owned(), String::new(), Check::SameOfficer),
        ] {
            run_sql(&town, &wrong).await;
            let report = ledger::audit(&town.db, &town.first, 2026).await.unwrap();
            assert!(report.findings.iter().any(|finding| finding.check == check), "{wrong}: {report:#?}");
            run_sql(&town, &right).await;
        }
    }

    async fn the_audit_finds_a_transfer_altered_by_the_databases_owner(db: store::Db) {
        use ledger::audit::Check;
        let town = Town::new(db);
        town.entitle(&grant(1, "old_age", 200, "2026-05")).await;
        town.pay("2026-05").await;
        let tx = town.db.begin().await.unwrap();
        let guards = match tx.engine() {
            store::Engine::Sqlite => {
                let names = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger_transfer'";
                let names = tx.conn().query_all_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, names)).await.unwrap();
                names.iter().map(|row| format!("DROP TRIGGER {};", row.try_get::<String>("", "name").unwrap())).collect()
            }
            store::Engine::Postgres => "ALTER TABLE ledger_transfer DISABLE TRIGGER ALL;".to_owned(),
        };
        tx.conn().execute_unprepared(&guards).await.unwrap();
        tx.conn().execute_unprepared("UPDATE ledger_transfer SET month = '2026-04'").await.unwrap();
        tx.commit().await.unwrap();
        let report = ledger::audit(&town.db, &town.first, 2026).await.unwrap();
        let found: Vec<_> = report.findings.iter().map(|finding| finding.check).collect();
        assert_eq!(found, [Check::SealBroken]);
    }
}

fn new_amount(
    entitlement: vocab::ids::EntitlementId,
    amount: i64,
    from: &str,
    number: u128,
) -> NewAmount {
    NewAmount {
        entitlement,
        amount: yuan(amount),
        from: month(from),
        decision: decision(number),
        monthly: None,
    }
}

async fn run_sql(town: &Town, sql: &str) {
    let tx = town.db.begin().await.unwrap();
    tx.conn().execute_unprepared(sql).await.unwrap();
    tx.commit().await.unwrap();
}
