//! Households as columns (按列存放的家庭): what is said of a block of homes, ready to be written as Parquet.
//!
//! One row a household: `household`, `region`, its facts, and `members`, a list of structs with `person` and the facts
//! of that person. Facts go under their ids in the packs; nobody said means null. Guarantees: no name, number, address or phone exists
//! here at all. Deliberately absent: files, see `parts`.

use crate::given::{Form, Given, Sink, What};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, StructArray,
};
use arrow_buffer::{
    BooleanBufferBuilder, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer,
};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};
use chrono::NaiveDate;
use std::sync::Arc;

/// 1970-01-01, from which Arrow counts days.
const EPOCH: i32 = 719_163;

/// The schema of every part (列定义).
pub(crate) fn schema() -> Arc<Schema> {
    let mut fields = vec![
        Field::new("household", DataType::Int64, false),
        Field::new("region", DataType::Int64, false),
    ];
    fields.extend(
        What::ALL
            .iter()
            .filter(|what| what.of_household())
            .map(field),
    );
    fields.push(Field::new("members", members_type(), false));
    Arc::new(Schema::new(fields))
}

fn field(what: &What) -> Field {
    let written = match what.form() {
        Form::Flag => DataType::Boolean,
        Form::Number => DataType::Int64,
        Form::Day => DataType::Date32,
        Form::Word => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    };
    Field::new(what.id(), written, true)
}

fn person_fields() -> Fields {
    let mut fields = vec![Field::new("person", DataType::Int64, false)];
    fields.extend(
        What::ALL
            .iter()
            .filter(|what| !what.of_household())
            .map(field),
    );
    fields.into()
}

fn member_field() -> Arc<Field> {
    let one = DataType::Struct(person_fields());
    Arc::new(Field::new("item", one, false))
}

fn members_type() -> DataType {
    DataType::List(member_field())
}

/// One column being filled; rows that nobody speaks of are null.
#[derive(Debug)]
struct Column<'p> {
    known: NullBufferBuilder,
    values: Values<'p>,
}

#[derive(Debug)]
enum Values<'p> {
    Flags(BooleanBufferBuilder),
    Numbers(Vec<i64>),
    Days(Vec<i32>),
    /// Places in the list of different words.
    Words(Vec<i32>, Vec<&'p str>),
}

impl<'p> Column<'p> {
    fn new(what: What, room: usize) -> Self {
        let values = match what.form() {
            Form::Flag => Values::Flags(BooleanBufferBuilder::new(room)),
            Form::Number => Values::Numbers(Vec::with_capacity(room)),
            Form::Day => Values::Days(Vec::with_capacity(room)),
            Form::Word => Values::Words(Vec::with_capacity(room), Vec::new()),
        };
        Self {
            known: NullBufferBuilder::new(room),
            values,
        }
    }

    /// Nulls until there are so many rows.
    fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.known.len());
        if missing == 0 {
            return;
        }
        self.known.append_n_nulls(missing);
        match &mut self.values {
            Values::Flags(flags) => flags.append_n(missing, false),
            Values::Numbers(numbers) => numbers.resize(rows, 0),
            Values::Days(days) => days.resize(rows, 0),
            Values::Words(places, _) => places.resize(rows, 0),
        }
    }

    /// The value of the row that comes after so many; said once.
    fn put(&mut self, rows: usize, value: Given) {
        self.pad(rows);
        match (&mut self.values, value) {
            (Values::Flags(flags), Given::Flag(flag)) => flags.append(flag),
            (Values::Numbers(numbers), Given::Number(number)) => numbers.push(number),
            (Values::Days(days), Given::Day(day)) => days.push(days_of(day)),
            (Values::Words(..), Given::Word(word)) => return self.say(rows, word),
            // Another type than the fact's: stays unsaid, and the test of declared types finds it.
            _ => return,
        }
        self.known.append_non_null();
    }

    fn say(&mut self, rows: usize, word: &'p str) {
        self.pad(rows);
        if let Values::Words(places, words) = &mut self.values {
            places.push(place(words, word));
            self.known.append_non_null();
        }
    }

    fn array(mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        self.pad(rows);
        let known: Option<NullBuffer> = self.known.finish();
        Ok(match self.values {
            Values::Flags(mut flags) => Arc::new(BooleanArray::new(flags.finish(), known)),
            Values::Numbers(numbers) => Arc::new(Int64Array::new(numbers.into(), known)),
            Values::Days(days) => Arc::new(Date32Array::new(days.into(), known)),
            Values::Words(places, words) => {
                // A list without a word has no place that may be named, not even by a null.
                let words = if words.is_empty() { vec![""] } else { words };
                let places = Int32Array::new(places.into(), known);
                let words = Arc::new(StringArray::from(words));
                Arc::new(DictionaryArray::<Int32Type>::try_new(places, words)?)
            }
        })
    }
}

/// Where a word stands in a list of few; put behind the others if it is new.
fn place<'p>(words: &mut Vec<&'p str>, word: &'p str) -> i32 {
    let at = words.iter().position(|known| *known == word);
    let at = at.unwrap_or_else(|| {
        words.push(word);
        words.len() - 1
    });
    i32::try_from(at).unwrap_or(0)
}

fn days_of(day: NaiveDate) -> i32 {
    use chrono::Datelike;
    day.num_days_from_ce() - EPOCH
}

/// What a register says of everybody without being asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registered<'p> {
    pub(crate) person: i64,
    pub(crate) born: NaiveDate,
    pub(crate) sex: &'static str,
    pub(crate) hukou: &'p str,
    pub(crate) relation: &'static str,
}

/// Homes being taken down (按列记录). Filled home by home, then made a batch of.
#[derive(Debug)]
pub(crate) struct Columns<'p> {
    registered: Vec<Registered<'p>>,
    households: Vec<i64>,
    regions: Vec<i64>,
    ends: Vec<i32>,
    people: Vec<i64>,
    /// By the place of the fact.
    facts: Vec<Column<'p>>,
    /// The member being spoken of.
    at: Option<usize>,
}

impl<'p> Columns<'p> {
    /// Room for about so many people.
    pub(crate) fn new(room: usize) -> Self {
        let facts = What::ALL.iter().map(|what| Column::new(*what, room));
        Self {
            registered: Vec::new(),
            households: Vec::with_capacity(room),
            regions: Vec::with_capacity(room),
            ends: vec![0],
            people: Vec::with_capacity(room),
            facts: facts.collect(),
            at: None,
        }
    }

    /// Who will be spoken of next; what is then given through [`Sink`] is theirs.
    pub(crate) fn next_home(&mut self, members: impl Iterator<Item = Registered<'p>>) {
        self.registered.clear();
        self.registered.extend(members);
        self.at = None;
    }

    /// The home has been spoken of.
    pub(crate) fn end_home(&mut self, household: i64, region: i64) {
        self.households.push(household);
        self.regions.push(region);
        self.ends
            .push(i32::try_from(self.people.len()).unwrap_or(i32::MAX));
    }

    fn end_member(&mut self) {
        let Some(at) = self.at.take() else {
            return;
        };
        let one = self.registered[at];
        let row = self.people.len();
        self.facts[What::BirthDate as usize].put(row, Given::Day(one.born));
        self.facts[What::Sex as usize].say(row, one.sex);
        self.facts[What::Hukou as usize].say(row, one.hukou);
        self.facts[What::Relation as usize].say(row, one.relation);
        self.people.push(one.person);
    }

    /// Everything taken down as one batch.
    pub(crate) fn batch(self, schema: &Arc<Schema>) -> Result<RecordBatch, ArrowError> {
        let (homes, count) = (self.households.len(), self.people.len());
        let mut rows: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(self.households)),
            Arc::new(Int64Array::from(self.regions)),
        ];
        let mut of_person: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(self.people))];
        for (what, column) in What::ALL.iter().zip(self.facts) {
            if what.of_household() {
                rows.push(column.array(homes)?);
            } else {
                of_person.push(column.array(count)?);
            }
        }
        let people = StructArray::try_new(person_fields(), of_person, None)?;
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        rows.push(Arc::new(ListArray::try_new(
            member_field(),
            ends,
            Arc::new(people),
            None,
        )?));
        RecordBatch::try_new(Arc::clone(schema), rows)
    }
}

impl Sink for Columns<'_> {
    fn member(&mut self, at: usize) {
        self.end_member();
        self.at = Some(at);
    }

    fn household(&mut self) {
        self.end_member();
    }

    fn give(&mut self, what: What, value: Given, _source: &'static str, _from: Option<NaiveDate>) {
        let rows = match self.at {
            Some(_) => self.people.len(),
            None => self.households.len(),
        };
        self.facts[what as usize].put(rows, value);
    }
}
