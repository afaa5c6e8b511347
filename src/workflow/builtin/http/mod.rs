//! Calls of HTTP services: which may be called, what they are sent, what of their answers is taken.

mod address;
mod callback;
mod client;
mod hosts;
mod output;
mod request;
mod secrets;
mod services;

pub(in super::super) use callback::find;
pub(super) use callback::forget;
pub(super) use client::{Answered, Client};
pub(super) use hosts::Hosts;
pub(super) use output::failed;
pub(super) use request::{Requests, as_part_of_url, tasks};
pub(super) use services::{Service, Services};
