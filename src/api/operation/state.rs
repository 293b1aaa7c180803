//! What those who look after the machine are told of.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::api::events::hub::Events;
use crate::api::live::state::Live;
use crate::api::rig::state::Rig;
use crate::config::Config;
use crate::nodes::{self, Nodes};

/// The machine and all that runs on it.
#[derive(Clone)]
pub(in crate::api) struct Operation {
    pub(in crate::api) rig: Rig,
    pub(in crate::api) events: Events,
    pub(in crate::api) live: Live,
    pub(in crate::api) nodes: SeenNodes,
}

/// What was seen is told again for so long: it takes seconds to look, and several may ask.
const FRESH: Duration = Duration::from_secs(5);

/// What was seen last, and when.
#[derive(Clone, Default)]
pub(in crate::api) struct SeenNodes(Arc<Mutex<Option<(Instant, Nodes)>>>);

impl SeenNodes {
    /// The nodes; looks if that was too long ago. Whoever comes meanwhile waits for the same look.
    pub(in crate::api) fn look(&self, config: &Config) -> Nodes {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = seen.as_ref().filter(|(at, _)| at.elapsed() < FRESH);
        if let Some((_, nodes)) = fresh {
            return nodes.clone();
        }
        let nodes = nodes::look(config);
        *seen = Some((Instant::now(), nodes.clone()));
        nodes
    }
}
