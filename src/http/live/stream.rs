//! All that somebody is interested in, as it comes.

use super::answer::answer;
use super::guest::Guest;
use super::query::Pairs;
use super::socket::{self, Upgrade};
use super::stating::{Listening, position};
use super::telling::{Hello, Teller};
use crate::http::Problem;
use crate::http::extract::Query;
use crate::http::streams::Form;
use crate::live::{Client, Join, Position, Stated};
use axum::http::HeaderMap;
use axum::response::Response;

/// What somebody is interested in, as it comes, whoever asked for it.
///
/// Begins with `{"client", "member", "position", "recovered"?}`: the id of the client, by which it can state more below
/// `/live/clients/{id}`, the one that others are shown, and where it is. Parts are `{"name", "job"?, "nr"?, "offset", "data"}`, with `error` in place of
/// `data` where something went wrong; their ids as events are positions, with which a browser comes back by itself. Else
/// there are `missed`, what a slow reader lost; `expired`, an interest whose time is over; `presence`, who comes into a group
/// and who leaves; `closed`, and why. Interests have the names `0`, `1` and so on.
#[utoipa::path(
    get, path = "/live/stream", tag = "live",
    params(
        ("interest" = Option<Vec<String>>, Query, description = "A condition, as text or JSON; of several one has to hold."),
        ("names" = Option<Vec<String>>, Query, description = "Patterns of the names of parts, with commas between them."),
        ("lifetime" = Option<String>, Query, description = "How long the interests last, such as `10s`."),
        ("group" = Option<Vec<String>>, Query, description = "A group to become a member of."),
        ("since" = Option<String>, Query, description = "The position of the last part that was seen: what was missed comes first. `Last-Event-ID` says it, too."),
        ("all" = Option<bool>, Query, description = "Everything.")
    ),
    responses(
        (status = 200, description = "The parts, for as long as the client is there.", content((String = "application/x-ndjson"), (String = "text/event-stream"))),
        (status = 404, description = "There is no live server.")
    )
)]
pub(super) async fn stream(
    guest: Guest,
    Query(pairs): Query<Pairs>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    if upgrade.is_asked_for() {
        return socket::stream(guest, upgrade, pairs, &headers);
    }
    let form = Form::asked(&headers);
    let (client, stated) = listen(&guest, pairs, &headers)?;
    let teller = Teller::new(form, &guest.live);
    let mut first = Vec::new();
    teller.hello(&Hello::new(&client, stated), &mut first);
    Ok(answer(&guest.server, teller, client, first))
}

/// A client with the interests of a request.
pub(super) fn listen(guest: &Guest, pairs: Pairs, headers: &HeaderMap) -> Result<(Client, Stated), Problem> {
    let mut listening = Listening::read(pairs)?;
    // The last one that it has seen counts more than where it began.
    if let Some(last) = headers.get("last-event-id").filter(|last| !last.is_empty()) {
        listening.since = Some(position(last.to_str().unwrap_or("?"))?);
    }
    let (since, groups) = (listening.since.take(), std::mem::take(&mut listening.groups));
    // Behind the last interest there is nothing more to say, unless it is a member.
    let ends = listening.lifetime.is_some() && groups.is_empty();
    let interests = listening.interests()?;
    groups.iter().try_for_each(|group| guest.may_see_group(group))?;
    let client = guest.connect();
    let numbered = interests.into_iter().enumerate();
    let numbered = numbered.map(|(number, interest)| (number.to_string(), interest));
    let joins = groups.into_iter().map(|group| Join::new(group).with_presence(true));
    // In one, so that what was missed comes in its order, and nothing is skipped by who breaks off meanwhile.
    let stated = client.state_and_join(numbered, joins, since.as_ref())?;
    if ends {
        client.close_when_done();
    }
    Ok((client, stated))
}

/// Nothing was stated yet.
pub(super) fn stated_at(position: Position) -> Stated {
    Stated { position, recovered: None }
}
