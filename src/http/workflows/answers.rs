//! What routes answer besides what was asked for, as it is described.

use std::collections::BTreeMap;
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

/// An error.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "it is only described")]
pub(super) struct Detail {
    /// What is wrong and what to do.
    detail: String,
}

/// An error on littleflow's paths.
#[derive(ToSchema)]
#[schema(as = WorkflowFault)]
#[expect(dead_code, reason = "it is only described")]
pub(super) struct Fault {
    /// What is wrong and what to do.
    message: String,
    /// `Error`.
    status: String,
}

type Described = BTreeMap<String, RefOr<Response>>;

fn described<T: PartialSchema>(all: &[(u16, &str)]) -> Described {
    let content = || ContentBuilder::new().schema(Some(T::schema())).build();
    let answer = |text: &str| {
        ResponseBuilder::new().description(text).content("application/json", content()).build().into()
    };
    all.iter().map(|(status, text)| (status.to_string(), answer(text))).collect()
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident, $body:ty: $($status:literal $text:literal),+;)*) => {$(
        $(#[$doc])*
        pub(in crate::http) struct $name;
        impl IntoResponses for $name {
            fn responses() -> Described {
                described::<$body>(&[$(($status, $text)),+])
            }
        }
    )*};
}

answers! {
    /// Of whatever asks the backend.
    Away, Detail:
        500 "What is kept cannot be read.",
        503 "The backend is away, or there is no engine.";
    /// Of whatever is about one thing.
    Unknown, Detail:
        400 "The path is no text.",
        404 "There is nothing of that name.";
    /// Of whatever is asked by a query.
    Query, Detail:
        422 "A parameter of the query is no good.";
    /// Of whatever takes a body.
    Body, Detail:
        400 "The body was cut off.",
        413 "The body is longer than is allowed.",
        422 "The body has another shape.";
    /// Of whatever changes something.
    Conflict, Detail:
        409 "It is in no state for that.";
    /// Of littleflow's routes.
    Faults, Fault:
        400 "It makes no sense, or cannot be done; the message says why.",
        500 "What is kept cannot be read.",
        503 "The backend is away.";
    /// Of those about one run.
    Missing, Fault:
        404 "There is no such run.";
    /// Of those that take a body.
    Bodies, Fault:
        413 "The body is longer than is allowed.",
        415 "The body is of another type.";
}
