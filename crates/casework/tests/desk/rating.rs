//! Good and bad ratings (好差评), by the code of the receipt alone: once a handling, anonymous until taken up, mended in fifteen days.

use super::town::*;
use casework::rating::{
    Grade, NewRating, RatingFilter, RatingSort, Refused, Side, Standing, State, Terms, figures,
    handlings, list, mend, rate, take_up, view,
};
use std::sync::Arc;
use store::TestClock;

fn poor(number: &str, seq: i64) -> NewRating {
    NewRating {
        number: number.to_owned(),
        seq,
        grade: Some(Grade::Poor),
        indicators: vec!["service_attitude".to_owned()],
        said: "等了两个小时，我是张桂䶮".to_owned(),
    }
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn a_handling_is_rated_once_and_once_more_after_it_was_mended(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let terms = Terms::of(&town.desk.book).unwrap();
        let (_, case, submitted) = town.dibao_case().await;
        let number = submitted.cases[0].1.clone();
        let code = submitted.receipt_code.clone();
        let give = async |new: &NewRating| {
            let mut tx = town.db.begin().await.unwrap();
            let answer = rate(&mut tx, &town.desk, &terms, &code, new).await.unwrap();
            if answer.is_ok() {
                tx.commit().await.unwrap();
            }
            answer
        };
        assert_eq!(handlings(&town.db, &town.desk, &terms, "0000-0000-0000-0").await.unwrap(), None);
        let all = handlings(&town.db, &town.desk, &terms, &code).await.unwrap().unwrap();
        assert_eq!(all.len(), 1, "handed in, and nothing decided yet");
        assert_eq!((all[0].seq, all[0].side, all[0].standing), (1, Side::Window, Standing::May { round: 1 }));

        assert_eq!(give(&NewRating { grade: None, ..poor(&number, 1) }).await, Err(Refused::NoGrade));
        assert_eq!(give(&poor(&number, 2)).await, Err(Refused::NotThere));
        let online = NewRating { indicators: vec!["usability".to_owned()], ..poor(&number, 1) };
        assert_eq!(give(&online).await, Err(Refused::NoIndicator), "what is asked at a counter is not asked online");
        let long = NewRating { said: "长".repeat(501), ..poor(&number, 1) };
        assert_eq!(give(&long).await, Err(Refused::TooLong));
        let id = give(&poor(&number, 1)).await.unwrap();
        assert_eq!(give(&poor(&number, 1)).await, Err(Refused::Already));

        // Nobody sees whose it is: no case, no text; and another place sees nothing at all.
        let all = RatingFilter::default();
        let due = (RatingSort::Due, false);
        let page = list(&town.db, &town.reviewer, &all, due, 0, 10).await.unwrap();
        // 15 working days after Tuesday 1 September 2026: 3 of that week, 5 and 5 of the next two, then Sunday 20 September, which is
        // worked for the Mid-Autumn holiday, and Monday 21 September.
        assert_eq!((page.rows[0].case, page.rows[0].due_on), (None, Some(day("2026-09-21"))));
        let seen = view(&town.db, &town.reviewer, id).await.unwrap().unwrap();
        assert_eq!((seen.said, seen.kept_back, seen.number), (None, true, None));
        assert!(view(&town.db, &town.neighbour, id).await.unwrap().is_none());
        assert_eq!(list(&town.db, &town.neighbour, &all, due, 0, 10).await.unwrap().total, 0);

        let act = async |scope: &access::Scope, done: Option<(bool, &str)>| {
            let mut tx = town.db.begin().await.unwrap();
            let answer = match done {
                None => take_up(&mut tx, scope, &terms, id).await.unwrap(),
                Some(done) => mend(&mut tx, scope, &terms, id, done).await.unwrap(),
            };
            if answer.is_ok() {
                tx.commit().await.unwrap();
            }
            answer
        };
        assert_eq!(act(&town.window, None).await, Err(Refused::Denied));
        assert_eq!(act(&town.neighbour, None).await, Err(Refused::NotFound));
        assert_eq!(act(&town.reviewer, Some((true, "已致电"))).await, Err(Refused::Changed), "first it is taken up");
        act(&town.reviewer, None).await.unwrap();
        assert_eq!(act(&town.second, None).await, Err(Refused::Changed));
        let seen = view(&town.db, &town.reviewer, id).await.unwrap().unwrap();
        assert_eq!((seen.row.case, seen.number.as_deref()), (Some(case), Some(number.as_str())));
        assert_eq!(seen.said.as_deref(), Some("等了两个小时，我是张桂䶮"));
        assert_eq!(act(&town.reviewer, Some((false, "已说明情况"))).await, Err(Refused::NotCalled));
        assert_eq!(act(&town.reviewer, Some((true, "好"))).await, Err(Refused::NoResult));
        act(&town.reviewer, Some((true, "已致电说明，窗口加开一个号"))).await.unwrap();

        // Mended: once more, and then no more.
        let again = NewRating { grade: Some(Grade::Good), said: String::new(), ..poor(&number, 1) };
        give(&again).await.unwrap();
        assert_eq!(give(&again).await, Err(Refused::Already));
        let cells = figures(&town.db, &town.district, &all).await.unwrap();
        let counted: Vec<(Grade, u64)> = cells.iter().map(|cell| (cell.grade, cell.count)).collect();
        assert_eq!(counted, [(Grade::Poor, 1), (Grade::Good, 1)]);
        let good = RatingFilter { grade: Some(Grade::Good), states: vec![State::Kept], ..all };
        assert_eq!(list(&town.db, &town.district, &good, due, 0, 10).await.unwrap().total, 1);
    }

    async fn who_is_rated_neither_takes_it_up_nor_reads_it_before(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let terms = Terms::of(&town.desk.book).unwrap();
        let (_, case, submitted) = town.dibao_case().await;
        town.act(&town.reviewer, case, "withdraw", saying("不申请了")).await.unwrap();
        let code = &submitted.receipt_code;
        let all = handlings(&town.db, &town.desk, &terms, code).await.unwrap().unwrap();
        let last = all.last().unwrap().seq;
        assert_eq!(all.len(), 2, "handed in and withdrawn");
        let mut tx = town.db.begin().await.unwrap();
        let new = poor(&submitted.cases[0].1, last);
        let id = rate(&mut tx, &town.desk, &terms, code, &new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut tx = town.db.begin().await.unwrap();
        assert_eq!(take_up(&mut tx, &town.reviewer, &terms, id).await.unwrap(), Err(Refused::Own));
        tx.rollback().await.unwrap();
        let seen = view(&town.db, &town.reviewer, id).await.unwrap().unwrap();
        assert!(seen.own && seen.kept_back && seen.said.is_none() && seen.row.case.is_none());
        let mut tx = town.db.begin().await.unwrap();
        take_up(&mut tx, &town.second, &terms, id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
    }
}
