//! Models in the stream.

mod limits;
mod loading;
mod onnx;
mod rows;
mod shadow;
mod stream;
mod task;
mod texts;
mod verdicts;
mod versions;

use mape::infer::{Model, Models, Settings};
use mape::stream::meter::{self, Meter};
use onnx::Onnx;
use serde::Deserialize;
use std::sync::Arc;

/// A file of the folder with models.
fn data(name: &str) -> String {
    format!("{}/tests/data/models/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What a model was given, and what another runtime says.
#[derive(Deserialize)]
struct Expected {
    input: Vec<f64>,
    output: Vec<f64>,
}

fn expected(name: &str) -> Vec<Expected> {
    serde_json::from_str(&std::fs::read_to_string(data(name)).unwrap()).unwrap()
}

fn are_close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
}

async fn read(model: &Onnx, settings: Settings) -> Model {
    Model::read("test.onnx", model.bytes(), settings).await.unwrap()
}

/// A model under the name `m`, at once live.
async fn named(model: &Onnx, settings: Settings) -> Models {
    let models = Models::new();
    models.add("m", None, read(model, settings).await).unwrap();
    models
}

/// What is counted of a model. The names of models in tests differ where they are counted.
fn counted(name: &str) -> Counted {
    let meter = meter::all().into_iter().find(|meter| meter.kind().name == "model" && meter.name() == name);
    Counted(meter.unwrap())
}

struct Counted(Arc<Meter>);

impl Counted {
    fn of(&self, counter: &str) -> u64 {
        let place = self.0.kind().counters.iter().position(|(name, _)| *name == counter);
        self.0.counter(place.unwrap())
    }
}
