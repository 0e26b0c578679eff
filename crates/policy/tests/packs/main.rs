//! Tests of the rule book on a small invented pack (规则库测试): deciding, refusing broken packs, exactness, replay.
//!
//! The pack is written inline, so that what is tested stands beside the test. The real packs are loaded too, where the
//! repository has them.

#[cfg(test)]
mod broken;
#[cfg(test)]
mod deciding;
#[cfg(test)]
mod exactness;
#[cfg(test)]
mod mutating;
#[cfg(test)]
mod organisation;
#[cfg(test)]
mod published;
#[cfg(test)]
mod space;
#[cfg(test)]
mod village;
