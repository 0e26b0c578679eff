//! Landing while the program is killed at random (随机强杀落地): the earlier delivery answers as before, and nothing half is there.
//!
//! The program itself lands a larger second delivery and is killed after a seeded random time, forty times; after each kill
//! the household is asked as of the day of the first delivery, and as of the second. Guarantees shown: an answer is that of a
//! whole delivery, the first or the second; a killed run leaves nothing that a later one stumbles over; no row stands readable.
//! Deliberately absent: power cuts, which only a machine without power can show.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const KILLS: usize = 40;
const ROWS: u32 = 60_000;
const ANN: &str = "11010519491231002X";

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, verb: &str) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut command = Command::new(env!("CARGO_BIN_EXE_huimin"));
        command
            .args(["--log", "error", "verify", verb, "--place", "sample"])
            .arg("--store")
            .arg(self.path("landed"))
            .arg("--keys")
            .arg(self.path("keys"))
            .current_dir(root)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn land(&self, file: &str, date: &str) -> Command {
        let mut command = self.command("land");
        command
            .args(["--source", "vehicle", "--accept-drift", "--date", date])
            .arg("--file")
            .arg(self.path(file));
        command
    }

    /// How many vehicles Ann has on a day, and which delivery says so.
    fn vehicles(&self, as_of: &str) -> (Option<i64>, String) {
        let household = self.path("ann.json");
        let text = format!(r#"{{"household":"a","members":[{{"id_no":"{ANN}","name":"安娜"}}]}}"#);
        std::fs::write(&household, text).unwrap();
        let out = self
            .command("ask")
            .args(["--as-of", as_of])
            .arg(&household)
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let answers = said[0]["answers"].as_array().unwrap();
        let answer = answers
            .iter()
            .find(|one| one["source"] == "vehicle")
            .unwrap();
        let delivery = answer["delivery"].as_str().unwrap_or_default();
        (
            answer["household"]["vehicles"]["value"].as_i64(),
            delivery.to_owned(),
        )
    }
}

/// So many vehicles of Ann's, among strangers'.
fn cars(own: u32, rows: u32) -> String {
    let mut text = "\u{FEFF}公民身份号码,姓名,号牌号码,车辆类型,机动车状态\n".to_owned();
    for at in 0..rows {
        let body = format!(
            "4403961980{:02}{:02}{:03}",
            at / 28_000 % 12 + 1,
            at / 1_000 % 28 + 1,
            at % 1_000
        );
        let check = vocab::id_number::check_digit(&body).unwrap();
        writeln!(text, "{body}{check},外地,样B{at:06},1,A").unwrap();
    }
    for at in 0..own {
        writeln!(text, "{ANN},安娜,样A{at},1,A").unwrap();
    }
    text
}

/// Every file under a folder.
fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), all);
        } else {
            all.push(entry.path());
        }
    }
}

/// A kill comes after a time that is no clock's of ours.
#[expect(
    clippy::disallowed_methods,
    reason = "the program is killed from outside, at a real moment"
)]
fn wait(time: Duration) {
    std::thread::sleep(time);
}

#[test]
fn killed_forty_times_in_the_middle_of_landing_the_earlier_delivery_answers_as_before() {
    let desk = Desk {
        folder: tempfile::tempdir().unwrap(),
    };
    // One vehicle on the first day, two on the second.
    std::fs::write(desk.path("first.csv"), cars(1, 100)).unwrap();
    std::fs::write(desk.path("second.csv"), cars(2, ROWS)).unwrap();
    assert!(
        desk.land("first.csv", "2026-06-01")
            .status()
            .unwrap()
            .success()
    );
    let before = desk.vehicles("2026-06-02");
    assert_eq!(before.0, Some(1));
    // How long a whole run takes, so that kills fall all over it; its delivery is of another day.
    let began = Instant::now();
    assert!(
        desk.land("second.csv", "2026-06-03")
            .status()
            .unwrap()
            .success()
    );
    let whole = began.elapsed();
    let mut random = StdRng::seed_from_u64(20_261_122);
    let (mut killed, mut halves) = (0, 0);
    for _ in 0..KILLS {
        let mut child = desk.land("second.csv", "2026-06-05").spawn().unwrap();
        let until = whole.mul_f64(random.random_range(0.02..0.98));
        wait(until.max(Duration::from_millis(1)));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let folder = desk.path("landed/vehicle");
        halves += std::fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(".landing"))
            .count();
        assert_eq!(desk.vehicles("2026-06-02"), before);
        // Of the killed delivery: nothing, or all of it if the kill came after its last step.
        let now = desk.vehicles("2026-06-05");
        assert_eq!(now.0, Some(2), "{}", now.1);
    }
    assert!(
        killed >= KILLS / 2,
        "only {killed} of {KILLS} runs were killed before their end"
    );
    assert!(halves > 0, "no kill fell into the middle of a landing");
    // What was killed is landed at last, or was already; what the killed left is cleared away.
    let last = desk.land("second.csv", "2026-06-05").output().unwrap();
    let told = String::from_utf8_lossy(&last.stderr).into_owned();
    assert!(
        last.status.success() || told.contains("已经落地过"),
        "{told}"
    );
    let (value, delivery) = desk.vehicles("2026-06-05");
    assert_eq!(value, Some(2));
    assert!(delivery.starts_with("2026-06-05"), "{delivery}");
    let mut all = Vec::new();
    files(&desk.path("landed"), &mut all);
    for file in all {
        let name = file.display().to_string();
        assert!(!name.contains(".landing"), "{name} was left");
        let bytes = std::fs::read(&file).unwrap();
        let there = bytes.windows(ANN.len()).any(|some| some == ANN.as_bytes());
        assert!(!there, "{name} holds a readable number");
    }
}
