//! Enquiring about a household (发起核对): nobody without consent, in the scope, within the quota; kept as answered.

use crate::town::{ANN, BANK, BO, MARRIAGE, Town, day};
use access::{Actor, Purpose, Role, Scope};
use registry::consent::{self, NewConsent, State, Tie, Way};
use registry::households::NewHousehold;
use registry::people::NewPerson;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::{Db, TestClock};
use uuid::Uuid;
use verify::enquiry::{
    self, Answered, EnquiryFilter, EnquiryRow, NewEnquiry, Oddity, Permitted, Recorded, Refused,
    Reproduced, Terms, enquiry, list, permit, record, reproduce,
};
use verify::remote::wire::Secret;
use verify::remote::{Department, Departments};
use verify::{Landed, Unknown};
use vocab::ids::{HouseholdId, OfficerId, PersonId};
use vocab::{Document, DocumentKind, Kinship, Region, Sex};

const HERE: &str = "990101001001";
const BESIDE: &str = "990101001002";
const PURPOSE: &str = "申请社会救助的家庭经济状况核对";

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

fn officer(number: u128, place: &str) -> Scope {
    let id = OfficerId(Uuid::from_u128(number));
    let roles = vec![(Role::StreetReviewer, region(place))];
    let actor = Actor::officer(id, format!("官员{number}"), roles);
    Scope {
        region: region(place),
        actor,
        purpose: Purpose::Review,
    }
}

fn terms() -> Terms {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let book = policy::Book::load(&packs, "sample").unwrap();
    Terms::of(&book).unwrap()
}

struct Office {
    db: Db,
    street: Scope,
    terms: Terms,
    town: Town,
    household: HouseholdId,
    ann: PersonId,
    bo: PersonId,
}

async fn person(db: &Db, scope: &Scope, name: &str, number: &str, at: &str) -> PersonId {
    let mut tx = db.begin().await.unwrap();
    let new = NewPerson {
        name: name.to_owned(),
        document: Document::read(DocumentKind::ResidentId, number, tx.today()).unwrap(),
        sex: Sex::Unknown,
        birth_date: None,
        phone: None,
        hukou: Some(region("990101")),
        lives_in: region(at),
        address: "幸福路 1 号".to_owned(),
    };
    let id = registry::register_person(&mut tx, scope, new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    id
}

impl Office {
    /// Ann and Bo live together; Ann has 30.00 yuan in one account and 12.50 in another, Bo 7.00; Bo is married to nobody.
    async fn new(db: Db, clock: &TestClock) -> Self {
        clock.set("2026-11-20T02:00:00Z".parse().unwrap()); // a Friday, ten in the morning in China
        let street = officer(1, "990101001");
        let ann = person(&db, &street, "张芳", ANN, HERE).await;
        let bo = person(&db, &street, "张博", BO, HERE).await;
        let mut tx = db.begin().await.unwrap();
        let new = NewHousehold {
            region: region(HERE),
            address: "幸福路 1 号".to_owned(),
            head: ann,
            members: vec![(bo, Kinship::read("20").unwrap())],
            since: Some(day("2020-01-01")),
            roster_number: None,
        };
        let household = registry::form_household(&mut tx, &street, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        let town = Town::new();
        let lines = format!(
            "{ANN},张芳,A1,甲行,30,2026-10-31,2026-10,1,1,0\n\
             {ANN},张芳,A2,乙行,12.5,2026-10-31,2026-10,1,1,0\n\
             {BO},张博,B1,甲行,7,2026-10-31,2026-10,1,1,0\n"
        );
        town.bank(&lines, "2026-11-01").unwrap();
        Self {
            db,
            street,
            terms: terms(),
            town,
            household,
            ann,
            bo,
        }
    }

    async fn consents(&self, person: PersonId, tie: Tie) -> Uuid {
        let mut tx = self.db.begin().await.unwrap();
        let new = NewConsent {
            person,
            household: self.household,
            tie,
            purpose: PURPOSE.to_owned(),
            way: Way::Screen,
            signed_on: tx.today(),
            until: None,
            file: None,
            signed_by: None,
            reason: String::new(),
        };
        let id = consent::give(&mut tx, &self.street, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    fn wanted(&self) -> NewEnquiry {
        NewEnquiry {
            subject: Uuid::from_u128(77),
            subject_number: "YX2026-000001".to_owned(),
            household: self.household,
            people: vec![self.ann, self.bo],
            purpose: PURPOSE.to_owned(),
            as_of: self.db.today(),
        }
    }

    async fn permit(&self, scope: &Scope, new: NewEnquiry) -> Result<Permitted, Refused> {
        let mut tx = self.db.begin().await.unwrap();
        let answer = permit(&mut tx, scope, &self.terms, new).await.unwrap();
        tx.commit().await.unwrap();
        answer
    }

    fn ask(&self, permitted: Permitted) -> Answered {
        permitted
            .ask(&self.town.landed(), None, &AtomicBool::new(false))
            .unwrap()
    }

    async fn record(&self, answered: Answered) -> Result<Recorded, Refused> {
        let mut tx = self.db.begin().await.unwrap();
        let answer = record(&mut tx, &self.street, &self.terms, answered)
            .await
            .unwrap();
        match answer {
            Ok(_) => tx.commit().await.unwrap(),
            Err(_) => tx.rollback().await.unwrap(),
        }
        answer
    }

    async fn whole(&self) -> Recorded {
        let permitted = self.permit(&self.street, self.wanted()).await.unwrap();
        self.record(self.ask(permitted)).await.unwrap()
    }

    async fn listed(&self, filter: &EnquiryFilter) -> Vec<String> {
        let page = list(&self.db, &self.street, filter, &[], 0, 10)
            .await
            .unwrap();
        page.rows.into_iter().map(|row| row.number).collect()
    }
}

/// Somebody who lives alone at an address, and consents.
async fn alone(office: &Office, sequence: u32, address: &str) -> (HouseholdId, PersonId) {
    let body = format!("23102519560715{sequence:03}");
    let number = format!("{body}{}", vocab::id_number::check_digit(&body).unwrap());
    let who = person(&office.db, &office.street, "王邻", &number, HERE).await;
    let mut tx = office.db.begin().await.unwrap();
    let new = NewHousehold {
        region: region(HERE),
        address: address.to_owned(),
        head: who,
        members: Vec::new(),
        since: Some(day("2020-01-01")),
        roster_number: None,
    };
    let household = registry::form_household(&mut tx, &office.street, new)
        .await
        .unwrap()
        .unwrap();
    let new = NewConsent {
        person: who,
        household,
        tie: Tie::Member,
        purpose: PURPOSE.to_owned(),
        way: Way::Screen,
        signed_on: tx.today(),
        until: None,
        file: None,
        signed_by: None,
        reason: String::new(),
    };
    consent::give(&mut tx, &office.street, new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    (household, who)
}

/// An enquiry of an officer about people for a case, as the list shows it.
async fn asks(
    office: &Office,
    scope: &Scope,
    (household, people): (HouseholdId, &[PersonId]),
    case: u128,
) -> EnquiryRow {
    let new = NewEnquiry {
        subject: Uuid::from_u128(case),
        household,
        people: people.to_vec(),
        ..office.wanted()
    };
    let answered = office.ask(office.permit(scope, new).await.unwrap());
    let mut tx = office.db.begin().await.unwrap();
    let kept = record(&mut tx, scope, &office.terms, answered)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    let filter = EnquiryFilter {
        number: kept.number,
        ..EnquiryFilter::default()
    };
    let mut page = list(&office.db, &office.street, &filter, &[], 0, 2)
        .await
        .unwrap();
    page.rows.pop().unwrap()
}

async fn entries(db: &Db, act: &str) -> usize {
    let all = store::journal::page(db, &store::journal::Filter::default(), 0, 1000)
        .await
        .unwrap();
    all.rows
        .iter()
        .filter(|entry| entry.event.act == act)
        .count()
}

fixtures::db_tests! {
    migrations = verify::migrations();

    async fn nobody_is_asked_about_without_their_own_consent_in_force(db: Db, clock: Arc<TestClock>) {
        let office = Office::new(db, &clock).await;
        let refused = office.permit(&office.street, office.wanted()).await.unwrap_err();
        assert!(matches!(&refused, Refused::NotConsented(both) if both.len() == 2), "{refused:?}");
        assert_eq!(entries(&office.db, "consent.open").await, 0, "no number left the register");
        let anns = office.consents(office.ann, Tie::Member).await;
        let refused = office.permit(&office.street, office.wanted()).await.unwrap_err();
        assert!(matches!(&refused, Refused::NotConsented(one) if one.len() == 1 && one[0].person == office.bo && one[0].state == State::Silent));
        office.consents(office.bo, Tie::Member).await;

        let stranger = NewEnquiry { purpose: "好奇".to_owned(), ..office.wanted() };
        assert_eq!(office.permit(&office.street, stranger).await.unwrap_err(), Refused::UnknownPurpose);
        let nobody = NewEnquiry { people: vec![], ..office.wanted() };
        assert_eq!(office.permit(&office.street, nobody).await.unwrap_err(), Refused::Nobody);
        let later = NewEnquiry { as_of: day("2026-11-21"), ..office.wanted() };
        assert_eq!(office.permit(&office.street, later).await.unwrap_err(), Refused::Later);
        assert_eq!(office.permit(&officer(2, BESIDE), office.wanted()).await.unwrap_err(), Refused::NotThere);

        // Ann takes it back while the departments are asked: nothing is kept, and it says who.
        let permitted = office.permit(&office.street, office.wanted()).await.unwrap();
        let answered = office.ask(permitted);
        let mut tx = office.db.begin().await.unwrap();
        consent::withdraw(&mut tx, &office.street, anns, "").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(office.record(answered).await, Err(Refused::TakenBack(vec![office.ann])));
        assert!(office.listed(&EnquiryFilter::default()).await.is_empty());
        let refused = office.permit(&office.street, office.wanted()).await.unwrap_err();
        assert!(matches!(&refused, Refused::NotConsented(one) if matches!(one[0].state, State::Withdrawn(_))));
    }

    async fn a_supporter_outside_is_asked_about_only_with_a_consent_of_their_own(db: Db, clock: Arc<TestClock>) {
        let office = Office::new(db, &clock).await;
        office.consents(office.ann, Tie::Member).await;
        office.consents(office.bo, Tie::Member).await;
        let son = person(&office.db, &office.street, "张子", "231025195607150042", BESIDE).await;
        let with_son = NewEnquiry { people: vec![office.ann, office.bo, son], ..office.wanted() };
        let refused = office.permit(&office.street, with_son.clone()).await.unwrap_err();
        assert!(matches!(&refused, Refused::NotConsented(one) if one.len() == 1 && one[0].person == son));
        office.consents(son, Tie::SupportsParent).await;
        let permitted = office.permit(&office.street, with_son).await.unwrap();
        assert_eq!(office.ask(permitted).report().answers[0].members.len(), 3);
    }

    async fn a_report_is_kept_sealed_and_comes_out_the_same_from_the_same_deliveries(db: Db, clock: Arc<TestClock>) {
        let office = Office::new(db, &clock).await;
        office.consents(office.ann, Tie::Member).await;
        office.consents(office.bo, Tie::Member).await;
        let kept = office.whole().await;
        assert_eq!(kept.number, "HD2026-000001");
        let seen = enquiry(&office.db, &office.street, kept.id).await.unwrap().unwrap();
        // 30.00 + 12.50 + 7.00 = 49.50 yuan; nobody landed marriages.
        assert_eq!(office.town.figure(&seen.report, "bank", "deposits").value, Some(4_950));
        assert_eq!(office.town.figure(&seen.report, "marriage", "any").value, None);
        assert_eq!((seen.people.as_slice(), seen.row.unknowns), ([office.ann, office.bo].as_slice(), 1));
        assert_eq!(seen.row.valid_until, day("2027-05-19"), "180 days: 10 of November, 31, 31, 28, 31, 30, and 19 of May");
        let bank = &seen.deliveries["bank"];
        assert!(bank.sm3.as_ref().is_some_and(|hash| hash.len() == 64) && bank.delivered == Some(day("2026-11-01")), "{bank:?}");
        assert_eq!(seen.deliveries["marriage"].delivery, None);
        assert!(enquiry(&office.db, &officer(2, BESIDE), kept.id).await.unwrap().is_none(), "the next community does not see it");

        let again = || async { reproduce(&office.db, &office.street, &office.town.landed(), kept.id).await.unwrap() };
        assert_eq!(again().await, Some(Reproduced::Same));
        // A newer word of the same department for an earlier day changes what is asked anew, and not what was answered.
        office.town.bank(&format!("{ANN},张芳,A1,甲行,9999,2026-11-09,2026-11,1,1,0\n"), "2026-11-10").unwrap();
        assert_eq!(again().await, Some(Reproduced::Same));
        let permitted = office.permit(&office.street, office.wanted()).await.unwrap();
        assert_eq!(office.town.figure(office.ask(permitted).report(), "bank", "deposits").value, Some(999_900));
        // Without the delivery that answered, the answer cannot be made again, and it says which source.
        let folder = office.town.store().join("bank").join(bank.delivery.as_ref().unwrap());
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!(again().await, Some(Reproduced::Otherwise(vec!["bank".to_owned()])));
        for (act, times) in [("verify.permit", 2), ("verify.enquire", 1), ("verify.read_report", 1), ("verify.reproduce", 3), ("consent.open", 4)] {
            assert_eq!(entries(&office.db, act).await, times, "{act}");
        }
        let all = store::journal::page(&office.db, &store::journal::Filter::default(), 0, 1000).await.unwrap();
        assert!(!format!("{:?}", all.rows).contains(ANN), "no number in the journal");
        assert!(all.rows.iter().any(|entry| entry.event.act == "verify.enquire" && entry.event.purpose == PURPOSE));
    }

    async fn a_source_and_a_figure_that_came_since_are_no_other_answer(db: Db, clock: Arc<TestClock>) {
        let office = Office::new(db, &clock).await;
        office.consents(office.ann, Tie::Member).await;
        office.consents(office.bo, Tie::Member).await;
        let kept = office.whole().await;
        let figure = "[[figure]]\nid = \"all\"\nzh = \"全部账户\"\nen = \"All\"\ntake = \"count\"\n[[figure]]\n";
        let bank = BANK.replacen("[[figure]]\n", figure, 1);
        let since = Town::of(&[("bank", &bank), ("marriage", MARRIAGE), ("weddings", MARRIAGE)]);
        let landed = Landed::open(&office.town.store(), since.sources.clone(), office.town.keys.clone()).unwrap();
        let again = reproduce(&office.db, &office.street, &landed, kept.id).await.unwrap();
        assert_eq!(again, Some(Reproduced::Same));
    }

    async fn of_an_enquiry_that_was_not_kept_no_answer_stays_and_silence_is_made_again_as_it_was(db: Db, clock: Arc<TestClock>) {
        let office = Office::new(db, &clock).await;
        let anns = office.consents(office.ann, Tie::Member).await;
        office.consents(office.bo, Tie::Member).await;
        // A port nobody listens on.
        let at = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let marriage = Department::new("marriage", &at.to_string(), Secret::new([7; 32]));
        let (store, clock) = (office.town.store(), Arc::clone(office.db.clock()));
        let departments = Departments::new(vec![marriage], &store, office.town.keys.clone(), clock).unwrap();
        let answers = || std::fs::read_dir(store.join(".answers")).map_or(0, |all| all.count());
        let ask = |permitted: Permitted| {
            permitted.ask(&office.town.landed(), Some(&departments), &AtomicBool::new(false)).unwrap()
        };
        let kept = office.record(ask(office.permit(&office.street, office.wanted()).await.unwrap())).await.unwrap();
        assert_eq!(answers(), 1);
        let seen = enquiry(&office.db, &office.street, kept.id).await.unwrap().unwrap();
        assert_eq!(office.town.figure(&seen.report, "marriage", "any").unknown, [Unknown::NoAnswer]);
        // Whichever departments are asked today: none is named here.
        let again = reproduce(&office.db, &office.street, &office.town.landed(), kept.id).await.unwrap();
        assert_eq!(again, Some(Reproduced::Same));
        let answered = ask(office.permit(&office.street, office.wanted()).await.unwrap());
        assert_eq!(answers(), 2);
        let mut tx = office.db.begin().await.unwrap();
        consent::withdraw(&mut tx, &office.street, anns, "").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(office.record(answered).await, Err(Refused::TakenBack(vec![office.ann])));
        assert_eq!(answers(), 1, "what was answered about her is gone");
    }

    async fn a_day_has_an_end_and_what_is_odd_is_shown_with_its_reason(db: Db, clock: Arc<TestClock>) {
        let mut office = Office::new(db, &clock).await;
        office.consents(office.ann, Tie::Member).await;
        office.consents(office.bo, Tie::Member).await;
        office.terms.a_day = 2;
        let (first, second) = (office.whole().await, office.whole().await);
        assert_eq!(office.permit(&office.street, office.wanted()).await.unwrap_err(), Refused::Enough(2));
        // Permitted before the last one of the day was kept: counted once more where it is kept.
        clock.set("2026-11-20T15:30:00Z".parse().unwrap()); // half past eleven at night in China, still the twentieth
        office.terms.a_day = 3;
        let (one, other) = (
            office.permit(&office.street, office.wanted()).await.unwrap(),
            office.permit(&office.street, office.wanted()).await.unwrap(),
        );
        let third = office.record(office.ask(one)).await.unwrap();
        assert_eq!(office.record(office.ask(other)).await, Err(Refused::Enough(3)));

        let page = list(&office.db, &office.street, &EnquiryFilter::default(), &[], 0, 2).await.unwrap();
        assert_eq!((page.total, page.rows.len()), (3, 2));
        assert_eq!(page.rows[0].number, third.number);
        // The third time about the same people within ninety days, and at night.
        assert_eq!(page.rows[0].odd, [Oddity::OutOfHours, Oddity::SamePerson(3)]);
        let odd = EnquiryFilter { odd_only: true, ..EnquiryFilter::default() };
        assert_eq!(office.listed(&odd).await, std::slice::from_ref(&third.number));
        let by_source = |source: &str| EnquiryFilter { source: Some(source.to_owned()), ..EnquiryFilter::default() };
        assert_eq!(office.listed(&by_source("bank")).await.len(), 3);
        assert!(office.listed(&by_source("marriage")).await.is_empty(), "it answered nothing");
        let of_case = EnquiryFilter { number: " yx2026-000001 ".to_owned(), ..EnquiryFilter::default() };
        assert_eq!(office.listed(&of_case).await, [third.number.clone(), second.number.clone(), first.number.clone()]);
        let strangers = EnquiryFilter { officer: Some(OfficerId(Uuid::from_u128(9))), ..EnquiryFilter::default() };
        assert!(office.listed(&strangers).await.is_empty());
        let elsewhere = list(&office.db, &officer(2, BESIDE), &EnquiryFilter::default(), &[], 0, 9).await.unwrap();
        assert_eq!(elsewhere.total, 0);

        let counted = enquiry::by_officer(&office.db, &office.street, &office.terms).await.unwrap();
        assert_eq!((counted[0].times, counted[0].far_above), (3, false), "alone, nobody is above the others");
        let busy = [office.street.actor.officer];
        assert_eq!(list(&office.db, &office.street, &odd, &busy, 0, 9).await.unwrap().total, 3);
    }

    async fn neighbours_and_whoever_many_ask_about_are_shown_by_the_terms_of_the_day(db: Db, clock: Arc<TestClock>) {
        let mut office = Office::new(db, &clock).await;
        office.consents(office.ann, Tie::Member).await;
        office.consents(office.bo, Tie::Member).await;
        let odd = &mut office.terms.odd;
        (odd.neighbours, odd.neighbours_days) = (2, 30);
        (odd.person_officers, odd.person_cases, odd.person_days) = (2, 2, 90);
        odd.same_person_times = 99;
        let office = office;
        let (mine, other) = (office.street.clone(), officer(3, "990101001"));
        let both = [office.ann, office.bo];
        let ours = (office.household, both.as_slice());
        // Ann and Bo live at 幸福路 1 号; the same household asked about twice for one case is no neighbour of itself.
        assert_eq!(asks(&office, &mine, ours, 1).await.odd, []);
        assert_eq!(asks(&office, &mine, ours, 1).await.odd, []);
        let (upstairs, who) = alone(&office, 11, "幸福路1号202室").await;
        let second = asks(&office, &mine, (upstairs, &[who]), 2).await;
        assert_eq!(second.odd, [Oddity::Neighbours(2)], "two households of one house by one officer");
        // Across the street, and where no number is written, nobody is a neighbour.
        for (sequence, address, case) in [(12, "幸福路2号", 3), (13, "王家村", 4), (14, "王家村", 5)] {
            let (home, who) = alone(&office, sequence, address).await;
            assert_eq!(asks(&office, &mine, (home, &[who]), case).await.odd, [], "{address} {sequence}");
        }
        // A colleague asks about the first household for the same case: two officers, one case, and one household of theirs.
        assert_eq!(asks(&office, &other, ours, 1).await.odd, [Oddity::ManyOfficers(2)]);
        // And once more, for another case: two officers, two cases, still one household of the colleague's in that house.
        let many = asks(&office, &other, ours, 6).await;
        assert_eq!(many.odd, [Oddity::ManyOfficers(2), Oddity::ManyCases(2)]);
        // The same officer asks about both households of the house for a month, and of one man upstairs for one case alone.
        let beside = |one: &EnquiryRow| EnquiryFilter { beside: Some(one.id), ..EnquiryFilter::default() };
        assert_eq!(office.listed(&beside(&second)).await, ["HD2026-000003", "HD2026-000002", "HD2026-000001"], "one officer, one house");
        let about_them = ["HD2026-000008", "HD2026-000007", "HD2026-000002", "HD2026-000001"];
        assert_eq!(office.listed(&beside(&many)).await, about_them, "everybody's about these two");
        let only = EnquiryFilter { odd_only: true, ..EnquiryFilter::default() };
        assert_eq!(office.listed(&only).await, ["HD2026-000008", "HD2026-000007", "HD2026-000003"]);

        // Thirty days after 20 November is 20 December: enquiries of the twentieth lie no longer within thirty days, but within
        // ninety.
        clock.set("2026-12-20T02:00:00Z".parse().unwrap());
        assert_eq!(asks(&office, &mine, (upstairs, &[who]), 2).await.odd, [Oddity::OutOfHours], "a Sunday, and nothing else");
        clock.set("2027-02-17T02:00:00Z".parse().unwrap());
        let day_89 = asks(&office, &other, ours, 1).await;
        assert!(day_89.odd.contains(&Oddity::ManyOfficers(2)), "{:?}", day_89.odd);
        clock.set("2027-02-18T02:00:00Z".parse().unwrap());
        // Ninety days on, of all that only yesterday's by the same colleague for the same case is left.
        let day_90 = asks(&office, &other, ours, 1).await;
        assert!(!day_90.odd.iter().any(|one| matches!(one, Oddity::ManyOfficers(_) | Oddity::ManyCases(_))), "{:?}", day_90.odd);
    }

    async fn whoever_has_two_records_is_one_person_to_whom_counts_enquiries(db: Db, clock: Arc<TestClock>) {
        let mut office = Office::new(db, &clock).await;
        (office.terms.odd.person_cases, office.terms.odd.same_person_times) = (2, 99);
        let office = office;
        let (one, who) = alone(&office, 21, "和平路1号").await;
        let (two, again) = alone(&office, 22, "和平路9号").await;
        assert_eq!(asks(&office, &office.street, (one, &[who]), 1).await.odd, []);
        assert_eq!(asks(&office, &office.street, (two, &[again]), 2).await.odd, [], "two people, so far as anybody knows");
        // The second record leaves its household, and the two become one.
        let mut tx = office.db.begin().await.unwrap();
        let today = tx.today();
        registry::households::leave(&mut tx, &office.street, two, again, today, "登记了两次").await.unwrap().unwrap();
        let new = registry::merging::NewMerge {
            survivor: who,
            merged: again,
            choices: registry::merging::Choices::default(),
            reason: "本人持两证到场".to_owned(),
            in_payment: false,
        };
        let merge = registry::merging::prepare(&mut tx, &office.street, new).await.unwrap().unwrap();
        registry::merging::decide(&mut tx, &officer(3, "990101001"), merge, false).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(asks(&office, &office.street, (one, &[who]), 1).await.odd, [Oddity::ManyCases(2)]);
    }
}

#[test]
fn what_no_layer_writes_is_told_and_not_taken_for_nothing() {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let folder = tempfile::tempdir().unwrap();
    fixtures::copy(&packs, folder.path()).unwrap();
    let file = folder.path().join("national/enquiry.toml");
    let whole = std::fs::read_to_string(&file).unwrap();
    let faults_of = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let book = policy::Book::load(folder.path(), "sample").unwrap();
        let faults = Terms::of(&book).err().unwrap_or_default();
        let told = faults.into_iter().map(|fault| fault.to_string());
        told.collect::<Vec<_>>()
    };
    assert_eq!(faults_of(&whole), Vec::<String>::new());
    for line in [
        "same_person_days = 90",
        "neighbours = 4",
        "person_officers = 4",
        "at_least = 12",
        "median_days = 30",
        "first_hour = 8",
        "still_after_days = 30",
    ] {
        let key = line.split(' ').next().unwrap();
        let told = faults_of(&whole.replace(&format!("{line}\n"), ""));
        assert!(
            told.len() == 1 && told[0].contains(&format!("[odd] 缺少“{key}”")),
            "{told:?}"
        );
    }
    // Midnight is an hour; an office that closes before it opens is a slip.
    assert_eq!(
        faults_of(&whole.replace("first_hour = 8", "first_hour = 0")),
        Vec::<String>::new()
    );
    assert_eq!(
        faults_of(&whole.replace("last_hour = 19", "last_hour = 7")).len(),
        1
    );
}
