//! What is measured (测量): reading, linking, and how good it is.
//!
//! Guarantees: phases are those of the peers: read, link (training included). Deliberately absent: medians over processes, the
//! caller takes them.

use crate::truth;
use anyhow::{Context, Result, bail};
use linkage::file::{self, Records};
use linkage::{Settings, link};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

pub(crate) fn run(words: &[String]) -> Result<String> {
    let (act, rest) = words.split_first().context("link, against or invent")?;
    let mut wishes = BTreeMap::new();
    for pair in rest.chunks(2) {
        let [name, value] = pair else {
            bail!("{} 后面缺少值 (a value is missing)", pair[0]);
        };
        wishes.insert(name.trim_start_matches('-'), value.as_str());
    }
    match act.as_str() {
        "link" => linked(&wishes),
        other => bail!("不认识的命令 {other}；请写 link、against 或 invent"),
    }
}

fn data(wishes: &BTreeMap<&str, &str>) -> Result<PathBuf> {
    let folder = wishes.get("data").context("--data 要写到数据文件夹")?;
    Ok(PathBuf::from(folder).join("register.parquet"))
}

fn settings(wishes: &BTreeMap<&str, &str>) -> Result<Settings> {
    let threads = match wishes.get("threads") {
        Some(threads) => threads.parse()?,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut settings = Settings::usual(threads)?;
    if let Some(file) = wishes.get("keys") {
        settings.keys = linkage::keys::keys(&std::fs::read_to_string(file)?)?;
    }
    if let Some(bound) = wishes.get("threshold") {
        settings.same = bound.parse()?;
    }
    Ok(settings)
}

fn linked(wishes: &BTreeMap<&str, &str>) -> Result<String> {
    let settings = settings(wishes)?;
    let path = data(wishes)?;
    let began = Instant::now();
    let mut records = file::read(&path, Records::default(), &mut |_| {})?;
    let read = began.elapsed();
    records.register.finish();
    let counted = began.elapsed();
    let linked = link(&records.register, &settings, &|_, _| {});
    let total = began.elapsed();
    let truth = truth::read(&path)?;
    if let Some(file) = wishes.get("out") {
        file::write(file.as_ref(), &records.ids, &linked, 0)?;
    }
    let by_probability = [0.5, 0.9, 0.95, 0.99].map(|from| {
        let score = truth::of_links(&linked, &truth, from);
        format!("\"{from}\": {}", score.json())
    });
    let capped: Vec<String> = linked
        .capped
        .iter()
        .map(|c| format!("\"{}: {} blocks, {} records\"", c.key, c.blocks, c.records))
        .collect();
    Ok(format!(
        "{{\"read_s\": {:.4}, \"count_s\": {:.4}, \"link_s\": {:.4}, \"total_s\": {:.4}, \"compared\": {}, \
         \"capped\": [{}], \"clusters\": {}, \"edges\": {{{}}}, \"outcomes\": {}, \"calibration\": {}}}",
        read.as_secs_f64(),
        (counted - read).as_secs_f64(),
        (total - counted).as_secs_f64(),
        total.as_secs_f64(),
        linked.compared,
        capped.join(", "),
        truth::of_groups(&linked.person, &truth).json(),
        by_probability.join(", "),
        truth::outcomes(&linked, &truth),
        truth::calibration(&linked, &truth),
    ))
}
