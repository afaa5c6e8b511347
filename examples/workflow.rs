//! A flow with tasks of its own: orders are checked, priced item by item, and answered; what fails is tried again.
//!
//! `cargo run --example workflow`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use mape::prelude::*;
use mape::workflow::{Engine, Invocation, Task, TaskError, Tasks};
use serde_json::{Value, json};

const FLOW: &str = r"
@flow order '''From an order to its answer.'''
@task price (- {iterate: {at_a_time: 2}, retry: {attempts: 3, wait: 50ms}} -) '''Asks the shop, which is often busy.'''

check → items → * price → sum :sum → ? `$[?(@.total > 20)]` discount → > answer
";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let app = App::new();
    let engine = Engine::start(&app, tasks()).await?;

    // Tasks are elements: what happens at one can be watched from anywhere.
    let mut prices = engine.app().element::<Invocation, mape::workflow::Ended>("tasks.price")?.tap_in(64);
    let watching = tokio::spawn(async move {
        while let Some(invocation) = prices.next().await {
            println!("  price of {} (attempt {})", invocation.input()["name"], invocation.attempt());
        }
    });

    let order = json!({"customer": "Ada", "cups": ["espresso", "mocha", "latte"]});
    println!("an order: {order}");
    let run = engine.run(FLOW, order).await?;
    let answer = run.output().await??;
    println!("the answer: {answer}");
    assert_eq!(answer.get("total"), Some(&json!(27)));

    let inspection = engine.workflows().inspect(run.id()).await?;
    for step in inspection.steps.iter().filter(|step| step.task) {
        println!("  #{} {:<9} {:?}", step.index, step.name, step.phase);
    }
    engine.close().await?;
    watching.await?;
    Ok(())
}

fn tasks() -> Tasks {
    let check = Task::sync("check", |invocation: &Invocation| {
        let order = invocation.input();
        if order["cups"].as_array().is_none_or(Vec::is_empty) {
            return Err(TaskError::for_good("an order needs cups"));
        }
        Ok(order.clone())
    });
    let items = Task::sync("items", |invocation: &Invocation| {
        let cups = invocation.input()["cups"].as_array().cloned().unwrap_or_default();
        Ok(cups.into_iter().map(|name| json!({"name": name})).collect::<Value>())
    });
    let price = Task::new("price", |invocation: Invocation| async move {
        let name = invocation.input()["name"].as_str().unwrap_or_default();
        // Busy for everybody who asks for the first time.
        if name == "mocha" && invocation.attempt() == 1 {
            return Err(TaskError::new("the shop is busy"));
        }
        Ok(json!({"name": name, "price": name.len() + 4}))
    });
    let sum = Task::sync("sum", |invocation: &Invocation| {
        let items = invocation.input().as_array().cloned().unwrap_or_default();
        let total: u64 = items.iter().filter_map(|item| item["price"].as_u64()).sum();
        Ok(json!({"total": total, "items": items.len()}))
    });
    let discount = Task::sync("discount", |invocation: &Invocation| {
        let total = invocation.input()["total"].as_u64().unwrap_or_default();
        Ok(json!({"total": total - total / 10, "discount": total / 10}))
    });
    Tasks::new().with_all([check, items, price, sum, discount, Task::echo("answer")])
}
