//! Write systems that watch and adapt themselves: Monitor, Analyze, Plan and Execute elements with typed ports, joined
//! by streams, sharing knowledge.
//!
//! An element is a function between two ports. Links are bounded queues that lose nothing unless told to. Errors are
//! values, and the next item goes on. Time is tokio's, so hours of behaviour are tested in milliseconds. And one URL
//! says where knowledge and channels live; the program stays the same.
//!
//! # The first loop
//!
//! An ambulance that drives faster, siren on, while there is an emergency:
//!
//! ```
//! use mape::prelude::*;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), BoxError> {
//!     let app = App::new();
//!     let ambulance = app.create_loop("ambulance")?;
//!     let speed = Parameter::new("emergency_speed", 180).within(50..=250); // can be changed while it runs
//!
//!     let detect = ambulance.monitor("detect").map(|emergency: bool| emergency).spawn()?;
//!     let policy = ambulance
//!         .plan("policy")
//!         .parameter(&speed)
//!         .ops_in(|readings| readings.distinct_until_changed())
//!         .map(move |emergency: bool| if emergency { (speed.get(), "siren on") } else { (80, "siren off") })
//!         .spawn()?;
//!     let exec = ambulance.execute("exec").map(|(speed, siren)| format!("{speed} km/h, {siren}")).spawn()?;
//!     let mut done = exec.subscribe();
//!
//!     detect.link(&policy)?;
//!     policy.link(&exec)?;
//!     detect.start()?;
//!     for reading in [true, true, false] {
//!         detect.push(reading).await?;
//!     }
//!     assert_eq!(done.next().await.as_deref(), Some("180 km/h, siren on"));
//!     assert_eq!(done.next().await.as_deref(), Some("80 km/h, siren off"));
//!     Ok(())
//! }
//! ```
//!
//! # The guide
//!
#![cfg_attr(
    any(doc, doctest),
    doc = "[First loop](guide::first_loop), step by step; [elements](guide::elements) and their life; \
[operators](guide::operators) on streams; [knowledge](guide::knowledge) and channels; [goals](guide::goals); \
[metrics](guide::metrics) and [traces](guide::traces); [distributing loops](guide::distribution); [events](guide::events); [conditions](guide::conditions) and their [language](guide::condition_language); [workflows](guide::workflows), [on many machines](guide::distributed_workflows), their [workers](guide::workers), their [operations](guide::operations) and the [language of flows](guide::flow_language); [REST](guide::rest), [live results](guide::live), [queues, batches, models](guide::queues), [other services](guide::edges), [InfluxDB](guide::influxdb), the [console](guide::console), [security](guide::security); [testing](guide::testing) in virtual time. To look up: the [table of operators](guide::operator_table) and the [terms](guide::terms)."
)]
//!
//! # Modules
//!
//! | module | what is there |
//! |---|---|
//! | [`prelude`] | what most programs import |
//! | [`stream`] | the contract of streams, [`Operators`](stream::Operators) over any of them, marble tests |
//! | [`element`] | elements, ports, links, parameters, calls, messages, supervision |
//! | [`app`] | App > Level > Loop > Element: paths, topology, wiring check, shutdown |
//! | [`knowledge`] | shared facts in typed collections, changes as streams, transactions, locks |
//! | [`channel`] | publish and subscribe by name and pattern |
//! | [`condition`] | conditions over data: filter, classify, route, and an index of thousands |
//! | [`goal`] | what is wanted, as conditions over signals, judged as they come |
//! | [`live`] | results in parts, to whoever is interested |
//! | [`event`] | the durable log: consumer groups, leases, dead letters |
//! | [`backend`] | where knowledge, channels and events live, chosen by a URL |
#![cfg_attr(
    feature = "flow",
    doc = "| [`workflow`] | flows that run, durably: tasks as elements, an engine, the runs of a backend |"
)]
#![cfg_attr(feature = "text", doc = "| [`text`] | text to numbers: tokens, stems, bags of words |")]
//! | [`telemetry`] | what everything counts, for programs and for Prometheus; logs; traces and metrics for a collector |
#![cfg_attr(feature = "flow", doc = "| [`queue`] | jobs that wait their turn, and lists of them |")]
#![cfg_attr(feature = "inference", doc = "| [`infer`] | models that judge what flows, in batches |")]
#![cfg_attr(feature = "edge", doc = "| [`edge`] | what other services send and are sent |")]
#![cfg_attr(feature = "http", doc = "| [`http`] | the service: REST, the console, who may do what |")]
#![cfg_attr(feature = "config", doc = "| [`config`] | `config.yaml`, the environment and code, in layers |")]
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `cli` | yes | the program `mape`, with `config` and `http` |
//! | `config` | by `cli` | reading `config.yaml` and the environment |
//! | `file` | yes | the backend `file:DIR` |
//! | `edge` | yes | sinks that post, sources that are posted to or poll; InfluxDB |
//! | `http` | yes | the HTTP service: REST with its description, the console |
//! | `http-client` | yes | the tasks and resources of workflows that call HTTP services |
//! | `inference` | no | models in the stream: ONNX, frozen graphs of TensorFlow; it builds for minutes |
//! | `influxdb2` | no | points and queries of the crate `influxdb2` |
//! | `logs` | by `cli` | a log for people or programs |
//! | `otel` | no | traces and metrics to a collector of OpenTelemetry, by OTLP over HTTP |
//! | `redis` | yes | the backends `redis:`, `rediss:`, Sentinel and Cluster |
//! | `text` | yes | tokens, stems and bags of words of texts |
//!
//! A library needs none of them: `default-features = false`.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod app;
pub mod backend;
pub mod channel;
pub mod condition;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "database")]
pub mod database;
#[cfg(feature = "edge")]
pub mod edge;
pub mod element;
pub mod event;
#[cfg(feature = "flow")]
pub mod flow;
pub mod goal;
mod hint;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "inference")]
pub mod infer;
pub mod knowledge;
pub mod live;
pub mod prelude;
#[cfg(feature = "flow")]
pub mod queue;
pub mod stream;
pub mod telemetry;
#[cfg(feature = "text")]
pub mod text;
#[cfg(feature = "flow")]
pub mod workflow;

/// The guide: to be read from the top, with examples that all run.
///
/// It is here for readers only; there is nothing to import.
#[cfg(any(doc, doctest))]
pub mod guide {
    // On the web of a repository a page's links are resolved by the definitions at its own end; here, by those that
    // come first.
    macro_rules! page {
        ($name:ident, $file:literal) => {
            #[doc = "[first loop]: crate::guide::first_loop"]
            #[doc = "[elements]: crate::guide::elements"]
            #[doc = "[operators]: crate::guide::operators"]
            #[doc = "[knowledge]: crate::guide::knowledge"]
            #[doc = "[goals]: crate::guide::goals"]
            #[doc = "[distribution]: crate::guide::distribution"]
            #[doc = "[events]: crate::guide::events"]
            #[doc = "[conditions]: crate::guide::conditions"]
            #[doc = "[language of conditions]: crate::guide::condition_language"]
            #[doc = "[other services]: crate::guide::edges"]
            #[doc = "[workflows]: crate::guide::workflows"]
            #[doc = "[flow language]: crate::guide::flow_language"]
            #[doc = "[workers]: crate::guide::workers"]
            #[doc = "[distributed workflows]: crate::guide::distributed_workflows"]
            #[doc = "[operations]: crate::guide::operations"]
            #[doc = "[REST]: crate::guide::rest"]
            #[doc = "[live results]: crate::guide::live"]
            #[doc = "[queues, batches, models]: crate::guide::queues"]
            #[doc = "[console]: crate::guide::console"]
            #[doc = "[security]: crate::guide::security"]
            #[doc = "[InfluxDB]: crate::guide::influxdb"]
            #[doc = "[metrics]: crate::guide::metrics"]
            #[doc = "[terminal view]: crate::guide::top"]
            #[doc = "[traces]: crate::guide::traces"]
            #[doc = "[testing]: crate::guide::testing"]
            #[doc = "[table]: crate::guide::operator_table"]
            #[doc = "[terms]: crate::guide::terms"]
            #[doc = ""]
            #[doc = include_str!($file)]
            pub mod $name {}
        };
    }

    page!(first_loop, "../docs/guide/first_loop.md");
    page!(elements, "../docs/guide/elements.md");
    page!(operators, "../docs/guide/operators.md");
    page!(knowledge, "../docs/guide/knowledge.md");
    page!(goals, "../docs/guide/goals.md");
    page!(distribution, "../docs/guide/distribution.md");
    page!(events, "../docs/guide/events.md");
    page!(conditions, "../docs/guide/conditions.md");
    page!(condition_language, "../docs/spec/condition.md");
    #[cfg(feature = "http")]
    page!(edges, "../docs/guide/edges.md");
    #[cfg(all(feature = "http", feature = "config"))]
    page!(influxdb, "../docs/guide/influxdb.md");
    #[cfg(feature = "flow")]
    page!(workflows, "../docs/guide/workflows.md");
    #[cfg(feature = "flow")]
    page!(flow_language, "../docs/spec/flow.md");
    #[cfg(feature = "flow")]
    page!(workers, "../docs/guide/workers.md");
    #[cfg(feature = "flow")]
    page!(distributed_workflows, "../docs/guide/distributed_workflows.md");
    #[cfg(feature = "flow")]
    page!(operations, "../docs/operations.md");
    #[cfg(feature = "flow")]
    page!(tasks, "../docs/guide/tasks.md");
    #[cfg(feature = "http")]
    page!(rest, "../docs/guide/rest.md");
    #[cfg(feature = "http")]
    page!(live, "../docs/guide/live.md");
    #[cfg(feature = "http")]
    page!(queues, "../docs/guide/queues.md");
    #[cfg(feature = "http")]
    page!(console, "../docs/guide/console.md");
    #[cfg(feature = "http")]
    page!(security, "../docs/guide/security.md");
    page!(metrics, "../docs/guide/metrics.md");
    page!(traces, "../docs/guide/traces.md");
    page!(top, "../docs/guide/top.md");
    page!(testing, "../docs/guide/testing.md");
    page!(operator_table, "../docs/operators.md");
    page!(terms, "../docs/terms.md");
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
