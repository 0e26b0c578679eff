//! A PostgreSQL that lives as long as the tests (测试用数据库).
//!
//! Guarantees: own data folder, own free port, listens on the loopback address only; it stops when the tests end, when
//! they fail and when this program is killed, because its keeper waits on a pipe that we hold open.
//! Deliberately absent: durability. These databases are thrown away, so nothing waits for a disk.

use crate::run::{self, as_user, say};
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Keeps `postgres` as its child until its standard input closes.
const KEEPER: &str =
    r#"trap '' INT; "$@" & child=$!; read -r _; kill -INT "$child"; wait "$child""#;

/// A running server (运行中的数据库服务).
pub(crate) struct Postgres {
    keeper: Child,
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    /// Make and start one; ready for connections on return.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let programs = setup::postgres_programs()
            .context("PostgreSQL 15 is not installed: run `cargo xtask setup`")?;
        // PostgreSQL refuses to run as root; Debian's package made this user.
        let user = run::is_root().then_some("postgres");
        let folder = fresh_folder(workspace, user)?;
        let mut initdb = as_user(user, &programs.join("initdb"));
        initdb.current_dir("/").args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]);
        run::read(initdb.args(["--no-sync", "--pgdata"]).arg(&folder))
            .context("making a PostgreSQL data folder")?;
        let port = free_port()?;
        let keeper = keeper(user, &programs.join("postgres"), &folder, port)?;
        let mut server = Self {
            keeper,
            folder,
            port,
        };
        server.wait_until_ready(&programs)?;
        say(&format!(
            "PostgreSQL for the tests is ready on port {port}."
        ));
        Ok(server)
    }

    /// Where an administrator connects; tests make their own databases from there.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self, programs: &Path) -> Result<()> {
        for _ in 0..300 {
            if let Some(status) = self.keeper.try_wait().context("watching PostgreSQL")? {
                bail!("PostgreSQL did not start ({status})");
            }
            let mut ask = Command::new(programs.join("pg_isready"));
            if run::succeeds(
                ask.args(["--quiet", "--host=127.0.0.1", "--port"])
                    .arg(self.port.to_string()),
            ) {
                return Ok(());
            }
            pause();
        }
        bail!("PostgreSQL did not become ready within a minute")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Closing the pipe is the order to stop; waiting for it leaves no server behind the prompt.
        drop(self.keeper.stdin.take());
        let _stopped = self.keeper.wait();
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

fn keeper(user: Option<&str>, postgres: &Path, folder: &Path, port: u16) -> Result<Child> {
    let mut command = as_user(user, Path::new("sh"));
    command
        .args(["-c", KEEPER, "sh"])
        .arg(postgres)
        .arg("-D")
        .arg(folder);
    command
        .arg("-p")
        .arg(port.to_string())
        .arg("-k")
        .arg(folder);
    for setting in [
        "listen_addresses=127.0.0.1",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=300",
        "log_min_messages=fatal",
    ] {
        command.args(["-c", setting]);
    }
    command
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().context("starting PostgreSQL")
}

/// Under `target/` where that user can reach it; a checkout in a private home folder cannot be reached by another user.
fn fresh_folder(workspace: &Workspace, user: Option<&str>) -> Result<PathBuf> {
    let name = format!("test-postgres-{}", std::process::id());
    for parent in [workspace.target.clone(), std::env::temp_dir()] {
        let folder = parent.join(&name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let Some(user) = user else { return Ok(folder) };
        run::read(Command::new("chown").arg(user).arg(&folder))?;
        if run::succeeds(
            as_user(Some(user), Path::new("test"))
                .arg("-w")
                .arg(&folder)
                .current_dir("/"),
        ) {
            return Ok(folder);
        }
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    bail!("no folder was found in which PostgreSQL may write")
}

/// A port nobody listens on. Another program may take it in between; then PostgreSQL says so and the tests stop.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("asking for a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Wait a fifth of a second for something outside this process.
#[expect(
    clippy::disallowed_methods,
    reason = "a server outside this process becomes ready in its own time"
)]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(200));
}

/// Is somebody listening there?
pub(crate) fn is_taken(port: u16) -> bool {
    let address = (Ipv4Addr::LOCALHOST, port).into();
    TcpStream::connect_timeout(&address, Duration::from_millis(300)).is_ok()
}
