//! Passwords (密码): what is accepted as one, and argon2id around it.
//!
//! The cost is a parameter, so that tests are fast and a district may raise it; a stored hash carries its own cost.
//! Which of two contradicting standards is followed is one switch, [`PasswordPolicy`].

use anyhow::{Context, anyhow};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

/// The cost of one password check (密码运算强度).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl PasswordCost {
    /// For production (正式环境): 64 MiB, three passes.
    pub const STRONG: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };
    /// For the demonstration and for small machines (演示环境): the least a public guideline still accepts.
    pub const MODEST: Self = Self {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };
    /// For tests only (测试).
    pub const FOR_TESTS: Self = Self {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };

    fn engine(self) -> anyhow::Result<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None)
            .map_err(|fault| anyhow!("password cost {self:?} is not possible: {fault}"))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// The hash to store (密码散列), with a fresh salt from the operating system.
    ///
    /// # Errors
    /// A cost that argon2 refuses.
    pub fn hash(self, password: &str) -> anyhow::Result<String> {
        let hash = self
            .engine()?
            .hash_password(password.as_bytes())
            .map_err(|fault| anyhow!("hashing a password: {fault}"))?;
        Ok(hash.to_string())
    }
}

/// Whether a password belongs to a stored hash (核对密码). Takes as long for a wrong one as for a right one.
///
/// # Errors
/// A stored hash that cannot be read.
pub fn belongs(password: &str, stored: &str) -> anyhow::Result<bool> {
    let parsed = PasswordHash::new(stored)
        .map_err(|fault| anyhow!("{fault}"))
        .context("reading a stored password hash")?;
    Ok(Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok())
}

/// Which rule passwords follow (密码规则). The two standards contradict each other, so it is a switch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// 等保三级：至少 10 位，大写、小写、数字、符号中至少三类，90 天更换。
    #[default]
    Djbh3,
    /// ASVS 5：至少 12 位，不限组成，不定期更换。
    Asvs5,
}

/// Why a password is not accepted (密码不合要求).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too short.
    #[error("密码至少要 {0} 位，请加长")]
    Short(usize),
    /// Longer than anything a person types.
    #[error("密码不能超过 128 位")]
    Long,
    /// Too few kinds of characters.
    #[error("密码要有大写字母、小写字母、数字、符号中的至少三类")]
    OneKind,
    /// Holds the account name, the name of this product, or a word everybody tries first.
    #[error("密码里有太容易猜到的词（账号名、单位名、常见密码），请换一个")]
    Guessable,
}

/// Pieces attackers try first; compared without case against the whole password.
const TRIED_FIRST: &[&str] = &[
    "password", "passw0rd", "p@ssw0rd", "qwerty", "1q2w3e", "123456", "654321", "111111", "000000",
    "abc123", "abcdef", "iloveyou", "letmein", "welcome", "admin", "woaini", "5201314", "a1b2c3",
    "huimin", "minzheng",
];

impl PasswordPolicy {
    /// Whether a password may be set for an account (密码是否合格).
    ///
    /// # Errors
    /// [`Weak`], the first thing to mend.
    pub fn accepts(self, login: &str, password: &str) -> Result<(), Weak> {
        let least = match self {
            Self::Djbh3 => 10,
            Self::Asvs5 => 12,
        };
        let length = password.chars().count();
        if length < least {
            return Err(Weak::Short(least));
        }
        if length > 128 {
            return Err(Weak::Long);
        }
        let kinds = [
            password.chars().any(|c| c.is_lowercase()),
            password.chars().any(|c| c.is_uppercase()),
            password.chars().any(|c| c.is_numeric()),
            password.chars().any(|c| !c.is_alphanumeric()),
        ];
        if self == Self::Djbh3 && kinds.iter().filter(|present| **present).count() < 3 {
            return Err(Weak::OneKind);
        }
        let lower = password.to_lowercase();
        let login = login.to_lowercase();
        if (login.chars().count() >= 3 && lower.contains(&login))
            || TRIED_FIRST.iter().any(|word| lower.contains(word))
        {
            return Err(Weak::Guessable);
        }
        Ok(())
    }

    /// After how many days a password is old (密码有效天数), if this rule knows such a thing.
    pub const fn days_until_old(self) -> Option<i64> {
        match self {
            Self::Djbh3 => Some(90),
            Self::Asvs5 => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PasswordCost, PasswordPolicy, Weak, belongs};

    #[test]
    fn a_hash_is_argon2id_and_knows_its_password_only() {
        let hash = PasswordCost::FOR_TESTS.hash("海上生明月-2026").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(belongs("海上生明月-2026", &hash).unwrap());
        assert!(!belongs("海上生明月-2027", &hash).unwrap());
        assert!(belongs("x", "not a hash").is_err());
    }

    #[test]
    fn the_switch_decides_what_a_good_password_is() {
        let djbh = PasswordPolicy::Djbh3;
        let asvs = PasswordPolicy::Asvs5;
        for (policy, password, answer) in [
            (djbh, "Short-1", Err(Weak::Short(10))),
            (djbh, "onlylowercaseletters", Err(Weak::OneKind)),
            (djbh, "Street-Lamp-27", Ok(())),
            (djbh, "Chuangkou1-xyz", Err(Weak::Guessable)),
            (djbh, "Password-2026!", Err(Weak::Guessable)),
            (asvs, "fourwordsarelong", Ok(())),
            (asvs, "Street-Lamp", Err(Weak::Short(12))),
        ] {
            assert_eq!(policy.accepts("chuangkou1", password), answer, "{password}");
        }
    }
}
