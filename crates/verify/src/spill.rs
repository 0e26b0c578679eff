//! Rows on their way into parts (分拣): kept in memory while few, else in a temporary file that says nothing to anybody.
//!
//! Keys are blinded before they come here; texts are written under a key stream that exists in this process only and is
//! forgotten with it. Guarantees: memory does not grow with the delivery. Deliberately absent: order; parts sort.

use anyhow::{Context, ensure};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{OsRng, RngCore, SeedableRng, TryRngCore};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Rows of one part kept in memory before they go to the file.
const KEPT: usize = 2_048;

/// Rows of a part (一块的行), column by column.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Blinded keys.
    pub keys: Vec<u64>,
    /// Blinded keys of the other persons; 0 where there is none. Empty when the source has none.
    pub others: Vec<u64>,
    /// Rows of the delivery.
    pub rows: Vec<u64>,
    /// The numbers, column by column.
    pub numbers: Vec<Vec<i64>>,
    /// The texts of all rows, one after another.
    pub evidence: Vec<u8>,
    /// The length of each.
    pub lengths: Vec<u32>,
}

impl Rows {
    /// None yet, for so many columns of numbers.
    pub fn new(numbers: usize) -> Self {
        Self {
            numbers: vec![Vec::new(); numbers],
            ..Self::default()
        }
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.others.clear();
        self.rows.clear();
        self.numbers.iter_mut().for_each(Vec::clear);
        self.evidence.clear();
        self.lengths.clear();
    }

    fn append(&mut self, other: &Self) {
        self.keys.extend_from_slice(&other.keys);
        self.others.extend_from_slice(&other.others);
        self.rows.extend_from_slice(&other.rows);
        for (mine, theirs) in self.numbers.iter_mut().zip(&other.numbers) {
            mine.extend_from_slice(theirs);
        }
        self.evidence.extend_from_slice(&other.evidence);
        self.lengths.extend_from_slice(&other.lengths);
    }
}

/// Where rows of a part stand in the file.
#[derive(Debug)]
struct Segment {
    part: usize,
    at: u64,
    rows: usize,
    evidence: usize,
}

/// One worker's rows, sorted out by part (分拣箱).
pub struct Spill {
    parts: Vec<Rows>,
    file: File,
    length: u64,
    segments: Vec<Segment>,
    with_others: bool,
    secret: [u8; 32],
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Spill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spill({} segments)", self.segments.len())
    }
}

impl Spill {
    /// An empty one, with its file in a folder (新建).
    ///
    /// # Errors
    /// When the file cannot be made, or the system gives no randomness.
    pub fn new(
        file: &Path,
        parts: usize,
        numbers: usize,
        with_others: bool,
    ) -> anyhow::Result<Self> {
        let mut secret = [0; 32];
        OsRng
            .try_fill_bytes(&mut secret)
            .context("the operating system gave no randomness")?;
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(file)
            .with_context(|| format!("无法创建临时文件 {} (the spill)", file.display()))?;
        Ok(Self {
            parts: vec![Rows::new(numbers); parts],
            file,
            length: 0,
            segments: Vec::new(),
            with_others,
            secret,
            buffer: Vec::new(),
        })
    }

    /// The rows of a part, to add to; after adding, [`Spill::settle`] it.
    pub fn part(&mut self, part: usize) -> &mut Rows {
        &mut self.parts[part]
    }

    /// Writes a part's rows to the file when they are many.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn settle(&mut self, part: usize) -> anyhow::Result<()> {
        if self.parts[part].keys.len() < KEPT {
            return Ok(());
        }
        let rows = &mut self.parts[part];
        let buffer = &mut self.buffer;
        buffer.clear();
        put(buffer, &rows.keys);
        if self.with_others {
            put(buffer, &rows.others);
        }
        put(buffer, &rows.rows);
        for column in &rows.numbers {
            for number in column {
                buffer.extend_from_slice(&number.to_le_bytes());
            }
        }
        for length in &rows.lengths {
            buffer.extend_from_slice(&length.to_le_bytes());
        }
        stream(&self.secret, self.segments.len(), &mut rows.evidence);
        buffer.extend_from_slice(&rows.evidence);
        self.segments.push(Segment {
            part,
            at: self.length,
            rows: rows.keys.len(),
            evidence: rows.evidence.len(),
        });
        self.file
            .write_all(buffer)
            .context("写临时文件失败，请检查磁盘空间 (the spill)")?;
        self.length += u64::try_from(buffer.len())?;
        rows.clear();
        Ok(())
    }

    /// Adds a part's rows to those of other workers (取出一块).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn take(&mut self, part: usize, into: &mut Rows) -> anyhow::Result<()> {
        let mut one = Rows::new(into.numbers.len());
        let mut bytes = Vec::new();
        for (number, segment) in self.segments.iter().enumerate() {
            if segment.part != part {
                continue;
            }
            let columns = into.numbers.len() + 2 + usize::from(self.with_others);
            bytes.resize(segment.rows * (columns * 8 + 4) + segment.evidence, 0);
            self.file.seek(SeekFrom::Start(segment.at))?;
            self.file
                .read_exact(&mut bytes)
                .context("读临时文件失败 (the spill)")?;
            one.clear();
            let mut rest = &bytes[..];
            get(&mut rest, segment.rows, &mut one.keys)?;
            if self.with_others {
                get(&mut rest, segment.rows, &mut one.others)?;
            }
            get(&mut rest, segment.rows, &mut one.rows)?;
            for column in &mut one.numbers {
                let (these, other) = rest.split_at(segment.rows * 8);
                column.extend(
                    these
                        .as_chunks::<8>()
                        .0
                        .iter()
                        .map(|one| i64::from_le_bytes(*one)),
                );
                rest = other;
            }
            let (lengths, evidence) = rest.split_at(segment.rows * 4);
            one.lengths.extend(
                lengths
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|one| u32::from_le_bytes(*one)),
            );
            one.evidence.extend_from_slice(evidence);
            stream(&self.secret, number, &mut one.evidence);
            into.append(&one);
        }
        into.append(&self.parts[part]);
        self.parts[part] = Rows::new(into.numbers.len());
        Ok(())
    }
}

fn put(buffer: &mut Vec<u8>, numbers: &[u64]) {
    for number in numbers {
        buffer.extend_from_slice(&number.to_le_bytes());
    }
}

fn get(rest: &mut &[u8], rows: usize, into: &mut Vec<u64>) -> anyhow::Result<()> {
    ensure!(rest.len() >= rows * 8, "a segment is too short");
    let (these, other) = rest.split_at(rows * 8);
    into.extend(
        these
            .as_chunks::<8>()
            .0
            .iter()
            .map(|one| u64::from_le_bytes(*one)),
    );
    *rest = other;
    Ok(())
}

/// Bytes under the key stream of a segment; the same again gives them back.
fn stream(secret: &[u8; 32], segment: usize, bytes: &mut [u8]) {
    let mut random = ChaCha20Rng::from_seed(*secret);
    random.set_stream(segment as u64);
    let mut noise = [0; 4096];
    for part in bytes.chunks_mut(noise.len()) {
        random.fill_bytes(&mut noise[..part.len()]);
        for (byte, noise) in part.iter_mut().zip(&noise) {
            *byte ^= noise;
        }
    }
}
