//! A model made ready to run.

use super::memory::Room;
use super::reading::{File, Graph};
use super::{Batch, ElementType, Error, Limits, Port, Settings, trial};
use std::collections::HashMap;
use std::sync::Arc;
use tract_onnx::prelude::{
    DatumType, InferenceModelExt, IntoRunnable, Symbol, TDim, TractError, TypedModel, TypedRunnableModel,
};
use tract_onnx::tract_hir::internal::{
    DimFact, DimLike, Factoid, GenericFactoid, InferenceFact, ShapeFactoid, ToDim,
};

/// A model made ready to run, with what it takes and gives. It is never changed, and shared by all runs.
pub(super) struct Plan {
    pub(super) input: Port,
    pub(super) output: Port,
    pub(super) batch: Batch,
    /// Whether its tensors have no dimension for the batch.
    pub(super) bare: bool,
    /// What its input tensor is made of.
    pub(super) takes: DatumType,
    /// Runs a batch of any size, or of the fixed one.
    pub(super) whole: Arc<TypedRunnableModel>,
    /// Runs one row alone, which is faster when that is known beforehand; only where any number is possible.
    pub(super) one: Option<Arc<TypedRunnableModel>>,
}

/// What the file says of the input: the first dimension, and those of a row.
struct Declared {
    takes: DatumType,
    /// The symbol of the file for the batch, if it has one.
    symbol: Option<Symbol>,
    /// How many rows a batch has by the file; nothing where that is open.
    fixed: Option<usize>,
    bare: bool,
    row: Vec<usize>,
}

impl Plan {
    /// Prepares what is in the file: for any number of rows at once if that is possible, else as the file has it.
    pub(super) fn of(file: &File, settings: &Settings) -> Result<Self, Error> {
        let graph = file.graph(settings, false)?;
        let declared = declared(file, &graph, settings)?;
        if declared.bare {
            return fixed(file, &graph, &declared, 1, settings);
        }
        let again;
        let open = if declared.fixed.is_none() {
            &graph
        } else {
            again = file.graph(settings, true)?;
            &again
        };
        match any(file, open, &declared, settings) {
            // A batch of the file's own may fit where the largest that there may be does not.
            Err(error @ Error::Memory { .. }) if declared.fixed.is_some() => {
                tracing::warn!(%error, "the model runs with the batch of its file, for larger ones would be too much");
            }
            // With few rows it shows whether it can be run with several at all.
            Err(error @ Error::Memory { .. }) => {
                let limits = Limits { rows: trial::ROWS, ..settings.limits };
                let few = Settings { limits, ..settings.clone() };
                let Err(Error::Shape { .. } | Error::Invalid { .. }) = any(file, open, &declared, &few)
                else {
                    return Err(error);
                };
            }
            Err(Error::Shape { .. } | Error::Invalid { .. }) => {}
            done => return done,
        }
        fixed(file, &graph, &declared, declared.fixed.unwrap_or(1), settings)
    }

    /// The same model, run as the file has it or row by row: for one whose answers depend on what else is in a batch.
    pub(super) fn apart(file: &File, settings: &Settings) -> Result<Self, Error> {
        let graph = file.graph(settings, false)?;
        let declared = declared(file, &graph, settings)?;
        fixed(file, &graph, &declared, declared.fixed.unwrap_or(1), settings)
    }
}

/// Any number of rows: the first dimension of input and output is one symbol.
fn any(file: &File, graph: &Graph, declared: &Declared, settings: &Settings) -> Result<Plan, Error> {
    let symbol = declared.symbol.clone().unwrap_or_else(|| graph.model.symbols.new_with_prefix("rows"));
    let room = Room::of_any(file, &settings.limits, &symbol);
    let model = typed(file, graph, declared, Some(symbol.to_dim()), &room)?;
    let (output, dims) = output(file, graph, &model)?;
    let row = match dims.split_first() {
        Some((first, rest)) if *first == symbol.to_dim() => concrete(rest),
        _ => None,
    };
    let Some(row) = row else {
        return Err(shape(
            file,
            "output",
            &graph.output,
            &output,
            &dims,
            "its first dimension has to be the batch",
        ));
    };
    let alone = model.set_symbols(&HashMap::from([(symbol, 1.to_dim())]));
    let one = alone
        .map_err(|error| file.invalid(format!("{error:#}")))
        .and_then(|model| ready(file, model, &room))?;
    Ok(Plan {
        input: port(file, "input", &graph.input, declared.takes, declared.row.clone())?,
        output: port(file, "output", &graph.output, output, row)?,
        batch: Batch::Any,
        bare: false,
        takes: declared.takes,
        whole: ready(file, model, &room)?,
        one: Some(one),
    })
}

/// A fixed number of rows.
fn fixed(
    file: &File,
    graph: &Graph,
    declared: &Declared,
    rows: usize,
    settings: &Settings,
) -> Result<Plan, Error> {
    let room = Room::of(file, &settings.limits, rows);
    let model = typed(file, graph, declared, (!declared.bare).then(|| rows.to_dim()), &room)?;
    let (output, dims) = output(file, graph, &model)?;
    let row = match (concrete(&dims).as_deref(), rows) {
        (Some([first, rest @ ..]), _) if !declared.bare && *first == rows => Some(rest.to_vec()),
        (Some(all), 1) => Some(all.to_vec()),
        _ => None,
    };
    let Some(row) = row else {
        let wanted = format!("its first dimension has to be the batch of {rows}");
        return Err(shape(file, "output", &graph.output, &output, &dims, &wanted));
    };
    Ok(Plan {
        input: port(file, "input", &graph.input, declared.takes, declared.row.clone())?,
        output: port(file, "output", &graph.output, output, row)?,
        batch: Batch::Fixed(rows),
        bare: declared.bare,
        takes: declared.takes,
        whole: ready(file, model, &room)?,
        one: None,
    })
}

/// What the file says of the input, completed by the settings.
fn declared(file: &File, graph: &Graph, settings: &Settings) -> Result<Declared, Error> {
    let fact = graph.model.input_fact(0).map_err(|error| file.invalid(format!("{error:#}")))?;
    let takes = fact.datum_type.concretize().unwrap_or(DatumType::F32);
    let dims: Vec<DimFact> = fact.shape.dims().cloned().collect();
    let wrong = |wanted: &str| Error::Shape {
        file: file.name.clone(),
        role: "input",
        name: graph.input.clone(),
        found: format!("[{:?}] {takes:?}", fact.shape).to_lowercase(),
        wanted: wanted.to_owned(),
    };
    let length = |dim: &DimFact| match dim {
        GenericFactoid::Only(dim) => dim.to_usize().ok(),
        GenericFactoid::Any => None,
    };
    let fits = |dims: &[DimFact], row: &[usize]| {
        dims.len() == row.len()
            && dims.iter().zip(row).all(|(dim, row)| length(dim).is_none_or(|dim| dim == *row))
    };
    let (first, row, bare) = match (&settings.shape, dims.split_first()) {
        (Some(row), _) if fact.shape.is_open() => (None, row.clone(), false),
        (Some(row), Some((first, rest))) if fits(rest, row) => (Some(first), row.clone(), false),
        (Some(row), _) if fits(&dims, row) => (None, row.clone(), true),
        (Some(row), _) => return Err(wrong(&format!("the shape {row:?} of a row does not fit"))),
        (None, _) if fact.shape.is_open() => return Err(wrong("say the shape of a row by `shape`")),
        (None, None) => return Err(wrong("a row needs a dimension")),
        // One dimension of a known length is a row; of an unknown one, it is the batch.
        (None, Some((first, []))) => match length(first) {
            Some(width) => (None, vec![width], true),
            None => (Some(first), Vec::new(), false),
        },
        (None, Some((first, rest))) => match rest.iter().map(length).collect::<Option<Vec<usize>>>() {
            Some(row) => (Some(first), row, false),
            None => return Err(wrong("say the shape of a row by `shape`")),
        },
    };
    if row.contains(&0) {
        return Err(wrong("a row without numbers is none"));
    }
    let symbol = match first {
        Some(GenericFactoid::Only(TDim::Sym(symbol))) => Some(symbol.clone()),
        _ => None,
    };
    let fixed = first.and_then(length);
    if fixed == Some(0) {
        return Err(wrong("a batch without rows is none"));
    }
    Ok(Declared { takes, symbol, fixed, bare, row })
}

/// The model with all types and shapes, fed with a tensor of that first dimension.
fn typed(
    file: &File,
    graph: &Graph,
    declared: &Declared,
    first: Option<TDim>,
    room: &Room<'_>,
) -> Result<TypedModel, Error> {
    let invalid = |error: TractError| file.invalid(format!("{error:#}"));
    let dims = first.into_iter().chain(declared.row.iter().map(ToDim::to_dim));
    let fact = InferenceFact::dt_shape(declared.takes, dims.collect::<ShapeFactoid>());
    let model = graph.model.clone().with_input_fact(0, fact).map_err(invalid)?;
    // What the output does not need is of no matter.
    let mut model = model.into_compact().map_err(invalid)?;
    room.analyse(&mut model)?;
    let model = model.into_typed().map_err(invalid)?;
    room.check_tensors(&model)?;
    model.into_decluttered().map_err(invalid)
}

/// The model ready to run, if what it takes for that is not too much.
fn ready(file: &File, model: TypedModel, room: &Room<'_>) -> Result<Arc<TypedRunnableModel>, Error> {
    let ready = model.into_optimized().and_then(|model| model.into_runnable());
    let ready = ready.map_err(|error| file.invalid(format!("{error:#}")))?;
    room.check_run(&ready)?;
    Ok(ready)
}

fn output(file: &File, graph: &Graph, model: &TypedModel) -> Result<(DatumType, Vec<TDim>), Error> {
    let fact = model.output_fact(0);
    let fact = fact.map_err(|error| file.invalid(format!("its output `{}`: {error:#}", graph.output)))?;
    Ok((fact.datum_type, fact.shape.iter().cloned().collect()))
}

fn concrete(dims: &[TDim]) -> Option<Vec<usize>> {
    dims.iter().map(|dim| dim.to_usize().ok()).collect()
}

fn shape(file: &File, role: &'static str, name: &str, of: &DatumType, dims: &[TDim], wanted: &str) -> Error {
    let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
    Error::Shape {
        file: file.name.clone(),
        role,
        name: name.to_owned(),
        found: format!("[{}] {}", dims.join(", "), format!("{of:?}").to_lowercase()),
        wanted: wanted.to_owned(),
    }
}

fn port(
    file: &File,
    role: &'static str,
    name: &str,
    of: DatumType,
    shape: Vec<usize>,
) -> Result<Port, Error> {
    let element_type = match of {
        DatumType::F16 => ElementType::F16,
        DatumType::F32 => ElementType::F32,
        DatumType::F64 => ElementType::F64,
        DatumType::I8 => ElementType::I8,
        DatumType::I16 => ElementType::I16,
        DatumType::I32 => ElementType::I32,
        // So are numbers of rows and positions called inside.
        DatumType::I64 | DatumType::TDim => ElementType::I64,
        DatumType::U8 => ElementType::U8,
        DatumType::U16 => ElementType::U16,
        DatumType::U32 => ElementType::U32,
        DatumType::U64 => ElementType::U64,
        DatumType::Bool => ElementType::Bool,
        other => {
            return Err(Error::Shape {
                file: file.name.clone(),
                role,
                name: name.to_owned(),
                found: format!("{shape:?} {other:?}").to_lowercase(),
                wanted: "it has to be made of numbers; name another".to_owned(),
            });
        }
    };
    Ok(Port { name: name.to_owned(), element_type, shape })
}
