//! Keys (密钥): SM4-GCM for fields and files, HMAC-SM3 for blind index and signatures.
//!
//! Guarantees: sealing the same text twice gives different bytes, its blind index is always the same; altered bytes are
//! refused, never returned as text; the key file is readable by its owner only or is refused; keys never appear in
//! `Debug` output and are wiped from memory when dropped. Older sealing keys stay readable after [`Keys::rotate`].
//! Deliberately absent: certified hardware. This is pure Rust software and no substitute for a certified cryptographic
//! module where GB/T 39786 demands one.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use anyhow::{Context, bail, ensure};
use hmac::{Hmac, Mac};
use rand_chacha::rand_core::{OsRng, TryRngCore};
use sm3::{Digest, Sm3};
use sm4::Sm4;
use sm4::cipher::BlockCipherEncrypt;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

type Sm4Gcm = AesGcm<Sm4, U12>;

/// The first byte of everything sealed: the shape `format, key number, nonce, text and tag`.
const FORMAT: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
/// How many bytes sealing adds.
pub const SEAL_OVERHEAD: usize = 2 + NONCE + TAG;

/// The SM3 hash of these bytes (杂凑值).
pub fn sm3(bytes: &[u8]) -> [u8; 32] {
    Sm3::digest(bytes).into()
}

/// The SM3 hash of these bytes in hexadecimal (杂凑值).
pub fn sm3_hex(bytes: &[u8]) -> String {
    hex::encode(sm3(bytes))
}

/// The platform's keys (密钥).
#[derive(Clone)]
pub struct Keys(Arc<Secrets>);

struct Secrets {
    seal: BTreeMap<u8, [u8; 16]>,
    blind: [u8; 32],
    sign: [u8; 32],
}

impl Drop for Secrets {
    fn drop(&mut self) {
        self.seal.values_mut().for_each(Zeroize::zeroize);
        self.blind.zeroize();
        self.sign.zeroize();
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Keys everybody knows (测试密钥), for tests only: what they seal is not secret.
    pub fn for_tests() -> Self {
        Self(Arc::new(Secrets {
            seal: BTreeMap::from([(1, [0x11; 16])]),
            blind: [0x22; 32],
            sign: [0x33; 32],
        }))
    }

    /// Fresh keys from the operating system's randomness (新密钥).
    pub fn generate() -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Secrets {
            seal: BTreeMap::from([(1, random()?)]),
            blind: random()?,
            sign: random()?,
        })))
    }

    /// Keys out of one secret text (由一段密值导出的密钥), for work given away: whoever was told the text has the same keys,
    /// and they open nothing else.
    pub fn of_secret(secret: &str) -> Self {
        let made = |name: &str| -> [u8; 32] {
            mac(&sm3(secret.as_bytes()), "huimin.secret", name.as_bytes())
                .finalize()
                .into_bytes()
                .into()
        };
        let mut seal = [0; 16];
        seal.copy_from_slice(&made("seal")[..16]);
        Self(Arc::new(Secrets {
            seal: BTreeMap::from([(1, seal)]),
            blind: made("blind"),
            sign: made("sign"),
        }))
    }

    /// Reads the key file, or writes a fresh one (密钥文件) when there is none, with mode 0600.
    pub fn load_or_create(path: &Path) -> anyhow::Result<Self> {
        if !path.try_exists()? {
            let fresh = Self::generate()?;
            if fresh.write_new(path)? {
                return Ok(fresh);
            }
        }
        Self::load(path)
    }

    /// Reads an existing key file; one that others may read is refused.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        refuse_if_shared(path)?;
        let text = Zeroizing::new(std::fs::read_to_string(path).with_context(|| {
            format!("无法读取密钥文件 {} (reading the key file)", path.display())
        })?);
        Self::parse(&text).with_context(|| {
            format!(
                "密钥文件 {} 内容不正确 (the key file is damaged)",
                path.display()
            )
        })
    }

    /// Adds a new sealing key to the file (轮换密钥): new texts use it, old ones stay readable.
    pub fn rotate(path: &Path) -> anyhow::Result<Self> {
        let old = Self::load(path)?;
        let mut seal = old.0.seal.clone();
        let number = old.newest().0.checked_add(1).context(
            "密钥已轮换 255 次，请先重新加密旧数据 (255 keys used; re-seal old data first)",
        )?;
        seal.insert(number, random()?);
        let new = Self(Arc::new(Secrets {
            seal,
            blind: old.0.blind,
            sign: old.0.sign,
        }));
        let beside = path.with_extension("new");
        if beside.try_exists()? {
            std::fs::remove_file(&beside)?;
        }
        ensure!(
            new.write_new(&beside)?,
            "{} appeared meanwhile",
            beside.display()
        );
        std::fs::rename(&beside, path)?;
        sync_folder_of(path)?;
        Ok(new)
    }

    /// Encrypts a text (加密): different bytes each time.
    pub fn seal(&self, clear: &str) -> Vec<u8> {
        self.seal_bytes(clear.as_bytes(), b"")
    }

    /// Decrypts what [`Keys::seal`] made (解密).
    pub fn unseal(&self, sealed: &[u8]) -> anyhow::Result<String> {
        let clear = self.unseal_bytes(sealed, b"")?;
        String::from_utf8(clear).context("the unsealed bytes are not text")
    }

    /// Encrypts bytes bound to a purpose (加密): they open under the same purpose only.
    pub fn seal_bytes(&self, clear: &[u8], purpose: &[u8]) -> Vec<u8> {
        let (number, key) = self.newest();
        let nonce: [u8; NONCE] =
            random().expect("without randomness from the operating system nothing may be sealed");
        let mut sealed = Vec::with_capacity(clear.len() + SEAL_OVERHEAD);
        sealed.extend([FORMAT, number]);
        sealed.extend(nonce);
        let bound = [&sealed[..2], purpose].concat();
        let secret = cipher(key)
            .encrypt(
                &nonce.into(),
                Payload {
                    msg: clear,
                    aad: &bound,
                },
            )
            .expect("SM4-GCM takes any text below 64 GiB");
        sealed.extend(secret);
        sealed
    }

    /// Decrypts what [`Keys::seal_bytes`] made under the same purpose (解密).
    pub fn unseal_bytes(&self, sealed: &[u8], purpose: &[u8]) -> anyhow::Result<Vec<u8>> {
        ensure!(sealed.len() >= SEAL_OVERHEAD, "sealed bytes are too short");
        ensure!(
            sealed[0] == FORMAT,
            "sealed bytes have the unknown format {}",
            sealed[0]
        );
        let key = self.0.seal.get(&sealed[1]).with_context(|| {
            format!(
                "密钥文件中没有第 {} 号密钥 (key not in the key file)",
                sealed[1]
            )
        })?;
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&sealed[2..2 + NONCE]);
        let bound = [&sealed[..2], purpose].concat();
        cipher(key)
            .decrypt(
                &nonce.into(),
                Payload {
                    msg: &sealed[2 + NONCE..],
                    aad: &bound,
                },
            )
            .map_err(|_| {
                anyhow::anyhow!(
                    "密文被改动或密钥不符 (sealed bytes were altered, or the key is another)"
                )
            })
    }

    /// The blind index of a text (盲索引): equal texts of one domain are found without decrypting them.
    ///
    /// The domain (for instance `"document"`) keeps equal texts of different meaning apart.
    pub fn blind(&self, domain: &str, clear: &str) -> String {
        hex::encode(
            mac(&self.0.blind, domain, clear.as_bytes())
                .finalize()
                .into_bytes(),
        )
    }

    /// As [`Keys::blind`], for bytes.
    pub fn blind_bytes(&self, domain: &str, clear: &[u8]) -> String {
        hex::encode(mac(&self.0.blind, domain, clear).finalize().into_bytes())
    }

    /// Blind indices by the million (批量盲索引) for one domain: short, and quick enough for a whole delivery.
    pub fn blinder(&self, domain: &str) -> Blinder {
        let secret = mac(&self.0.blind, "huimin.blinder", domain.as_bytes())
            .finalize()
            .into_bytes();
        let mut key = [0; 16];
        key.copy_from_slice(&secret[..16]);
        let blinder = Blinder(Sm4::new(&key.into()));
        key.zeroize();
        blinder
    }

    /// Signs bytes with HMAC-SM3 (签名), in hexadecimal.
    pub fn sign(&self, domain: &str, bytes: &[u8]) -> String {
        hex::encode(mac(&self.0.sign, domain, bytes).finalize().into_bytes())
    }

    /// Whether the signature is ours (验签), compared in constant time.
    pub fn is_signed(&self, domain: &str, bytes: &[u8], signature: &str) -> bool {
        hex::decode(signature).is_ok_and(|given| {
            mac(&self.0.sign, domain, bytes)
                .verify_slice(&given)
                .is_ok()
        })
    }

    /// What may be written down to recognise these keys again (密钥指纹); says nothing about them.
    pub fn fingerprint(&self) -> String {
        let mut print = self.blind("huimin.keys", "fingerprint");
        print.truncate(16);
        print
    }

    fn newest(&self) -> (u8, &[u8; 16]) {
        let (number, key) = self
            .0
            .seal
            .last_key_value()
            .expect("every way to make keys puts one in");
        (*number, key)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut secrets = Secrets {
            seal: BTreeMap::new(),
            blind: [0; 32],
            sign: [0; 32],
        };
        let mut seen = Vec::new();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line.split_once('=').context("a line without “=”")?;
            let (name, value) = (name.trim(), value.trim());
            match name {
                "blind" => hex::decode_to_slice(value, &mut secrets.blind)?,
                "sign" => hex::decode_to_slice(value, &mut secrets.sign)?,
                _ => {
                    let Some(number) = name.strip_prefix("seal.") else {
                        bail!("an unknown key name");
                    };
                    let mut key = [0; 16];
                    hex::decode_to_slice(value, &mut key)?;
                    secrets.seal.insert(number.parse()?, key);
                }
            }
            seen.push(name);
        }
        ensure!(
            !secrets.seal.is_empty() && seen.contains(&"blind") && seen.contains(&"sign"),
            "a key is missing"
        );
        Ok(Self(Arc::new(secrets)))
    }

    /// Writes the file unless somebody was faster (`false`).
    fn write_new(&self, path: &Path) -> anyhow::Result<bool> {
        let mut text = Zeroizing::new(String::from(
            "# Huimin keys (惠民密钥). Keep a copy in a safe place: without this file sealed data is lost for ever.\n\
             # 请妥善备份：丢失本文件后，已加密的数据无法恢复。\n",
        ));
        for (number, key) in &self.0.seal {
            text.push_str(&format!("seal.{number} = {}\n", hex::encode(key)));
        }
        text.push_str(&format!(
            "blind = {}\nsign = {}\n",
            hex::encode(self.0.blind),
            hex::encode(self.0.sign)
        ));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut open = std::fs::OpenOptions::new();
        open.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
        let mut file = match open.open(path) {
            Ok(file) => file,
            Err(there) if there.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
            Err(fault) => {
                return Err(fault).with_context(|| {
                    format!(
                        "无法创建密钥文件 {} (creating the key file)",
                        path.display()
                    )
                });
            }
        };
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder_of(path)?;
        Ok(true)
    }
}

/// Blind indices by the million (批量盲索引): SM4 as a keyed function, cut to 64 bits.
///
/// Equal inputs of one domain give equal numbers, so they are found without being readable; of two different inputs
/// the numbers agree by chance once in 2^64 pairs. Without the key file nothing can be tried against them.
#[derive(Clone)]
pub struct Blinder(Sm4);

impl std::fmt::Debug for Blinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blinder(…)")
    }
}

impl Blinder {
    /// The blind index of a whole number (数的盲索引).
    pub fn number(&self, clear: u64) -> u64 {
        let mut block = [0; 16];
        block[8..].copy_from_slice(&clear.to_be_bytes());
        self.first_half(block)
    }

    /// The blind index of a text (文字的盲索引): SM4 chained over its length and its bytes.
    pub fn text(&self, clear: &str) -> u64 {
        let bytes = clear.as_bytes();
        let mut block = [0_u8; 16];
        // The length stands in front, so that no text is the beginning of another; a short name fits in one block.
        block[..3]
            .copy_from_slice(&(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).to_be_bytes()[1..]);
        let (head, rest) = bytes.split_at(bytes.len().min(13));
        block[3..3 + head.len()].copy_from_slice(head);
        for part in rest.chunks(16) {
            let mut chained = block.into();
            self.0.encrypt_block(&mut chained);
            block.copy_from_slice(&chained);
            for (left, right) in block.iter_mut().zip(part) {
                *left ^= right;
            }
        }
        self.first_half(block)
    }

    fn first_half(&self, block: [u8; 16]) -> u64 {
        let mut block = block.into();
        self.0.encrypt_block(&mut block);
        let mut half = [0; 8];
        half.copy_from_slice(&block[..8]);
        u64::from_be_bytes(half)
    }
}

fn cipher(key: &[u8; 16]) -> Sm4Gcm {
    Sm4Gcm::new(&(*key).into())
}

fn mac(key: &[u8; 32], domain: &str, bytes: &[u8]) -> Hmac<Sm3> {
    let mut mac =
        <Hmac<Sm3> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    // The length stands in front, so that no domain can be another one's beginning.
    mac.update(
        &u32::try_from(domain.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    mac.update(domain.as_bytes());
    mac.update(bytes);
    mac
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .context("the operating system gave no randomness")?;
    Ok(bytes)
}

pub(crate) fn sync_folder_of(path: &Path) -> anyhow::Result<()> {
    // A rename or creation is durable once the folder itself is on disk.
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn refuse_if_shared(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)
        .with_context(|| format!("无法读取密钥文件 {} (reading the key file)", path.display()))?
        .permissions()
        .mode();
    ensure!(
        mode & 0o077 == 0,
        "密钥文件 {0} 可被其他用户读取，请执行 chmod 600 {0} 后重试 (the key file is readable by others; run chmod 600)",
        path.display()
    );
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_shared(_path: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealing_differs_each_time_and_the_blind_index_does_not() {
        let keys = Keys::for_tests();
        let (one, two) = (keys.seal("张芳"), keys.seal("张芳"));
        assert_ne!(one, two);
        assert_eq!(keys.unseal(&one).unwrap(), "张芳");
        assert_eq!(keys.unseal(&two).unwrap(), "张芳");
        assert_eq!(keys.blind("name", "张芳"), keys.blind("name", "张芳"));
        assert_ne!(keys.blind("name", "张芳"), keys.blind("street", "张芳"));
        assert_ne!(keys.blind("ab", "c"), keys.blind("a", "bc"));
    }

    #[test]
    fn short_blind_indices_are_the_same_each_time_and_differ_by_domain_and_text() {
        let keys = Keys::for_tests();
        let (one, two) = (keys.blinder("bank"), keys.blinder("tax"));
        assert_eq!(
            one.number(44_030_019_900_101_001),
            keys.blinder("bank").number(44_030_019_900_101_001)
        );
        assert_ne!(one.number(7), two.number(7));
        assert_ne!(one.number(7), one.number(8));
        // One block and several, and texts that begin alike.
        let texts = [
            "",
            "张",
            "张芳",
            "张芳芳芳芳",
            "阿卜杜拉·买买提·艾合买提",
            "\0",
            "张芳\0",
        ];
        let all: std::collections::BTreeSet<u64> =
            texts.iter().map(|text| one.text(text)).collect();
        assert_eq!(all.len(), texts.len());
        assert_ne!(one.text("张芳"), two.text("张芳"));
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let keys = Keys::for_tests();
        let sealed = keys.seal("6222020000000000000");
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert!(keys.unseal(&altered).is_err(), "byte {place}");
        }
        assert!(keys.unseal(&sealed[..sealed.len() - 1]).is_err());
        assert!(keys.unseal(b"").is_err());
        assert!(Keys::generate().unwrap().unseal(&sealed).is_err());
    }

    #[test]
    fn a_purpose_cannot_be_exchanged_for_another() {
        let keys = Keys::for_tests();
        let sealed = keys.seal_bytes(b"evidence", b"file");
        assert!(keys.unseal_bytes(&sealed, b"backup").is_err());
        assert_eq!(keys.unseal_bytes(&sealed, b"file").unwrap(), b"evidence");
    }

    #[test]
    fn sm4_gcm_gives_the_vector_of_rfc_8998() {
        let key: [u8; 16] = hex::decode("0123456789abcdeffedcba9876543210")
            .unwrap()
            .try_into()
            .unwrap();
        let nonce: [u8; 12] = hex::decode("00001234567800000000abcd")
            .unwrap()
            .try_into()
            .unwrap();
        let clear = hex::decode(
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd\
             eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        )
        .unwrap();
        let aad = hex::decode("feedfacedeadbeeffeedfacedeadbeefabaddad2").unwrap();
        let sealed = cipher(&key)
            .encrypt(
                &nonce.into(),
                Payload {
                    msg: &clear,
                    aad: &aad,
                },
            )
            .unwrap();
        assert_eq!(
            hex::encode(sealed),
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
             d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
             83de3541e4c2b58177e065a9bf7b62ec"
        );
    }

    #[test]
    fn sm3_gives_the_vector_of_gb_t_32905() {
        assert_eq!(
            sm3_hex(b"abc"),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_only_and_a_shared_one_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret").join("keys");
        let sealed = Keys::load_or_create(&path).unwrap().seal("a");
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            Keys::load_or_create(&path)
                .unwrap()
                .unseal(&sealed)
                .unwrap(),
            "a"
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refusal = Keys::load_or_create(&path).unwrap_err();
        assert!(refusal.to_string().contains("chmod 600"));
    }

    #[test]
    fn old_texts_stay_readable_after_the_key_is_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let old = Keys::load_or_create(&path).unwrap();
        let sealed = old.seal("before");
        let new = Keys::rotate(&path).unwrap();
        assert_eq!(new.unseal(&sealed).unwrap(), "before");
        assert_eq!(new.seal("after")[1], 2);
        assert!(old.unseal(&new.seal("after")).is_err());
        assert_eq!(old.blind("d", "x"), new.blind("d", "x"));
        assert_eq!(old.fingerprint(), Keys::load(&path).unwrap().fingerprint());
    }

    #[test]
    fn signatures_hold_for_their_domain_and_bytes_only() {
        let keys = Keys::for_tests();
        let signature = keys.sign("head", b"1 abc");
        assert!(keys.is_signed("head", b"1 abc", &signature));
        assert!(!keys.is_signed("head", b"1 abd", &signature));
        assert!(!keys.is_signed("token", b"1 abc", &signature));
        assert!(!keys.is_signed("head", b"1 abc", "zz"));
    }

    #[test]
    fn keys_do_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", Keys::for_tests()), "Keys(…)");
    }
}
