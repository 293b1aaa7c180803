//! Everything that is kept, of which each route takes what it serves.

use axum::extract::FromRef;
use tokio::runtime::Handle;

use crate::daemon::Service;

use super::access::state::Access;
use super::calibration::state::Calibrations;
use super::captures::state::Captures;
use super::events::hub::Events;
use super::live::state::Live;
use super::operation::state::{Operation, SeenNodes};
use super::rig::state::Rig;
use super::scans::state::Scans;
use super::setup::state::Setup;

/// Everything that is kept.
#[derive(Clone)]
pub(super) struct App {
    pub(super) rig: Rig,
    pub(super) access: Access,
    pub(super) events: Events,
    live: Live,
    calibrations: Calibrations,
    captures: Captures,
    scans: Scans,
    operation: Operation,
    setup: Setup,
}

impl App {
    pub(super) fn new(service: Service, runtime: Handle) -> Self {
        let rig = Rig::new(service, runtime);
        let events = Events::new(rig.clone());
        let live = Live::new(rig.clone(), events.clone());
        Self {
            access: Access::new(rig.clone()),
            calibrations: Calibrations::new(rig.clone()),
            captures: Captures::new(rig.clone(), events.clone()),
            scans: Scans::new(rig.clone()),
            setup: Setup::new(rig.clone()),
            operation: Operation {
                rig: rig.clone(),
                events: events.clone(),
                live: live.clone(),
                nodes: SeenNodes::default(),
            },
            live,
            events,
            rig,
        }
    }
}

/// A route takes the state of its group, and knows nothing of the others.
macro_rules! parts {
    ($($field:ident: $part:ty),*) => {
        $(impl FromRef<App> for $part {
            fn from_ref(app: &App) -> Self {
                app.$field.clone()
            }
        })*
    };
}

parts!(rig: Rig, access: Access, events: Events, live: Live, calibrations: Calibrations, captures: Captures, scans: Scans, operation: Operation, setup: Setup);
