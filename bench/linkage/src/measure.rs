//! What is measured (测量): reading, linking, and how good it is.
//!
//! Guarantees: phases are those of the peers: read, link (training included). Deliberately absent: medians over processes, the
//! caller takes them.

use crate::harder;
use crate::truth;
use anyhow::{Context, Result, bail};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use linkage::file::{self, Records};
use linkage::{Settings, link};
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
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
        "against" => arrived(&wishes),
        "invent" => invented(&wishes),
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
    if let Some(from) = wishes.get("worst") {
        for row in truth::worst(&linked, &truth, from.parse()?) {
            let _gone = writeln!(std::io::stderr(), "{row}");
        }
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

/// Writes a harder register (生成更难的名册).
fn invented(wishes: &BTreeMap<&str, &str>) -> Result<String> {
    let records: usize = wishes.get("records").context("--records")?.parse()?;
    let seed = wishes.get("seed").map_or(Ok(1), |seed| seed.parse())?;
    let shares = match wishes.get("kind").copied() {
        Some("held") => harder::HELD,
        Some("development") | None => harder::DEVELOPMENT,
        Some(other) => bail!("不认识的种类 {other}；请写 development 或 held"),
    };
    let lines = harder::invent(records, seed, shares);
    let path = data(wishes)?;
    let text = |of: fn(&harder::Line) -> &str| -> ArrayRef {
        let texts = lines
            .iter()
            .map(|line| Some(of(line)).filter(|text| !text.is_empty()));
        Arc::new(texts.collect::<StringArray>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "record_id",
            Arc::new(Int64Array::from_iter_values((0..).take(lines.len()))),
        ),
        (
            "person_id",
            Arc::new(Int64Array::from_iter_values(
                lines.iter().map(|line| line.person),
            )),
        ),
        ("name", text(|line| &line.name)),
        ("id_no", text(|line| &line.id_no)),
        ("birth", text(|line| &line.birth)),
        ("sex", text(|line| &line.sex)),
        ("region", text(|line| &line.region)),
        ("address", text(|line| &line.address)),
        ("phone", text(|line| &line.phone)),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(format!("{{\"records\": {}}}", lines.len()))
}

/// New records against a register (增量): the last ones of the file are the delivery.
fn arrived(wishes: &BTreeMap<&str, &str>) -> Result<String> {
    let settings = settings(wishes)?;
    let path = data(wishes)?;
    let new: usize = wishes.get("new").map_or(Ok(10_000), |new| new.parse())?;
    let began = Instant::now();
    let mut records = file::read(&path, Records::default(), &mut |_| {})?;
    let all = records.register.len();
    let from = all.saturating_sub(new);
    let delivery = records.register.split_off(from);
    records.register.finish();
    let read = began.elapsed();
    let model = link(&records.register, &settings, &|_, _| {}).model;
    let learned = began.elapsed();
    records.register.append(delivery);
    let arrived = linkage::against(&mut records.register, from, &model, &settings);
    let linked = began.elapsed() - learned;
    let truth = truth::read(&path)?;
    let (found, right, all) = truth::of_arrivals(&arrived.links, &truth, from);
    Ok(format!(
        "{{\"read_s\": {:.4}, \"learn_s\": {:.4}, \"against_s\": {:.4}, \"compared\": {}, \"new\": {new}, \"old\": {from}, \
         \"links\": {found}, \"right\": {right}, \"truth\": {all}}}",
        read.as_secs_f64(),
        (learned - read).as_secs_f64(),
        linked.as_secs_f64(),
        arrived.compared,
    ))
}
