//! The day's work by hand (手工办每日任务): everything a server does by itself is done by the command, too.

use std::path::Path;
use std::process::Command;

#[test]
fn the_command_sweeps_everybody_and_compares_those_in_payment() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let database = format!("sqlite:{}", path("huimin.sqlite").display());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tick = || {
        let out = Command::new(env!("CARGO_BIN_EXE_huimin"))
            .args(["--log", "error", "tick", "--place", "sample"])
            .args(["--database", &database])
            .arg("--keys")
            .arg(path("keys"))
            .arg("--files")
            .arg(path("files"))
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap()
    };
    // The second time as well: the day before is done, and nothing waits from it.
    for _ in 0..2 {
        let told = tick();
        assert!(told.contains("比对了 0 户"), "{told}");
        assert!(told.contains("核对在发 0 人"), "{told}");
    }
}
