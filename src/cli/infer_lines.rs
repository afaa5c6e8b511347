//! Rows of standard input, answered by a model.

use super::infer::{InferArguments, LONGEST};
use super::usage::excerpt;
use super::{Global, Output, Usage, note};
use anyhow::{Context, Result, bail};
use mape::infer::{ElementType, Error, Given, Limits, Model, Settings};
use mape::text::{Reading, Vocabulary};
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, stdin};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, timeout_at};

/// How long a batch waits for more rows.
const PAUSE: Duration = Duration::from_millis(5);
/// How long the model may take for a batch, and to be loaded: whoever sits before it can end it.
const LONG: Duration = Duration::from_hours(1);
/// How many bytes it may hold while it runs. A model that wants more is one by mistake, or from somebody of ill will.
const RUN_BYTES: u64 = 16 << 30;
/// How many bytes are read at a time.
const CHUNK: usize = 256 << 10;

/// A line of the input.
struct Line {
    /// Counted from 1.
    number: u64,
    given: Result<Given, String>,
}

pub(super) async fn run(global: &Global, arguments: &InferArguments, output: &mut Output) -> Result<()> {
    let model = load(arguments).await?;
    if !global.json {
        tracing::debug!("{}", model.describe());
    }
    let most = usize::from(arguments.batch);
    let mut lines = lines(most)?;
    let (mut all, mut wrong) = (0_u64, 0_u64);
    while let Some(batch) = next(&mut lines, most).await? {
        let answers = answer(&model, &batch).await;
        let mut text = String::new();
        for (line, answer) in batch.iter().zip(answers) {
            all += 1;
            match answer {
                Ok(numbers) => write(&numbers, model.describe().output.element_type, &mut text),
                Err(why) => {
                    wrong += 1;
                    text.push_str("null");
                    note(global, "line", &format!("line {}: {why}", line.number));
                }
            }
            text.push('\n');
        }
        output.line(&text)?;
    }
    match wrong {
        0 => Ok(()),
        wrong => bail!("{wrong} of {all} lines have no answer"),
    }
}

async fn load(arguments: &InferArguments) -> Result<Model> {
    let InferArguments { model, input, output, batch, vocabulary, shape } = arguments;
    let vocabulary = vocabulary.as_ref().map(Vocabulary::open).transpose();
    let vocabulary = vocabulary
        .map_err(|error| Usage::error(format!("--vocabulary: {:#}", anyhow::Error::from(error))))?;
    let limits = Limits {
        file_bytes: u64::MAX,
        rows: usize::from(*batch),
        batch_bytes: u64::MAX,
        run_bytes: RUN_BYTES,
        text_bytes: Reading::MOST_BYTES,
        batch_time: LONG,
        load_time: LONG,
        ..Limits::default()
    };
    let (input, output, shape) = (input.clone(), output.clone(), shape.clone());
    let settings = Settings { input, output, shape, vocabulary, limits, ..Settings::default() };
    Model::load(model, settings).await.map_err(|error| match &error {
        Error::Tensor { role, .. } | Error::Several { role, .. } => {
            Usage::error(format!("--{role}: {error}"))
        }
        Error::Vocabulary { .. } => Usage::error(format!("--vocabulary: {error}")),
        Error::Setting { .. } | Error::Kind { .. } => Usage::error(error.to_string()),
        Error::Read { source, .. } => Usage::error(format!("{error}: {source}")),
        Error::Shape { .. } => Usage::error(format!("{error} (here by --shape)")),
        _ => error.into(),
    })
}

/// The next lines: as many as may be, or fewer if no more come.
async fn next(lines: &mut Receiver<Result<Line>>, most: usize) -> Result<Option<Vec<Line>>> {
    let Some(first) = lines.recv().await else { return Ok(None) };
    let mut batch = vec![first?];
    let until = Instant::now() + PAUSE;
    while batch.len() < most {
        match timeout_at(until, lines.recv()).await {
            Ok(Some(line)) => batch.push(line?),
            Ok(None) | Err(_) => break,
        }
    }
    Ok(Some(batch))
}

/// What the model answers to each line, or why there is no answer.
async fn answer(model: &Model, batch: &[Line]) -> Vec<Result<Vec<f64>, String>> {
    let rows: Vec<&Given> = batch.iter().filter_map(|line| line.given.as_ref().ok()).collect();
    let mut answers = run_all(model, &rows).await.into_iter();
    let lines = batch.iter().map(|line| match &line.given {
        Ok(_) => answers.next().unwrap_or_else(|| Err("it has no answer".to_owned())),
        Err(why) => Err(why.clone()),
    });
    lines.collect()
}

async fn run_all(model: &Model, rows: &[&Given]) -> Vec<Result<Vec<f64>, String>> {
    let alone = |given: Vec<Result<Vec<f64>, mape::infer::RowError>>| {
        given.into_iter().map(|row| row.map_err(|error| error.reason())).collect::<Vec<_>>()
    };
    let together = match model.run(rows.iter().copied()).await {
        Ok(answers) => return alone(answers),
        Err(error) => error,
    };
    if rows.len() < 2 {
        return rows.iter().map(|_| Err(together.to_string())).collect();
    }
    // One of them may spoil it for all.
    let mut answers = Vec::with_capacity(rows.len());
    for row in rows {
        match model.run([*row]).await {
            Ok(one) => answers.extend(alone(one)),
            Err(error) => answers.push(Err(error.to_string())),
        }
    }
    answers
}

/// Writes numbers as an array, each with as many digits as its type has.
fn write(numbers: &[f64], of: ElementType, text: &mut String) {
    use std::fmt::Write as _;
    text.push('[');
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        // Writing to a text cannot fail.
        let _ = match of {
            ElementType::F16 | ElementType::F32 => {
                #[expect(clippy::cast_possible_truncation, reason = "it was such a number before")]
                let number = *number as f32;
                text.write_str(&serde_json::to_string(&number).unwrap_or_default())
            }
            ElementType::F64 => text.write_str(&serde_json::to_string(number).unwrap_or_default()),
            _ => write!(text, "{number:.0}"),
        };
    }
    text.push(']');
}

/// The lines of standard input, read by a thread, as reading can't be given up.
fn lines(most: usize) -> Result<Receiver<Result<Line>>> {
    let (sender, lines) = channel(4 * most);
    let read = move || {
        let mut input = BufReader::with_capacity(CHUNK, stdin().lock());
        let (mut bytes, mut number) = (Vec::new(), 0);
        loop {
            number += 1;
            let given = match line(&mut input, &mut bytes) {
                Err(error) => Err(error).context("reading standard input"),
                Ok(End::Nothing) => return,
                Ok(End::Long) => Ok(Err(format!("it has more than {LONGEST} bytes"))),
                Ok(End::Line) if bytes.trim_ascii().is_empty() => continue,
                Ok(End::Line) => Ok(given(&bytes)),
            };
            let is_over = given.is_err();
            if sender.blocking_send(given.map(|given| Line { number, given })).is_err() || is_over {
                return;
            }
        }
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(read).context("starting a thread")?;
    Ok(lines)
}

/// How a line has ended.
enum End {
    Line,
    Long,
    Nothing,
}

/// Reads a line, of which no more is kept than it may have.
fn line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> std::io::Result<End> {
    bytes.clear();
    let (mut any, mut long) = (false, false);
    loop {
        let part = match input.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            part => part?,
        };
        if part.is_empty() {
            break;
        }
        any = true;
        let end = memchr::memchr(b'\n', part);
        let taken = part.get(..end.unwrap_or(part.len())).unwrap_or_default();
        long |= bytes.len() + taken.len() > LONGEST;
        if !long {
            bytes.extend_from_slice(taken);
        }
        let used = end.map_or(part.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, long) {
        (false, _) => End::Nothing,
        (_, true) => End::Long,
        _ => End::Line,
    })
}

/// What a line says.
fn given(line: &[u8]) -> Result<Given, String> {
    let json: Json = serde_json::from_slice(line).map_err(|error| {
        let text = String::from_utf8_lossy(line);
        let hint = if ["NaN", "Infinity"].iter().any(|word| text.contains(word)) {
            "; a row is made of finite numbers"
        } else {
            ""
        };
        let error = error.to_string().replace("line 1 column", "column");
        format!("it is no JSON ({error}){hint}: {}", excerpt(text.trim()))
    })?;
    Given::try_from(json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_no_more_is_kept_than_it_may_have() {
        let mut text = vec![b'1'; LONGEST + 1];
        text.extend_from_slice(b"\n[2]\n\n[3]");
        let mut input = BufReader::with_capacity(7, text.as_slice());
        let mut bytes = Vec::new();
        assert!(matches!(line(&mut input, &mut bytes), Ok(End::Long)) && bytes.len() <= LONGEST);
        assert!(matches!(line(&mut input, &mut bytes), Ok(End::Line)) && bytes == b"[2]");
        assert!(matches!(line(&mut input, &mut bytes), Ok(End::Line)) && bytes.is_empty());
        assert!(matches!(line(&mut input, &mut bytes), Ok(End::Line)) && bytes == b"[3]");
        assert!(matches!(line(&mut input, &mut bytes), Ok(End::Nothing)));
    }

    #[test]
    fn numbers_are_written_with_the_digits_of_their_type() {
        let mut text = String::new();
        write(&[f64::from(0.1_f32), 1.0], ElementType::F32, &mut text);
        write(&[0.1], ElementType::F64, &mut text);
        write(&[3.0, -1.0], ElementType::I64, &mut text);
        assert_eq!(text, "[0.1,1.0][0.1][3,-1]");
    }
}
