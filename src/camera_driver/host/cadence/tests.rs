//! A camera that is well is never given up, whatever happens around it; one that has fallen silent always is, and not too soon.

use proptest::prelude::*;
use scanner_pixels::random::Random;

use super::*;

const MS: u64 = 1_000_000;
/// The longest wait for a frame in one call, as in the host.
const ROUND: u64 = 100 * MS;
/// As configured by default.
const FRAMES: u32 = 20;
/// Frames after which what was set takes effect at the latest.
const LATEST: u64 = 6;

fn below(random: &mut Random, end: u64) -> u64 {
    random.next() % end.max(1)
}

fn one_in(random: &mut Random, of: u64) -> bool {
    below(random, of) == 0
}

/// A healthy camera on a machine that is not always there for it, and whoever looks at its stream.
struct Rig {
    random: Random,
    cadence: Cadence,
    now_ns: u64,
    suspended_ns: u64,
    newest_ns: Option<u64>,
    /// From frame to frame, unless it exposes for longer: nobody says.
    base_ns: u64,
    exposure_ns: Option<u64>,
    /// As the sensor runs, and how it will after so many frames.
    period_ns: u64,
    to_come: VecDeque<(u64, u64)>,
    sensor_ns: u64,
    arrived_ns: u64,
    next: Option<(u64, u64)>,
    frames: u64,
    looks: u64,
    /// How often what has happened.
    happened: [u64; 8],
}

impl Rig {
    fn new(seed: u64) -> Self {
        let base_ns = 33 * MS;
        Self {
            random: Random::new(seed),
            cadence: Cadence::default(),
            now_ns: 1_000 * MS,
            suspended_ns: 0,
            newest_ns: None,
            base_ns,
            exposure_ns: Some(MS),
            period_ns: base_ns,
            to_come: VecDeque::new(),
            sensor_ns: 1_000 * MS,
            arrived_ns: 0,
            next: None,
            frames: 0,
            looks: 0,
            happened: [0; 8],
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        below(&mut self.random, end)
    }

    fn happens(&mut self, what: usize, one_in_so_many: u64) -> bool {
        let happens = one_in(&mut self.random, one_in_so_many);
        self.happened[what] += u64::from(happens);
        happens
    }

    /// The frame to come: when its sensor is read out, and when it arrives.
    fn next_frame(&mut self) -> (u64, u64) {
        if let Some(next) = self.next {
            return next;
        }
        for (left, _) in &mut self.to_come {
            *left = left.saturating_sub(1);
        }
        while let Some((0, period_ns)) = self.to_come.front() {
            self.period_ns = *period_ns;
            self.to_come.pop_front();
        }
        if self.exposure_ns.is_none() {
            // It chooses its exposure itself.
            let factor = 70 + self.below(70);
            self.period_ns = (self.period_ns * factor / 100).clamp(self.base_ns, 30 * self.base_ns);
        }
        // Several in a row are lost, or one is late; a camera that is slower than it says loses fewer.
        let slower = (self.period_ns / self.base_ns.max(self.exposure_ns.unwrap_or_default())).max(1);
        let (lost, late_ns) = if self.happens(0, 200) {
            (1 + self.below(8 / slower), 0)
        } else if self.happens(1, 300) {
            (0, self.below(300 * MS))
        } else {
            (0, 0)
        };
        self.sensor_ns += self.period_ns * (lost + 1);
        let jitter_ns = self.below(self.period_ns.min(100 * MS) / 3);
        let arrives_ns = (self.sensor_ns + 20 * MS + jitter_ns + late_ns).max(self.arrived_ns);
        self.next = Some((self.sensor_ns, arrives_ns));
        (self.sensor_ns, arrives_ns)
    }

    /// The host waits for a frame, and looks.
    fn round(&mut self) {
        let (sensor_ns, arrives_ns) = self.next_frame();
        let until_ns = self.now_ns + ROUND;
        let came = arrives_ns <= until_ns;
        self.now_ns = if came { arrives_ns.max(self.now_ns) } else { until_ns };
        self.now_ns += match self.below(2_000) {
            // Nothing runs at all.
            0 => 200 * MS + self.below(3_000 * MS),
            1..=9 => self.below(50 * MS),
            _ => self.below(2 * MS),
        };
        if came {
            (self.newest_ns, self.arrived_ns, self.next) = (Some(sensor_ns), arrives_ns, None);
            self.frames += 1;
        }
        self.look();
    }

    fn look(&mut self) {
        let Self { now_ns, suspended_ns, newest_ns, exposure_ns, .. } = *self;
        let late = self.cadence.last.is_some_and(|last| now_ns - last.now_ns > LATE_NS);
        self.happened[2] += u64::from(late);
        self.looks += 1;
        self.cadence.look(Look { now_ns, suspended_ns, newest_ns, exposure_ns });
        let silent = self.cadence.pace().filter(|pace| pace.fell_silent(FRAMES));
        assert_eq!(silent, None, "a healthy camera after {} frames: {:?}", self.frames, self.cadence);
    }

    /// Looks go on for `time_ns`, and no frame comes.
    fn without_frames(&mut self, time_ns: u64) {
        let end_ns = self.now_ns + time_ns;
        while self.now_ns < end_ns {
            self.now_ns += ROUND;
            self.look();
        }
        self.next = None;
        self.sensor_ns = self.now_ns;
    }

    /// Something changes.
    fn change(&mut self) {
        if self.happens(3, 3) {
            // 1 ms to 3 s.
            let exposure_ns = (1e6 * 3000_f64.powf(self.random.unit())) as u64;
            let frame_ns = self.base_ns.max(exposure_ns);
            let after = 1 + self.below(LATEST);
            self.exposure_ns = Some(exposure_ns);
            self.to_come.push_back((after, frame_ns + frame_ns / 50));
        } else if self.happens(4, 3) {
            self.exposure_ns = match self.exposure_ns {
                Some(_) => None,
                None => Some(self.period_ns),
            };
            self.to_come.clear();
        } else if self.happens(5, 3) {
            // Started anew, at another rate.
            self.base_ns = 1_000 * MS / (5 + self.below(116));
            (self.exposure_ns, self.period_ns) = (Some(MS), self.base_ns);
            (self.newest_ns, self.next) = (None, None);
            self.cadence = Cadence::default();
            self.to_come.clear();
            self.sensor_ns = self.now_ns + self.below(500 * MS);
        } else if self.happens(6, 3) {
            self.suspended_ns += 1_000 * MS + self.below(1_000_000 * MS);
            let time_ns = self.below(5_000 * MS);
            self.without_frames(time_ns);
        } else if self.happens(7, 2) {
            // All memory is lent.
            let newest_ns = self.newest_ns.take();
            let time_ns = self.below(5_000 * MS);
            self.without_frames(time_ns);
            self.newest_ns = newest_ns;
        } else if let Some(exposure_ns) = self.exposure_ns {
            // It is slower than it says, from now on.
            let slower = 1 + self.below(4);
            self.to_come.push_back((1, self.base_ns.max(exposure_ns) * slower));
        }
    }
}

#[test]
fn of_a_million_frames_of_healthy_cameras_none_is_taken_for_the_last_one() {
    let mut rig = Rig::new(70);
    let mut change_at = 0;
    while rig.frames < 1_000_000 {
        if rig.frames >= change_at {
            rig.change();
            change_at = rig.frames + 1 + rig.below(400);
        }
        rig.round();
    }
    assert!(rig.happened.iter().all(|often| *often > 100), "{:?} in {} looks", rig.happened, rig.looks);
}

/// What an onlooker knows of a stream that falls silent.
#[derive(Debug, Clone)]
struct Stream {
    period_ms: u64,
    /// Of each frame, by how much of its period it comes late.
    late: Vec<f64>,
    /// How long it is exposed.
    exposure_ms: u64,
    /// Between looks at the silent stream; some come late.
    looks_ms: Vec<u64>,
}

fn stream() -> impl Strategy<Value = Stream> {
    let look = prop_oneof![30 => 90_u64..=150, 1 => 201_u64..3_000];
    (2_u64..500, prop::collection::vec(0.0..0.9, 6..60), 1_u64..3_000, prop::collection::vec(look, 0..60))
        .prop_map(|(period_ms, late, exposure_ms, looks_ms)| Stream {
            period_ms,
            late,
            exposure_ms,
            looks_ms,
        })
}

proptest! {
    #[test]
    fn a_stream_that_falls_silent_is_found_and_not_before_its_limit(stream in stream()) {
        let Stream { period_ms, late, exposure_ms, looks_ms } = stream;
        // A camera whose frames come more slowly than it exposes is another matter.
        let period_ms = period_ms.max(exposure_ms.min(150));
        let mut cadence = Cadence::default();
        let mut now_ns = 0;
        let mut last_ns = 0;
        let look = |cadence: &mut Cadence, now_ns, newest_ns| {
            let exposure_ns = Some(exposure_ms * MS);
            cadence.look(Look { now_ns, suspended_ns: 7, newest_ns: Some(newest_ns), exposure_ns });
            cadence.pace().filter(|pace| pace.fell_silent(FRAMES))
        };
        for (number, late) in (1..).zip(&late) {
            let sensor_ns = number * period_ms * MS;
            let arrives_ns = sensor_ns + (late * (period_ms * MS) as f64) as u64;
            while now_ns + ROUND < arrives_ns {
                now_ns += ROUND;
                prop_assert_eq!(look(&mut cadence, now_ns, last_ns), None);
            }
            (now_ns, last_ns) = (arrives_ns, sensor_ns);
            prop_assert_eq!(look(&mut cadence, now_ns, last_ns), None);
        }
        // From now on, nothing comes. It counts from the last frame, or from the last look that came late.
        let mut since_ns = now_ns;
        let frames_ns = u64::from(FRAMES) * exposure_ms.max(period_ms) * MS;
        let at_least_ns = frames_ns.max(500 * MS);
        let at_most_ns = at_least_ns.max(6 * period_ms * MS) + 100 * MS;
        let mut looks_ms = looks_ms.into_iter();
        loop {
            let before_ns = now_ns;
            now_ns += looks_ms.next().unwrap_or(100) * MS;
            if now_ns - before_ns > 200 * MS {
                since_ns = now_ns;
            }
            let found = look(&mut cadence, now_ns, last_ns);
            let silent_ns = now_ns - since_ns;
            if let Some(pace) = found {
                prop_assert!(silent_ns >= at_least_ns, "{pace:?} after {silent_ns} ns of {at_least_ns}");
                prop_assert_eq!(pace.silent_us, silent_ns / 1000);
                break;
            }
            prop_assert!(silent_ns < at_most_ns, "not found after {silent_ns} ns of {at_most_ns}");
        }
    }
}

#[test]
fn a_shorter_exposure_shortens_the_limit_only_once_no_slower_frame_can_be_under_way() {
    let mut cadence = Cadence::default();
    let (mut now_ns, mut newest_ns) = (0, 0);
    let mut look = |exposure_ms: u64, ms: u64, came: bool| {
        now_ns += ms * MS;
        newest_ns = if came { now_ns } else { newest_ns };
        let exposure_ns = Some(exposure_ms * MS);
        cadence.look(Look { now_ns, suspended_ns: 0, newest_ns: Some(newest_ns), exposure_ns });
        cadence.pace().map(|pace| pace.limit(FRAMES).as_millis())
    };
    let quiet = |look: &mut dyn FnMut(u64, u64, bool) -> Option<u128>, exposure_ms| {
        (0..3).map(|_| look(exposure_ms, 100, false)).last().flatten()
    };
    for _ in 0..10 {
        look(33, 33, true);
    }
    assert_eq!(quiet(&mut look, 33), Some(660));
    // Told to expose for 2 s, and at once for 1 ms again: those frames come nevertheless.
    look(2000, 1, false);
    assert_eq!(quiet(&mut look, 33), Some(40_000));
    for _ in 0..7 {
        look(33, 33, true);
    }
    assert_eq!(quiet(&mut look, 33), Some(40_000));
    look(33, 33, true);
    // Of the longest wait: it was for the frame after all of the silence above.
    assert_eq!(quiet(&mut look, 33), Some(3 * 634));
}

#[test]
fn a_camera_that_chooses_its_exposure_or_has_just_begun_is_not_judged() {
    let mut cadence = Cadence::default();
    let mut now_ns = 0;
    let mut look = |exposure_ns, came: bool, newest_ns: &mut u64| {
        now_ns += 90 * MS;
        *newest_ns = if came { now_ns } else { *newest_ns };
        cadence.look(Look { now_ns, suspended_ns: 0, newest_ns: Some(*newest_ns), exposure_ns });
        cadence.pace().is_some()
    };
    let mut newest_ns = 0;
    let silence =
        |look: &mut dyn FnMut(Option<u64>, bool, &mut u64) -> bool, exposure_ns, newest_ns: &mut u64| {
            (0..50).any(|_| look(exposure_ns, false, newest_ns))
        };
    // Too few frames to know how they follow each other.
    for _ in 0..5 {
        look(Some(MS), true, &mut newest_ns);
    }
    assert!(!silence(&mut look, Some(MS), &mut newest_ns));
    for _ in 0..20 {
        look(None, true, &mut newest_ns);
    }
    assert!(!silence(&mut look, None, &mut newest_ns));
    // Held by now, which frames under way do not know yet.
    assert!(!silence(&mut look, Some(MS), &mut newest_ns));
    for _ in 0..8 {
        look(Some(MS), true, &mut newest_ns);
    }
    assert!(silence(&mut look, Some(MS), &mut newest_ns));
    // Let go of in the middle of a silence, it may have chosen a longer one.
    assert!(!silence(&mut look, None, &mut newest_ns));
}
