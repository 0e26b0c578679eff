//! Telling people (告知): which ways are set up, and the worker that follows the journal and sends.
//!
//! Guarantees: without a setting a way is closed and nothing leaves; secrets are read from files and never shown. Deliberately absent: what is told; packs say that.

use casework::Desk;
use casework::rulebook::Shelf;
use clap::Args;
use notify::feed::{self, Feeding};
use notify::folder::Folder;
use notify::mail::Mail;
use notify::sms::Sms;
use notify::{Carriers, Channel, Rules, send};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Db;
use verify::remote::wire::Secret;

/// How often the journal is followed and the outbox looked into.
const EVERY: std::time::Duration = std::time::Duration::from_secs(5);
/// After so many rounds the gateway is asked how far messages came.
const ASK_EACH: u32 = 12;
/// So many messages a round, so that following does not wait for ever.
const A_ROUND: u32 = 200;

/// The ways by which people are told (告知渠道); each is closed if not given.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Telling {
    /// The gateway for text messages: `host:port` (短信网关).
    #[arg(long, env = "HUIMIN_SMS", requires = "sms_secret")]
    pub(crate) sms: Option<String>,
    /// The file with the secret the gateway has too: 64 hexadecimal digits (短信网关密钥).
    #[arg(long, env = "HUIMIN_SMS_SECRET")]
    pub(crate) sms_secret: Option<PathBuf>,
    /// The office's own mail relay: `host:port`; it has TLS towards the world (邮件转发服务器).
    #[arg(long, env = "HUIMIN_MAIL", requires = "mail_from")]
    pub(crate) mail: Option<String>,
    /// Who mails come from: `huimin@example.gov.cn` (发件人).
    #[arg(long, env = "HUIMIN_MAIL_FROM")]
    pub(crate) mail_from: Option<String>,
}

impl Telling {
    /// The ways that are set up.
    pub(crate) fn carriers(&self, db: &Db) -> anyhow::Result<Carriers> {
        let mut all = Carriers::default();
        if let (Some(at), Some(secret)) = (&self.sms, &self.sms_secret) {
            let gateway = Sms::new(at, Secret::read(secret)?, Arc::clone(db.clock()));
            all = all.with(Channel::Sms, Arc::new(gateway));
        }
        if let (Some(at), Some(from)) = (&self.mail, &self.mail_from) {
            let mail = Mail::new(at, from, Arc::clone(db.clock()))?;
            all = all.with(Channel::Email, Arc::new(mail));
        }
        Ok(all)
    }

    /// Both ways end in a folder: for the demonstration.
    pub(crate) fn into_folder(folder: &Path) -> Carriers {
        let folder: Arc<Folder> = Arc::new(Folder(folder.to_owned()));
        Carriers::default()
            .with(Channel::Sms, folder.clone())
            .with(Channel::Email, folder)
    }
}

/// Follows the journal and sends, every few seconds, for as long as the server runs.
pub(crate) async fn watch(db: Db, shelf: Arc<Shelf>, carriers: Carriers, help_line: String) {
    let mut rounds = 0;
    let mut known: Option<(String, Rules)> = None;
    loop {
        let desk = Arc::clone(&shelf.now().desk);
        let done = async {
            let rules = rules_for(&desk, &mut known).await?;
            round(&db, &desk, &rules, &carriers, &help_line).await?;
            if rounds == 0 {
                send::ask_after(&db, &carriers).await?;
            }
            anyhow::Ok(())
        };
        if let Err(fault) = done.await {
            tracing::error!("telling people failed: {fault:#}");
        }
        rounds = (rounds + 1) % ASK_EACH;
        tokio::time::sleep(EVERY).await;
    }
}

/// The rules for telling of the rules in force, read once for each edition.
async fn rules_for(desk: &Arc<Desk>, known: &mut Option<(String, Rules)>) -> anyhow::Result<Rules> {
    let hash = desk.book.hash();
    if let Some((of, rules)) = known
        && of == hash
    {
        return Ok(rules.clone());
    }
    let read = Arc::clone(desk);
    let rules = tokio::task::spawn_blocking(move || notify::rules::rules_of(&read.book)).await??;
    *known = Some((hash.to_owned(), rules.clone()));
    Ok(rules)
}

async fn round(
    db: &Db,
    desk: &Desk,
    rules: &Rules,
    carriers: &Carriers,
    help_line: &str,
) -> anyhow::Result<()> {
    let feeding = Feeding {
        desk,
        rules,
        on: &carriers.on(),
        help_line,
    };
    let fed = feed::follow(db, feeding).await?;
    if fed.messages + fed.notes > 0 {
        tracing::info!(
            messages = fed.messages,
            notes = fed.notes,
            "people are to be told"
        );
    }
    for _ in 0..A_ROUND {
        if send::once(db, rules, carriers, "huimin serve")
            .await?
            .is_none()
        {
            break;
        }
    }
    Ok(())
}
