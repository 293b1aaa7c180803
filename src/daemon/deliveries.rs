//! How the deliveries of a running scanner stand.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::config::{Config, Deliver, DestinationKind};
use crate::dataset::Listed;
use crate::deliver::{Far, Records, Stamp, is_wanted};

use super::storage;

/// Those to all targets.
#[derive(Debug, Default)]
pub(super) struct Deliveries(Mutex<Vec<DeliveryStatus>>);

/// How those to one target stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveryStatus {
    /// Its name.
    pub target: String,
    /// What it is.
    pub to: DestinationKind,
    /// How many scans wait for it, with the one under way.
    pub waiting: usize,
    /// The one that is being brought there.
    pub under_way: Option<DeliveryUnderWay>,
    /// What the last try failed of, for people; none once one has not.
    pub trouble: Option<String>,
}

/// A scan that is being brought somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveryUnderWay {
    /// Which.
    pub scan: String,
    /// How far it is.
    #[serde(flatten)]
    pub far: Far,
}

impl Deliveries {
    /// All of them, in the order of the configuration.
    pub(super) fn status(&self) -> Vec<DeliveryStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes that of one target.
    pub(super) fn change(&self, target: usize, change: impl FnOnce(&mut DeliveryStatus)) {
        if let Some(status) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(target) {
            change(status);
        }
    }

    /// From now on there are these, and nothing is known of them.
    pub(super) fn begin(&self, targets: &[Deliver]) {
        let status = |target: &Deliver| DeliveryStatus {
            target: target.name.clone(),
            to: target.to.kind(),
            waiting: 0,
            under_way: None,
            trouble: None,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = targets.iter().map(status).collect();
    }
}

/// How a scan stands with one `[[deliver]]` that wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScanDelivery {
    /// The name of that place.
    pub target: String,
    /// What it is.
    pub to: DestinationKind,
    /// Whether it is there; of a workshop, whether it was offered there.
    pub state: DeliveryState,
    /// Since when it is, by the rig's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// Whether a scan is where it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is there, and was compared, as it is here now.
    Delivered,
    /// It is to be brought there, for the first time or since it has changed.
    Waiting,
    /// What was delivered cannot be looked up.
    Unknown,
}

/// Which scans are where, by what is recorded now: for many scans, read once.
#[derive(Debug)]
pub struct Whereabouts<'c> {
    rig: Option<String>,
    /// Without the records of those that cannot be read.
    targets: Vec<(&'c Deliver, Option<Records>)>,
}

impl<'c> Whereabouts<'c> {
    /// By what is recorded now.
    pub fn now(config: &'c Config) -> Self {
        let state = &config.storage.state_directory;
        let read = |target: &'c Deliver| (target, Records::read(state, target).ok());
        let targets: Vec<_> = config.deliver.iter().map(read).collect();
        // Where it is not known which rig this is, none of the scans is known to be another one's.
        let rig = if targets.is_empty() { None } else { storage::known_rig(&config.storage).ok().flatten() };
        Self { rig, targets }
    }

    /// Those of `scan`: of places that want it, or have it.
    pub fn of(&self, scan: &Listed) -> Vec<ScanDelivery> {
        if self.targets.is_empty() || self.rig.as_ref().is_some_and(|rig| !scan.may_be_of(rig)) {
            return Vec::new();
        }
        let journal = Stamp::of(&scan.dir).ok();
        let standing = |(target, records): &(&Deliver, Option<Records>)| {
            let (state, at) = match (records, journal) {
                (Some(records), Some(journal)) => match records.since(&scan.id, journal) {
                    Some(at) => (DeliveryState::Delivered, Some(at)),
                    None => (DeliveryState::Waiting, None),
                },
                (None, _) | (_, None) => (DeliveryState::Unknown, None),
            };
            let is_shown = state == DeliveryState::Delivered || is_wanted(scan, target);
            is_shown.then(|| ScanDelivery { target: target.name.clone(), to: target.to.kind(), state, at })
        };
        self.targets.iter().filter_map(standing).collect()
    }
}
