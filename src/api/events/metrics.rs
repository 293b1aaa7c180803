//! What is counted for Prometheus.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::event::{Event, Told};

/// Upper ends of the buckets of phases, in seconds.
const BUCKETS: [f64; 12] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    camera: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Recovery {
    camera: String,
    rung: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Phase {
    phase: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Delivery {
    target: String,
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Target {
    target: String,
}

type Buckets = Family<Phase, Histogram, fn() -> Histogram>;

/// What was counted since the program started.
pub(in crate::api) struct Metrics {
    registry: Registry,
    shots: Counter,
    attempts: Family<Attempt, Counter>,
    recoveries: Family<Recovery, Counter>,
    scans: Family<Ended, Counter>,
    deliveries: Family<Delivery, Counter>,
    sent: Family<Target, Counter>,
    phases: Buckets,
    queue: Gauge,
    free: Gauge<f64, std::sync::atomic::AtomicU64>,
    size: Gauge<f64, std::sync::atomic::AtomicU64>,
    temperature: Gauge<f64, std::sync::atomic::AtomicU64>,
    throttled: Gauge,
    scanning: Gauge,
    viewers: Gauge,
    captures: Gauge,
    open: Mutex<Open>,
}

/// What is measured when somebody asks.
pub(in crate::api) struct Measured {
    /// Free bytes and all bytes where scans are kept.
    pub(in crate::api) disk: Option<(f64, f64)>,
    /// Temperature of the processor, in degrees Celsius.
    pub(in crate::api) temperature: Option<f64>,
    /// Bits of the firmware on voltage and heat, as `vcgencmd get_throttled` shows them.
    pub(in crate::api) throttled: Option<i64>,
    pub(in crate::api) scanning: bool,
    pub(in crate::api) viewers: usize,
    pub(in crate::api) captures: u64,
}

/// Phases that have begun.
#[derive(Default)]
struct Open {
    moving: Option<Instant>,
    captured: HashMap<u32, Instant>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("scanner");
        let buckets: fn() -> Histogram = || Histogram::new(BUCKETS);
        let metrics = Self {
            shots: Counter::default(),
            attempts: Family::default(),
            recoveries: Family::default(),
            scans: Family::default(),
            deliveries: Family::default(),
            sent: Family::default(),
            phases: Family::new_with_constructor(buckets),
            queue: Gauge::default(),
            free: Gauge::default(),
            size: Gauge::default(),
            temperature: Gauge::default(),
            throttled: Gauge::default(),
            scanning: Gauge::default(),
            viewers: Gauge::default(),
            captures: Gauge::default(),
            open: Mutex::default(),
            registry: Registry::default(),
        };
        registry.register("shots_stored", "Images of scans that are on disk", metrics.shots.clone());
        registry.register("attempts", "Tries at a shot, by outcome", metrics.attempts.clone());
        registry.register(
            "recoveries",
            "Ways to bring a camera back that were tried",
            metrics.recoveries.clone(),
        );
        registry.register("scans", "Runs of scans that ended, by outcome", metrics.scans.clone());
        registry.register(
            "deliveries",
            "Scans that were brought to where [[deliver]] wants them; of failures, each reason once",
            metrics.deliveries.clone(),
        );
        registry.register_with_unit(
            "sent",
            "Of scans that were delivered",
            Unit::Bytes,
            metrics.sent.clone(),
        );
        registry.register_with_unit(
            "phase",
            "move_and_capture: from the move to the frame in hand; store: from there to the disk; recovery",
            Unit::Seconds,
            metrics.phases.clone(),
        );
        registry.register("queue_depth", "Frames in hand that are not on disk yet", metrics.queue.clone());
        registry.register_with_unit("disk_free", "Where scans are kept", Unit::Bytes, metrics.free.clone());
        registry.register_with_unit("disk_size", "Where scans are kept", Unit::Bytes, metrics.size.clone());
        registry.register_with_unit(
            "temperature",
            "Of the processor",
            Unit::Celsius,
            metrics.temperature.clone(),
        );
        registry.register(
            "throttled",
            "What the firmware of a Raspberry Pi says of voltage and heat, as bits; -1 where it does not",
            metrics.throttled.clone(),
        );
        registry.register("scanning", "Whether a scan is starting or under way", metrics.scanning.clone());
        registry.register("live_viewers", "Who looks through the cameras", metrics.viewers.clone());
        registry.register(
            "captures_stored",
            "Photographs taken between scans, of all times",
            metrics.captures.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts what an event tells.
    pub(in crate::api) fn note(&self, told: &Told, now: Instant) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = |camera: &str, outcome: &str| {
            let label = Attempt { camera: camera.to_owned(), outcome: outcome.to_owned() };
            self.attempts.get_or_create(&label).inc();
        };
        let recovery = |camera: &str, rung: &crate::config::Rung, outcome: &str| {
            let label = Recovery {
                camera: camera.to_owned(),
                rung: rung.name().to_owned(),
                outcome: outcome.to_owned(),
            };
            self.recoveries.get_or_create(&label).inc();
        };
        let phase = |phase: &str, took: Duration| {
            self.phases.get_or_create(&Phase { phase: phase.to_owned() }).observe(took.as_secs_f64());
        };
        match &told.event {
            Event::Moving { .. } => open.moving = Some(now),
            Event::Captured { shot, .. } => {
                attempt(&shot.camera, "captured");
                if let Some(moving) = open.moving {
                    phase("move_and_capture", now.saturating_duration_since(moving));
                }
                open.captured.insert(shot.shot, now);
            }
            Event::AttemptFailed { shot, kind, .. } => attempt(&shot.camera, kind.name()),
            Event::Recovered { camera, rung, took } => {
                recovery(camera, rung, "recovered");
                phase("recovery", *took);
            }
            Event::RecoveryFailed { camera, rung, .. } => recovery(camera, rung, "failed"),
            Event::Stored { shot, .. } => {
                self.shots.inc();
                if let Some(captured) = open.captured.remove(&shot.shot) {
                    phase("store", now.saturating_duration_since(captured));
                }
            }
            Event::StoreFailed { shot, .. } => {
                open.captured.remove(&shot.shot);
            }
            Event::Paused { .. } => self.ended(&mut open, "paused"),
            Event::Finished { outcome, .. } => self.ended(&mut open, outcome.name()),
            Event::Started { .. } => *open = Open::default(),
            Event::Held { .. }
            | Event::Recovering { .. }
            | Event::Wedged { .. }
            | Event::ShotFailed { .. }
            | Event::Flagged { .. }
            | Event::Displaced { .. }
            | Event::Retake { .. }
            | Event::Extended { .. }
            | Event::NotResumed { .. }
            | Event::Exported { .. }
            | Event::ExportFailed { .. } => {}
            Event::Delivered { target, sent_bytes, .. } => {
                self.delivered(target, "delivered");
                self.sent.get_or_create(&Target { target: target.clone() }).inc_by(*sent_bytes);
            }
            Event::DeliveryFailed { target, .. } => self.delivered(target, "failed"),
        }
        self.queue.set(open.captured.len() as i64);
    }

    /// Everything that was counted, with how it stands now, in the `OpenMetrics` text format.
    pub(in crate::api) fn text(&self, now: &Measured) -> Result<String, std::fmt::Error> {
        if let Some((free, size)) = now.disk {
            self.free.set(free);
            self.size.set(size);
        }
        self.temperature.set(now.temperature.unwrap_or(f64::NAN));
        self.throttled.set(now.throttled.unwrap_or(-1));
        self.scanning.set(i64::from(now.scanning));
        self.viewers.set(now.viewers as i64);
        self.captures.set(now.captures as i64);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn delivered(&self, target: &str, outcome: &str) {
        let label = Delivery { target: target.to_owned(), outcome: outcome.to_owned() };
        self.deliveries.get_or_create(&label).inc();
    }

    fn ended(&self, open: &mut Open, outcome: &str) {
        *open = Open::default();
        self.scans.get_or_create(&Ended { outcome: outcome.to_owned() }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ShotName;

    #[test]
    fn shots_in_hand_are_the_queue_until_they_are_stored() {
        let metrics = Metrics::default();
        let shot = |shot| ShotName { shot, point: 1, label: "a".into(), camera: "cam0".into() };
        let tell = |event| {
            let told = Told { scan: "owl".into(), at: jiff::Timestamp::UNIX_EPOCH, event };
            metrics.note(&told, Instant::now());
        };
        tell(Event::Captured { shot: shot(0), attempt: 1 });
        tell(Event::Captured { shot: shot(1), attempt: 1 });
        assert_eq!(metrics.queue.get(), 2);
        tell(Event::Stored {
            shot: shot(0),
            image: "a".into(),
            bytes: 1,
            sharpness: 1.0,
            stored: 1,
            shots: 2,
        });
        assert_eq!((metrics.queue.get(), metrics.shots.get()), (1, 1));
        let waits_for = crate::scan::WaitsFor::Person;
        tell(Event::Paused { reason: "because".into(), waits_for, wanted: true, stored: 1, shots: 2 });
        assert_eq!(metrics.queue.get(), 0);
        for sent_bytes in [5, 7] {
            let (target, files, bytes, sent_files) = ("nas".into(), 1, 9, 1);
            tell(Event::Delivered { target, files, bytes, sent_files, sent_bytes });
        }
        tell(Event::DeliveryFailed { target: "nas".into(), message: "full".into() });
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &metrics.registry).unwrap();
        assert!(text.contains("scanner_attempts_total{camera=\"cam0\",outcome=\"captured\"} 2"), "{text}");
        assert!(text.contains("scanner_scans_total{outcome=\"paused\"} 1"), "{text}");
        for line in [
            "scanner_deliveries_total{target=\"nas\",outcome=\"delivered\"} 2",
            "scanner_deliveries_total{target=\"nas\",outcome=\"failed\"} 1",
            "scanner_sent_bytes_total{target=\"nas\"} 12",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
