//! The decision as a function of the query engine (查询引擎里的认定函数): a task in, an answer out.
//!
//! Guarantees: the same name and the same types wherever a plan is made, sent or run. Only an executor has a rule book, so
//! only there it runs; and it is never worked out beforehand by an optimiser. Deliberately absent: faults as faults. What
//! an executor refuses comes back as a sentence, because a query that fails is tried again and ends in a stack of errors.

use super::answer::Answering;
use super::question::Answer;
use super::task::{FUNCTION, Task};
use anyhow::Context;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::utils::default_session_builder;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::cast::as_string_array;
use datafusion::common::{DataFusionError, Result as Found, ScalarValue, exec_err};
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionConfig;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use tokio::runtime::Handle;

/// The largest message, for the findings of one part: a part of 32 768 households has some megabytes of them.
pub(super) const MESSAGE: u32 = 256 * 1024 * 1024;

/// The function (认定函数).
#[derive(Debug)]
struct Decide {
    signature: Signature,
    answering: Option<(Arc<Answering>, Handle)>,
}

impl PartialEq for Decide {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl Eq for Decide {}

impl Hash for Decide {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature.hash(state);
    }
}

/// The files of a part, in their order.
const FILES: [&str; 5] = ["findings", "nights", "shares", "soon", "changes"];
/// What a piece of an enquiry came to.
const ENQUIRED: &str = "enquired";

fn fields() -> Fields {
    let mut fields = vec![
        Field::new("refused", DataType::Utf8, true),
        Field::new("said", DataType::Utf8, true),
    ];
    let bytes = FILES.into_iter().chain([ENQUIRED]);
    fields.extend(bytes.map(|name| Field::new(name, DataType::Binary, true)));
    Fields::from(fields)
}

/// The function where plans are made: it has a name and types, and no rules.
pub(super) fn named() -> Arc<ScalarUDF> {
    function(None)
}

fn function(answering: Option<(Arc<Answering>, Handle)>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Decide {
        signature: Signature::exact(vec![DataType::Utf8], Volatility::Volatile),
        answering,
    }))
}

/// What an executor knows: the engine's own functions, and ours with its rule book.
pub(super) fn registry(answering: Answering) -> Arc<BallistaFunctionRegistry> {
    let mut registry = BallistaFunctionRegistry::default();
    let function = function(Some((Arc::new(answering), Handle::current())));
    registry
        .scalar_functions
        .insert(FUNCTION.to_owned(), function);
    Arc::new(registry)
}

/// How the engine is set, on all machines alike.
pub(super) fn config() -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_ballista_grpc_client_max_message_size(usize::try_from(MESSAGE).unwrap_or(usize::MAX))
        .with_target_partitions(1)
}

/// Where a plan is made.
pub(super) fn session(config: SessionConfig) -> Found<SessionState> {
    let mut state = default_session_builder(config)?;
    state.register_udf(named())?;
    Ok(state)
}

impl ScalarUDFImpl for Decide {
    fn name(&self) -> &str {
        FUNCTION
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Found<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Found<ColumnarValue> {
        let Some((answering, runtime)) = &self.answering else {
            return exec_err!("{FUNCTION} runs on executors only");
        };
        let tasks = ColumnarValue::values_to_arrays(&arguments.args)?;
        let Some(tasks) = tasks.first() else {
            return exec_err!("{FUNCTION} needs a task");
        };
        let tasks = as_string_array(tasks)?;
        let answers: Vec<anyhow::Result<Answer>> = tasks
            .iter()
            .map(|task| answered(answering, runtime, task.unwrap_or_default()))
            .collect();
        let answers = StructArray::try_new(fields(), columns(&answers)?, None)?;
        if answers.len() == 1 {
            let one = ScalarValue::try_from_array(&answers, 0)?;
            return Ok(ColumnarValue::Scalar(one));
        }
        Ok(ColumnarValue::Array(Arc::new(answers)))
    }
}

/// One task, on a thread of its own: the engine calls from within its runtime, where one must not wait for a file.
fn answered(answering: &Answering, runtime: &Handle, task: &str) -> anyhow::Result<Answer> {
    let task: Task = serde_json::from_str(task)
        .context("执行节点读不懂任务；各机的程序版本须相同 (another version of the program)")?;
    std::thread::scope(|scope| {
        let work = scope.spawn(|| runtime.block_on(answering.answer(&task)));
        work.join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("执行节点内部错误 (an executor panicked)")))
    })
}

fn columns(answers: &[anyhow::Result<Answer>]) -> Found<Vec<ArrayRef>> {
    let refused: StringArray = answers
        .iter()
        .map(|answer| answer.as_ref().err().map(|fault| format!("{fault:#}")))
        .collect();
    let mut said = Vec::new();
    for answer in answers {
        said.push(match answer {
            Ok(answer) => Some(
                serde_json::to_string(answer)
                    .map_err(|fault| DataFusionError::External(Box::new(fault)))?,
            ),
            Err(_) => None,
        });
    }
    let mut columns: Vec<ArrayRef> = vec![Arc::new(refused), Arc::new(StringArray::from(said))];
    for at in 0..FILES.len() {
        let files: BinaryArray = answers
            .iter()
            .map(|answer| match answer {
                Ok(Answer::Swept { files, .. }) => Some(&files[at]),
                _ => None,
            })
            .collect();
        columns.push(Arc::new(files));
    }
    let enquired: BinaryArray = answers
        .iter()
        .map(|answer| match answer {
            Ok(Answer::Enquired { sealed }) => Some(sealed),
            _ => None,
        })
        .collect();
    columns.push(Arc::new(enquired));
    Ok(columns)
}

/// The answer in a row of what came back.
///
/// # Errors
/// What an executor refused, in its words.
pub(super) fn read(column: &ArrayRef, row: usize) -> anyhow::Result<Answer> {
    let all = column.as_struct_opt().context("答复的形状不对")?;
    let text = |name: &str| {
        all.column_by_name(name)
            .and_then(|column| column.as_string_opt::<i32>())
            .map(|column| column.iter().nth(row).flatten())
            .with_context(|| format!("答复里没有 {name}"))
    };
    let file = |name: &str| {
        all.column_by_name(name)
            .and_then(|column| column.as_binary_opt::<i32>())
            .and_then(|column| column.iter().nth(row).flatten().map(<[u8]>::to_vec))
            .with_context(|| format!("答复里没有 {name}"))
    };
    if let Some(sentence) = text("refused")? {
        anyhow::bail!("{sentence}");
    }
    let mut answer = serde_json::from_str(text("said")?.context("答复是空的")?)?;
    match &mut answer {
        Answer::Swept { files, .. } => {
            for (bytes, name) in files.iter_mut().zip(FILES) {
                *bytes = file(name)?;
            }
        }
        Answer::Enquired { sealed } => *sealed = file(ENQUIRED)?,
        Answer::Simulated { .. } => {}
    }
    Ok(answer)
}
