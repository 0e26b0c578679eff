//! `huimin gateway` (演示短信网关): a pretend gateway that takes signed messages and keeps them in a folder.
//!
//! ```text
//! huimin gateway --secret F.key --folder taken --listen 127.0.0.1:9201
//! ```
//!
//! Guarantees: without the secret it takes nothing; numbers are kept masked. Deliberately absent: any use in a real house but
//! trying the line out.

use crate::terminal::say;
use anyhow::Context;
use clap::Args;
use notify::pretend::Gateway as Pretend;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::SystemClock;
use verify::remote::wire::Secret;

/// Where to keep what is taken (演示短信网关).
#[derive(Debug, Args)]
pub(crate) struct Gateway {
    /// The file with the secret both sides have: 64 hexadecimal digits (共享密钥).
    #[arg(long)]
    secret: PathBuf,
    /// The folder the messages are kept in (文件夹).
    #[arg(long)]
    folder: PathBuf,
    /// Where to listen (监听地址).
    #[arg(long, default_value = "127.0.0.1:9201")]
    listen: SocketAddr,
}

impl Gateway {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let secret = Secret::read(&self.secret)?;
        let pretend = Pretend::open(secret, Arc::new(SystemClock), Some(self.folder))?;
        let listener = TcpListener::bind(self.listen)
            .with_context(|| format!("无法监听 {} (listening)", self.listen))?;
        say(&format!("http://{}", listener.local_addr()?));
        pretend.serve(&listener, &AtomicBool::new(false));
        Ok(())
    }
}
