//! What a service consists of, for those who work with a part of it.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::Service;
use crate::daemon::captures::Captures;
use crate::daemon::deliveries::Deliveries;
use crate::daemon::exports::Exports;
use crate::daemon::followers::Followers;
use crate::daemon::masks::Masks;
use crate::daemon::pairing::Pairing;
use crate::daemon::sessions::Sessions;
use crate::daemon::standby::StandbyCameras;
use crate::daemon::station::Station;
use crate::daemon::tokens::Tokens;
use crate::event::Told;
use crate::run::Pulse;

impl Service {
    /// The pulse of the scan that is prepared or under way, which rests without one.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Who may use the API.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Browsers that are logged in.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Who asks to be let in without a token.
    pub fn pairing(&self) -> &Pairing {
        &self.pairing
    }

    /// The cameras between scans.
    pub fn standby(&self) -> &Arc<StandbyCameras> {
        &self.standby
    }

    /// Photographs taken between scans.
    pub fn captures(&self) -> &Arc<Captures> {
        &self.captures
    }

    /// Exports of scans that have ended.
    pub fn exports(&self) -> &Exports {
        &self.exports
    }

    /// Models that are made behind scans.
    pub fn hulls(&self) -> &Followers {
        &self.hulls
    }

    /// Scans whose images are looked at for marks.
    pub fn watches(&self) -> &Followers {
        &self.watches
    }

    /// Masks that are made when somebody wants them.
    pub fn masks(&self) -> &Masks {
        &self.masks
    }

    /// Scans that are brought to where they are kept.
    pub(in crate::daemon) fn deliveries(&self) -> &Arc<Deliveries> {
        &self.deliveries
    }

    /// The rig itself: what it is made of.
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// Events of every scan from now on.
    pub fn events(&self) -> broadcast::Receiver<Told> {
        self.listeners.subscribe()
    }

    /// Where events of scans go.
    pub(in crate::daemon) fn listeners(&self) -> broadcast::Sender<Told> {
        self.listeners.clone()
    }
}
