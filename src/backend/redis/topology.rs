//! Which server has the keys.

use super::address::Address;
use super::endpoint::Topology;
use super::obstacle::Obstacle;
use super::settings::Settings;

/// Finds the address of the server that has the keys.
pub(super) async fn find(settings: &Settings) -> Result<Address, Obstacle> {
    let endpoint = &settings.endpoint;
    let Some(first) = endpoint.addresses.first() else {
        return Err(Obstacle::unsuitable(&Address::Unix(String::new()), "the URL names no server"));
    };
    match endpoint.topology {
        Topology::Standalone => Ok(first.clone()),
        Topology::Sentinel { .. } | Topology::Cluster => {
            Err(Obstacle::unsuitable(first, "this build cannot find it yet"))
        }
    }
}
