//! A town with a gateway and a mail server (测试环境): both listen on real sockets of this machine.

use crate::town::{Family, Town};
use access::Scope;
use chrono::{DateTime, Utc};
use ledger::{BankOutcome, BankResult, LineFilter, NewPayRun, Obstacles};
use notify::carrier::{Carrier, Failure, Letter};
use notify::feed::{self, Fed, Feeding};
use notify::mail::Mail;
use notify::message::{self, MessageRow, Refused};
use notify::pretend::Gateway;
use notify::send::{self, Did};
use notify::sms::Sms;
use notify::{Carriers, Channel, Rules};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use store::{Clock, Db, TestClock};
use uuid::Uuid;
use verify::remote::wire::Secret;
use vocab::ids::{CaseId, PayRunId, PersonId};

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A thread that listens, until it is dropped.
struct Listening {
    at: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Listening {
    fn over(serve: impl FnOnce(TcpListener, Arc<AtomicBool>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || serve(listener, told));
        Self {
            at,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.at));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Hands a message over and dies before it can say so.
#[derive(Debug)]
struct Dies(Arc<dyn Carrier>);

impl Carrier for Dies {
    fn carry(&self, letter: &Letter) -> Result<String, Failure> {
        self.0.carry(letter).unwrap();
        panic!("killed")
    }
}

pub struct World {
    pub town: Town,
    pub rules: Rules,
    pub gateway: Arc<Gateway>,
    pub carriers: Carriers,
    mails: Arc<Mutex<Vec<String>>>,
    _listening: Vec<Listening>,
}

impl World {
    pub async fn new(db: Db, clock: Arc<TestClock>) -> Self {
        let town = Town::new(db, Arc::clone(&clock)).await;
        let rules = Rules::of(&town.desk.book).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let clock = clock as Arc<dyn Clock>;
        let secret = Secret::new([7; 32]);
        let gateway = Gateway::open(secret.clone(), Arc::clone(&clock), None).unwrap();
        let gateway = Arc::new(gateway);
        let serving = Arc::clone(&gateway);
        let listening = Listening::over(move |listener, stop| serving.serve(&listener, &stop));
        let sms = Sms::new(&listening.at.to_string(), secret, clock);
        Self {
            town,
            rules,
            gateway,
            carriers: Carriers::default().with(Channel::Sms, Arc::new(sms)),
            mails: Arc::default(),
            _listening: vec![listening],
        }
    }

    /// With a mail server that takes everything and remembers what was said to it.
    pub fn with_mail(mut self) -> Self {
        let mails = Arc::clone(&self.mails);
        let listening = Listening::over(move |listener, stop| {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let said = take_mail(stream.unwrap());
                mails.lock().unwrap().push(said);
            }
        });
        let clock = Arc::clone(self.town.db.clock());
        let mail = Mail::new(&listening.at.to_string(), "huimin@example.gov.cn", clock).unwrap();
        self.carriers = self.carriers.with(Channel::Email, Arc::new(mail));
        self._listening.push(listening);
        self
    }

    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }

    pub async fn follow(&self) -> Fed {
        let on = self.carriers.on();
        let feeding = Feeding {
            desk: &self.town.desk,
            rules: &self.rules,
            on: &on,
            help_line: "12345",
        };
        feed::follow(&self.town.db, feeding).await.unwrap()
    }

    pub async fn send(&self) -> Option<Did> {
        send::once(&self.town.db, &self.rules, &self.carriers, "test")
            .await
            .unwrap()
    }

    /// Sends with a worker that dies between the gateway's answer and noting it; whether it died.
    pub async fn send_and_die(&self) -> bool {
        let mut dying = Carriers::default();
        for (channel, carrier) in &self.carriers.0 {
            dying = dying.with(*channel, Arc::new(Dies(Arc::clone(carrier))));
        }
        send::once(&self.town.db, &self.rules, &dying, "dying")
            .await
            .is_err()
    }

    pub async fn messages(&self, case: CaseId) -> Vec<MessageRow> {
        message::of_case(&self.town.db, &self.town.district, case)
            .await
            .unwrap()
    }

    pub async fn resend(&self, scope: &Scope, id: Uuid) -> Result<Uuid, Refused> {
        let mut tx = self.town.db.begin().await.unwrap();
        let on = self.carriers.on();
        let answer = message::resend(&mut tx, scope, &self.rules, &on, id)
            .await
            .unwrap();
        if answer.is_ok() {
            tx.commit().await.unwrap();
        }
        answer
    }

    /// A case granted in September.
    pub async fn granted(&self) -> (Family, CaseId) {
        let (family, case, _) = self.town.dibao_case().await;
        self.town.verify(&family).await;
        self.town.grant(case).await;
        (family, case)
    }

    /// The month's run, released, sent, and confirmed by the bank.
    pub async fn paid(&self, payee: PersonId, month: &str) -> PayRunId {
        let town = &self.town;
        let new = NewPayRun {
            month: month.parse().unwrap(),
            region: town.finance.region,
            programmes: None,
        };
        let nobody = Obstacles::default();
        let mut tx = town.db.begin().await.unwrap();
        let run = ledger::propose(&mut tx, &town.finance, &new, &nobody)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        ledger::release(&town.db, &town.district, run.id, "test", &nobody)
            .await
            .unwrap()
            .unwrap();
        let mut tx = town.db.begin().await.unwrap();
        ledger::mark_sent(&mut tx, &town.finance, run.id, &"0".repeat(64))
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        let settled = self.bank_says(run.id).await;
        assert_eq!(settled, 1, "the money of {payee} arrived");
        run.id
    }

    /// The bank confirms every line of a run; how many it confirmed newly.
    pub async fn bank_says(&self, run: PayRunId) -> u64 {
        let town = &self.town;
        let of = LineFilter {
            run: Some(run),
            ..LineFilter::default()
        };
        let lines = ledger::lines(&town.db, &town.finance, &of, 0, 100)
            .await
            .unwrap();
        let results: Vec<BankResult> = lines
            .rows
            .iter()
            .zip(1..)
            .map(|(line, row)| BankResult {
                instruction: line.instruction.clone(),
                outcome: BankOutcome::Settled,
                amount: Some(line.net),
                row,
            })
            .collect();
        let mut tx = town.db.begin().await.unwrap();
        let done = ledger::bank_return(&mut tx, &town.finance, run, "1", &results)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        done.settled
    }
}

/// Speaks SMTP as a server does, and returns all the client said.
fn take_mail(stream: TcpStream) -> String {
    let mut out = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut all = String::new();
    out.write_all(b"220 test\r\n").unwrap();
    let mut in_body = false;
    while let Some(Ok(line)) = lines.next() {
        all.push_str(&line);
        all.push('\n');
        if in_body {
            if line == "." {
                in_body = false;
                out.write_all(b"250 taken\r\n").unwrap();
            }
            continue;
        }
        let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => b"250-test\r\n250 8BITMIME\r\n",
            "DATA" => {
                in_body = true;
                b"354 go on\r\n"
            }
            "QUIT" => {
                out.write_all(b"221 bye\r\n").unwrap();
                break;
            }
            _ => b"250 ok\r\n",
        };
        out.write_all(answer).unwrap();
    }
    all
}
