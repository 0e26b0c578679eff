//! Form fields (表单): label, hint, what is wrong, and the value typed, which is never lost.
//!
//! What may be left out says 选填; nothing carries an asterisk. An error stands at its field and, in the same words, in
//! the summary on top, which takes the focus and links to the field.

use crate::locale::Lang;
use crate::visit::Visit;
use maud::{Markup, html};

/// Something wrong with one field (填写错误).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The name of the field.
    pub field: String,
    /// What is wrong and what to do, in the visitor's language.
    pub sentence: String,
}

/// Something wrong with one field (填写错误).
pub fn fault(field: impl Into<String>, sentence: impl Into<String>) -> FieldError {
    FieldError {
        field: field.into(),
        sentence: sentence.into(),
    }
}

/// The summary of what is wrong (错误摘要), on top of the page.
pub fn summary(lang: Lang, errors: &[FieldError]) -> Markup {
    html! {
        div.errors role="alert" tabindex="-1" data-focus {
            h2 { (lang.f("有 {count} 处需要改正", &[("count", &errors.len())])) }
            ul {
                @for error in errors {
                    li {
                        @if error.field.is_empty() { (error.sentence) }
                        @else { a href=(format!("#{}", error.field)) { (error.sentence) } }
                    }
                }
            }
        }
    }
}

/// The hidden token every form carries (防伪令牌).
pub fn token(visit: &Visit) -> Markup {
    html! { input type="hidden" name="csrf" value=(visit.token()); }
}

/// A field being made (字段).
pub struct Field<'a> {
    lang: Lang,
    name: &'a str,
    label: &'a str,
    hint: Option<Markup>,
    optional: bool,
    value: &'a str,
    error: Option<&'a str>,
    width: &'static str,
    autocomplete: &'static str,
}

/// A field with its name and label (字段).
pub fn field<'a>(lang: Lang, name: &'a str, label: &'a str) -> Field<'a> {
    Field {
        lang,
        name,
        label,
        hint: None,
        optional: false,
        value: "",
        error: None,
        width: "",
        autocomplete: "off",
    }
}

impl<'a> Field<'a> {
    /// A word of help under the label (提示).
    pub fn hint(mut self, hint: Markup) -> Self {
        self.hint = Some(hint);
        self
    }

    /// May be left out (选填).
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// What was typed or is known (已填的值).
    pub fn value(mut self, value: &'a str) -> Self {
        self.value = value;
        self
    }

    /// Its error, if the list has one (错误).
    pub fn errors(mut self, errors: &'a [FieldError]) -> Self {
        self.error = errors
            .iter()
            .find(|error| error.field == self.name)
            .map(|error| error.sentence.as_str());
        self
    }

    /// As wide as what goes in: `short` (dates, amounts), `middle`, or the whole line (宽度).
    pub fn width(mut self, width: &'static str) -> Self {
        self.width = width;
        self
    }

    /// What browsers and password managers may fill in (自动填写).
    pub fn autocomplete(mut self, autocomplete: &'static str) -> Self {
        self.autocomplete = autocomplete;
        self
    }

    fn described(&self) -> Option<String> {
        let mut by = Vec::new();
        if self.hint.is_some() {
            by.push(format!("{}-hint", self.name));
        }
        if self.error.is_some() {
            by.push(format!("{}-error", self.name));
        }
        (!by.is_empty()).then(|| by.join(" "))
    }

    fn head(&self) -> Markup {
        html! {
            label for=(self.name) { (self.label) @if self.optional { span.optional { (self.lang.t("选填")) } } }
            (self.help())
        }
    }

    fn help(&self) -> Markup {
        html! {
            @if let Some(hint) = &self.hint { div.hint id=(format!("{}-hint", self.name)) { (hint) } }
            @if let Some(error) = self.error {
                div.wrong id=(format!("{}-error", self.name)) {
                    span.unseen { (self.lang.t("错误：")) } (error)
                }
            }
        }
    }

    fn class(&self) -> String {
        format!(
            "field {} {}",
            self.width,
            if self.error.is_some() { "bad" } else { "" }
        )
    }

    fn input(&self, kind: &str, mode: Option<&str>) -> Markup {
        html! {
            div class=(self.class()) {
                (self.head())
                input id=(self.name) name=(self.name) type=(kind) value=(self.value) inputmode=[mode]
                    autocomplete=(self.autocomplete) aria-describedby=[self.described()]
                    aria-invalid=[self.error.map(|_| "true")];
            }
        }
    }

    /// One line of text (单行文字).
    pub fn text(self) -> Markup {
        self.input("text", None)
    }

    /// A password (密码).
    pub fn password(self) -> Markup {
        self.input("password", None)
    }

    /// A whole number (整数).
    pub fn count(mut self) -> Markup {
        self.width = "short";
        self.input("text", Some("numeric"))
    }

    /// A day (日期).
    pub fn date(mut self) -> Markup {
        self.width = "short";
        self.input("date", None)
    }

    /// A month (月份).
    pub fn month(mut self) -> Markup {
        self.width = "short";
        self.input("month", None)
    }

    /// A phone number (电话).
    pub fn phone(mut self) -> Markup {
        self.width = "middle";
        self.input("tel", Some("tel"))
    }

    /// An amount in yuan (金额).
    pub fn money(mut self, unit: &str) -> Markup {
        self.width = "short";
        html! {
            div class=(self.class()) {
                (self.head())
                div.unit {
                    input.number id=(self.name) name=(self.name) type="text" inputmode="decimal" value=(self.value)
                        autocomplete="off" aria-describedby=[self.described()]
                        aria-invalid=[self.error.map(|_| "true")];
                    span { (unit) }
                }
            }
        }
    }

    /// Several lines of text (多行文字).
    pub fn area(self, rows: u8) -> Markup {
        html! {
            div class=(self.class()) {
                (self.head())
                textarea id=(self.name) name=(self.name) rows=(rows) aria-describedby=[self.described()]
                    aria-invalid=[self.error.map(|_| "true")] { (self.value) }
            }
        }
    }

    /// A choice from a list (下拉选择). `choices` are values and labels; without a value nothing is chosen yet.
    pub fn select(self, choices: &[(String, String)]) -> Markup {
        html! {
            div class=(self.class()) {
                (self.head())
                select id=(self.name) name=(self.name) aria-describedby=[self.described()]
                    aria-invalid=[self.error.map(|_| "true")] {
                    option value="" selected[self.value.is_empty()] { (self.lang.t("请选择")) }
                    @for (value, label) in choices {
                        option value=(value) selected[value == self.value] { (label) }
                    }
                }
            }
        }
    }

    /// A choice of a filter (筛选项): without a value it is everything, and says so: `全部事项`.
    pub fn filter(self, all: &str, choices: &[(String, String)]) -> Markup {
        html! {
            div class=(self.class()) {
                (self.head())
                select id=(self.name) name=(self.name) {
                    option value="" selected[self.value.is_empty()] { (all) }
                    @for (value, label) in choices {
                        option value=(value) selected[value == self.value] { (label) }
                    }
                }
            }
        }
    }

    /// A choice shown open (单选).
    pub fn radios(self, choices: &[(String, String)]) -> Markup {
        self.choices("radio", choices, &[self.value])
    }

    /// Several choices (多选).
    pub fn ticks(self, choices: &[(String, String)], ticked: &[&str]) -> Markup {
        self.choices("checkbox", choices, ticked)
    }

    fn choices(&self, kind: &str, choices: &[(String, String)], chosen: &[&str]) -> Markup {
        html! {
            fieldset class=(self.class()) id=(self.name) tabindex="-1" aria-describedby=[self.described()] {
                legend { (self.label) @if self.optional { span.optional { (self.lang.t("选填")) } } }
                (self.help())
                div.choices {
                    @for (at, (value, label)) in choices.iter().enumerate() {
                        @let id = format!("{}-{at}", self.name);
                        div.choice {
                            input id=(id) type=(kind) name=(self.name) value=(value) checked[chosen.contains(&value.as_str())];
                            label for=(id) { (label) }
                        }
                    }
                }
            }
        }
    }

    /// A file (文件).
    pub fn file(self, accept: &str) -> Markup {
        html! {
            div class=(self.class()) {
                (self.head())
                input id=(self.name) name=(self.name) type="file" accept=(accept) aria-describedby=[self.described()]
                    aria-invalid=[self.error.map(|_| "true")];
            }
        }
    }
}

/// A button that names its act (办事按钮).
pub fn act(label: &str) -> Markup {
    html! { button.primary type="submit" { (label) } }
}

/// A lesser button (次要按钮).
pub fn lesser(label: &str) -> Markup {
    html! { button type="submit" { (label) } }
}
