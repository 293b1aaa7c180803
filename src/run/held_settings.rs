//! Which settings a camera has for a shot: what is found automatically is held, so that images fit together.

use std::collections::HashMap;

use crate::config::HoldSettings;
use crate::model::{Controls, Lighting};
use crate::plan::{CameraIndex, Plan, Point, ShotIndex};
use crate::scan::{FrameFacts, Record};
use crate::units::Dioptres;

/// What a camera holds, and for which shots.
#[derive(Debug)]
pub(super) struct HeldSettings {
    /// For each point of the plan, the group of points that are held alike; none if nothing is.
    groups: Option<Vec<Group>>,
    /// For each point of the plan, its lens position in a focus stack.
    focus: Vec<Option<Dioptres>>,
    /// By group: in this run, or, as recorded, in an earlier one.
    known: HashMap<Group, Controls>,
    /// None while what the camera has is not known.
    now: Option<Now>,
}

/// Points of a scan or ring that are lit alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Group {
    number: u32,
    lighting: Lighting,
}

impl Group {
    /// The same points, seen from the front.
    const fn front(self) -> Self {
        Self { lighting: Lighting::Front, ..self }
    }
}

/// What the camera was told last.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Now {
    group: Option<Group>,
    focus: Option<Dioptres>,
}

/// What has to be done before a shot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Prepare {
    /// The camera has what it needs.
    Nothing,
    /// The camera has to find its settings, but for these, which are set before.
    Converge(Controls),
    /// These have to be set.
    Set(Controls),
}

impl HeldSettings {
    /// Of a scan's `camera`, whose earlier runs left `records`.
    pub(super) fn new(hold: HoldSettings, plan: &Plan, camera: CameraIndex, records: &[Record]) -> Self {
        let numbers = match hold {
            HoldSettings::Scan => Some(vec![0; plan.points.len()]),
            HoldSettings::Ring => Some(plan.rings()),
            HoldSettings::Never => None,
        };
        let group = |(number, point): (u32, &Point)| Group { number, lighting: point.lighting };
        let groups: Option<Vec<Group>> =
            numbers.map(|numbers| numbers.into_iter().zip(&plan.points).map(group).collect());
        let focus: Vec<_> = plan.points.iter().map(|point| point.focus).collect();
        let mut known = HashMap::new();
        for record in records {
            if let (Record::Stored(stored), Some(groups)) = (record, &groups)
                && plan.camera_of(stored.shot) == camera
            {
                let point = plan.point_of(stored.shot).0 as usize;
                // A lens position of a stack is the point's, and not what autofocus found.
                let stacked = focus.get(point).copied().flatten().is_some();
                if let Some(group) = groups.get(point) {
                    known.insert(*group, recorded(&stored.facts, !stacked));
                }
            }
        }
        Self { groups, focus, known, now: Some(Now::default()) }
    }

    /// What has to be done before `shot`.
    pub(super) fn prepare(&self, plan: &Plan, shot: ShotIndex) -> Prepare {
        let wanted = self.wanted(plan, shot);
        if Some(wanted) == self.now {
            return Prepare::Nothing;
        }
        match wanted.group.map(|group| self.known.get(&group)) {
            Some(None) => {
                // A lens that moves makes the picture larger or smaller: an outline fits only where it was for the surface.
                let front = wanted.group.and_then(|group| self.known.get(&group.front()));
                let focus = wanted.focus.or(front.and_then(|front| front.focus));
                Prepare::Converge(Controls { focus, ..Controls::default() })
            }
            Some(Some(held)) => Prepare::Set(with_focus(*held, wanted)),
            None => Prepare::Set(with_focus(Controls::default(), wanted)),
        }
    }

    /// The camera has found `controls` for the points that belong to that of `shot`.
    pub(super) fn found(&mut self, plan: &Plan, shot: ShotIndex, controls: Controls) {
        let wanted = self.wanted(plan, shot);
        let Some(group) = wanted.group else { return };
        let focus = if wanted.focus.is_some() { None } else { controls.focus };
        self.known.insert(group, Controls { focus, ..controls });
        self.now = Some(wanted);
    }

    /// What [`prepare`](Self::prepare) asked for before `shot` is set.
    pub(super) fn is_set(&mut self, plan: &Plan, shot: ShotIndex) {
        self.now = Some(self.wanted(plan, shot));
    }

    /// The camera is being changed: what it has is known only once that is done.
    pub(super) fn changing(&mut self) {
        self.now = None;
    }

    fn wanted(&self, plan: &Plan, shot: ShotIndex) -> Now {
        let point = plan.point_of(shot).0 as usize;
        Now {
            group: self.groups.as_ref().and_then(|groups| groups.get(point).copied()),
            focus: self.focus.get(point).copied().flatten(),
        }
    }
}

fn with_focus(held: Controls, wanted: Now) -> Controls {
    Controls { focus: wanted.focus, ..Controls::default() }.over(held)
}

/// What a stored image was taken with.
fn recorded(facts: &FrameFacts, with_focus: bool) -> Controls {
    Controls {
        // A camera that does not say has 0.
        exposure: Some(facts.exposure).filter(|exposure| exposure.get() > 0.0),
        gain: Some(facts.gain).filter(|gain| *gain >= 1.0),
        white_balance: facts.white_balance,
        focus: facts.focus.filter(|_| with_focus),
        ..Controls::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, Optics, Pose};
    use crate::plan::PlanCamera;
    use crate::scan::Stored;
    use crate::units::Seconds;

    const CAMERA: CameraIndex = CameraIndex(1);

    /// Two rings of two points, two cameras.
    fn plan(focus: &[Dioptres]) -> Plan {
        let point = |(turn, lift): (f64, f64)| {
            let pose = Pose::default().with(Axis::Turntable, turn).with(Axis::Lift, lift);
            Point::new(format!("t{turn}_l{lift}"), pose)
        };
        let points = [(0.0, 0.0), (180.0, 0.0), (0.0, 10.0), (180.0, 10.0)].map(point).to_vec();
        let files = PlanCamera::image_alone;
        let camera = |name: &str| PlanCamera {
            name: name.into(),
            intrinsics: Optics::Unknown,
            mount: None,
            files: files(),
        };
        Plan { points, cameras: vec![camera("cam0"), camera("cam1")] }.with_frames(focus, false)
    }

    fn shot(point: u32) -> ShotIndex {
        ShotIndex(point * 2 + 1)
    }

    fn gain(gain: f64) -> Controls {
        Controls { gain: Some(gain), ..Controls::default() }
    }

    fn stored(shot: ShotIndex, gain: f64) -> Record {
        let facts = FrameFacts {
            taken_at: jiff::Timestamp::UNIX_EPOCH,
            sensor_timestamp_ns: 0,
            exposure: Seconds::ZERO,
            gain,
            white_balance: None,
            focus: Some(Dioptres::new(2.0)),
            sequence: 0,
            sharpness: 0.0,
            clipped_dark: 0.0,
            clipped_bright: 0.0,
            measured: None,
            verdict: None,
        };
        Record::Stored(Stored {
            shot,
            attempt: 1,
            image: String::new(),
            bytes: 0,
            crc32c: 0,
            beside: Vec::new(),
            facts,
        })
    }

    #[test]
    fn a_scan_converges_once_and_a_ring_each_time_until_it_is_known() {
        let plan = plan(&[]);
        let mut scan = HeldSettings::new(HoldSettings::Scan, &plan, CAMERA, &[]);
        assert_eq!(scan.prepare(&plan, shot(0)), Prepare::Converge(Controls::default()));
        scan.found(&plan, shot(0), gain(2.0));
        for point in 0..4 {
            assert_eq!(scan.prepare(&plan, shot(point)), Prepare::Nothing);
        }
        let mut ring = HeldSettings::new(HoldSettings::Ring, &plan, CAMERA, &[]);
        ring.found(&plan, shot(1), gain(2.0));
        assert_eq!(ring.prepare(&plan, shot(2)), Prepare::Converge(Controls::default()));
        ring.found(&plan, shot(2), gain(3.0));
        assert_eq!(ring.prepare(&plan, shot(3)), Prepare::Nothing);
        // A camera that was to find its settings and did not has those of nobody.
        ring.changing();
        assert_eq!(ring.prepare(&plan, shot(3)), Prepare::Set(gain(3.0)));
        // On the way back to a failed shot.
        assert_eq!(ring.prepare(&plan, shot(0)), Prepare::Set(gain(2.0)));
        ring.is_set(&plan, shot(0));
        assert_eq!(ring.prepare(&plan, shot(1)), Prepare::Nothing);
        let never = HeldSettings::new(HoldSettings::Never, &plan, CAMERA, &[stored(shot(0), 2.0)]);
        assert_eq!(never.prepare(&plan, shot(1)), Prepare::Nothing);
    }

    #[test]
    fn a_resumed_scan_goes_on_with_what_was_recorded_of_this_camera() {
        let plan = plan(&[]);
        let other = ShotIndex(0);
        let records = [stored(shot(0), 2.0), stored(other, 9.0)];
        let scan = HeldSettings::new(HoldSettings::Scan, &plan, CAMERA, &records);
        let Prepare::Set(set) = scan.prepare(&plan, shot(3)) else { panic!() };
        assert_eq!((set.gain, set.focus, set.exposure), (Some(2.0), Some(Dioptres::new(2.0)), None));
        let ring = HeldSettings::new(HoldSettings::Ring, &plan, CAMERA, &records);
        assert_eq!(ring.prepare(&plan, shot(3)), Prepare::Converge(Controls::default()));
        assert!(matches!(ring.prepare(&plan, shot(1)), Prepare::Set(_)));
    }

    #[test]
    fn a_focus_stack_sets_each_position_and_keeps_the_rest() {
        let steps = [Dioptres::new(1.0), Dioptres::new(4.0)];
        let plan = plan(&steps);
        let focus = |position| Controls { focus: Some(position), ..Controls::default() };
        let mut scan = HeldSettings::new(HoldSettings::Scan, &plan, CAMERA, &[]);
        assert_eq!(scan.prepare(&plan, shot(0)), Prepare::Converge(focus(steps[0])));
        scan.found(&plan, shot(0), focus(steps[0]).over(gain(2.0)));
        assert_eq!(scan.prepare(&plan, shot(0)), Prepare::Nothing);
        assert_eq!(scan.prepare(&plan, shot(1)), Prepare::Set(focus(steps[1]).over(gain(2.0))));
        let mut never = HeldSettings::new(HoldSettings::Never, &plan, CAMERA, &[]);
        assert_eq!(never.prepare(&plan, shot(0)), Prepare::Set(focus(steps[0])));
        never.is_set(&plan, shot(0));
        assert_eq!(never.prepare(&plan, shot(1)), Prepare::Set(focus(steps[1])));
        let resumed = HeldSettings::new(HoldSettings::Scan, &plan, CAMERA, &[stored(shot(0), 2.0)]);
        assert_eq!(resumed.prepare(&plan, shot(1)), Prepare::Set(focus(steps[1]).over(gain(2.0))));
    }

    #[test]
    fn a_silhouette_has_an_exposure_of_its_own_and_the_lens_where_it_is_for_the_surface() {
        let plan = plan(&[]).with_frames(&[], true);
        let focus = |position| Controls { focus: Some(Dioptres::new(position)), ..Controls::default() };
        let mut scan = HeldSettings::new(HoldSettings::Scan, &plan, CAMERA, &[]);
        scan.found(&plan, shot(0), focus(3.0).over(gain(2.0)));
        assert_eq!(scan.prepare(&plan, shot(1)), Prepare::Converge(focus(3.0)));
        scan.found(&plan, shot(1), focus(3.0).over(gain(1.0)));
        assert_eq!(scan.prepare(&plan, shot(2)), Prepare::Set(focus(3.0).over(gain(2.0))));
        scan.is_set(&plan, shot(2));
        assert_eq!(scan.prepare(&plan, shot(3)), Prepare::Set(focus(3.0).over(gain(1.0))));
        // Each ring its own; and what was recorded of a silhouette is for silhouettes.
        let mut ring = HeldSettings::new(HoldSettings::Ring, &plan, CAMERA, &[stored(shot(1), 4.0)]);
        assert_eq!(ring.prepare(&plan, shot(0)), Prepare::Converge(Controls::default()));
        ring.found(&plan, shot(0), focus(3.0));
        assert_eq!(ring.prepare(&plan, shot(3)), Prepare::Set(focus(2.0).over(gain(4.0))));
        assert_eq!(ring.prepare(&plan, shot(5)), Prepare::Converge(Controls::default()));
    }
}
