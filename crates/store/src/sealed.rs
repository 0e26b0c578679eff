//! A sealed stream (加密分卷): any length, in chunks, each bound to its part, its place and whether it is the last.
//!
//! Guarantees: a chunk altered, moved, left out or taken from another part does not open, nor does a stream that was cut
//! at a chunk's end. Memory does not grow with the length. Deliberately absent: seeking.

use crate::Keys;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

const CHUNK: usize = 1024 * 1024;

/// Writes a sealed stream (加密写入).
pub struct Sealer {
    out: BufWriter<File>,
    keys: Keys,
    name: String,
    place: u64,
    chunk: Vec<u8>,
}

impl Sealer {
    /// Begins the file of this name in a folder (新建); the name is bound to what is in it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn create(folder: &Path, name: &str, keys: &Keys) -> io::Result<Self> {
        let path = folder.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self {
            out: BufWriter::new(File::create(path)?),
            keys: keys.clone(),
            name: name.to_owned(),
            place: 0,
            chunk: Vec::with_capacity(CHUNK),
        })
    }

    /// Seals the last chunk and brings everything to disk (写完).
    ///
    /// # Errors
    /// When the disk cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.put(true)?;
        self.out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    }

    fn put(&mut self, last: bool) -> io::Result<()> {
        let sealed = self
            .keys
            .seal_bytes(&self.chunk, &purpose(&self.name, self.place, last));
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)?;
        self.place += 1;
        self.chunk.clear();
        Ok(())
    }
}

impl Write for Sealer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() == CHUNK {
            self.put(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a sealed stream (解密读出).
pub struct Opener {
    from: BufReader<File>,
    keys: Keys,
    name: String,
    place: u64,
    chunk: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Opener {
    /// Opens the file of this name in a folder (打开).
    ///
    /// # Errors
    /// When it is not there.
    pub fn open(folder: &Path, name: &str, keys: &Keys) -> io::Result<Self> {
        Ok(Self {
            from: BufReader::new(File::open(folder.join(name))?),
            keys: keys.clone(),
            name: name.to_owned(),
            place: 0,
            chunk: Vec::new(),
            taken: 0,
            ended: false,
        })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
        if length > CHUNK + crate::keys::SEAL_OVERHEAD {
            return Err(io::Error::other("a chunk is too long"));
        }
        let mut sealed = vec![0; length];
        self.from.read_exact(&mut sealed)?;
        let open = |last| {
            self.keys
                .unseal_bytes(&sealed, &purpose(&self.name, self.place, last))
        };
        (self.chunk, self.ended) = match open(false) {
            Ok(chunk) => (chunk, false),
            Err(_) => (open(true).map_err(io::Error::other)?, true),
        };
        self.place += 1;
        self.taken = 0;
        Ok(())
    }
}

impl Read for Opener {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.chunk.len() {
            if self.ended {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let count = into.len().min(self.chunk.len() - self.taken);
        into[..count].copy_from_slice(&self.chunk[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

fn purpose(name: &str, place: u64, last: bool) -> Vec<u8> {
    format!("store.backup {place} {last} {name}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, bytes: &[u8]) {
        let mut part = Sealer::create(folder, "part", &Keys::for_tests()).unwrap();
        part.write_all(bytes).unwrap();
        part.finish().unwrap();
    }

    fn read(folder: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        Opener::open(folder, "part", &Keys::for_tests())?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn any_length_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let bytes: Vec<u8> = (0..length)
                .map(|place| u8::try_from(place % 251).unwrap())
                .collect();
            write(folder.path(), &bytes);
            assert_eq!(read(folder.path()).unwrap(), bytes, "{length}");
        }
    }

    #[test]
    fn a_stream_cut_at_a_chunk_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &vec![7; CHUNK + 5]);
        let path = folder.path().join("part");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..4 + CHUNK + crate::keys::SEAL_OVERHEAD]).unwrap();
        assert!(read(folder.path()).is_err());
    }
}
