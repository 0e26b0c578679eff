//! A pretend gateway (演示短信网关): takes signed messages, drops repetitions by their key, and says how far they came.
//!
//! For tests, and for whoever writes the line to a real one. Guarantees: what is not signed with the secret or not of now is
//! refused; a key is taken once, also after a restart when it has a folder; numbers are kept masked. Deliberately absent: a
//! telephone.

use crate::carrier::Arrival;
use crate::sms::{ARRIVALS, Asked, AskedAfter, Came, MESSAGES, Taken, reply_parts, request_parts};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Clock;
use store::keys::sm3_hex;
use uuid::Uuid;
use verify::remote::wire::{Message, Secret, Timed};

/// How long one conversation may take.
const TALK: Duration = Duration::from_secs(5);

/// A message it took (收到的消息).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The masked number.
    pub to: String,
    /// What it says.
    pub text: String,
    /// In how many parts.
    pub parts: usize,
    /// How often it was handed over; all but the first were dropped.
    pub times: u32,
}

/// A pretend gateway (演示短信网关).
pub struct Gateway {
    secret: Secret,
    clock: Arc<dyn Clock>,
    folder: Option<PathBuf>,
    state: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    held: BTreeMap<Uuid, Held>,
    /// So many requests are answered 503 first.
    failing: u32,
    /// Numbers it does not know, in clear: given by whoever tests.
    unknown: BTreeSet<String>,
    /// Messages that turned out not to arrive.
    lost: BTreeMap<Uuid, String>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway(…)")
    }
}

impl Gateway {
    /// One that keeps what it takes in a folder, or only in memory (设定).
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn open(
        secret: Secret,
        clock: Arc<dyn Clock>,
        folder: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let mut inside = Inside::default();
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("新建文件夹 {} (making the folder)", folder.display()))?;
            for entry in std::fs::read_dir(folder).context("reading the gateway's folder")? {
                let path = entry?.path();
                let key = path.file_stem().and_then(|stem| stem.to_str());
                let Some(key) = key.and_then(|stem| stem.parse().ok()) else {
                    continue;
                };
                let text = std::fs::read_to_string(&path).context("reading a message taken")?;
                inside.held.insert(key, serde_json::from_str(&text)?);
            }
        }
        Ok(Self {
            secret,
            clock,
            folder,
            state: Mutex::new(inside),
        })
    }

    /// What it took, by key (已收消息).
    pub fn held(&self) -> BTreeMap<Uuid, Held> {
        self.inside().held.clone()
    }

    /// Answers the next requests that it cannot (暂停服务).
    pub fn fail(&self, times: u32) {
        self.inside().failing = times;
    }

    /// A number it does not know (空号).
    pub fn knows_not(&self, number: &str) {
        self.inside().unknown.insert(number.to_owned());
    }

    /// Lets a message it took come to nothing (未送达).
    pub fn lose(&self, key: Uuid, reason: &str) {
        self.inside().lost.insert(key, reason.to_owned());
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let path = message.first.split(' ').nth(1).unwrap_or_default();
        let (status, body) = match self.answer(&message, path) {
            Ok(body) => ("200", body),
            Err(status) => (status, Vec::new()),
        };
        let time = self.clock.now().timestamp().to_string();
        let sm3 = sm3_hex(&body);
        let request = message.field("x-huimin-request");
        let signature = self
            .secret
            .sign(&reply_parts(path, request, &time, (status, &sm3)))?;
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
    fn answer(&self, message: &Message, path: &str) -> Result<Vec<u8>, &'static str> {
        let sm3 = sm3_hex(&message.body);
        let request = message.field("x-huimin-request");
        let time = message.field("x-huimin-time");
        let parts = request_parts(path, request, time, &sm3);
        let signed = self
            .secret
            .is_signed(&parts, message.field("x-huimin-signature"));
        if !signed || !message.is_of_now(&*self.clock) {
            return Err("401");
        }
        let mut inside = self.inside();
        if inside.failing > 0 {
            inside.failing -= 1;
            return Err("503");
        }
        let told = match path {
            MESSAGES => {
                let asked = serde_json::from_slice(&message.body).map_err(|_| "400")?;
                serde_json::to_vec(&self.take(&mut inside, &asked)?)
            }
            ARRIVALS => {
                let asked: AskedAfter = serde_json::from_slice(&message.body).map_err(|_| "400")?;
                serde_json::to_vec(&came(&inside, &asked))
            }
            _ => return Err("405"),
        };
        told.map_err(|_| "500")
    }

    fn take(&self, inside: &mut Inside, asked: &Asked) -> Result<Taken, &'static str> {
        if inside.unknown.contains(&asked.to) {
            return Err("404");
        }
        let held = inside.held.entry(asked.key).or_insert_with(|| Held {
            to: access::mask_phone(&asked.to),
            text: asked.text.clone(),
            parts: asked.parts,
            times: 0,
        });
        held.times += 1;
        if let Some(folder) = &self.folder {
            let text = serde_json::to_string(held).map_err(|_| "500")?;
            let file = folder.join(format!("{}.json", asked.key));
            std::fs::write(file, text).map_err(|_| "503")?;
        }
        let mut receipt = asked.key.simple().to_string();
        receipt.truncate(12);
        Ok(Taken { receipt })
    }
}

fn came(inside: &Inside, asked: &AskedAfter) -> Came {
    let arrivals = asked
        .keys
        .iter()
        .filter(|key| inside.held.contains_key(key))
        .map(|key| {
            let arrival = match inside.lost.get(key) {
                Some(reason) => Arrival::Failed(reason.clone()),
                None => Arrival::Delivered,
            };
            (*key, arrival)
        })
        .collect();
    Came { arrivals }
}
