//! Text messages over a gateway (短信网关): a signed request a message, with the key by which the gateway drops a repetition.
//!
//! ```text
//! POST /messages   x-huimin-request  x-huimin-time  x-huimin-signature   { "key", "to", "text", "parts" }
//! POST /arrivals   …                                                     { "keys": […] }
//! 200              x-huimin-time  x-huimin-signature                     { "receipt" } or { "arrivals": { key: … } }
//! ```
//!
//! Both sides sign with HMAC-SM3 what for, the path, the request's number, the time, the status and the SM3 of the body, as
//! departments do. Guarantees: an answer is believed only when the gateway signed it now; 4xx is a refusal for good (404 and 422:
//! the number), anything else may pass. Deliberately absent: TLS, which a proxy on either side has.

use crate::carrier::{Arrival, Carrier, Failure, Letter};
use crate::text::parts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Clock;
use store::keys::sm3_hex;
use uuid::Uuid;
use verify::remote::wire::{Secret, send};

/// Where a message is handed over.
pub const MESSAGES: &str = "/messages";
/// Where one asks how far messages came.
pub const ARRIVALS: &str = "/arrivals";

/// A gateway (短信网关).
pub struct Sms {
    at: String,
    secret: Secret,
    clock: Arc<dyn Clock>,
}

/// A message as the gateway gets it (发送请求).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The key of the message.
    pub key: Uuid,
    /// The number.
    pub to: String,
    /// The text.
    pub text: String,
    /// In how many parts.
    pub parts: usize,
}

/// What it says of one it took (发送答复).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// What it calls it.
    pub receipt: String,
}

/// Which messages are asked after (送达查询).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedAfter {
    /// Their keys.
    pub keys: Vec<Uuid>,
}

/// How far they came (送达答复).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// By key.
    pub arrivals: BTreeMap<Uuid, Arrival>,
}

/// What a request signs (请求签名内容).
pub fn request_parts<'a>(
    path: &'a str,
    request: &'a str,
    time: &'a str,
    sm3: &'a str,
) -> [&'a str; 5] {
    ["huimin.message.1", path, request, time, sm3]
}

/// What an answer signs (答复签名内容).
pub fn reply_parts<'a>(
    path: &'a str,
    request: &'a str,
    time: &'a str,
    (status, sm3): (&'a str, &'a str),
) -> [&'a str; 6] {
    ["huimin.reply.1", path, request, time, status, sm3]
}

impl std::fmt::Debug for Sms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sms(…)")
    }
}

impl Sms {
    /// One at `host:port` with the secret both sides have (设定).
    pub fn new(at: &str, secret: Secret, clock: Arc<dyn Clock>) -> Self {
        Self {
            at: at.to_owned(),
            secret,
            clock,
        }
    }

    fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        request: &str,
        said: &impl Serialize,
    ) -> Result<T, Failure> {
        let never = || Failure::Never("报文无法生成".to_owned());
        let body = serde_json::to_vec(said).map_err(|_| never())?;
        let time = self.clock.now().timestamp().to_string();
        let sm3 = sm3_hex(&body);
        let signature = self
            .secret
            .sign(&request_parts(path, request, &time, &sm3))
            .map_err(|_| never())?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             x-huimin-request: {request}\r\nx-huimin-time: {time}\r\nx-huimin-signature: {signature}\r\n\
             connection: close\r\n\r\n",
            self.at,
            body.len()
        );
        let answer = send(&self.at, head.as_bytes(), &body)
            .map_err(|fault| Failure::Later(format!("短信网关没有答复：{fault}")))?;
        let status = answer.first.split(' ').nth(1).unwrap_or_default();
        let sm3 = sm3_hex(&answer.body);
        let theirs = answer.field("x-huimin-time");
        let signed = reply_parts(path, request, theirs, (status, &sm3));
        // Who cannot sign may not make us give up either.
        if !answer.is_of_now(&*self.clock)
            || !self
                .secret
                .is_signed(&signed, answer.field("x-huimin-signature"))
        {
            return Err(Failure::Later("短信网关的签名或时间不对".to_owned()));
        }
        match status {
            "200" => serde_json::from_slice(&answer.body)
                .map_err(|_| Failure::Later("短信网关的答复读不懂".to_owned())),
            "404" | "422" => Err(Failure::Never("号码不存在或不能接收".to_owned())),
            refused if refused.starts_with('4') => {
                Err(Failure::Never(format!("短信网关拒绝（{refused}）")))
            }
            other => Err(Failure::Later(format!("短信网关暂时不能发送（{other}）"))),
        }
    }
}

impl Carrier for Sms {
    fn carry(&self, letter: &Letter) -> Result<String, Failure> {
        let asked = Asked {
            key: letter.key,
            to: letter.to.clone(),
            text: letter.text.clone(),
            parts: parts(&letter.text),
        };
        let taken: Taken = self.ask(MESSAGES, &letter.key.to_string(), &asked)?;
        Ok(taken.receipt)
    }

    fn arrivals(&self, keys: &[Uuid]) -> Result<BTreeMap<Uuid, Arrival>, Failure> {
        let asked = AskedAfter {
            keys: keys.to_vec(),
        };
        let request = self.clock.now().timestamp_micros().to_string();
        let came: Came = self.ask(ARRIVALS, &request, &asked)?;
        Ok(came.arrivals)
    }
}
