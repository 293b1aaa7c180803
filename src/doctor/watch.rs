//! Tells the log of addresses at which the service's unit lets nobody ask, since nobody looks for the doctor then.

use std::collections::BTreeSet;
use std::time::Duration;

use tracing::{debug, info};

use super::network::{self, Asked, Filter, found, what_to_do};
use super::unit;
use crate::daemon::network_of;

/// How often it is looked for addresses that are new: networks such as Tailscale come after the service.
const LOOK: Duration = Duration::from_secs(60);

/// Logs at which addresses the unit of this process lets nobody ask, each network once, as soon as it is there. Ends where
/// there is nothing to be told.
pub async fn tell_of_shut_addresses(asked: Asked) {
    let Some(own_unit) = unit::own() else { return };
    let name = match asked {
        Asked::Nowhere => return,
        Asked::At(_) => own_unit,
        Asked::Socket => own_unit.replace(".service", ".socket"),
    };
    let shown = tokio::task::spawn_blocking(move || unit::show_filter(&name)).await;
    let Ok(Some(text)) = shown else {
        return debug!("systemd does not say whom the unit of this service lets through");
    };
    let Some(filter) = Filter::of(&text) else { return };
    let mut told = BTreeSet::new();
    loop {
        let mut shut = filter.shuts(asked.among(&network::own()));
        // Once of each network: a machine has ever new addresses of version 6 in one.
        shut.retain(|address| told.insert(network_of(*address)));
        if !shut.is_empty() {
            info!("{}; {}", found(&shut), what_to_do(asked));
        }
        tokio::time::sleep(LOOK).await;
    }
}
