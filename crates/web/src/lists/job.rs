//! Files of lists that take long (导出任务): made in the background, portion after portion, sealed on disk, fetched by who asked.
//!
//! The work is done in the name of who asked, with the roles they hold at that moment: who may no longer have the list gets
//! none. Rows are read by key and go through the writer to the sealed file; neither memory nor anything in clear on disk
//! grows with their number. Half a file is none: it stands aside until it is whole, each attempt in a place of its own, so a
//! worker that was killed or overtaken spoils nothing and the next begins anew. Deliberately absent: the queue's heartbeat,
//! which belongs to the executable.

use super::{At, List, choice, known};
use crate::app::App;
use crate::fields::Fields;
use crate::locale::Lang;
use crate::parts::export::watermark;
use crate::problem::Problem;
use crate::visit::Visit;
use access::export::{self, Export};
use access::{Scope, Session, Signed};
use anyhow::{Context, bail};
use sheets::{Field, Flow, Head};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use store::Db;
use store::sealed::{Opener, Sealer};
use tokio::sync::mpsc;
use uuid::Uuid;
use vocab::ids::SessionId;

/// Rows read and written at once.
const PORTION: u64 = 5_000;
/// Portions under way between the database and the file.
const AHEAD: usize = 2;

/// A file in the making (制作中的导出).
pub(crate) struct Making<'a> {
    /// What was asked for.
    one: Export,
    /// Which attempt this is.
    attempt: u64,
    /// Told how far the work is.
    tell: &'a (dyn Fn(u64, u64) + Send + Sync),
}

/// What writing gives: the scope and the number of rows.
pub(crate) type Written<'a> =
    Pin<Box<dyn Future<Output = Result<(Scope, u64), Problem>> + Send + 'a>>;

/// The folder of finished files, beside the evidence.
fn folder(db: &Db) -> PathBuf {
    db.files().root().with_file_name("exports")
}

/// Where those under way stand, an attempt a folder.
fn making(db: &Db) -> PathBuf {
    folder(db).join("making")
}

/// The visit of somebody who is not there (代为查看): with the roles held now and the query asked then.
async fn in_the_name_of(app: &App, one: &Export) -> anyhow::Result<Option<Visit>> {
    let Some(actor) = access::officer::still(&app.db, one.officer).await? else {
        return Ok(None);
    };
    let now = app.db.now();
    let session = Session {
        id: SessionId(Uuid::nil()),
        officer: one.officer,
        opened_at: now,
        seen_at: now,
        closes_at: now,
        proved: false,
        proved_at: None,
        again_at: None,
        device: String::new(),
    };
    let signed = Signed {
        session,
        actor,
        must_change: false,
        second_factor: false,
        password_set_at: now,
    };
    Ok(Some(Visit::asking(
        app.clone().at_this_moment(),
        signed,
        Lang::of(&one.lang),
        Fields::read(&one.query),
        one.id.to_string(),
    )))
}

/// Makes the file of an export (制作导出文件); one nobody may have any more, or that is there already, is left.
///
/// # Errors
/// Faults of the database and of the disk: the queue tries again.
pub async fn make(
    app: &App,
    id: Uuid,
    attempt: u64,
    tell: &(dyn Fn(u64, u64) + Send + Sync),
) -> anyhow::Result<()> {
    let Some(one) = export::any(&app.db, id).await? else {
        return Ok(());
    };
    if one.ready_at.is_some() || one.gone_at.is_some() {
        return Ok(());
    }
    // What an attempt that was killed left behind.
    half_removed(&app.db, id)?;
    let (Some(visit), Some(list)) = (in_the_name_of(app, &one).await?, known(&one.list)) else {
        return gone(&app.db, id).await;
    };
    let making = Making { one, attempt, tell };
    let (scope, rows) = match (list.write)(&visit, &making).await {
        Ok(written) => written,
        Err(Problem::Denied(_)) => return gone(&app.db, id).await,
        Err(Problem::Fault(fault)) => return Err(fault),
        Err(other) => bail!("an export was refused with status {}", other.status()),
    };
    let size = std::fs::metadata(folder(&app.db).join(id.to_string()))?.len();
    let mut tx = app.db.begin().await?;
    let act = list.about.act.0;
    if export::ready(&mut tx, &scope, &making.one, act, (rows, size)).await? {
        return tx.commit().await;
    }
    tx.rollback().await?;
    // Cancelled meanwhile; one made meanwhile by somebody else keeps its file, which is the same.
    let now = export::any(&app.db, id).await?;
    if now.is_none_or(|one| one.gone_at.is_some()) {
        files_removed(&app.db, id)?;
    }
    Ok(())
}

async fn gone(db: &Db, id: Uuid) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    export::gone(&tx, id).await?;
    tx.commit().await
}

/// What stands above the rows of a file (表头): columns, and who took it, when, where and for what.
pub(crate) fn head<L: List>(visit: &Visit, list: &L, total: u64) -> Head {
    let lang = visit.lang;
    Head {
        name: lang.look(L::ABOUT.title).to_owned(),
        notes: vec![watermark(visit, list.scope(), total)],
        columns: choice::of_file::<L>(&visit.query)
            .iter()
            .map(|column| column.headed(lang))
            .collect(),
    }
}

/// The fields of rows (取值).
pub(crate) async fn fields<L: List>(
    visit: &Visit,
    list: &L,
    rows: &[L::Row],
) -> Result<Vec<Vec<Field>>, Problem> {
    let columns = choice::of_file::<L>(&visit.query);
    let beside = list.beside(visit, rows).await?;
    let of = |row| {
        let at = At {
            visit,
            list,
            beside: &beside,
            row,
        };
        columns.iter().map(|column| (column.field)(&at)).collect()
    };
    Ok(rows.iter().map(of).collect())
}

/// Writes all rows of a list (写出全部行).
pub(crate) async fn write<L: List>(
    visit: &Visit,
    making: &Making<'_>,
) -> Result<(Scope, u64), Problem> {
    let (db, one) = (&visit.app.db, &making.one);
    let scope = visit.scope_for(L::ABOUT.exports, L::purpose())?;
    let list = L::open(visit, scope).await?;
    let total = list.page(visit, 0, 1).await?.total;
    (making.tell)(0, total);
    let name = one.id.to_string();
    let aside = self::making(db).join(making.attempt.to_string());
    let file = Sealer::create(&aside, &name, db.keys()).context("beginning a file")?;
    let half = aside.join(&name);
    let head = head(visit, &list, total);
    let (send, receive) = mpsc::channel(AHEAD);
    let beside = half.clone();
    let writer = tokio::task::spawn_blocking(move || {
        let rows = through(file, head, receive);
        if rows.is_err() {
            // Whether it was broken off or the disk is full: the reason is told, the half is of no use.
            drop(std::fs::remove_file(beside));
        }
        rows
    });
    let (mut last, mut done) = (None, 0_u64);
    loop {
        let rows = list.after(visit, last.as_ref(), PORTION).await?;
        if rows.is_empty() {
            break;
        }
        let portion = fields(visit, &list, &rows).await?;
        done += u64::try_from(rows.len()).context("counting rows")?;
        // A writer that has stopped says why below.
        if send.send(Some(portion)).await.is_err() {
            break;
        }
        (making.tell)(done, total.max(done));
        last = rows.into_iter().last();
    }
    // Without this last word the writer knows that the work was broken off.
    drop(send.send(None).await);
    let rows = writer.await.context("the writer of a file")??;
    std::fs::rename(half, folder(db).join(&name)).context("putting a file in its place")?;
    Ok((list.scope().clone(), rows))
}

/// The writer: takes portions until the last word.
fn through(
    file: Sealer,
    head: Head,
    mut portions: mpsc::Receiver<Option<Vec<Vec<Field>>>>,
) -> anyhow::Result<u64> {
    let mut flow = Flow::begin(file, head)?;
    while let Some(portion) = portions
        .blocking_recv()
        .context("the work was broken off")?
    {
        for row in &portion {
            flow.put(row)?;
        }
    }
    let rows = flow.rows();
    flow.end()?.finish().context("ending a file")?;
    Ok(rows)
}

/// How many rows the list of a query has, and where (查询行数): for asking before the work.
pub(crate) async fn counted<L: List>(visit: &Visit) -> Result<(Scope, u64), Problem> {
    let scope = visit.scope_for(L::ABOUT.exports, L::purpose())?;
    let list = L::open(visit, scope).await?;
    let found = list.page(visit, 0, 1).await?;
    Ok((list.scope().clone(), found.total))
}

/// Opens the file of an export for reading (打开导出文件).
///
/// # Errors
/// When it is not on disk.
pub(crate) fn opened(db: &Db, id: Uuid) -> anyhow::Result<Opener> {
    Opener::open(&folder(db), &id.to_string(), db.keys()).context("opening an export")
}

fn removed(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => {
            Err(fault).context("removing an export")
        }
        _ => Ok(()),
    }
}

/// Removes what attempts left of an export that did not come to its end.
fn half_removed(db: &Db, id: Uuid) -> anyhow::Result<()> {
    let attempts = match std::fs::read_dir(making(db)) {
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        attempts => attempts.context("looking for halves of exports")?,
    };
    for attempt in attempts {
        removed(&attempt?.path().join(id.to_string()))?;
    }
    Ok(())
}

/// Removes an export's file from disk, whole or half (删除导出文件).
///
/// # Errors
/// Faults of the disk.
pub(crate) fn files_removed(db: &Db, id: Uuid) -> anyhow::Result<()> {
    half_removed(db, id)?;
    removed(&folder(db).join(id.to_string()))
}

/// Removes what was kept long enough (清理到期的导出); gives how many.
///
/// # Errors
/// Faults of the database and of the disk.
pub async fn tidy(db: &Db) -> anyhow::Result<u64> {
    let mut count = 0;
    loop {
        let old = export::old(db).await?;
        if old.is_empty() {
            return Ok(count);
        }
        for id in old {
            files_removed(db, id)?;
            gone(db, id).await?;
            count += 1;
        }
    }
}
