//! Calls shown to developers (调用示例), each carried out by a test against the real program as it stands here.
//!
//! What stands in capitals with a `$` is put in by whoever tries it: `$KEY` the key, `$CASE` a case and so on.

use crate::locale::key;

/// A call shown to developers (示例).
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// What it does, a key of the catalogue.
    pub what: &'static str,
    /// `GET` or `POST`.
    pub verb: &'static str,
    /// Path and query.
    pub path: &'static str,
    /// Further headers.
    pub headers: &'static [(&'static str, &'static str)],
    /// Whether it needs a key.
    pub keyed: bool,
    /// The body.
    pub body: Option<&'static str>,
    /// The status it is answered with.
    pub status: u16,
    /// What the answer holds.
    pub holds: &'static [&'static str],
}

/// The examples in the order of the page (全部示例).
pub const EXAMPLES: &[Example] = &[
    Example {
        what: key("取办件第一页，每页两件"),
        verb: "GET",
        path: "/api/v1/cases?open=1&limit=2",
        headers: &[("Huimin-Purpose", "review")],
        keyed: true,
        body: None,
        status: 200,
        holds: &["\"items\":[", "\"total\":", "\"next\":"],
    },
    Example {
        what: key("接着取下一页"),
        verb: "GET",
        path: "/api/v1/cases?open=1&limit=2&cursor=$NEXT",
        headers: &[("Huimin-Purpose", "review")],
        keyed: true,
        body: None,
        status: 200,
        holds: &["\"items\":["],
    },
    Example {
        what: key("看一个办件：版本号和现在能办的动作"),
        verb: "GET",
        path: "/api/v1/cases/$CASE",
        headers: &[(
            "Huimin-Purpose",
            "enquiry:%E4%BF%A1%E8%AE%BF%E7%AD%94%E5%A4%8D",
        )],
        keyed: true,
        body: None,
        status: 200,
        holds: &["\"version\":", "\"acts\":["],
    },
    Example {
        what: key("受理这个办件，带幂等键"),
        verb: "POST",
        path: "/api/v1/cases/$CASE/acts/accept",
        headers: &[("Idempotency-Key", "accept-$CASE")],
        keyed: true,
        body: Some("{\"version\": $VERSION}"),
        status: 200,
        holds: &["\"done\":\"accept\"", "\"location\":\"/cases/"],
    },
    Example {
        what: key("没听到回应，再发一次：不会办第二次，回应相同"),
        verb: "POST",
        path: "/api/v1/cases/$CASE/acts/accept",
        headers: &[("Idempotency-Key", "accept-$CASE")],
        keyed: true,
        body: Some("{\"version\": $VERSION}"),
        status: 200,
        holds: &["\"done\":\"accept\""],
    },
    Example {
        what: key("同一个键换了内容，被拒绝"),
        verb: "POST",
        path: "/api/v1/cases/$CASE/acts/accept",
        headers: &[("Idempotency-Key", "accept-$CASE")],
        keyed: true,
        body: Some("{\"version\": 999}"),
        status: 422,
        holds: &["\"code\":\"invalid\"", "\"field\":\"Idempotency-Key\""],
    },
    Example {
        what: key("筛选写错了，被拒绝并说明是哪一项"),
        verb: "GET",
        path: "/api/v1/leads?state=finished",
        headers: &[("Huimin-Purpose", "review")],
        keyed: true,
        body: None,
        status: 422,
        holds: &["\"type\":\"/api#invalid\"", "\"field\":\"state\""],
    },
    Example {
        what: key("取本月统计，与统计页的数相同"),
        verb: "GET",
        path: "/api/v1/statistics?measure=applied",
        headers: &[],
        keyed: true,
        body: None,
        status: 200,
        holds: &[
            "\"measure\":\"applied\"",
            "\"programme\":null",
            "\"count\":3",
        ],
    },
    Example {
        what: key("登记一个人，带幂等键"),
        verb: "POST",
        path: "/api/v1/people",
        headers: &[("Idempotency-Key", "person-1")],
        keyed: true,
        body: Some(
            "{\"kind\": \"passport\", \"number\": \"E12345678\", \"name\": \"示例甲\", \"birth_date\": \"1985-03-12\", \"sex\": \"2\", \"lives_in\": \"990101001001\"}",
        ),
        status: 200,
        holds: &["\"done\":\"registered\"", "\"location\":\"/people/"],
    },
    Example {
        what: key("今天有效的规则参数"),
        verb: "GET",
        path: "/api/v1/rules/parameters?on=2026-06-01&limit=1",
        headers: &[],
        keyed: true,
        body: None,
        status: 200,
        holds: &["\"source\":", "\"number\":"],
    },
    Example {
        what: key("按规则试算一户：不用密钥，不留存"),
        verb: "POST",
        path: "/api/v1/evaluate",
        headers: &[],
        keyed: false,
        body: Some("{\"as_of\": \"2026-06-01\", \"household\": {}, \"members\": [{}]}"),
        status: 200,
        holds: &["\"determinations\":["],
    },
];

impl Example {
    /// As it is typed at a console (命令行写法).
    pub fn typed(&self, base: &str) -> String {
        let mut lines = vec![format!("curl '{base}{}'", self.path)];
        if self.keyed {
            lines.push("-H \"Authorization: Bearer $KEY\"".to_owned());
        }
        for (name, value) in self.headers {
            lines.push(format!("-H '{name}: {value}'"));
        }
        if let Some(body) = self.body {
            lines.push("-H 'Content-Type: application/json'".to_owned());
            lines.push(format!("-d '{body}'"));
        }
        lines.join(" \\\n  ")
    }
}
