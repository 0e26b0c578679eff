//! Formulas (公式): SQL expressions, cut down to what a rule may say.
//!
//! sqlparser reads the text, this room keeps a small tree of its own and refuses everything else: subqueries, casts,
//! NULL, decimals, string work, window functions. A formula therefore cannot name a table, run a program or hide a
//! default. Printing a tree and reading it again gives the same tree. Deliberately absent: what names mean and
//! whether kinds fit; see `check`.

use chrono::NaiveDate;
use sqlparser::ast::{
    self, BinaryOperator, CeilFloorKind, DateTimeField, Expr as Sql, FunctionArg, FunctionArgExpr,
    FunctionArguments, Spanned as _, UnaryOperator, Value as SqlValue,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};
use std::fmt;

/// A position inside a formula (公式内位置), line and column from 1.
///
/// Two trees are equal if they say the same, wherever it stands; so positions always compare equal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl At {
    fn of(location: sqlparser::tokenizer::Location) -> Self {
        let fit = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
        Self {
            line: fit(location.line),
            column: fit(location.column),
        }
    }
}

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for At {}

/// What stands between two expressions (二元运算).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Plus,
    Minus,
    Times,
    Over,
}

impl Binary {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Eq => "=",
            Self::Ne => "<>",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
        }
    }
}

/// An expression and where it stands (表达式).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expr {
    pub(crate) at: At,
    pub(crate) what: What,
}

/// What an expression says (表达式内容).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// `wage`, `members.wage`, `dibao.outcome`
    Name(Vec<String>),
    Whole(i64),
    Text(String),
    Day(NaiveDate),
    Flag(bool),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    In {
        of: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    Between {
        of: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    Case {
        whens: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
    Call {
        name: String,
        /// `count(*)`
        star: bool,
        args: Vec<Expr>,
        filter: Option<Box<Expr>>,
    },
}

/// What a rule may not say, and where (公式错误).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsayable {
    pub(crate) at: At,
    pub(crate) sentence: String,
}

/// Reads a formula.
pub(crate) fn read(text: &str) -> Result<Expr, Vec<Unsayable>> {
    let dialect = GenericDialect {};
    let parsed = Tokenizer::new(&dialect, text)
        .tokenize_with_location()
        .map_err(ParserError::from)
        .and_then(|mut tokens| {
            for token in &mut tokens {
                // `x and any(…)`: to SQL this is a comparison with a subquery; here any and all are functions.
                if let Token::Word(word) = &mut token.token
                    && matches!(word.keyword, Keyword::ANY | Keyword::ALL | Keyword::SOME)
                {
                    word.keyword = Keyword::NoKeyword;
                }
            }
            let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
            let expression = parser.parse_expr()?;
            let rest = parser.peek_token();
            Ok((expression, rest))
        });
    let (expression, rest) = parsed.map_err(|error| vec![unreadable(&error)])?;
    if rest.token != Token::EOF {
        return Err(vec![Unsayable {
            at: At::of(rest.span.start),
            sentence: format!(
                "公式在“{}”之前已经结束；一条规则只能写一个表达式",
                rest.token
            ),
        }]);
    }
    let mut wrong = Vec::new();
    match reduce(&expression, &mut wrong) {
        Some(expression) if wrong.is_empty() => Ok(expression),
        _ => Err(wrong),
    }
}

/// sqlparser puts the place at the end of its message: `… at Line: 1, Column: 5`.
fn unreadable(error: &ParserError) -> Unsayable {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            message.as_str()
        }
        ParserError::RecursionLimitExceeded => "nested too deeply",
    };
    let (reason, place) = message.split_once(" at Line: ").unwrap_or((message, ""));
    let mut numbers = place
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap_or(1));
    let at = At {
        line: numbers.next().unwrap_or(1).max(1),
        column: numbers.next().unwrap_or(1).max(1),
    };
    Unsayable {
        at,
        sentence: format!("公式读不懂：{reason}"),
    }
}

fn refuse(expression: &Sql, wrong: &mut Vec<Unsayable>, sentence: &str) -> Option<Expr> {
    wrong.push(Unsayable {
        at: At::of(expression.span().start),
        sentence: sentence.to_owned(),
    });
    None
}

fn boxed(expression: &Sql, wrong: &mut Vec<Unsayable>) -> Option<Box<Expr>> {
    reduce(expression, wrong).map(Box::new)
}

fn reduce(sql: &Sql, wrong: &mut Vec<Unsayable>) -> Option<Expr> {
    let at = At::of(sql.span().start);
    let what = match sql {
        Sql::Nested(inner) => return reduce(inner, wrong),
        Sql::Identifier(ident) => What::Name(name_parts(std::slice::from_ref(ident), wrong)?),
        Sql::CompoundIdentifier(idents) => What::Name(name_parts(idents, wrong)?),
        Sql::Value(value) => literal(&value.value, sql, wrong)?,
        Sql::TypedString(typed) if matches!(typed.data_type, ast::DataType::Date) => {
            let day = match &typed.value.value {
                SqlValue::SingleQuotedString(text) => text.parse().ok(),
                _ => None,
            };
            match day {
                Some(day) => What::Day(day),
                None => return refuse(sql, wrong, "日期请写成 date '2026-07-01'"),
            }
        }
        Sql::UnaryOp { op, expr } => match op {
            UnaryOperator::Not => What::Not(boxed(expr, wrong)?),
            UnaryOperator::Minus => What::Negative(boxed(expr, wrong)?),
            UnaryOperator::Plus => return reduce(expr, wrong),
            _ => return refuse(sql, wrong, "公式里不能用这个运算符"),
        },
        Sql::BinaryOp { left, op, right } => {
            let Some(sign) = binary(op) else {
                return refuse(
                    sql,
                    wrong,
                    &format!("公式里不能用运算符“{op}”；只有 + - * / 比较 and or not"),
                );
            };
            let left = boxed(left, wrong);
            let right = boxed(right, wrong);
            What::Binary(sign, left?, right?)
        }
        Sql::InList {
            expr,
            list,
            negated,
        } => {
            let of = boxed(expr, wrong);
            let list: Vec<_> = list.iter().map(|item| reduce(item, wrong)).collect();
            What::In {
                of: of?,
                list: list.into_iter().collect::<Option<_>>()?,
                negated: *negated,
            }
        }
        Sql::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let (of, low, high) = (boxed(expr, wrong), boxed(low, wrong), boxed(high, wrong));
            What::Between {
                of: of?,
                low: low?,
                high: high?,
                negated: *negated,
            }
        }
        Sql::Case {
            operand,
            conditions,
            else_result,
            ..
        } => {
            if operand.is_some() {
                return refuse(sql, wrong, "case 后面直接写 when；不写 case x when 的形式");
            }
            let whens: Vec<_> = conditions
                .iter()
                .map(|when| {
                    let test = reduce(&when.condition, wrong);
                    let result = reduce(&when.result, wrong);
                    Some((test?, result?))
                })
                .collect();
            let Some(otherwise) = else_result else {
                return refuse(
                    sql,
                    wrong,
                    "case 必须写 else；没有写到的情形不能悄悄变成“不知道”",
                );
            };
            What::Case {
                whens: whens.into_iter().collect::<Option<_>>()?,
                otherwise: boxed(otherwise, wrong)?,
            }
        }
        Sql::Function(function) => call(sql, function, wrong)?,
        Sql::Floor { expr, field } | Sql::Ceil { expr, field } => {
            if !matches!(
                field,
                CeilFloorKind::DateTimeField(DateTimeField::NoDateTime)
            ) {
                return refuse(sql, wrong, "floor 和 ceil 只写一个参数");
            }
            What::Call {
                name: if matches!(sql, Sql::Floor { .. }) {
                    "floor"
                } else {
                    "ceil"
                }
                .to_owned(),
                star: false,
                args: vec![reduce(expr, wrong)?],
                filter: None,
            }
        }
        Sql::IsNull(_) | Sql::IsNotNull(_) | Sql::IsUnknown(_) | Sql::IsNotUnknown(_) => {
            return refuse(
                sql,
                wrong,
                "不写 is null；问一个值是否已知，请写 known(x) 或 not known(x)",
            );
        }
        Sql::IsTrue(_) | Sql::IsFalse(_) | Sql::IsNotTrue(_) | Sql::IsNotFalse(_) => {
            return refuse(
                sql,
                wrong,
                "不写 is true / is false：它把“不知道”当成“否”；直接写 x 或 not x",
            );
        }
        Sql::IsDistinctFrom(..) | Sql::IsNotDistinctFrom(..) => {
            return refuse(sql, wrong, "不写 is distinct from；用 = 或 <>");
        }
        Sql::Cast { .. } | Sql::Convert { .. } => {
            return refuse(
                sql,
                wrong,
                "公式里不能转换类型（cast）；请在 facts.toml 里写对类型",
            );
        }
        Sql::Subquery(_) | Sql::Exists { .. } | Sql::InSubquery { .. } => {
            return refuse(
                sql,
                wrong,
                "公式里不能写子查询；看成员请用 sum、count、any、all（members.x）",
            );
        }
        Sql::Like { .. } | Sql::ILike { .. } | Sql::SimilarTo { .. } | Sql::RLike { .. } => {
            return refuse(
                sql,
                wrong,
                "公式里不能做文字匹配；请把要区分的情形登记成代码",
            );
        }
        _ => {
            return refuse(
                sql,
                wrong,
                "公式里不能这样写；可用的写法见 pack.rs 开头的说明",
            );
        }
    };
    Some(Expr { at, what })
}

fn binary(op: &BinaryOperator) -> Option<Binary> {
    Some(match op {
        BinaryOperator::Or => Binary::Or,
        BinaryOperator::And => Binary::And,
        BinaryOperator::Eq => Binary::Eq,
        BinaryOperator::NotEq => Binary::Ne,
        BinaryOperator::Lt => Binary::Lt,
        BinaryOperator::LtEq => Binary::Le,
        BinaryOperator::Gt => Binary::Gt,
        BinaryOperator::GtEq => Binary::Ge,
        BinaryOperator::Plus => Binary::Plus,
        BinaryOperator::Minus => Binary::Minus,
        BinaryOperator::Multiply => Binary::Times,
        BinaryOperator::Divide => Binary::Over,
        _ => return None,
    })
}

fn name_parts(idents: &[ast::Ident], wrong: &mut Vec<Unsayable>) -> Option<Vec<String>> {
    for ident in idents {
        if ident.quote_style.is_some() {
            wrong.push(Unsayable {
                at: At::of(ident.span.start),
                sentence: "名字不加引号；文字用单引号".to_owned(),
            });
            return None;
        }
    }
    Some(idents.iter().map(|ident| ident.value.clone()).collect())
}

fn literal(value: &SqlValue, sql: &Sql, wrong: &mut Vec<Unsayable>) -> Option<What> {
    match value {
        SqlValue::Number(text, _) => match text.parse() {
            Ok(number) => Some(What::Whole(number)),
            Err(_) => {
                refuse(
                    sql,
                    wrong,
                    "公式里只写整数；比例和标准请放进 parameters.toml 并注明来源",
                );
                None
            }
        },
        SqlValue::SingleQuotedString(text) => Some(What::Text(text.clone())),
        SqlValue::Boolean(flag) => Some(What::Flag(*flag)),
        SqlValue::Null => {
            refuse(sql, wrong, "不写 null：空值不能代表任何值");
            None
        }
        _ => {
            refuse(sql, wrong, "公式里不能写这种常量");
            None
        }
    }
}

fn call(sql: &Sql, function: &ast::Function, wrong: &mut Vec<Unsayable>) -> Option<What> {
    let name = match function.name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.to_lowercase()),
        _ => None,
    };
    let Some(name) = name else {
        refuse(sql, wrong, "不认识的函数");
        return None;
    };
    let plain = function.over.is_none()
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && !function.uses_odbc_syntax
        && matches!(function.parameters, FunctionArguments::None);
    let list = match &function.args {
        FunctionArguments::List(list)
            if plain && list.duplicate_treatment.is_none() && list.clauses.is_empty() =>
        {
            list.args.as_slice()
        }
        FunctionArguments::None if plain => &[],
        _ => {
            refuse(
                sql,
                wrong,
                "函数后面只能写参数和 filter (where …)，不能写 over、distinct、order by",
            );
            return None;
        }
    };
    let star = matches!(list, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
    let mut args = Vec::new();
    let mut broken = false;
    if !star {
        for arg in list {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => match reduce(expr, wrong) {
                    Some(arg) => args.push(arg),
                    None => broken = true,
                },
                _ => {
                    refuse(sql, wrong, "函数的参数只能是表达式");
                    broken = true;
                }
            }
        }
    }
    let filter = match &function.filter {
        Some(filter) => match boxed(filter, wrong) {
            Some(filter) => Some(filter),
            None => {
                broken = true;
                None
            }
        },
        None => None,
    };
    (!broken).then_some(What::Call {
        name,
        star,
        args,
        filter,
    })
}

impl Expr {
    fn is_simple(&self) -> bool {
        matches!(
            self.what,
            What::Name(_)
                | What::Whole(0..)
                | What::Text(_)
                | What::Day(_)
                | What::Flag(_)
                | What::Call { .. }
        )
    }
}

/// An operand: in brackets unless it is a single word or a call.
struct Operand<'a>(&'a Expr);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_simple() {
            write!(f, "{}", self.0)
        } else {
            write!(f, "({})", self.0)
        }
    }
}

fn comma(f: &mut fmt::Formatter<'_>, list: &[Expr]) -> fmt::Result {
    for (index, item) in list.iter().enumerate() {
        write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
    }
    Ok(())
}

/// As a formula that reads back to the same tree.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Name(parts) => write!(f, "{}", parts.join(".")),
            What::Whole(number) => write!(f, "{number}"),
            What::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            What::Day(day) => write!(f, "date '{day}'"),
            What::Flag(flag) => write!(f, "{flag}"),
            What::Not(of) => write!(f, "not {}", Operand(of)),
            What::Negative(of) => write!(f, "-{}", Operand(of)),
            What::Binary(sign, left, right) => {
                write!(f, "{} {} {}", Operand(left), sign.sign(), Operand(right))
            }
            What::In { of, list, negated } => {
                write!(
                    f,
                    "{} {}in (",
                    Operand(of),
                    if *negated { "not " } else { "" }
                )?;
                comma(f, list)?;
                write!(f, ")")
            }
            What::Between {
                of,
                low,
                high,
                negated,
            } => write!(
                f,
                "{} {}between {} and {}",
                Operand(of),
                if *negated { "not " } else { "" },
                Operand(low),
                Operand(high)
            ),
            What::Case { whens, otherwise } => {
                write!(f, "case")?;
                for (test, result) in whens {
                    write!(f, " when {test} then {result}")?;
                }
                write!(f, " else {otherwise} end")
            }
            What::Call {
                name,
                star,
                args,
                filter,
            } => {
                write!(f, "{name}(")?;
                if *star {
                    write!(f, "*")?;
                }
                comma(f, args)?;
                write!(f, ")")?;
                match filter {
                    Some(filter) => write!(f, " filter (where {filter})"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expression(what: What) -> Expr {
        Expr {
            at: At { line: 1, column: 1 },
            what,
        }
    }

    fn names() -> impl Strategy<Value = Expr> {
        prop_oneof![
            Just("wage"),
            Just("members.counted"),
            Just("dibao.outcome"),
            Just("any_x"),
            Just("as_of"),
        ]
        .prop_map(|name| expression(What::Name(name.split('.').map(str::to_owned).collect())))
    }

    fn leaves() -> impl Strategy<Value = Expr> {
        prop_oneof![
            names(),
            (0..1_000_000_i64).prop_map(|number| expression(What::Whole(number))),
            any::<bool>().prop_map(|flag| expression(What::Flag(flag))),
            prop_oneof![Just("01"), Just("it's"), Just("甲"), Just("")]
                .prop_map(|text| expression(What::Text(text.to_owned()))),
            (0..20_000_i32).prop_map(|days| expression(What::Day(
                NaiveDate::from_num_days_from_ce_opt(720_000 + days).unwrap()
            ))),
        ]
    }

    fn expressions() -> impl Strategy<Value = Expr> {
        leaves().prop_recursive(4, 40, 4, |inner| {
            let one = inner.clone().prop_map(Box::new);
            let signs = prop_oneof![
                Just(Binary::Or),
                Just(Binary::And),
                Just(Binary::Eq),
                Just(Binary::Ne),
                Just(Binary::Lt),
                Just(Binary::Le),
                Just(Binary::Gt),
                Just(Binary::Ge),
                Just(Binary::Plus),
                Just(Binary::Minus),
                Just(Binary::Times),
                Just(Binary::Over),
            ];
            prop_oneof![
                one.clone().prop_map(|of| expression(What::Not(of))),
                one.clone().prop_map(|of| expression(What::Negative(of))),
                (signs, one.clone(), one.clone())
                    .prop_map(|(sign, a, b)| expression(What::Binary(sign, a, b))),
                (
                    one.clone(),
                    prop::collection::vec(inner.clone(), 1..4),
                    any::<bool>()
                )
                    .prop_map(|(of, list, negated)| expression(What::In {
                        of,
                        list,
                        negated
                    })),
                (one.clone(), one.clone(), one.clone(), any::<bool>()).prop_map(
                    |(of, low, high, negated)| expression(What::Between {
                        of,
                        low,
                        high,
                        negated
                    })
                ),
                (
                    prop::collection::vec((inner.clone(), inner.clone()), 1..3),
                    one.clone()
                )
                    .prop_map(|(whens, otherwise)| expression(What::Case { whens, otherwise })),
                (
                    prop_oneof![
                        Just("sum"),
                        Just("any"),
                        Just("all"),
                        Just("greatest"),
                        Just("floor")
                    ],
                    inner,
                    prop::option::of(one)
                )
                    .prop_map(|(name, arg, filter)| expression(What::Call {
                        filter: filter.filter(|_| name != "floor"),
                        name: name.to_owned(),
                        star: false,
                        args: vec![arg],
                    })),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_printed_reads_back_the_same(tree in expressions()) {
            let text = tree.to_string();
            let back = read(&text);
            prop_assert_eq!(back.as_ref(), Ok(&tree), "{}", text);
        }
    }

    #[test]
    fn places_are_those_of_the_formula() {
        let wrong = read("a + coalesce(b, null)\n  and c like 'x'").unwrap_err();
        let places: Vec<_> = wrong
            .iter()
            .map(|one| (one.at.line, one.at.column))
            .collect();
        assert_eq!(places, [(1, 17), (2, 7)], "{wrong:?}");
    }
}
