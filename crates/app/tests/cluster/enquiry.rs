//! A bulk enquiry on the cluster (集群批量核对): the same csv as from one process, with an executor killed in the middle.

use crate::{PLACE, Scheduler, answers, packs, pause, said};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// People known to the departments, and of them those asked about.
const KNOWN: usize = 12_000;
const ASKED: usize = 6_000;
/// So many people a piece: three sources of six thousand people come to more than a hundred pieces.
const A_PIECE: &str = "150";
/// A balance in fen that nothing else looks like.
const BALANCE: &str = "98765.43";

fn number(at: usize) -> String {
    let (month, day) = (at / 28 % 12 + 1, at % 28 + 1);
    let body = format!("4403061970{month:02}{day:02}{:03}", at / 336);
    let check = vocab::id_number::check_digit(&body).unwrap();
    format!("{body}{check}")
}

/// What three departments deliver: funds; cars, two of each third person; marriages of neighbours.
fn delivered(at: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut funds = "\u{FEFF}证件号码,客户名称,账户号,资产种类,市值\n".to_owned();
    let mut cars = "\u{FEFF}公民身份号码,姓名,号牌号码,车辆类型,机动车状态\n".to_owned();
    let mut pairs = "\u{FEFF}男方身份证号,女方身份证号,登记日期,登记类别\n".to_owned();
    for one in 0..KNOWN {
        let id = number(one);
        let balance = if one == 5 {
            BALANCE.to_owned()
        } else {
            format!("{one}.05")
        };
        writeln!(funds, "{id},欧阳某,A{one},2,{balance}").unwrap();
        for car in 0..usize::from(one % 3 == 0) * 2 {
            writeln!(cars, "{id},欧阳某,粤B{one}-{car},1,A").unwrap();
        }
        if one % 4 == 1 {
            writeln!(pairs, "{id},{},2001-02-03,1", number(one + 1)).unwrap();
        }
    }
    [
        ("securities", funds),
        ("vehicle", cars),
        ("marriage", pairs),
    ]
    .map(|(source, text)| {
        let file = at.join(format!("{source}.csv"));
        std::fs::write(&file, text).unwrap();
        (source, file)
    })
    .to_vec()
}

/// Households of three; each fiftieth has a member without a number, each sixtieth one who stands in it twice.
fn households(at: &Path) -> PathBuf {
    let mut text = "household,id_no,name\n".to_owned();
    for one in 0..ASKED {
        let id = match one % 180 {
            149 => "不详".to_owned(),
            179 => number(one - 1),
            _ => number(one),
        };
        writeln!(text, "H{},{id},欧阳某", one / 3).unwrap();
    }
    let file = at.join("households.csv");
    std::fs::write(&file, text).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_enquiry_on_a_cluster_says_what_one_process_says_also_when_an_executor_is_killed() {
    let at = tempfile::tempdir().unwrap();
    let path = |name: &str| at.path().join(name).display().to_string();
    let (store, keys) = (path("landed"), path("keys"));
    for (source, file) in delivered(at.path()) {
        let file = file.display().to_string();
        let mut words = vec!["verify", "land", "--place", PLACE, "--source", source];
        words.extend(["--file", &file, "--store", &store, "--keys", &keys]);
        words.extend(["--date", "2026-06-01", "--accept-drift"]);
        let landed = said(&words).await;
        assert!(landed.0, "{}", landed.2);
    }
    let asked = households(at.path()).display().to_string();
    let (near, far) = (path("near.csv"), path("far.csv"));
    let mut words = vec!["verify", "bulk", "--place", PLACE, "--store", &store];
    words.extend(["--keys", &keys, "--in", &asked, "--as-of", "2026-06-15"]);
    let mut far_words = words.clone();
    words.extend(["--out", &near]);
    let near_said = said(&words).await;
    assert!(near_said.0, "{}", near_said.2);
    let text = std::fs::read_to_string(&near).unwrap();
    assert_eq!(text.lines().count(), 1 + ASKED / 3);
    // The second household has people 3, 4 and 5: 3.05 + 4.05 + 98 765.43 yuan of funds, and the two cars of the first of them.
    let second = text.lines().nth(2).unwrap();
    assert!(second.contains(",9877253,"), "{second}");

    let scheduler = Scheduler::start().await;
    let (work_one, work_two) = (at.path().join("one"), at.path().join("two"));
    let mut one = scheduler.executor(&packs(), &work_one);
    let _two = scheduler.executor(&packs(), &work_two);
    scheduler.has("ready: 2 executors").await;
    far_words.extend(["--out", &far, "--piece", A_PIECE, "--workers", "8"]);
    far_words.extend(["--cluster", &scheduler.url]);
    let killing = async {
        // Killed (-9) once both have answered something.
        let both = || answers(&work_one) > 1 && answers(&work_two) > 1;
        while !both() && !Path::new(&far).exists() {
            pause(10).await;
        }
        one.kill().await.unwrap();
        (answers(&work_one), answers(&work_two))
    };
    let (far_said, (by_one, by_two)) = tokio::join!(said(&far_words), killing);
    assert!(far_said.0, "{}", far_said.2);
    assert!(by_one > 1, "who was killed had answered nothing");
    let rest = answers(&work_two) - by_two;
    assert!(
        rest > 20,
        "it was nearly done at the kill: {by_one}, {by_two} and {rest}"
    );
    assert_eq!(near_said.1, far_said.1);
    assert!(
        text.into_bytes() == std::fs::read(&far).unwrap(),
        "the answers differ"
    );
}
