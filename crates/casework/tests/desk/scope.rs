//! Scope (管辖范围): an officer of one community neither sees nor guesses another's people.

use super::town::*;
use casework::act::Refused;
use casework::letter::{self, Lang};
use casework::list::{CaseFilter, CaseSort, count, list};
use casework::todo::{TodoFilter, counts, todo};
use casework::{ActInput, explain};
use std::sync::Arc;
use store::TestClock;

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn an_officer_of_another_community_sees_nothing(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, submitted) = town.dibao_case().await;
        let other = town.draft(family.household, &["dibao"], &town.declared(&family)).await;
        let evidence = town.attach(case, "other").await;
        let letter = town.view(case).await.letters[0].id;
        let (db, desk, who) = (&town.db, &town.desk, &town.neighbour);

        assert!(casework::view::case(db, who, desk, case).await.unwrap().is_none());
        assert_eq!(casework::view::by_number(db, who, &submitted.cases[0].1).await.unwrap(), None);
        for text in ["", "BA2026", &submitted.cases[0].1, "张桂䶮", "张"] {
            let filter = CaseFilter { text: text.to_owned(), ..CaseFilter::default() };
            let found = list(db, who, desk, &filter, CaseSort::default(), 0, 50).await.unwrap();
            assert_eq!((found.total, found.rows.len()), (0, 0), "{text}");
            assert_eq!(count(db, who, &filter).await.unwrap(), 0);
        }
        // Asking for the other place by name does not widen the scope.
        let there = CaseFilter { region: Some(region(HOME)), ..CaseFilter::default() };
        assert_eq!(list(db, who, desk, &there, CaseSort::default(), 0, 50).await.unwrap().total, 0);
        let filter = TodoFilter { with_waiting: true, region: Some(region(HOME)), ..TodoFilter::default() };
        assert_eq!(todo(db, who, desk, &filter, 0, 50).await.unwrap().total, 0);
        assert_eq!(counts(db, who).await.unwrap(), casework::todo::TodoCounts::default());
        assert!(casework::draft::draft(db, who, other).await.unwrap().is_none());
        assert!(casework::draft::preview(db, who, desk, other).await.unwrap().is_none());
        assert_eq!(casework::draft::drafts(db, who, 0, 50).await.unwrap().total, 0);
        assert!(casework::evidence::read(db, who, desk, evidence).await.unwrap().is_none());
        assert!(letter::pdf(db, who, desk, letter, Lang::Zh, "").await.unwrap().is_none());
        assert!(explain(db, who, desk, case).await.unwrap().is_none());
        let refused = town.act(who, case, "accept", ActInput { expected_version: 1, ..accepting() }).await;
        assert_eq!(refused, Err(Refused::NotThere));

        // The own officer sees all of it, and the figures are the lengths of the lists.
        let found = list(db, &town.window, desk, &CaseFilter::default(), CaseSort::default(), 0, 50).await.unwrap();
        assert_eq!((found.total, found.rows.len()), (1, 1));
        let figures = counts(db, &town.window).await.unwrap();
        let tasks = todo(db, &town.window, desk, &TodoFilter::default(), 0, 50).await.unwrap();
        assert_eq!((figures.total, tasks.total, tasks.rows.len()), (1, 1, 1));
        // It is the window's turn, not the reviewer's: the reviewer sees the case and has nothing to do.
        assert_eq!(counts(db, &town.reviewer).await.unwrap().total, 0);
        assert_eq!(list(db, &town.reviewer, desk, &CaseFilter::default(), CaseSort::default(), 0, 50).await.unwrap().total, 1);
        for text in ["BA2026-000001", "000001", "张桂䶮"] {
            let filter = CaseFilter { text: text.to_owned(), ..CaseFilter::default() };
            assert_eq!(list(db, &town.window, desk, &filter, CaseSort::default(), 0, 50).await.unwrap().total, 1, "{text}");
        }
    }
}
