//! One declaration a list (清单定义): its words, its columns, how its rows are read; page, choice of columns and files come from it,
//! the acts on many rows, and the rows that programs read.
//!
//! A column says once what it holds: a typed field, which the file takes as it is and the page writes out; a cell of its own
//! only where the page shows more. Its word stands in addresses and is never changed, so that a link somebody kept still
//! means the same. Guarantees: page and file ask the same question with the same filter. Deliberately absent: the filters; each list
//! shows its own.

pub(crate) mod bulk;
pub(crate) mod choice;
pub(crate) mod export;
pub mod job;
pub(crate) mod saved;

use crate::api::list::Window;
use crate::locale::Lang;
use crate::parts::{format, pager, table};
use crate::problem::{Answer, Problem};
use crate::routes::Coming;
use crate::visit::Visit;
use access::{Permission, Purpose, Scope};
use bulk::Bulk;
use choice::Choice;
use maud::{Markup, html};
use saved::Saved;
use sheets::{Field, Kind};
use store::Page;
use uuid::Uuid;

/// What a list is called and who may have it (清单概要).
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    /// Its word, kept with what officers chose for it.
    pub(crate) word: &'static str,
    /// Its title, marked with [`crate::locale::key`].
    pub(crate) title: &'static str,
    /// Its address; its file is at `/export` below it.
    pub(crate) path: &'static str,
    /// Rows a page shows.
    pub(crate) rows: u64,
    /// Who may look.
    pub(crate) sees: Permission,
    /// Who may take it out of the house.
    pub(crate) exports: Permission,
    /// How the journal calls that, and what it says it is about.
    pub(crate) act: (&'static str, &'static str),
}

/// A list (清单) as somebody asked for it: scope, filter and order.
pub(crate) trait List: Sized + Send + Sync + 'static {
    /// A row as the room below gives it.
    type Row: Send + Sync;
    /// What the columns need beside the rows, read for a page or portion of them at once.
    type Beside: Default + Send + Sync;
    /// What it is called.
    const ABOUT: About;

    /// All columns in order.
    fn columns() -> Vec<Column<Self>>;

    /// For what officers look at it.
    fn purpose() -> Purpose;

    /// The list as the visitor's query asks for it, within a scope.
    fn open(visit: &Visit, scope: Scope) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// Where it looks.
    fn scope(&self) -> &Scope;

    /// A page in the order asked for, with the number of all.
    fn page(
        &self,
        visit: &Visit,
        offset: u64,
        limit: u64,
    ) -> impl Future<Output = anyhow::Result<Page<Self::Row>>> + Send;

    /// The rows after one, in the order of their key: for what goes through a whole list, however long.
    fn after(
        &self,
        visit: &Visit,
        last: Option<&Self::Row>,
        limit: u64,
    ) -> impl Future<Output = anyhow::Result<Vec<Self::Row>>> + Send;

    /// What the columns need beside these rows; nothing unless said.
    fn beside(
        &self,
        _visit: &Visit,
        _rows: &[Self::Row],
    ) -> impl Future<Output = Result<Self::Beside, Problem>> + Send {
        std::future::ready(Ok(Self::Beside::default()))
    }

    /// Where a row leads, if anywhere.
    fn href(&self, row: &Self::Row) -> Option<String>;

    /// What can be done with many rows at once; nothing unless said.
    fn acts() -> Vec<Bulk> {
        Vec::new()
    }

    /// By what its acts know a row; nothing in a list without acts.
    fn id(_row: &Self::Row) -> Option<Uuid> {
        None
    }

    /// The page.
    fn shown(visit: &Visit, found: Found<Self>) -> impl Future<Output = Answer> + Send;
}

/// A row with all its columns may look at (一行及其上下文).
pub(crate) struct At<'a, L: List> {
    pub(crate) visit: &'a Visit,
    pub(crate) list: &'a L,
    pub(crate) beside: &'a L::Beside,
    pub(crate) row: &'a L::Row,
}

impl<L: List> At<'_, L> {
    /// The language of who asks (语言).
    pub(crate) const fn lang(&self) -> Lang {
        self.visit.lang
    }
}

/// What a column holds, of one row (取值).
type Holds<L> = fn(&At<'_, L>) -> Field;
/// How a page shows it (写法).
type Shows<L> = fn(&At<'_, L>) -> Markup;

/// A column (列).
pub(crate) struct Column<L: List> {
    /// Its word in addresses, and in what programs read; it sorts by the same word.
    pub(crate) word: &'static str,
    /// Its heading, marked with [`crate::locale::key`].
    pub(crate) label: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// Its width in a file, in characters.
    width: u16,
    sorts: bool,
    aside: bool,
    /// The value.
    pub(crate) field: Holds<L>,
    cell: Option<Shows<L>>,
}

/// A column (列): word, heading, what it holds, how wide, and the value.
pub(crate) fn column<L: List>(
    word: &'static str,
    label: &'static str,
    kind: Kind,
    width: u16,
    field: Holds<L>,
) -> Column<L> {
    Column {
        word,
        label,
        kind,
        width,
        sorts: false,
        aside: false,
        field,
        cell: None,
    }
}

impl<L: List> Column<L> {
    /// The same, shown otherwise on the page (页面写法).
    pub(crate) fn cell(self, cell: Shows<L>) -> Self {
        Self {
            cell: Some(cell),
            ..self
        }
    }

    /// The same; the list can be sorted by it (可排序).
    pub(crate) fn sorted(self) -> Self {
        Self {
            sorts: true,
            ..self
        }
    }

    /// The same; on the page only for those who choose it, in a file always (默认不显示).
    pub(crate) fn aside(self) -> Self {
        Self {
            aside: true,
            ..self
        }
    }

    /// Whether the page shows it to those who chose nothing (默认显示).
    pub(crate) const fn is_usual(&self) -> bool {
        !self.aside
    }

    fn heading(&self, lang: Lang) -> table::Column {
        let column = match self.kind {
            Kind::Money | Kind::Integer => table::number(lang.look(self.label)),
            Kind::Text | Kind::Date => table::text(lang.look(self.label)),
        };
        if self.sorts {
            column.by(self.word)
        } else {
            column
        }
    }

    fn shown(&self, at: &At<'_, L>) -> Markup {
        match self.cell {
            Some(cell) => cell(at),
            None => written(&(self.field)(at)),
        }
    }

    /// As a file heads it (文件表头).
    pub(crate) fn headed(&self, lang: Lang) -> sheets::Column {
        sheets::Column::new(lang.look(self.label), self.kind, self.width)
    }
}

/// A value as pages write it (页面上的值).
fn written(field: &Field) -> Markup {
    html! {
        @match field {
            Field::Empty => "—",
            Field::Text(text) => (text),
            Field::Money(money) => (money),
            Field::Date(day) => (format::date(*day)),
            Field::Integer(number) => (number),
        }
    }
}

/// A value that may be absent (可缺的值).
pub(crate) fn maybe<T>(value: Option<T>, field: impl FnOnce(T) -> Field) -> Field {
    value.map_or(Field::Empty, field)
}

/// A page of a list, ready to be shown (一页清单).
pub(crate) struct Found<L: List> {
    pub(crate) list: L,
    pub(crate) page: Page<L::Row>,
    pub(crate) beside: L::Beside,
    choice: Choice<L>,
    saved: Saved,
}

/// The page of a list (清单页面): `GET` its address.
///
/// # Errors
/// [`Problem::Denied`]; a fault of the database.
pub(crate) async fn show<L: List>(visit: &Visit) -> Answer {
    if let Some(there) = saved::default_of::<L>(visit).await? {
        return Ok(there);
    }
    L::shown(visit, found(visit).await?).await
}

/// Some rows of a list for a program, which states its own purpose (程序取行).
///
/// # Errors
/// [`Problem::Invalid`] without a purpose; [`Problem::Denied`]; a fault of the database.
pub(crate) async fn rows<L: List>(visit: &Visit, window: Window) -> Result<Page<L::Row>, Problem> {
    let list = L::open(visit, visit.scope(visit.stated()?)?).await?;
    Ok(list.page(visit, window.offset, window.limit).await?)
}

/// The page of a list a query asks for (取一页清单).
///
/// # Errors
/// [`Problem::Denied`]; a fault of the database.
pub(crate) async fn found<L: List>(visit: &Visit) -> Result<Found<L>, Problem> {
    let scope = visit.scope_for(L::ABOUT.sees, L::purpose())?;
    let list = L::open(visit, scope).await?;
    let (offset, limit) = visit.paging(L::ABOUT.rows);
    let page = list.page(visit, offset, limit).await?;
    let beside = list.beside(visit, &page.rows).await?;
    let choice = Choice::read(visit).await?;
    let saved = Saved::read::<L>(visit, &choice.kept(&visit.query)).await?;
    Ok(Found {
        list,
        page,
        beside,
        choice,
        saved,
    })
}

impl<L: List> Found<L> {
    /// What another page found by itself, with the usual columns (别页查得的).
    pub(crate) fn by(list: L, page: Page<L::Row>, beside: L::Beside) -> Self {
        Self {
            list,
            page,
            beside,
            choice: Choice::usual(),
            saved: Saved::none(),
        }
    }

    /// The table with its pages and the choice of columns, or what is said when nothing is there (表格).
    pub(crate) fn table(&self, visit: &Visit, nothing: &Markup) -> Markup {
        html! {
            (self.saved.links(visit, L::ABOUT.path))
            @if self.page.rows.is_empty() {
                (nothing)
            } @else {
                (self.rows_at(visit, L::ABOUT.path, !bulk::open_to::<L>(visit).is_empty()))
                (bulk::offered(visit, self))
                (self.choice.chooser(visit))
            }
            (self.saved.keeping(visit, &L::ABOUT))
        }
    }

    /// The table with its pages as a part of another page (分表).
    pub(crate) fn table_at(&self, visit: &Visit, path: &str) -> Markup {
        self.rows_at(visit, path, false)
    }

    fn rows_at(&self, visit: &Visit, path: &str, ticks: bool) -> Markup {
        let lang = visit.lang;
        let columns: Vec<table::Column> = self
            .choice
            .columns
            .iter()
            .map(|column| column.heading(lang))
            .collect();
        let tick = |at, row| {
            L::id(row)
                .filter(|_| ticks)
                .map(|id| bulk::tick(visit, id, at))
        };
        let rows = self.page.rows.iter().enumerate();
        let rows = rows.map(|(at, row)| self.row(visit, row, tick(at, row)));
        html! {
            (table::table(lang, lang.look(L::ABOUT.title), &columns, rows.collect(), path, &visit.query))
            (pager::pager(lang, &self.page, path, &visit.query))
        }
    }

    fn row(&self, visit: &Visit, row: &L::Row, tick: Option<Markup>) -> table::Row {
        let at = At {
            visit,
            list: &self.list,
            beside: &self.beside,
            row,
        };
        let cells = self.choice.columns.iter().map(|column| column.shown(&at));
        table::Row {
            href: self.list.href(row),
            cells: cells.collect(),
            tick,
        }
    }

    /// The way to the file, for those who may have it and where there is something in it (导出按钮).
    pub(crate) fn export(&self, visit: &Visit) -> Markup {
        let about = L::ABOUT;
        html! {
            @if visit.can(about.exports) && self.page.total > 0 {
                a.button href=(self.choice.kept(&visit.query.with("page", "")).href(&format!("{}/export", about.path))) { (visit.t("导出")) }
            }
        }
    }
}

/// A list as it is known by its word (已知清单).
pub(crate) struct Known {
    /// What it is called.
    pub(crate) about: About,
    /// Whether it has a column of this word.
    pub(crate) has: fn(&str) -> bool,
    /// How many rows a query has, and in which scope.
    pub(crate) count: for<'a> fn(&'a Visit) -> job::Written<'a>,
    /// An act on many of them.
    pub(crate) bulk: for<'a> fn(&'a Visit) -> Coming<'a>,
    /// Writes all of them into a file.
    pub(crate) write: for<'a> fn(&'a Visit, &'a job::Making<'a>) -> job::Written<'a>,
}

const fn known_as<L: List>() -> Known {
    Known {
        about: L::ABOUT,
        has: |word| L::columns().iter().any(|column| column.word == word),
        count: |visit| Box::pin(job::counted::<L>(visit)),
        bulk: |visit| Box::pin(bulk::post::<L>(visit)),
        write: |visit, making| Box::pin(job::write::<L>(visit, making)),
    }
}

/// All lists (全部清单).
pub(crate) static LISTS: [Known; 14] = {
    use crate::pages::{
        alerts, cases, duplicates, enquiries, households, journal, leads, letters, life_events,
        messages, pay_lines, ratings, reviews, rights,
    };
    [
        known_as::<cases::Cases>(),
        known_as::<leads::Leads>(),
        known_as::<alerts::Alerts>(),
        known_as::<reviews::Reviews>(),
        known_as::<duplicates::Pairs>(),
        known_as::<enquiries::Enquiries>(),
        known_as::<households::Households>(),
        known_as::<life_events::Events>(),
        known_as::<letters::Letters>(),
        known_as::<messages::Messages>(),
        known_as::<ratings::Ratings>(),
        known_as::<pay_lines::Lines>(),
        known_as::<rights::Rights>(),
        known_as::<journal::Entries>(),
    ]
};

/// The list of a word (按词取清单).
pub(crate) fn known(word: &str) -> Option<&'static Known> {
    LISTS.iter().find(|list| list.about.word == word)
}
