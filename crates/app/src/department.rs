//! `huimin department` (演示部门): a pretend department that answers enquiries from a delivered file.
//!
//! ```text
//! huimin department --source vehicle --data F.csv --secret F.key --listen 127.0.0.1:9101
//! ```
//!
//! Guarantees: without the secret it says nothing. Deliberately absent: any use in a real house but trying the interface out.

use crate::settings::{Rules, load_book};
use crate::terminal::say;
use anyhow::{Context, bail};
use clap::Args;
use exchange::department::Pretend;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::SystemClock;
use verify::remote::wire::Secret;

/// What to answer from (演示部门).
#[derive(Debug, Args)]
pub(crate) struct Department {
    #[command(flatten)]
    rules: Rules,
    /// The name of the source (数据源).
    #[arg(long)]
    source: String,
    /// A file as the department delivers it (部门数据).
    #[arg(long)]
    data: PathBuf,
    /// The file with the secret both sides have: 64 hexadecimal digits (共享密钥).
    #[arg(long)]
    secret: PathBuf,
    /// Where to listen (监听地址).
    #[arg(long, default_value = "127.0.0.1:9101")]
    listen: SocketAddr,
}

impl Department {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let book = load_book(&self.rules.packs, &self.rules.place)?;
        let sources = verify::at_hand::sources_of(&book)?;
        let Some(source) = sources.get(&self.source) else {
            bail!("没有数据源“{}” (no such source)", self.source);
        };
        let secret = Secret::read(&self.secret)?;
        let pretend = Pretend::open(source.clone(), &self.data, secret, Arc::new(SystemClock))?;
        let listener = TcpListener::bind(self.listen)
            .with_context(|| format!("无法监听 {} (listening)", self.listen))?;
        say(&format!("{} http://{}", source.zh, listener.local_addr()?));
        pretend.serve(&listener, &AtomicBool::new(false));
        Ok(())
    }
}
