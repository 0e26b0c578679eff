//! Departments that answer when asked (部门接口), over a real connection: the same figures as landed, and never a guess.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use exchange::department::Pretend;
use policy::Book;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use store::{Clock, Keys, TestClock};
use verify::remote::wire::{self, Failure, Secret};
use verify::remote::{self, Department, Departments, Question};
use verify::{Asked, Figure, Landed, Landing, Person, Source, Sources, Unknown};

const ANN: &str = "11010519491231002X";
const BO: &str = "440300199001010016";
const CAI: &str = "231025195607150042";
/// Ann has a car and a motorcycle, Cai a car.
const CARS: &str = "\u{FEFF}公民身份号码,姓名,号牌号码,车辆类型,机动车状态\n\
    11010519491231002X,安娜,样A1,1,A\n11010519491231002X,安娜,样A2,4,A\n231025195607150042,蔡,样A3,1,A\n";

/// A department that answers, until it is dropped.
struct Office {
    at: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(std::net::TcpStream::connect(self.at));
        self.thread.take().unwrap().join().unwrap();
    }
}

struct Town {
    folder: tempfile::TempDir,
    sources: Sources,
    clock: Arc<TestClock>,
}

impl Town {
    fn new() -> Self {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let book = Book::load(&packs.canonicalize().unwrap(), "sample").unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            sources: verify::at_hand::sources_of(&book).unwrap(),
            clock: Arc::new(TestClock::at("2026-06-01T01:00:00Z".parse().unwrap())),
        }
    }

    fn source(&self) -> &Source {
        self.sources.get("vehicle").unwrap()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    fn file(&self, text: &str) -> std::path::PathBuf {
        let file = self.folder.path().join("cars.csv");
        std::fs::write(&file, text).unwrap();
        file
    }

    fn office(&self, text: &str, secret: u8) -> Office {
        let file = self.file(text);
        let secret = Secret::new([secret; 32]);
        let pretend = Pretend::open(self.source().clone(), &file, secret, self.clock()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || pretend.serve(&listener, &told));
        Office {
            at,
            stop,
            thread: Some(thread),
        }
    }

    fn departments(&self, at: &str) -> Departments {
        let one = Department::new("vehicle", at, Secret::new([7; 32]));
        let store = self.folder.path().join("landed");
        Departments::new(vec![one], &store, Keys::for_tests(), self.clock()).unwrap()
    }

    /// What is landed, without any answer.
    fn landed(&self) -> Landed {
        let store = self.folder.path().join("landed");
        Landed::open(&store, self.sources.clone(), Keys::for_tests()).unwrap()
    }

    /// How many vehicles a household of these people has.
    fn vehicles(&self, landed: &Landed, people: &[&str]) -> Figure {
        let asked = Asked {
            household: "一".to_owned(),
            members: people.iter().map(|id| person(id)).collect(),
        };
        let stop = AtomicBool::new(false);
        let today = store::clock::shanghai_day(self.clock.now());
        let report = landed
            .ask_outside_a_case(&[asked], today, 1, &stop)
            .unwrap()
            .remove(0);
        let at = self
            .source()
            .figures
            .iter()
            .position(|def| def.id == "vehicles");
        let answers = report.answers.into_iter();
        let mut answers = answers.filter(|answer| answer.source == "vehicle");
        answers.next().unwrap().household[at.unwrap()].clone()
    }
}

fn person(id: &str) -> Person {
    Person {
        id_no: id.to_owned(),
        name: "某".to_owned(),
    }
}

#[test]
fn what_is_answered_is_what_would_have_been_landed_and_can_be_had_again() {
    let town = Town::new();
    let office = town.office(CARS, 7);
    let departments = town.departments(&office.at.to_string());
    let asked = [person(ANN), person(BO)];
    let landed = departments
        .about(&town.landed(), &asked, "enquiry-1")
        .unwrap();
    // Ann's car counts, her motorcycle is another figure; Bo has none; Cai was not asked about.
    let both = town.vehicles(&landed, &[ANN, BO]);
    assert_eq!((both.value, both.rows), (Some(1), 1));
    // Bo alone: the department holds everybody, so nothing found is none.
    assert_eq!(town.vehicles(&landed, &[BO]).value, Some(0));
    // The same file as a delivery comes to the same.
    let store = town.folder.path().join("other");
    let file = town.file(CARS);
    Landing {
        source: town.source(),
        file: &file,
        store: &store,
        delivered: "2026-06-01".parse().unwrap(),
        today: "2026-06-01".parse().unwrap(),
        keys: &Keys::for_tests(),
        workers: 1,
        accept_drift: true,
        stop: &AtomicBool::new(false),
        told: &|_| {},
    }
    .run()
    .unwrap()
    .unwrap();
    let as_landed = Landed::open(&store, town.sources.clone(), Keys::for_tests()).unwrap();
    assert_eq!(town.vehicles(&as_landed, &[ANN, BO]), both);
    // The department is gone, its answer is not; and nothing of it stands readable in the folder.
    drop(office);
    let again = remote::again(&town.landed(), "enquiry-1").unwrap();
    assert_eq!(town.vehicles(&again, &[ANN, BO]), both);
    let never = remote::again(&town.landed(), "enquiry-2").unwrap();
    let silence = town.vehicles(&never, &[ANN]).unknown;
    assert_eq!(silence, [Unknown::NotLanded], "nobody was asked");
    assert!(!readable(
        &town.folder.path().join("landed"),
        ANN.as_bytes()
    ));
}

fn readable(folder: &Path, text: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            readable(&path, text)
        } else {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(text.len()).any(|some| some == text)
        }
    })
}

#[test]
fn nobody_having_anything_is_an_answer() {
    let town = Town::new();
    let office = town.office(CARS, 7);
    let departments = town.departments(&office.at.to_string());
    let landed = departments
        .about(&town.landed(), &[person(BO)], "enquiry-1")
        .unwrap();
    let none = town.vehicles(&landed, &[BO]);
    assert_eq!((none.value, none.unknown.len()), (Some(0), 0));
}

#[test]
fn silence_is_unknown_and_after_three_the_department_is_left_alone_for_a_minute() {
    let town = Town::new();
    // A port nobody listens on.
    let at = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let departments = town.departments(&at.to_string());
    for request in ["a", "b", "c"] {
        let landed = departments
            .about(&town.landed(), &[person(ANN)], request)
            .unwrap();
        let figure = town.vehicles(&landed, &[ANN]);
        assert_eq!(
            (figure.value, figure.unknown),
            (None, vec![Unknown::NoAnswer])
        );
    }
    let alone = Department::new("vehicle", &at.to_string(), Secret::new([7; 32]));
    let question = Question {
        source: "vehicle".to_owned(),
        people: vec![person(ANN)],
    };
    for request in ["d", "e", "f"] {
        let failure = alone.ask(&question, request, &*town.clock).unwrap_err();
        assert!(matches!(failure, Failure::NoAnswer(_)), "{failure}");
    }
    let failure = alone.ask(&question, "g", &*town.clock).unwrap_err();
    assert!(matches!(failure, Failure::LeftAlone), "{failure}");
    town.clock.advance(chrono::Duration::seconds(61));
    let failure = alone.ask(&question, "h", &*town.clock).unwrap_err();
    assert!(matches!(failure, Failure::NoAnswer(_)), "{failure}");
}

#[test]
fn another_secret_an_old_time_and_a_replay_are_refused_by_either_side() {
    let town = Town::new();
    let office = town.office(CARS, 7);
    let at = office.at.to_string();
    let question = Question {
        source: "vehicle".to_owned(),
        people: vec![person(ANN)],
    };
    let ask = |secret: u8, request: &str, clock: &dyn Clock| {
        wire::ask(&at, &Secret::new([secret; 32]), &question, request, clock)
    };
    let clock: &dyn Clock = &*town.clock;
    assert_eq!(ask(7, "one", clock).unwrap().rows.len(), 2);
    assert!(matches!(ask(7, "one", clock), Err(Failure::Refused(409))));
    assert!(matches!(ask(8, "two", clock), Err(Failure::Refused(401))));
    let slow = TestClock::at(town.clock.now() - chrono::Duration::seconds(301));
    assert!(matches!(ask(7, "three", &slow), Err(Failure::Refused(401))));
    let fast = TestClock::at(town.clock.now() + chrono::Duration::seconds(299));
    assert!(ask(7, "four", &fast).is_ok());
    // Whoever answers without the secret is not believed.
    let impostor = TcpListener::bind("127.0.0.1:0").unwrap();
    let its = impostor.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = impostor.accept().unwrap();
        wire::Message::read(&stream).unwrap();
        let time = "x-huimin-time: 1780275600\r\nx-huimin-signature: 00";
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{time}\r\n\r\n{{}}"
        )
        .unwrap();
    });
    let failure = wire::ask(&its, &Secret::new([7; 32]), &question, "five", clock).unwrap_err();
    assert!(matches!(failure, Failure::NotTheirs), "{failure}");
    thread.join().unwrap();
}

#[test]
fn an_answer_with_a_row_nobody_can_read_is_no_answer() {
    let town = Town::new();
    let broken = format!("{CARS}{BO},薄,样A4,77,A\n");
    let office = town.office(&broken, 7);
    let departments = town.departments(&office.at.to_string());
    let landed = departments
        .about(&town.landed(), &[person(BO), person(CAI)], "enquiry-1")
        .unwrap();
    // 77 is no kind of vehicle: of two people's rows one is lost, so nothing is said of either.
    assert_eq!(
        town.vehicles(&landed, &[CAI]).unknown,
        [Unknown::AnswerUnreadable]
    );
    let again = remote::again(&town.landed(), "enquiry-1").unwrap();
    assert_eq!(
        town.vehicles(&again, &[CAI]).unknown,
        [Unknown::AnswerUnreadable],
        "it says why, as it did then"
    );
}

#[test]
fn what_a_killed_program_left_readable_is_gone_when_the_next_begins() {
    let town = Town::new();
    let passing = town.folder.path().join("landed/.answers/.passing");
    std::fs::create_dir_all(&passing).unwrap();
    std::fs::write(passing.join("enquiry-1.vehicle.csv"), CARS).unwrap();
    let office = town.office(CARS, 7);
    let departments = town.departments(&office.at.to_string());
    let landed = town.folder.path().join("landed");
    assert!(!readable(&landed, ANN.as_bytes()));
    departments
        .about(&town.landed(), &[person(ANN)], "enquiry-2")
        .unwrap();
    assert!(!readable(&landed, ANN.as_bytes()));
    assert_eq!(std::fs::read_dir(passing).unwrap().count(), 0);
}
