//! E-mail over the office's own relay (电子邮件): the few lines of SMTP that handing one mail over needs (RFC 5321, 5322, 2047).
//!
//! Guarantees: the message's key stands in `Message-ID`, by which mail servers drop a repetition; an address is checked before it
//! stands in a command, so that none can carry a second one; a 5xx is a refusal for good, all else may pass; what the server said of
//! the address is not kept, only its code. Deliberately absent: TLS and passwords, which the relay has towards the world, and reading
//! a mailbox: a mail is sent, whether it was read nobody knows.

use crate::carrier::{Carrier, Failure, Letter};
use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;
use store::Clock;
use verify::remote::wire::Timed;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a whole conversation may take.
const TALK: Duration = Duration::from_secs(20);
/// The longest line of an answer, and the most lines.
const ANSWER: (usize, usize) = (1_000, 50);
/// The longest address (RFC 5321, 4.5.3.1.3).
const ADDRESS: usize = 254;
/// Bytes of one encoded word: 60 letters of base64, which with their frame stay below 75.
const WORD: usize = 45;
/// Letters of base64 in a line.
const LINE: usize = 76;

/// A relay (邮件转发服务器).
pub struct Mail {
    at: String,
    from: String,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail(…)")
    }
}

impl Mail {
    /// One at `host:port`, sending as `from` (设定).
    ///
    /// # Errors
    /// When the sender's address is none.
    pub fn new(at: &str, from: &str, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        ensure!(
            is_address(from),
            "发件人应是电子邮件地址 (the sender's address)"
        );
        Ok(Self {
            at: at.to_owned(),
            from: from.to_owned(),
            clock,
        })
    }

    fn host(&self) -> &str {
        self.from.split_once('@').map_or("", |(_, host)| host)
    }

    /// The mail as it goes over the wire.
    fn written(&self, letter: &Letter) -> String {
        let mut mail = format!(
            "From: <{}>\r\nTo: <{}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@{}>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            self.from,
            letter.to,
            words(&letter.subject),
            self.clock.now().to_rfc2822(),
            letter.key,
            self.host(),
        );
        let body = BASE64.encode(&letter.text);
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(LINE));
            mail.push_str(line);
            mail.push_str("\r\n");
            rest = after;
        }
        // Base64 has no dot, so no line of the body ends the mail early.
        mail.push_str(".\r\n");
        mail
    }

    fn talk(&self, letter: &Letter) -> anyhow::Result<Result<u16, u16>> {
        let address = self.at.to_socket_addrs()?.next();
        let stream = TcpStream::connect_timeout(&address.context("no such address")?, CONNECT)?;
        let mut timed = Timed::new(&stream, TALK);
        let mut code = answer(&mut timed)?;
        let commands = [
            (format!("EHLO {}\r\n", self.host()), 220),
            (format!("MAIL FROM:<{}>\r\n", self.from), 250),
            (format!("RCPT TO:<{}>\r\n", letter.to), 250),
            ("DATA\r\n".to_owned(), 250),
            (self.written(letter), 354),
        ];
        for (command, expected) in commands {
            // 251 is a mailbox that moved and is followed.
            if code != expected && !(expected == 250 && code == 251) {
                return Ok(Err(code));
            }
            timed.write_all(command.as_bytes())?;
            timed.flush()?;
            code = answer(&mut timed)?;
        }
        if code != 250 {
            return Ok(Err(code));
        }
        // It has the mail; whether it says goodbye is its own affair.
        drop(timed.write_all(b"QUIT\r\n"));
        Ok(Ok(code))
    }
}

/// The code of an answer, which may have several lines.
fn answer(from: &mut Timed<'_>) -> anyhow::Result<u16> {
    for _ in 0..ANSWER.1 {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\n") {
            from.read_exact(&mut byte)?;
            line.push(byte[0]);
            ensure!(line.len() <= ANSWER.0, "an answer is too long");
        }
        let text = String::from_utf8_lossy(&line);
        let code = text.get(..3).context("an answer without a code")?.parse()?;
        if text.get(3..4) != Some("-") {
            return Ok(code);
        }
    }
    anyhow::bail!("an answer has too many lines")
}

/// A heading in encoded words (RFC 2047).
fn words(text: &str) -> String {
    let mut all = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len().min(WORD);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (word, after) = rest.split_at(end);
        let between = if all.is_empty() { "" } else { "\r\n " };
        all.push_str(&format!("{between}=?UTF-8?B?{}?=", BASE64.encode(word)));
        rest = after;
    }
    all
}

/// Whether a text is an e-mail address (是否电子邮件地址): the common form, in ASCII.
pub fn is_address(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else {
        return false;
    };
    let plain = |letter: u8| letter.is_ascii_alphanumeric();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|letter| plain(letter) || b"._%+-".contains(&letter))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|letter| plain(letter) || letter == b'-')
    };
    text.len() <= ADDRESS && is_name && host.contains('.') && host.split('.').all(label)
}

impl Carrier for Mail {
    fn carry(&self, letter: &Letter) -> Result<String, Failure> {
        if !is_address(&letter.to) {
            return Err(Failure::Never("电子邮件地址不对".to_owned()));
        }
        match self.talk(letter) {
            Ok(Ok(code)) => Ok(code.to_string()),
            Ok(Err(code)) if code >= 500 => {
                Err(Failure::Never(format!("邮件服务器拒绝（{code}）")))
            }
            Ok(Err(code)) => Err(Failure::Later(format!("邮件服务器没有收下（{code}）"))),
            Err(fault) => {
                tracing::warn!("the mail relay did not answer: {fault:#}");
                Err(Failure::Later("邮件服务器没有答复".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_address, words};

    #[test]
    fn an_address_carries_no_second_command() {
        for good in ["zhang@example.cn", "li.si+a@mail.example.gov.cn"] {
            assert!(is_address(good), "{good}");
        }
        let bad = [
            "",
            "zhang",
            "@example.cn",
            "zhang@",
            "zhang@cn",
            "a@b.cn>\r\nRCPT TO:<c@d.cn",
            "a b@c.cn",
            ".a@b.cn",
            "a..b@c.cn",
            "张@例.cn",
            "a@-b.cn",
            "a@b@c.cn",
        ];
        for one in bad {
            assert!(!is_address(one), "{one}");
        }
    }

    /// “受理” is 6 bytes, base64 5Y+X55CG; 16 letters of three bytes are 48: the first word takes 45, the second 3.
    #[test]
    fn a_heading_is_cut_between_letters() {
        assert_eq!(words("受理"), "=?UTF-8?B?5Y+X55CG?=");
        let long = words(&"受".repeat(16));
        let (first, second) = long.split_once("\r\n ").unwrap();
        assert_eq!(second, "=?UTF-8?B?5Y+X?=");
        assert_eq!(first.len(), "=?UTF-8?B??=".len() + 60);
    }
}
