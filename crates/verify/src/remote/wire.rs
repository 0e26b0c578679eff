//! How a question and its answer look on the wire (接口报文): HTTP/1.1, JSON, HMAC-SM3 over everything that matters.
//!
//! ```text
//! POST /ask        x-huimin-request  x-huimin-time  x-huimin-signature    { "source", "people" }
//! 200              x-huimin-time  x-huimin-signature                      { "day", "rows" }
//! ```
//!
//! Both sides sign: what for, the source, the request's number, the time, the status and the SM3 of the body. Guarantees: a
//! message is believed only with the right signature, within [`WINDOW`] of the own clock; sizes and times are bounded.
//! Deliberately absent: keeping connections, and encryption, which TLS in front has.

use super::{Question, Said};
use anyhow::{Context, ensure};
use chrono::Duration;
use hmac::{Hmac, KeyInit, Mac};
use sm3::Sm3;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Instant;
use store::Clock;

/// How far two clocks may differ (时间窗口).
pub const WINDOW: Duration = Duration::seconds(300);
/// How long a connection may take.
const CONNECT: std::time::Duration = std::time::Duration::from_secs(3);
/// How long a whole conversation may take.
const READ: std::time::Duration = std::time::Duration::from_secs(10);
/// The largest message.
const LARGEST: u64 = 16 << 20;
/// The most lines and the longest line of a head.
const HEAD: (usize, u64) = (64, 8 << 10);

/// Why there is no answer (没有答复的原因).
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Not reached, too late, or broken off.
    #[error("部门接口没有答复：{0}")]
    NoAnswer(String),
    /// Failed too often lately.
    #[error("部门接口连续没有答复，暂停询问一分钟")]
    LeftAlone,
    /// It answered that it will not.
    #[error("部门接口拒绝答复：{0}")]
    Refused(u16),
    /// Not signed by the department, or not now.
    #[error("部门接口的签名或时间不对")]
    NotTheirs,
    /// Not understood.
    #[error("部门接口的答复读不懂")]
    Unreadable,
}

impl Failure {
    /// Whether asking again may help (可否重试).
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NoAnswer(_))
    }

    /// What a report says (报告用语).
    pub fn unknown(&self) -> crate::Unknown {
        match self {
            Self::NoAnswer(_) | Self::LeftAlone => crate::Unknown::NoAnswer,
            Self::Refused(_) | Self::NotTheirs | Self::Unreadable => {
                crate::Unknown::AnswerUnreadable
            }
        }
    }
}

/// The secret two sides have (共享密钥).
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Of these bytes (设定).
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From a file of 64 hexadecimal digits (读取).
    ///
    /// # Errors
    /// When the file is missing or holds something else.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("读不到接口密钥 {}", file.display()))?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .with_context(|| format!("接口密钥 {} 应是 64 位十六进制数", file.display()))?;
        Ok(Self(bytes))
    }

    fn mac(&self, parts: &[&str]) -> anyhow::Result<Hmac<Sm3>> {
        let mut mac =
            <Hmac<Sm3> as KeyInit>::new_from_slice(&self.0).context("a key of 32 bytes")?;
        for part in parts {
            // No line break stands in a part, so no two lists of parts give the same bytes.
            ensure!(
                !part.contains('\n'),
                "a part with a line break is not signed"
            );
            mac.update(part.as_bytes());
            mac.update(b"\n");
        }
        Ok(mac)
    }

    /// Signs (签名).
    ///
    /// # Errors
    /// When a part has a line break.
    pub fn sign(&self, parts: &[&str]) -> anyhow::Result<String> {
        Ok(hex::encode(self.mac(parts)?.finalize().into_bytes()))
    }

    /// Whether it is signed so (验签), compared in constant time.
    pub fn is_signed(&self, parts: &[&str], signature: &str) -> bool {
        let (Ok(mac), Ok(given)) = (self.mac(parts), hex::decode(signature)) else {
            return false;
        };
        mac.verify_slice(&given).is_ok()
    }
}

/// A message with its head read (报文).
#[derive(Debug)]
pub struct Message {
    /// The first line.
    pub first: String,
    /// The fields, their names in small letters.
    pub fields: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one (读取报文).
    ///
    /// # Errors
    /// When it breaks off, or is larger than a message may be.
    pub fn read(from: impl Read) -> anyhow::Result<Self> {
        let mut from = BufReader::new(from);
        let mut line = || -> anyhow::Result<String> {
            let mut text = String::new();
            let read = from.by_ref().take(HEAD.1).read_line(&mut text)?;
            ensure!(read > 0 && text.ends_with('\n'), "the head breaks off");
            Ok(text.trim_end().to_owned())
        };
        let first = line()?;
        let mut fields = BTreeMap::new();
        loop {
            let text = line()?;
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').context("a field without a name")?;
            fields.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
            ensure!(fields.len() <= HEAD.0, "too many fields");
        }
        let length: u64 = fields
            .get("content-length")
            .map_or(Ok(0), |length| length.parse())
            .context("the length of a message")?;
        ensure!(length <= LARGEST, "the message is too large");
        let mut body = Vec::new();
        from.take(length).read_to_end(&mut body)?;
        ensure!(
            u64::try_from(body.len())? == length,
            "the message breaks off"
        );
        Ok(Self {
            first,
            fields,
            body,
        })
    }

    /// A field (取字段); empty where there is none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Whether its time lies in the window around now (时间是否有效).
    pub fn is_of_now(&self, clock: &dyn Clock) -> bool {
        let time: Result<i64, _> = self.field("x-huimin-time").parse();
        time.is_ok_and(|time| {
            clock.now().timestamp().abs_diff(time) <= WINDOW.num_seconds().unsigned_abs()
        })
    }
}

/// The parts of a question that are signed (请求签名内容).
pub fn question_parts<'a>(
    source: &'a str,
    request: &'a str,
    time: &'a str,
    sm3: &'a str,
) -> [&'a str; 5] {
    ["huimin.ask.1", source, request, time, sm3]
}

/// The parts of an answer that are signed (答复签名内容).
pub fn answer_parts<'a>(
    source: &'a str,
    request: &'a str,
    time: &'a str,
    (status, sm3): (&'a str, &'a str),
) -> [&'a str; 6] {
    ["huimin.answer.1", source, request, time, status, sm3]
}

/// Asks once (询问一次).
///
/// # Errors
/// [`Failure`].
pub fn ask(
    at: &str,
    secret: &Secret,
    question: &Question,
    request: &str,
    clock: &dyn Clock,
) -> Result<Said, Failure> {
    let body = serde_json::to_vec(question).map_err(|_| Failure::Unreadable)?;
    let time = clock.now().timestamp().to_string();
    let sm3 = store::keys::sm3_hex(&body);
    let parts = question_parts(&question.source, request, &time, &sm3);
    let signature = secret.sign(&parts).map_err(|_| Failure::Unreadable)?;
    let head = format!(
        "POST /ask HTTP/1.1\r\nhost: {at}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         x-huimin-request: {request}\r\nx-huimin-time: {time}\r\nx-huimin-signature: {signature}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    let message = send(at, head.as_bytes(), &body)
        .map_err(|fault| Failure::NoAnswer(format!("{fault:#}")))?;
    let status = message.first.split(' ').nth(1).unwrap_or_default();
    let code: u16 = status.parse().map_err(|_| Failure::Unreadable)?;
    if code >= 500 {
        return Err(Failure::NoAnswer(format!("{code}")));
    }
    if code != 200 {
        return Err(Failure::Refused(code));
    }
    let sm3 = store::keys::sm3_hex(&message.body);
    let theirs = message.field("x-huimin-time");
    let parts = answer_parts(&question.source, request, theirs, (status, &sm3));
    if !message.is_of_now(clock) || !secret.is_signed(&parts, message.field("x-huimin-signature")) {
        return Err(Failure::NotTheirs);
    }
    serde_json::from_slice(&message.body).map_err(|_| Failure::Unreadable)
}

/// Sends a head and a body and reads the answer (收发一次), within the time a conversation may take.
///
/// # Errors
/// When nobody answers, or the answer breaks off.
pub fn send(at: &str, head: &[u8], body: &[u8]) -> anyhow::Result<Message> {
    let address = at.to_socket_addrs()?.next().context("no such address")?;
    let stream = TcpStream::connect_timeout(&address, CONNECT)?;
    let mut timed = Timed::new(&stream, READ);
    timed.write_all(head)?;
    timed.write_all(body)?;
    timed.flush()?;
    Message::read(timed)
}

/// A conversation that ends by a moment (限时会话), however slowly the other side sends: a time for each read alone would begin anew
/// with each byte.
#[derive(Debug)]
pub struct Timed<'a> {
    stream: &'a TcpStream,
    until: Instant,
}

impl<'a> Timed<'a> {
    /// From now on so long (设定).
    pub fn new(stream: &'a TcpStream, long: std::time::Duration) -> Self {
        Self {
            stream,
            until: Instant::now() + long,
        }
    }

    /// What is left of the time; a fault when nothing is.
    fn left(&self) -> std::io::Result<std::time::Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(out)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn who_never_stops_sending_is_heard_no_longer_than_agreed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let endless = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"x").is_ok() {}
        });
        let stream = TcpStream::connect(at).unwrap();
        let mut timed = Timed::new(&stream, std::time::Duration::from_millis(50));
        let mut bytes = [0; 64];
        let fault = loop {
            if let Err(fault) = timed.read(&mut bytes) {
                break fault;
            }
        };
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        assert!(matches!(fault.kind(), TimedOut | WouldBlock), "{fault}");
        drop(stream);
        endless.join().unwrap();
    }
}
