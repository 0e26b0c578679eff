//! An S3 store that lives as long as the tests (测试用对象存储): s3rver, from the npm lock file.
//!
//! Guarantees: own data folder, own free port, the loopback address only, and one bucket. It stops when the tests end.
//! Deliberately absent: durability, TLS, and asking who comes; s3rver lets a wrong secret in.

use crate::postgres::{free_port, is_taken, pause};
use crate::run::say;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const BUCKET: &str = "huimin-test";
/// The one account s3rver knows.
const ACCOUNT: &str = "S3RVER";

/// A running store (运行中的对象存储).
pub(crate) struct ObjectStore {
    server: Child,
    folder: PathBuf,
    port: u16,
}

impl ObjectStore {
    /// Start one; it answers on return.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let program = workspace.path("node_modules/s3rver/bin/s3rver.js");
        if !program.is_file() {
            bail!("s3rver is not installed: run `cargo xtask setup`");
        }
        let folder = workspace
            .target
            .join(format!("test-s3-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let port = free_port()?;
        let server = Command::new("node")
            .arg(program)
            .args(["--silent", "--address", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .arg("--directory")
            .arg(&folder)
            .args(["--configure-bucket", BUCKET])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting s3rver with node")?;
        let mut store = Self {
            server,
            folder,
            port,
        };
        for _ in 0..150 {
            if let Some(status) = store.server.try_wait().context("watching s3rver")? {
                bail!("s3rver did not start ({status})");
            }
            if is_taken(port) {
                say(&format!(
                    "An S3 store for the tests is ready on port {port}."
                ));
                return Ok(store);
            }
            pause();
        }
        bail!("s3rver did not become ready within half a minute")
    }

    /// What a test must know: the bucket, and the variables every S3 client reads.
    pub(crate) fn environment(&self) -> [(&'static str, String); 6] {
        [
            ("TEST_S3", format!("s3://{BUCKET}")),
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCOUNT.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", ACCOUNT.to_owned()),
        ]
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        let _stopped = self.server.kill().and_then(|()| self.server.wait());
        let _removed = fs::remove_dir_all(&self.folder);
    }
}
