//! A part put in the place of another while a mutant is tried (试换): a formula, a benefit or a parameter's value.
//!
//! Outside mutation testing nothing stands instead of anything. Deliberately absent: making mutants; see `mutation`.

use crate::evaluate::Run;
use crate::parameter::{ParameterValue, Setting};
use crate::program::{BenefitPlan, Reg, Version};
use std::ops::Range;

/// What stands in the place of what (试换的部分).
#[derive(Debug, Clone)]
pub(crate) enum Instead {
    /// Another formula for one version of a rule.
    Rule {
        step: u32,
        version: usize,
        nodes: Range<Reg>,
        root: Reg,
    },
    /// Another plan for a benefit.
    Benefit(u32, Box<BenefitPlan>),
    /// Another value for one entry of a parameter.
    Setting {
        param: u32,
        entry: usize,
        setting: Setting,
    },
}

impl<'p> Run<'p> {
    /// The nodes and the root of a rule's version.
    pub(crate) fn formula(&self, step: u32, version: &Version, chosen: usize) -> (Range<Reg>, Reg) {
        match self.instead {
            Some(Instead::Rule {
                step: at,
                version: of,
                nodes,
                root,
            }) if *at == step && *of == chosen => (nodes.clone(), *root),
            _ => (version.nodes.clone(), version.root),
        }
    }

    /// What a benefit needs.
    pub(crate) fn plan(&self, benefit: usize) -> &'p BenefitPlan {
        match self.instead {
            Some(Instead::Benefit(number, plan)) if *number as usize == benefit => plan,
            _ => &self.program.benefits[benefit],
        }
    }

    /// What a parameter is set to by an entry.
    pub(crate) fn instead_of(&self, param: u32, value: &'p ParameterValue) -> &'p Setting {
        match self.instead {
            Some(Instead::Setting {
                param: of,
                entry,
                setting,
            }) if *of == param
                && self.program.params[param as usize]
                    .values
                    .get(*entry)
                    .is_some_and(|known| std::ptr::eq(known, value)) =>
            {
                setting
            }
            _ => &value.value,
        }
    }
}
