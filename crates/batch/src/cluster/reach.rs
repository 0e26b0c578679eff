//! Whether a cluster can be reached (能否连上集群): asked of the scheduler before any work, and while an answer is late.
//!
//! Guarantees: says within seconds that nobody listens or that there is no executor, where the engine itself would wait for
//! ever. Deliberately absent: everything else a scheduler can tell of itself.

use anyhow::{Context, bail};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a scheduler may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// A scheduler's address (调度节点地址).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Address {
    /// `HOST:PORT`, with or without `http://` before it.
    ///
    /// # Errors
    /// When it is written otherwise.
    pub(super) fn read(address: &str) -> anyhow::Result<Self> {
        let bare = address
            .split_once("://")
            .map_or(address, |(_, bare)| bare)
            .trim_end_matches('/');
        let wrong = || format!("“{address}”读不懂；请写 主机:端口 (say HOST:PORT)");
        let (host, port) = bare.rsplit_once(':').with_context(wrong)?;
        Ok(Self {
            host: host.to_owned(),
            port: port.parse().with_context(wrong)?,
        })
    }

    /// As the engine wants it.
    pub(super) fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    /// Whether the scheduler answers and has an executor (是否有执行节点).
    ///
    /// # Errors
    /// In words: nobody listens there, it is no scheduler, or it has nobody who decides.
    pub(super) async fn is_ready(&self) -> anyhow::Result<()> {
        let url = self.url();
        let said = tokio::time::timeout(PATIENCE, self.said())
            .await
            .map_err(anyhow::Error::from)
            .and_then(|said| said)
            .with_context(|| {
                format!(
                    "连不上集群的调度节点 {url}；请先启动 huimin scheduler，或核对 --cluster 的地址 (no scheduler there)"
                )
            })?;
        match status(&said) {
            Some(200) => Ok(()),
            Some(503) => bail!(
                "集群 {url} 没有执行节点在运行；请在要参加计算的机器上启动 huimin executor (no executors)"
            ),
            _ => bail!(
                "{url} 不是集群的调度节点；请核对 --cluster 的地址 (something else listens there)"
            ),
        }
    }

    async fn said(&self) -> anyhow::Result<String> {
        let mut there = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let asked = format!(
            "GET /readyz HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n\r\n",
            self.host, self.port
        );
        there.write_all(asked.as_bytes()).await?;
        // The first line is what counts; it stands in the first few bytes.
        let mut said = Vec::new();
        there.take(512).read_to_end(&mut said).await?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

/// The number in the first line of an answer.
fn status(said: &str) -> Option<u16> {
    let mut words = said.lines().next()?.split(' ');
    let is_http = words.next()?.starts_with("HTTP/1.");
    words.next()?.parse().ok().filter(|_| is_http)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduler_is_named_with_or_without_http() {
        let named = Address {
            host: "jiedian".to_owned(),
            port: 50_050,
        };
        assert_eq!(Address::read("http://jiedian:50050/").unwrap(), named);
        assert_eq!(Address::read("jiedian:50050").unwrap(), named);
        assert!(Address::read("jiedian").is_err());
    }

    #[test]
    fn only_the_first_line_of_an_http_answer_is_read() {
        assert_eq!(status("HTTP/1.1 200 OK\r\n\r\nready"), Some(200));
        assert_eq!(status("HTTP/1.1 503 Service Unavailable\r\n"), Some(503));
        assert_eq!(status("SSH-2.0-OpenSSH_9.2 503"), None);
        assert_eq!(status(""), None);
    }

    #[tokio::test]
    async fn where_nobody_listens_one_is_told_what_to_start() {
        // A port that was free a moment ago.
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = Address {
            host: "127.0.0.1".to_owned(),
            port: free.local_addr().unwrap().port(),
        };
        drop(free);
        let said = format!("{:#}", address.is_ready().await.unwrap_err());
        assert!(said.contains("请先启动 huimin scheduler"), "{said}");
    }
}
