//! A pretend department (演示部门): answers questions about people from a delivered file, as a real department's interface would.
//!
//! For tests, for the demo, and for whoever writes the real one. Guarantees: what is not signed with the secret, is older than
//! the window or was asked before is refused; rows are those of the people asked about and no others; the answer is signed.
//! Deliberately absent: a department's own rules on who may ask.

use anyhow::Context;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Clock;
use store::clock::shanghai_day;
use store::keys::sm3_hex;
use verify::Source;
use verify::delivery::Delivery;
use verify::id_key::{IdKey, pack};
use verify::remote::wire::{Message, Secret, Timed, WINDOW, answer_parts, question_parts};
use verify::remote::{Question, Said};
use verify::source::ColumnKind;

/// How long one conversation may take.
const TALK: Duration = Duration::from_secs(5);

/// A pretend department (演示部门).
pub struct Pretend {
    source: Source,
    secret: Secret,
    clock: Arc<dyn Clock>,
    /// Its rows by person.
    rows: BTreeMap<IdKey, Vec<BTreeMap<String, String>>>,
    /// Requests answered, and when.
    seen: Mutex<BTreeMap<String, i64>>,
}

impl std::fmt::Debug for Pretend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pretend({})", self.source.id)
    }
}

impl Pretend {
    /// One that answers from a delivered file (设定).
    ///
    /// # Errors
    /// When the file cannot be read as the source's.
    pub fn open(
        source: Source,
        file: &std::path::Path,
        secret: Secret,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let today = shanghai_day(clock.now());
        let mut rows: BTreeMap<IdKey, Vec<BTreeMap<String, String>>> = BTreeMap::new();
        {
            let delivery = Delivery::open(&source, file)?;
            let mut worker = delivery.worker();
            while let Some(batch) = worker.batch()? {
                for at in 0..batch.rows {
                    let mut row = BTreeMap::new();
                    let mut keys = BTreeSet::new();
                    for (column, cells) in source.columns.iter().zip(&batch.columns) {
                        let text = cells.at(at).shown();
                        if matches!(column.kind, ColumnKind::Id | ColumnKind::OtherId) {
                            keys.extend(pack(&text, today).ok().map(|packed| packed.key));
                        }
                        if !text.is_empty() {
                            row.insert(column.id.clone(), text);
                        }
                    }
                    for key in keys {
                        rows.entry(key).or_default().push(row.clone());
                    }
                }
            }
        }
        Ok(Self {
            source,
            secret,
            clock,
            rows,
            seen: Mutex::default(),
        })
    }

    /// Answers until told to stop (应答), one conversation after the other.
    pub fn serve(&self, listener: &TcpListener, stop: &AtomicBool) {
        for stream in listener.incoming() {
            // Whoever wants it to stop says so and knocks once.
            if stop.load(Ordering::Relaxed) {
                break;
            }
            match stream {
                Ok(stream) => {
                    if let Err(fault) = self.talk(&stream) {
                        tracing::warn!("a conversation broke off: {fault:#}");
                    }
                }
                Err(fault) => tracing::warn!("a conversation did not begin: {fault}"),
            }
        }
    }

    fn talk(&self, stream: &TcpStream) -> anyhow::Result<()> {
        let mut timed = Timed::new(stream, TALK);
        let message = Message::read(&mut timed)?;
        let (status, body) = match self.answer(&message) {
            Ok(said) => ("200", serde_json::to_vec(&said)?),
            Err(status) => (status, Vec::new()),
        };
        let time = self.clock.now().timestamp().to_string();
        let sm3 = sm3_hex(&body);
        let request = message.field("x-huimin-request");
        let parts = answer_parts(&self.source.id, request, &time, (status, &sm3));
        let signature = self.secret.sign(&parts)?;
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             x-huimin-time: {time}\r\nx-huimin-signature: {signature}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        timed.write_all(head.as_bytes())?;
        timed.write_all(&body)?;
        timed.flush().context("answering")
    }

    /// The answer, or the status of a refusal.
    fn answer(&self, message: &Message) -> Result<Said, &'static str> {
        if message.first.split(' ').take(2).ne(["POST", "/ask"]) {
            return Err("404");
        }
        let (request, time) = (
            message.field("x-huimin-request"),
            message.field("x-huimin-time"),
        );
        let sm3 = sm3_hex(&message.body);
        let parts = question_parts(&self.source.id, request, time, &sm3);
        let signed = self
            .secret
            .is_signed(&parts, message.field("x-huimin-signature"));
        if request.is_empty() || !signed || !message.is_of_now(&*self.clock) {
            return Err("401");
        }
        let now = self.clock.now().timestamp();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Older ones are refused by their time.
        seen.retain(|_, at| now.abs_diff(*at) <= 2 * WINDOW.num_seconds().unsigned_abs());
        if seen.insert(request.to_owned(), now).is_some() {
            return Err("409");
        }
        drop(seen);
        let question: Question = serde_json::from_slice(&message.body).map_err(|_| "400")?;
        if question.source != self.source.id {
            return Err("404");
        }
        let day = shanghai_day(self.clock.now());
        let keys: BTreeSet<IdKey> = question
            .people
            .iter()
            .filter_map(|one| pack(&one.id_no, day).ok())
            .map(|packed| packed.key)
            .collect();
        let mut rows: Vec<_> = keys
            .iter()
            .filter_map(|key| self.rows.get(key))
            .flatten()
            .cloned()
            .collect();
        // A row of two people who were both asked about is one row.
        rows.sort();
        rows.dedup();
        Ok(Said { day, rows })
    }
}
