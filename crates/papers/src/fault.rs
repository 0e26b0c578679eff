//! What is wrong with a template (模板错误), with its place, and in Chinese where the typesetter's sentence is a common one.
//!
//! Deliberately absent: translating everything the typesetter can say; what is not known here stands as it was said.

use std::fmt;

/// One mistake in a template (模板错误).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The file: `main.typ` is the template itself; of many papers, `3/main.typ` is that of the third.
    pub file: String,
    /// The line, from 1; 0 where the compiler names none.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, as the typesetter says it.
    pub sentence: String,
}

impl TemplateFault {
    /// What is wrong, in Chinese (错误说明).
    pub fn sentence_zh(&self) -> String {
        chinese(&self.sentence).unwrap_or_else(|| format!("排版器的提示：{}", self.sentence))
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.sentence
        )
    }
}

/// All mistakes of a template (模板错误清单).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("文书模板有误 (the template has mistakes)：{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("；"))]
pub struct PaperFault(pub Vec<TemplateFault>);

/// What the typesetter says often, by how it begins; `{}` is what it names.
const SAID: &[(&str, &str)] = &[
    (
        "dictionary does not contain key",
        "数据里没有“{}”这一栏，请对照栏目表",
    ),
    (
        "unknown variable",
        "没有名为“{}”的变量或者段落；要写井号本身，请写 \\#",
    ),
    ("unclosed delimiter", "括号没有闭合"),
    ("unexpected closing", "多了一个右括号“{}”"),
    ("unclosed string", "引号没有闭合"),
    ("unclosed label", "尖括号没有闭合"),
    ("file not found", "没有这个文件；文书只能用随模板给出的文件"),
    ("expected", "这里的写法不完整：{}"),
    ("unexpected argument", "参数“{}”用不上"),
    ("missing argument", "缺少参数“{}”"),
    ("cannot join", "两处内容不能这样连在一起：{}"),
    ("cannot add", "不能这样相加：{}"),
    ("type", "这样的值没有这种用法：{}"),
    (
        "PDF/A-2a error: missing document date",
        "文书没有日期：数据里要有 date",
    ),
    (
        "PDF/A-2a error: missing alt text",
        "图片要写替代文字：image(…, alt: \"…\")",
    ),
    ("maximum function call depth", "段落自己套自己，停不下来"),
    ("maximum layout depth", "内容套得太深"),
];

fn chinese(said: &str) -> Option<String> {
    let (_, wording) = SAID.iter().find(|(begins, _)| said.starts_with(begins))?;
    // What it names: within quotes or backticks, after the colon, else all of it.
    let named = ['"', '`']
        .iter()
        .find_map(|mark| said.split(*mark).nth(1))
        .or_else(|| said.split_once(": ").map(|(_, rest)| rest))
        .unwrap_or(said);
    Some(wording.replace("{}", named.split('；').next().unwrap_or(named)))
}
