//! `mape infer`

use super::{Answer, Program};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

fn data(name: &str) -> String {
    format!("{}/tests/data/models/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What a model was given, and what the runtime of its maker says.
fn expected(name: &str) -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(data(name)).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn are_close(a: &Value, b: &Value) -> bool {
    let (a, b) = (numbers(a), numbers(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5)
}

/// Runs the program on an input that is written while its output is read.
fn infer(program: &Program, arguments: &[&str], input: &str) -> Answer {
    let mut command = program.command(&[&["infer"], arguments].concat());
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    // A program that ends before it has read all is looked at below.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_line_is_answered_in_order_as_the_models_own_runtime_does() {
    let program = Program::new("infer");
    for (model, answers, input, output) in [
        ("mlp.onnx", "mlp.expected.json", "bag", "scores"),
        ("frozen.pb", "frozen.expected.json", "x", "Identity"),
    ] {
        let expected = expected(answers);
        let rows = expected.iter().enumerate().map(|(place, row)| match place % 2 {
            0 => row["input"].to_string(),
            _ => json!({"id": place, "input": row["input"]}).to_string(),
        });
        let rows = rows.collect::<Vec<_>>().join("\n");
        let named = ["--input", input, "--output", output, "--batch", "5"];
        for options in [&named[..], &[]] {
            let answer = infer(&program, &[&[data(model).as_str()], options].concat(), &rows);
            assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
            let lines = lines(&answer);
            assert_eq!(lines.len(), expected.len());
            for (line, row) in lines.iter().zip(&expected) {
                assert!(are_close(line, &row["output"]), "{line} {row}");
            }
        }
    }
}

#[test]
fn with_a_vocabulary_a_line_may_be_a_text() {
    let mut words = vec!["volunt".to_owned(), "help".to_owned(), "hour".to_owned()];
    words.extend((3..44).map(|n| format!("word{n}")));
    let program = Program::new("infer_text").file("words.json", &json!(words).to_string());
    let mut row = vec![0; 44];
    (row[0], row[1]) = (1, 1);
    let rows = [json!("Volunteers are HELPING!"), json!({"input": "help the volunteer"}), json!(row)];
    let rows = rows.map(|row| row.to_string()).join("\n");
    let answer = infer(&program, &[&data("mlp.onnx"), "--vocabulary", "words.json"], &rows);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    let lines = lines(&answer);
    assert!(lines.len() == 3 && lines.iter().all(|line| are_close(line, &lines[0])), "{}", answer.stdout);
}

#[test]
fn a_line_that_has_no_answer_is_null_and_told_with_its_number() {
    let good = json!(vec![1; 44]).to_string();
    let nan = good.replacen('1', "NaN", 1);
    let null = good.replacen('1', "null", 1);
    let large = good.replacen('1', "1e39", 1);
    let rows =
        [&good, "[1, 2]", "[1,", "", r#"{"inputs": []}"#, "\"hello\"", "7", &null, &nan, &large, "[]", &good];
    let answer = infer(&Program::new("infer_wrong"), &[&data("mlp.onnx")], &rows.join("\n"));
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    let lines = lines(&answer);
    assert!(lines.len() == 11 && are_close(&lines[0], &lines[10]), "{}", answer.stdout);
    assert!(lines[1..10].iter().all(Value::is_null), "{}", answer.stdout);
    let told: Vec<&str> = answer.stderr.lines().collect();
    for (place, says) in [
        (0, "line 2: it has 2 numbers, and 44 are a row"),
        (1, "line 3: it is no JSON"),
        (2, "line 5: there is no field `input` in it"),
        (3, "line 6: it is a text, and the model has no vocabulary"),
        (4, "line 7: it is the number 7"),
        (5, "line 8: number 0 of the row is null"),
        (6, "line 9: it is no JSON"),
        (7, "line 10: it has"),
        (8, "line 11: it is empty, and 44 numbers are a row"),
        (9, "error: 9 of 11 lines have no answer"),
    ] {
        assert!(told[place].starts_with(says), "{says}: {}", told[place]);
    }
    assert!(told[6].contains("finite"), "{}", told[6]);
}

#[test]
fn a_line_that_is_too_long_is_told_and_the_next_is_answered() {
    let good = json!(vec![1; 44]).to_string();
    let rows = format!("[{}\n{good}\n", "1,".repeat(9 << 20));
    let answer = infer(&Program::new("infer_long"), &[&data("mlp.onnx"), "--json"], &rows);
    let lines = lines(&answer);
    assert_eq!((answer.code, lines.len(), &lines[0]), (1, 2, &Value::Null));
    assert!(lines[1].is_array());
    let told: Value = serde_json::from_str(answer.stderr.lines().next().unwrap()).unwrap();
    assert_eq!(told, json!({"signal": "line", "message": "line 1: it has more than 16777216 bytes"}));
}

#[test]
fn answers_come_when_the_input_pauses() {
    let program = Program::new("infer_pause");
    let mut command = program.command(&["infer", &data("mlp.onnx"), "--batch", "1000"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (sender, answers) = channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            sender.send(line.unwrap()).unwrap();
        }
    });
    let row = format!("{}\n", json!(vec![1; 44]));
    for rows in [1, 3] {
        stdin.write_all(row.repeat(rows).as_bytes()).unwrap();
        for _ in 0..rows {
            let answer = answers.recv_timeout(Duration::from_mins(1)).unwrap();
            assert!(answer.starts_with('['), "{answer}");
        }
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    reader.join().unwrap();
}

#[test]
fn what_cannot_be_run_is_told_before_anything_is_read() {
    let program = Program::new("infer_refused")
        .file("broken.onnx", "no model")
        .file("words.json", "[\"help\"]")
        .file("wrong.json", "{}")
        .file("model.txt", "");
    let mlp = data("mlp.onnx");
    for (arguments, code, says) in [
        (&["none.onnx"][..], 2, "the model none.onnx can't be read: No such file"),
        (&["broken.onnx"], 1, "broken.onnx is not loaded as ONNX"),
        (&["model.txt"], 2, "name it .onnx"),
        (&[&mlp, "--input", "bags"], 2, "--input: "),
        (&[&mlp, "--input", "bags"], 2, "did you mean `bag`?"),
        (&[&mlp, "--output", "score"], 2, "did you mean `scores`?"),
        (&[&mlp, "--vocabulary", "words.json"], 2, "takes 44 numbers a row, but the vocabulary has 1 words"),
        (&[&mlp, "--vocabulary", "wrong.json"], 2, "no JSON array of strings"),
        (&[&mlp, "--batch", "0"], 2, "--batch"),
        (&[&mlp, "--shape", "3,4"], 2, "--shape"),
    ] {
        let answer = infer(&program, arguments, "[1]\n");
        assert_eq!((answer.code, answer.stdout.as_str()), (code, ""), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(says), "{arguments:?}: {}", answer.stderr);
    }
}
