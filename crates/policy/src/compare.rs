//! Comparing and choosing (比较与选择): which values may stand beside each other in comparisons, lists and branches.
//!
//! Words are only equal or not; a code is compared with codes its fact has. Deliberately absent: arithmetic; see `check`.

use crate::check::{Part, Scope, common, conversion_hint, said};
use crate::compiler::Formulation;
use crate::formula::{At, Expr};
use crate::kind::Kind;
use crate::program::{Comparison, Level, Op, Words};

impl Formulation<'_, '_> {
    pub(crate) fn compare(
        &mut self,
        at: At,
        comparison: Comparison,
        a: &Part,
        b: &Part,
    ) -> Option<Part> {
        let ordered = !matches!(comparison, Comparison::Eq | Comparison::Ne);
        let comparable = match (a.kind, b.kind) {
            (Some(x), Some(y)) if x.is_word() && y.is_word() => {
                if ordered {
                    return self.refuse(at, "代码和文字只能用 = 和 <> 比较");
                }
                for (literal, other) in [(&a.literal, b), (&b.literal, a)] {
                    if let Some(text) = literal {
                        self.known_word(at, text, &other.words)?;
                    }
                }
                true
            }
            (Some(Kind::Bool), Some(Kind::Bool)) if ordered => {
                return self.refuse(at, "是否只能用 = 和 <> 比较");
            }
            (Some(x), Some(y)) => x == y || (x.is_plain() && y.is_plain()),
            (None, Some(kind)) | (Some(kind), None) => kind.is_number(),
            (None, None) => true,
        };
        if !comparable {
            return self.refuse(
                at,
                format!(
                    "{}和{}不能比较；{}",
                    said(a.kind),
                    said(b.kind),
                    conversion_hint(a.kind, b.kind.unwrap_or(Kind::Count))
                ),
            );
        }
        let level = a.level.max(b.level);
        Some(self.node(Op::Compare(comparison, a.reg, b.reg), level, Kind::Bool))
    }

    pub(crate) fn known_word(&mut self, at: At, text: &str, words: &[i64]) -> Option<()> {
        let number = self.compiler.program.words.number(text);
        if words.is_empty() || words.contains(&number) {
            return Some(());
        }
        let known: Vec<&str> = words
            .iter()
            .filter_map(|word| self.compiler.program.words.text(*word))
            .collect();
        let sentence = if text == "to_verify" && known.contains(&Words::MET) {
            "待核实就是不知道，不能拿来比较；请写 not known(….outcome)".to_owned()
        } else {
            format!("代码“{text}”不在可用的代码里：{}", known.join("、"))
        };
        self.refuse(at, sentence).map(|_| ())
    }

    pub(crate) fn one_of(
        &mut self,
        of: &Expr,
        list: &[Expr],
        negated: bool,
        scope: Scope,
    ) -> Option<Part> {
        let of_part = self.part(of, scope);
        let parts: Vec<Option<Part>> = list.iter().map(|item| self.part(item, scope)).collect();
        let of_part = of_part?;
        let mut found: Option<Part> = None;
        let mut broken = false;
        for (item, part) in list.iter().zip(parts) {
            let same = part.and_then(|part| self.compare(item.at, Comparison::Eq, &of_part, &part));
            let Some(same) = same else {
                broken = true;
                continue;
            };
            found = Some(match found {
                None => same,
                Some(before) => {
                    let level = before.level.max(same.level);
                    self.node(Op::Or(before.reg, same.reg), level, Kind::Bool)
                }
            });
        }
        let found = found.filter(|_| !broken)?;
        Some(if negated {
            self.node(Op::Not(found.reg), found.level, Kind::Bool)
        } else {
            found
        })
    }

    /// All of the same kind, the bare zero fitting in; gives the kind and the highest level.
    pub(crate) fn same_kind(
        &mut self,
        exprs: &[&Expr],
        parts: &[Part],
    ) -> Option<(Option<Kind>, Level)> {
        let mut kind = None;
        let mut level = Level::Single;
        for (index, (expr, part)) in exprs.iter().zip(parts).enumerate() {
            level = level.max(part.level);
            let both = if index == 0 {
                Some(part.kind)
            } else {
                common_any(kind, part.kind)
            };
            match both {
                Some(both) => kind = both,
                None => {
                    self.refuse(
                        expr.at,
                        format!(
                            "{}和{}不能放在一起；{}",
                            said(kind),
                            said(part.kind),
                            conversion_hint(kind, part.kind.unwrap_or(Kind::Count))
                        ),
                    )?;
                }
            }
        }
        Some((kind, level))
    }

    pub(crate) fn case(
        &mut self,
        whens: &[(Expr, Expr)],
        otherwise: &Expr,
        scope: Scope,
    ) -> Option<Part> {
        let tests: Vec<_> = whens
            .iter()
            .map(|(test, _)| self.boolean(test, scope))
            .collect();
        let exprs: Vec<&Expr> = whens
            .iter()
            .map(|(_, result)| result)
            .chain([otherwise])
            .collect();
        let results: Vec<_> = exprs.iter().map(|expr| self.part(expr, scope)).collect();
        let tests: Vec<Part> = tests.into_iter().collect::<Option<_>>()?;
        let results: Vec<Part> = results.into_iter().collect::<Option<_>>()?;
        let (kind, level) = self.same_kind(&exprs, &results)?;
        let level = tests
            .iter()
            .fold(level, |level, test| level.max(test.level));
        let last = results.last()?.reg;
        let pairs = tests
            .iter()
            .zip(&results)
            .map(|(test, result)| (test.reg, result.reg))
            .collect();
        let mut part = self.node(Op::Case(pairs, last), level, kind.unwrap_or(Kind::Count));
        part.kind = kind;
        Some(part)
    }
}

/// Like [`common`], for values that need not be numbers.
#[expect(
    clippy::option_option,
    reason = "outer: do they fit; inner: the bare zero has no kind yet"
)]
fn common_any(a: Option<Kind>, b: Option<Kind>) -> Option<Option<Kind>> {
    match (a, b) {
        (Some(x), Some(y)) if x.is_word() && y.is_word() => {
            Some(Some(if x == y { x } else { Kind::Text }))
        }
        (Some(x), Some(y)) if x == y => Some(Some(x)),
        (None, Some(kind)) | (Some(kind), None) if !kind.is_number() => None,
        _ => common(a, b),
    }
}
