//! A double of the social network: an API after Facebook's Graph API, webhooks, and a mail server.
//!
//! It behaves as such networks do: it does once what is asked with the same `Idempotency-Key`, tells each fifth comment
//! twice, and each eleventh not at all. All it knows is in a file; killed, it goes on where it was.

mod api;
mod mail;
mod people;
mod records;
mod webhooks;

use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::network::records::Records;
use crate::shared::Shared;
use crate::stage::Running;

pub async fn start(shared: &Shared, running: &mut Running) -> anyhow::Result<()> {
    let settings = &shared.settings.network;
    let people = people::People::new(settings.comments, settings.pace)?;
    let records = Arc::new(Records::open(&shared.data.join("network.sqlite"), people)?);
    let listen = async |address: &str| {
        TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
    };
    let (calls, mails) = (listen(&settings.address).await?, listen(&settings.mail).await?);
    let api = api::routes(&records)?;
    running.own(async move {
        if let Err(error) = axum::serve(calls, api).await {
            tracing::error!(%error, "the network has ended");
        }
    });
    running.own(mail::serve(mails, records.clone()));
    running.own(webhooks::send(records, &settings.secret)?);
    Ok(())
}
