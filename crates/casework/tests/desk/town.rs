//! A small town for tests (测试用的街道): officers, a widow with two grandchildren, and short words for long acts.

use access::{Actor, Purpose, Role, Scope};
use casework::act::{ActInput, Refused};
use casework::case::Participant;
use casework::draft::{Answer, Answers};
use casework::evidence::NewEvidence;
use casework::procedure::{Channel, MayApply};
use casework::submit::{Agent, Choice, SubmitApplication};
use casework::{CaseState, CaseView, Desk, Submitted};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use registry::Subject;
use registry::people::NewPerson;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use store::{Db, TestClock};
use uuid::Uuid;
use vocab::ids::{CaseId, HouseholdId, OfficerId, PersonId};
use vocab::{DatedFact, Document, Kinship, Region, Sex, Value};

/// The community of the story.
pub const HOME: &str = "440306017001";
/// Its neighbour in the same street.
pub const NEXT: &str = "440306017002";

pub fn region(code: &str) -> Region {
    code.parse().unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The packs of the repository.
pub fn desk() -> Desk {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs"))
}

pub fn load(packs: &Path) -> Desk {
    Desk::load(packs, "baoan").unwrap_or_else(|faults| {
        panic!(
            "{}",
            faults
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    })
}

/// Noon in China on a day.
pub fn noon(day: &str) -> DateTime<Utc> {
    format!("{day}T04:00:00Z").parse().unwrap()
}

pub struct Town {
    pub db: Db,
    pub clock: Arc<TestClock>,
    pub desk: Desk,
    /// 窗口
    pub window: Scope,
    /// 街道审核
    pub reviewer: Scope,
    /// 另一位街道审核
    pub second: Scope,
    /// 区级审批
    pub district: Scope,
    /// 另一位区级审批
    pub other_district: Scope,
    /// 财务
    pub finance: Scope,
    /// 邻社区窗口
    pub neighbour: Scope,
}

fn officer(number: u128, name: &str, role: Role, place: &str) -> Scope {
    let actor = Actor::officer(
        OfficerId(Uuid::from_u128(number)),
        name,
        vec![(role, region(place))],
    );
    Scope {
        region: actor.region,
        actor,
        purpose: Purpose::Application,
    }
}

impl Town {
    pub async fn new(db: Db, clock: Arc<TestClock>) -> Self {
        Self::with(db, clock, desk()).await
    }

    pub async fn with(db: Db, clock: Arc<TestClock>, desk: Desk) -> Self {
        clock.set(noon("2026-09-01"));
        Self {
            db,
            clock,
            desk,
            window: officer(1, "王窗口", Role::WindowOfficer, HOME),
            reviewer: officer(2, "李审核", Role::StreetReviewer, "440306017"),
            second: officer(3, "赵审核", Role::StreetReviewer, "440306017"),
            district: officer(4, "陈审批", Role::DistrictApprover, "440306"),
            other_district: officer(7, "吴审批", Role::DistrictApprover, "440306"),
            finance: officer(5, "周财务", Role::Finance, "440306"),
            neighbour: officer(6, "邻社区", Role::WindowOfficer, NEXT),
        }
    }

    pub fn to_day(&self, day: &str) {
        self.clock.set(noon(day));
    }

    pub async fn person(&self, number: &str, name: &str, phone: Option<&str>) -> PersonId {
        let mut tx = self.db.begin().await.unwrap();
        let document = Document::read(vocab::DocumentKind::ResidentId, number, tx.today())
            .unwrap_or_else(|fault| panic!("{fault}"));
        let new = NewPerson {
            name: name.to_owned(),
            document,
            sex: Sex::Unknown,
            birth_date: None,
            phone: phone.map(str::to_owned),
            hukou: Some(region(HOME)),
            lives_in: region(HOME),
            address: "建安路 1 号".to_owned(),
        };
        let id = registry::register_person(&mut tx, &self.window, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub async fn household(&self, head: PersonId, others: &[(PersonId, &str)]) -> HouseholdId {
        let mut tx = self.db.begin().await.unwrap();
        let new = registry::households::NewHousehold {
            region: region(HOME),
            address: "建安路 1 号".to_owned(),
            head,
            members: others
                .iter()
                .map(|(person, code)| (*person, Kinship::read(code).unwrap()))
                .collect(),
            since: Some(day("2020-01-01")),
            roster_number: None,
        };
        let id = registry::form_household(&mut tx, &self.window, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// The widow, 72, with two grandchildren.
    pub async fn widow(&self) -> Family {
        let widow = self
            .person(
                &id_number("440306195402030", 2),
                "张桂䶮",
                Some("13812345678"),
            )
            .await;
        let boy = self
            .person(&id_number("440306201506010", 1), "李小明", None)
            .await;
        let girl = self
            .person(&id_number("440306201806010", 2), "李小芳", None)
            .await;
        let household = self.household(widow, &[(boy, "41"), (girl, "42")]).await;
        Family {
            household,
            widow,
            children: vec![boy, girl],
        }
    }

    /// What the widow declares: everything but her deposits.
    pub fn declared(&self, family: &Family) -> Answers {
        let yes = |value| Answer::declared(Value::Bool(value));
        let text = |value: &str| Answer::declared(Value::Text(value.to_owned()));
        let common: Vec<(&str, Answer)> = vec![
            ("absence", text("none")),
            ("in_tekun", yes(false)),
            ("income_statement_complete", yes(true)),
            ("disability_level", text("none")),
            ("major_illness", yes(false)),
        ];
        let record = |extra: Vec<(&str, Answer)>| {
            common
                .iter()
                .cloned()
                .chain(extra)
                .map(|(fact, answer)| (fact.to_owned(), answer))
                .collect::<BTreeMap<_, _>>()
        };
        let mut answers = Answers::default();
        answers
            .household
            .insert("houses".to_owned(), Answer::declared(Value::Int(1)));
        answers.members.insert(
            family.widow,
            record(vec![
                ("transfer_in", Answer::declared(Value::Int(100_000))),
                ("securities", Answer::declared(Value::Int(0))),
                ("vehicles", Answer::declared(Value::Int(0))),
            ]),
        );
        for child in &family.children {
            answers.members.insert(
                *child,
                record(vec![
                    ("property_statement_complete", yes(true)),
                    ("legal_duty", yes(true)),
                    ("long_term_co_residence", yes(true)),
                ]),
            );
        }
        answers
    }

    pub async fn draft(
        &self,
        household: HouseholdId,
        programmes: &[&str],
        answers: &Answers,
    ) -> Uuid {
        let programmes: Vec<String> = programmes.iter().map(|id| (*id).to_owned()).collect();
        let mut tx = self.db.begin().await.unwrap();
        let id = casework::draft::start_draft(
            &mut tx,
            &self.window,
            &self.desk,
            household,
            programmes.clone(),
        )
        .await
        .unwrap()
        .unwrap();
        let version = casework::draft::save_draft(
            &mut tx,
            &self.window,
            &self.desk,
            id,
            1,
            programmes,
            answers,
        )
        .await
        .unwrap()
        .unwrap();
        assert_eq!(version, 2);
        tx.commit().await.unwrap();
        id
    }

    pub fn application(
        &self,
        draft: Uuid,
        choices: Vec<Choice>,
        applicant: PersonId,
    ) -> SubmitApplication {
        SubmitApplication {
            key: format!("key of {draft}"),
            draft,
            choices,
            applicant,
            applied_by: MayApply::Member,
            agent: None::<Agent>,
            channel: Channel::Window,
        }
    }

    pub async fn submit(
        &self,
        new: SubmitApplication,
    ) -> Result<Submitted, casework::submit::Refused> {
        let mut tx = self.db.begin().await.unwrap();
        let answer = casework::submit(&mut tx, &self.window, &self.desk, new)
            .await
            .unwrap();
        if answer.is_ok() {
            tx.commit().await.unwrap();
        }
        answer
    }

    /// One case of the widow's household, handed in.
    pub async fn dibao_case(&self) -> (Family, CaseId, Submitted) {
        let family = self.widow().await;
        let draft = self
            .draft(family.household, &["dibao"], &self.declared(&family))
            .await;
        let choice = Choice {
            programme: "dibao".to_owned(),
            member: None,
        };
        let submitted = self
            .submit(self.application(draft, vec![choice], family.widow))
            .await
            .unwrap();
        let case = submitted.cases[0].0;
        (family, case, submitted)
    }

    pub async fn act(
        &self,
        scope: &Scope,
        case: CaseId,
        act: &str,
        input: ActInput,
    ) -> Result<CaseState, Refused> {
        let expected_version = match input.expected_version {
            0 => self.view(case).await.row.case.version,
            given => given,
        };
        let mut tx = self.db.begin().await.unwrap();
        let input = ActInput {
            expected_version,
            ..input
        };
        let answer = casework::act(&mut tx, scope, &self.desk, case, act, input)
            .await
            .unwrap();
        if answer.is_ok() {
            tx.commit().await.unwrap();
        }
        answer
    }

    /// The case as the district sees it.
    pub async fn view(&self, case: CaseId) -> CaseView {
        casework::view::case(&self.db, &self.district, &self.desk, case)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn attach(&self, case: CaseId, kind: &str) -> Uuid {
        let mut tx = self.db.begin().await.unwrap();
        let new = NewEvidence {
            kind: kind.to_owned(),
            name: "表.jpg".to_owned(),
            media: "image/jpeg".to_owned(),
            bytes: vec![0xff, 0xd8, 0xff, 0xe0, 1, 2, 3],
            note: String::new(),
        };
        let id = casework::evidence::attach(&mut tx, &self.reviewer, &self.desk, case, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub async fn authorise(&self, family: &Family) {
        let mut tx = self.db.begin().await.unwrap();
        let new = registry::consent::NewConsent {
            person: family.widow,
            household: family.household,
            tie: registry::consent::Tie::Member,
            purpose: "申请社会救助的家庭经济状况核对".to_owned(),
            way: registry::consent::Way::Screen,
            signed_on: tx.today(),
            until: None,
            file: None,
            signed_by: None,
            reason: String::new(),
        };
        registry::consent::give(&mut tx, &self.window, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn find(
        &self,
        person: PersonId,
        fact: &str,
        value: Value,
    ) -> Result<(), casework::finding::Refused> {
        let mut tx = self.db.begin().await.unwrap();
        let new = casework::finding::NewFinding {
            subject: Subject::Person(person),
            fact: fact.to_owned(),
            value,
            period: vocab::Period::ALWAYS,
            department: "银行".to_owned(),
            evidence: "核对函 2026-1".to_owned(),
        };
        let answer = casework::finding::record_finding(&mut tx, &self.reviewer, &self.desk, new)
            .await
            .unwrap();
        if answer.is_ok() {
            tx.commit().await.unwrap();
        }
        answer.map(drop)
    }

    /// What the rule book needs to be sure of the widow: her deposits.
    pub async fn verify(&self, family: &Family) {
        self.authorise(family).await;
        self.find(family.widow, "deposits", Value::Int(500_000))
            .await
            .unwrap();
    }

    pub async fn record(&self, person: PersonId, fact: &str, value: Value, source: &str) {
        let mut tx = self.db.begin().await.unwrap();
        let given = DatedFact {
            source: source.to_owned(),
            ..DatedFact::plain(value)
        };
        registry::record_fact(
            &mut tx,
            &self.district,
            Subject::Person(person),
            fact,
            given,
        )
        .await
        .unwrap()
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// From acceptance to the preliminary opinion.
    pub async fn investigate(&self, case: CaseId) {
        self.act(&self.window, case, "accept", accepting())
            .await
            .unwrap();
        self.act(
            &self.reviewer,
            case,
            "start_investigation",
            ActInput::default(),
        )
        .await
        .unwrap();
        self.attach(case, "visit_form").await;
        self.act(&self.reviewer, case, "visit", visiting(&self.reviewer))
            .await
            .unwrap();
        self.act(
            &self.reviewer,
            case,
            "preliminary_opinion",
            saying("情况属实"),
        )
        .await
        .unwrap();
    }

    /// From submission to the notice.
    pub async fn publish(&self, case: CaseId) -> CaseState {
        self.investigate(case).await;
        self.act(&self.reviewer, case, "post_notice", ActInput::default())
            .await
            .unwrap()
    }

    /// From submission to the grant.
    pub async fn grant(&self, case: CaseId) -> CaseState {
        self.publish(case).await;
        self.clock.advance(Duration::days(9));
        self.act(
            &self.reviewer,
            case,
            "report_to_district",
            ActInput::default(),
        )
        .await
        .unwrap();
        self.act(&self.district, case, "confirm", saying("同意"))
            .await
            .unwrap()
    }
}

pub struct Family {
    pub household: HouseholdId,
    pub widow: PersonId,
    pub children: Vec<PersonId>,
}

pub fn saying(opinion: &str) -> ActInput {
    ActInput {
        opinion: opinion.to_owned(),
        ..ActInput::default()
    }
}

pub fn accepting() -> ActInput {
    ActInput {
        fields: BTreeMap::from([("staff_relative".to_owned(), Value::Bool(false))]),
        ..ActInput::default()
    }
}

pub fn with_people(mut input: ActInput, names: &[&str]) -> ActInput {
    input.participants = names
        .iter()
        .map(|name| Participant {
            name: (*name).to_owned(),
            officer: None,
        })
        .collect();
    input
}

pub fn visiting(visitor: &Scope) -> ActInput {
    ActInput {
        participants: vec![
            Participant {
                name: visitor.actor.name.clone(),
                officer: Some(visitor.actor.officer),
            },
            Participant {
                name: "社区协理员刘某".to_owned(),
                officer: None,
            },
        ],
        fields: BTreeMap::from([
            ("visit_date".to_owned(), Value::Date(day("2026-09-01"))),
            (
                "visit_result".to_owned(),
                Value::Text("as_declared".to_owned()),
            ),
            (
                "visitors_unrelated".to_owned(),
                Value::Text("unrelated".to_owned()),
            ),
        ]),
        ..ActInput::default()
    }
}

/// An identity number from its first fifteen digits plus a sequence digit (odd: male), with the right check digit.
pub fn id_number(first: &str, sequence: u32) -> String {
    let body = format!("{first}0{sequence}");
    assert_eq!(body.len(), 17);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body
        .chars()
        .zip(weights)
        .map(|(digit, weight)| digit.to_digit(10).unwrap() * weight)
        .sum();
    let check =
        ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][usize::try_from(sum % 11).unwrap()];
    format!("{body}{check}")
}

/// What a PDF says, without spaces.
pub fn text_of(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.pdf");
    std::fs::write(&file, pdf).unwrap();
    let out = std::process::Command::new("pdftotext")
        .arg("-layout")
        .arg(&file)
        .arg("-")
        .output()
        .unwrap();
    assert!(out.status.success());
    String::from_utf8(out.stdout)
        .unwrap()
        .split_whitespace()
        .collect()
}
