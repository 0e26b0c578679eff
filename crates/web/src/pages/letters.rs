//! Letters to print (文书打印): by day, programme and place, those not printed yet first; chosen ones or all of them as one PDF.
//!
//! Guarantees: printing marks what is in the file and nothing else, so two officers see what the other has printed; every letter in a
//! file that was opened stands in the journal. Deliberately absent: whether it came out on paper.

use super::case::letter_name;
use crate::lists::{About, Column, Found, List, column, maybe};
use crate::locale::{self, key};
use crate::parts::form::{self, FieldError, fault, field, lesser};
use crate::parts::{format, listing, piece};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, inline};
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::letter::list::{LetterFilter, Listed, after, list};
use casework::letter::{Lang, printing};
use maud::{Markup, html};
use sheets::{Field, Kind};
use store::Page;
use uuid::Uuid;

/// The form the ticks of the table belong to.
const FORM: &str = "printing";

/// Letters as somebody asked for them (文书).
pub(crate) struct Letters {
    scope: Scope,
    filter: LetterFilter,
}

fn filter(visit: &Visit) -> LetterFilter {
    let query = &visit.query;
    LetterFilter {
        // Without a word those of today; an empty field asks for all days.
        day: if query.has("day") {
            query.get("day").parse().ok()
        } else {
            Some(visit.today())
        },
        programme: query.some("programme").map(str::to_owned),
        region: listing::chosen_place(visit),
        printed: match query.get("show") {
            "all" => None,
            "printed" => Some(true),
            _ => Some(false),
        },
    }
}

/// The language of letters for who reads this page (文书语言).
pub(crate) const fn language(lang: locale::Lang) -> Lang {
    match lang {
        locale::Lang::Zh => Lang::Zh,
        locale::Lang::En => Lang::En,
    }
}

impl List for Letters {
    type Row = Listed;
    type Beside = ();
    const ABOUT: About = About {
        word: "letters",
        title: key("文书打印"),
        path: "/letters",
        rows: 50,
        sees: Permission::SeePapers,
        exports: Permission::ExportCases,
        act: ("web.export_letters", "letters"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("number", key("文书编号"), Kind::Text, 20, |at| {
                Field::text(&at.row.number)
            }),
            column::<Self>("kind", key("文书"), Kind::Text, 20, |at| {
                Field::text(letter_name(at.lang(), &at.row.kind))
            })
            .cell(|at| {
                let name = letter_name(at.lang(), &at.row.kind);
                html! {
                    label.switch {
                        @if at.visit.can(Permission::ActOnCases) {
                            input type="checkbox" name="letter" value=(at.row.id) form=(FORM)
                                aria-label=(at.lang().f("打印 {number} {name}", &[("number", &at.row.number), ("name", &name)]));
                            " "
                        }
                        (name)
                    }
                }
            }),
            column::<Self>("programme", key("事项"), Kind::Text, 18, |at| {
                let row = &at.row.row;
                Field::text(at.lang().pick(&row.programme_zh, &row.programme_en))
            }),
            column::<Self>("applicant", key("申请人"), Kind::Text, 12, |at| {
                Field::text(&at.row.row.case.applicant_masked)
            }),
            column::<Self>("place", key("社区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.row.case.region))
            }),
            column::<Self>("issued", key("签发日期"), Kind::Date, 12, |at| {
                Field::Date(at.row.issued_on)
            }),
            column::<Self>("printed", key("合印时间"), Kind::Text, 22, |at| {
                maybe(at.row.printed.as_ref(), |(when, who)| {
                    Field::text(format!("{} {who}", format::instant(*when)))
                })
            }),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Review
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            filter: filter(visit),
        })
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn page(&self, visit: &Visit, offset: u64, limit: u64) -> anyhow::Result<Page<Listed>> {
        let (db, desk) = (&visit.app.db, &visit.app.desk);
        list(db, &self.scope, desk, &self.filter, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&Listed>,
        limit: u64,
    ) -> anyhow::Result<Vec<Listed>> {
        let (db, desk) = (&visit.app.db, &visit.app.desk);
        let last = last.map(|row| row.id);
        after(db, &self.scope, desk, &self.filter, last, limit).await
    }

    fn href(&self, row: &Listed) -> Option<String> {
        Some(format!("/letters/{}", row.id))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        Ok(page(visit, &found, &[]))
    }
}

fn page(visit: &Visit, found: &Found<Letters>, errors: &[FieldError]) -> axum::response::Response {
    let nothing = piece::empty(visit.t("没有这样的文书。"), &html! {});
    let body = html! {
        (filters(visit, &found.list))
        @for error in errors { p.wrong id="letter" { (error.sentence) } }
        (found.table(visit, &nothing))
        @if !found.page.rows.is_empty() && visit.can(Permission::ActOnCases) { (to_print(visit, found)) }
    };
    let note = visit.query.some("printing").map(|id| {
        html! {
            (visit.t("已标记为打印。")) " "
            a href=(format!("/letters/printings/{id}")) target="_blank" rel="noopener" { (visit.t("打开合印文件（PDF）")) }
        }
    });
    visit
        .page(visit.t("文书打印"))
        .nav("/letters")
        .wide()
        .note(note)
        .errors(errors)
        .acts(found.export(visit))
        .show(&body)
}

fn filters(visit: &Visit, list: &Letters) -> Markup {
    let lang = visit.lang;
    let programmes = words::titled(lang, visit.app.desk.open_programmes());
    let day = list.filter.day.map(|day| day.to_string());
    let shows = [
        ("todo".to_owned(), visit.t("还没有打印").to_owned()),
        ("printed".to_owned(), visit.t("已打印").to_owned()),
        ("all".to_owned(), visit.t("全部文书").to_owned()),
    ];
    let show = match list.filter.printed {
        Some(false) => "todo",
        Some(true) => "printed",
        None => "all",
    };
    html! {
        form.filters method="get" action="/letters" {
            (field(lang, "day", visit.t("签发日期")).value(day.as_deref().unwrap_or_default()).optional().date())
            (field(lang, "programme", visit.t("事项")).value(visit.query.get("programme")).filter(visit.t("全部事项"), &programmes))
            (listing::place(visit, list.scope.region))
            (field(lang, "show", visit.t("打印情况")).value(show).select(&shows))
            (lesser(visit.t("筛选")))
            a.button.plain href="/letters" { (visit.t("今天没有打印的")) }
        }
    }
}

fn to_print(visit: &Visit, found: &Found<Letters>) -> Markup {
    let filter = &found.list.filter;
    let all = found.page.total.min(printing::MOST);
    html! {
        form.card #printing method="post" action="/letters/print" {
            (form::token(visit))
            input type="hidden" name="day" value=(filter.day.map(|day| day.to_string()).unwrap_or_default());
            @for name in ["programme", "region", "show"] {
                input type="hidden" name=(name) value=(visit.query.get(name));
            }
            p.quiet { (visit.t("合成一个 PDF，每份从新的一张纸开始（双面打印也不会连在一起），并标记为已打印。")) }
            div.buttons {
                button.primary type="submit" name="which" value="ticked" { (visit.t("打印勾选的")) }
                button type="submit" name="which" value="all" {
                    (visit.lang.f("打印查到的 {count} 份", &[("count", &all)]))
                }
            }
        }
    }
}

/// `POST /letters/print` (合印文书): the ticked ones, or all the filter finds.
///
/// # Errors
/// A fault of the database.
pub async fn print(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let db = &visit.app.db;
    let asked = crate::fields::Fields::new()
        .with("day", visit.form.get("day"))
        .with("programme", visit.form.get("programme"))
        .with("region", visit.form.get("region"))
        .with("show", visit.form.get("show"));
    let chosen: Option<Vec<Uuid>> = if visit.form.get("which") == "all" {
        let filter = LetterFilter {
            day: asked.get("day").parse().ok(),
            programme: asked.some("programme").map(str::to_owned),
            region: asked.some("region").and_then(|code| code.parse().ok()),
            printed: match asked.get("show") {
                "all" => None,
                "printed" => Some(true),
                _ => Some(false),
            },
        };
        Some(printing::of_filter(db, &scope, &filter).await?)
    } else {
        let ticked = visit.form.all("letter").map(|id| id.parse().ok());
        ticked.collect()
    };
    // What is not an identifier was not on this page.
    let chosen = chosen.ok_or(Problem::NotFound)?;
    let mut tx = db.begin().await?;
    match printing::print(&mut tx, &scope, &chosen, language(visit.lang)).await? {
        Ok(printing) => {
            tx.commit().await?;
            // An empty day asks for all days, so it is said.
            let day = crate::fields::encoded(asked.get("day"));
            let to = asked
                .with("day", "")
                .with("show", "printed")
                .with("printing", &printing.to_string());
            let to = to.href("/letters");
            visit.go(&format!("{to}&day={day}"))
        }
        Err(refused) => {
            tx.rollback().await?;
            let sentence = words::sentence(visit.lang, &refused.to_string());
            let list = Letters {
                scope,
                filter: LetterFilter {
                    day: asked.get("day").parse().ok(),
                    printed: Some(false),
                    ..LetterFilter::default()
                },
            };
            let rows = list.page(visit, 0, Letters::ABOUT.rows).await?;
            let found = Found::by(list, rows, ());
            Ok(page(visit, &found, &[fault("letter", sentence)]))
        }
    }
}

/// `GET /letters/printings/{id}` (合印文件).
///
/// # Errors
/// [`Problem::NotFound`] unless all of it lies in the scope.
pub async fn file(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let app = &visit.app;
    let bytes = printing::file(
        &app.db,
        &scope,
        &app.desk,
        visit.id("id")?,
        &app.config.base_url,
    )
    .await?
    .ok_or(Problem::NotFound)?;
    Ok(inline("letters.pdf", "application/pdf", bytes))
}
