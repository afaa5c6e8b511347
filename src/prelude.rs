//! What most programs need: `use mape::prelude::*;`.
//!
//! It brings the [`Operators`], `Stream`, and futures' `StreamExt` and `SinkExt` by their methods alone.

pub use crate::app::{App, Level, Loop};
pub use crate::element::{
    AnyElement, BoxError, Call, Element, Emitter, Handler, Link, LinkOptions, Message, OnError, Out,
    Overflow, Parameter, StartPolicy, State, Subscription,
};
pub use crate::stream::{Backoff, Operators};
pub use futures::{SinkExt as _, Stream, StreamExt as _};
pub use std::time::Duration;
