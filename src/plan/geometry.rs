//! Where a camera stands around the object, and what it sees there.
//!
//! All coordinates are millimetres in the *object's frame*: z up along the turntable's axis, its surface at
//! z = 0, turning with the turntable. It coincides with the rig's frame (see [`Mount`]) at turntable 0°.
//!
//! What each axis does to a camera, in this order:
//! - *tilt* carries it around its look-at point, rigidly, about the horizontal axis across its view: its
//!   elevation is that of its mount plus the tilt, its distance stays. Past 90° it looks from above, upside down.
//! - *rail* moves it along its optical axis, towards its look-at point.
//! - *lift* raises it and its look-at point alike, so its direction stays.
//! - the *turntable* turns the object counter-clockwise, so that the camera goes round it clockwise.

use scanner_pixels::sight::{Sight, turned};

use crate::model::{Extrinsics, Intrinsics, Mount, Pose, Size};

pub use scanner_pixels::sight::Vec3;

/// Where a camera stands and looks, as the world-to-camera transform of COLMAP and `OpenCV`:
/// `camera = rotation * object + translation`, with the camera's x to the right, y down and z forward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraPose {
    /// Its rows are the camera's right, down and forward in the object's frame, each of length 1.
    pub rotation: [Vec3; 3],
    /// The object frame's origin as the camera sees it, in millimetres.
    pub translation: Vec3,
}

/// A point of the object in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    /// Pixels from the image's left edge. The centre of the first pixel is at 0.5.
    pub u: f64,
    /// Pixels from the image's top edge. The centre of the first pixel is at 0.5.
    pub v: f64,
    /// Millimetres in front of the camera, along its optical axis; > 0.
    pub depth: f64,
}

/// What a perfect rig with a camera at `mount` measures of it.
pub fn extrinsics(mount: &Mount) -> Extrinsics {
    let camera = CameraPose::new(mount, &Pose::default());
    let above = mount.height.get() - mount.look_at_height.get();
    Extrinsics {
        centre: camera.centre(),
        rotation: camera.rotation,
        look_at_distance: mount.distance.get().hypot(above),
        lift: [0.0, 0.0, 1.0],
        turntable: 1.0,
    }
}

impl CameraPose {
    /// The camera mounted at `mount`, with the axes at `pose`.
    pub fn new(mount: &Mount, pose: &Pose) -> Self {
        let above = mount.height.get() - mount.look_at_height.get();
        let distance = mount.distance.get().hypot(above) - pose.rail.get();
        let (sin_elevation, cos_elevation) =
            (above.atan2(mount.distance.get()) + pose.tilt.get().to_radians()).sin_cos();
        let heading = mount.azimuth.get() - pose.turntable.get();

        let forward = turn([-cos_elevation, 0.0, -sin_elevation], heading);
        let right = turn([0.0, 1.0, 0.0], heading);
        let down = turn([sin_elevation, 0.0, -cos_elevation], heading);
        let look_at = [0.0, 0.0, mount.look_at_height.get() + pose.lift.get()];
        let centre = add(look_at, scale(forward, -distance));

        let rotation = [right, down, forward];
        Self { rotation, translation: rotation.map(|row| -dot(row, centre)) }
    }

    /// The camera that a calibration has found to stand and move as `extrinsics` say, with the axes at `pose`.
    pub fn measured(extrinsics: &Extrinsics, pose: &Pose) -> Self {
        let Extrinsics { centre, rotation: [right, down, forward], look_at_distance, lift, turntable } =
            *extrinsics;
        let looks_at = add(centre, scale(forward, look_at_distance));
        // Up about its own right: what was forward goes down.
        let (sin, cos) = pose.tilt.get().to_radians().sin_cos();
        let (down, forward) =
            (add(scale(down, cos), scale(forward, -sin)), add(scale(forward, cos), scale(down, sin)));
        let back = scale(forward, pose.rail.get() - look_at_distance);
        let centre = add(add(looks_at, back), scale(lift, pose.lift.get()));
        let turned = |vector| turn(vector, -turntable * pose.turntable.get());
        let (rotation, centre) = ([right, down, forward].map(turned), turned(centre));
        Self { rotation, translation: rotation.map(|row| -dot(row, centre)) }
    }

    /// The same camera after somebody moved it by `moved` in the rig's frame, in millimetres, and turned it about its own right, down
    /// and forward by the right hand, in degrees (so that what it sees turns), while the table has truly turned by `turntable` degrees.
    #[must_use]
    pub fn displaced(&self, moved: Vec3, turned: Vec3, turntable: f64) -> Self {
        let angle = dot(turned, turned).sqrt();
        let axis = if angle > 0.0 { scale(turned, 1.0 / angle) } else { [0.0; 3] };
        let (sin, cos) = angle.to_radians().sin_cos();
        let [x, y, z] = axis;
        let cross = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]];
        // Rodrigues: from what was right, down and forward to what is.
        let rotation = std::array::from_fn(|row| {
            let mixed = std::array::from_fn::<f64, 3, _>(|column| {
                let same = if row == column { cos } else { 0.0 };
                same + sin * cross[row][column] + (1.0 - cos) * axis[row] * axis[column]
            });
            (0..3).fold([0.0; 3], |sum, column| add(sum, scale(self.rotation[column], mixed[column])))
        });
        let centre = add(self.centre(), turn(moved, -turntable));
        Self { rotation, translation: rotation.map(|row: Vec3| -dot(row, centre)) }
    }

    /// The camera's centre in the object's frame.
    pub fn centre(&self) -> Vec3 {
        self.to_object_direction(self.translation.map(|component| -component))
    }

    /// The direction of its optical axis in the object's frame, of length 1.
    pub fn forward(&self) -> Vec3 {
        self.rotation[2]
    }

    /// `point` of the object's frame in the camera's.
    pub fn to_camera(&self, point: Vec3) -> Vec3 {
        add(self.rotation.map(|row| dot(row, point)), self.translation)
    }

    /// `direction` in the camera's frame in the object's.
    pub fn to_object_direction(&self, direction: Vec3) -> Vec3 {
        turned(&self.rotation, direction)
    }

    /// Where `point` of the object's frame is in the image, which may be outside its edges; none if it is not
    /// in front of the camera.
    pub fn project(&self, intrinsics: &Intrinsics, point: Vec3) -> Option<Projection> {
        let [x, y, depth] = self.to_camera(point);
        (depth > 0.0).then(|| {
            let (x, y) = (x / depth, y / depth);
            let (x, y) = intrinsics.distortion.map_or((x, y), |distortion| distortion.seen_at(x, y));
            Projection { u: intrinsics.fx * x + intrinsics.cx, v: intrinsics.fy * y + intrinsics.cy, depth }
        })
    }

    /// What each pixel of a picture by a lens with these `intrinsics`, but without distortion, looks at.
    pub fn sight(&self, intrinsics: &Intrinsics) -> Sight {
        let Intrinsics { width, height, fx, fy, cx, cy, pixel_pitch: _, distortion: _ } = *intrinsics;
        Sight {
            area: Size { width, height }.into(),
            centre: self.centre(),
            rotation: self.rotation,
            focal: [fx, fy],
            middle: [cx, cy],
        }
    }
}

/// `vector` turned counter-clockwise around z.
fn turn(vector: Vec3, degrees: f64) -> Vec3 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [cos * vector[0] - sin * vector[1], sin * vector[0] + cos * vector[1], vector[2]]
}

fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn scale(vector: Vec3, factor: f64) -> Vec3 {
    vector.map(|component| component * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, Distortion};
    use crate::units::{Degrees, Millimetres};
    use proptest::prelude::*;

    const INTRINSICS: Intrinsics = Intrinsics {
        width: 4608,
        height: 2592,
        fx: 3400.0,
        fy: 3300.0,
        cx: 2310.0,
        cy: 1290.0,
        pixel_pitch: None,
        distortion: None,
    };

    fn mount(distance: f64, height: f64, azimuth: f64, look_at_height: f64) -> Mount {
        Mount {
            distance: Millimetres::new(distance),
            height: Millimetres::new(height),
            azimuth: Degrees::new(azimuth),
            look_at_height: Millimetres::new(look_at_height),
        }
    }

    fn pose(turntable: f64, lift: f64, rail: f64, tilt: f64) -> Pose {
        Pose::default()
            .with(Axis::Turntable, turntable)
            .with(Axis::Lift, lift)
            .with(Axis::Rail, rail)
            .with(Axis::Tilt, tilt)
    }

    #[track_caller]
    fn assert_near(a: Vec3, b: Vec3) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9), "{a:?} is not {b:?}");
    }

    #[test]
    fn a_camera_that_was_displaced_sees_what_it_would_from_there() {
        let camera = CameraPose::new(&mount(400.0, 60.0, 0.0, 60.0), &pose(90.0, 0.0, 0.0, 0.0));
        // At turntable 90 degrees, what is +y on the rig is +x of the object.
        let moved = camera.displaced([0.0, 3.0, 0.0], [0.0; 3], 90.0);
        assert_near(moved.centre(), add(camera.centre(), [3.0, 0.0, 0.0]));
        assert_near(moved.rotation[2], camera.rotation[2]);
        // A quarter turn about its forward: what was to the right goes down.
        let turned = camera.displaced([0.0; 3], [0.0, 0.0, 90.0], 90.0);
        assert_near(turned.centre(), camera.centre());
        let point =
            add(camera.centre(), add(scale(camera.rotation[2], 100.0), scale(camera.rotation[0], 7.0)));
        assert_near(camera.to_camera(point), [7.0, 0.0, 100.0]);
        assert_near(turned.to_camera(point), [0.0, 7.0, 100.0]);
        assert_near(camera.displaced([0.0; 3], [0.0; 3], 7.0).rotation[0], camera.rotation[0]);
    }

    #[test]
    fn what_a_measured_rig_does_otherwise_is_seen() {
        let mount = mount(400.0, 60.0, 0.0, 60.0);
        let perfect = extrinsics(&mount);
        let skew = Extrinsics { lift: [0.0, 0.1, 1.01], turntable: 0.5, ..perfect };
        assert_near(CameraPose::measured(&skew, &pose(0.0, 10.0, 0.0, 0.0)).centre(), [400.0, 1.0, 70.1]);
        assert_near(CameraPose::measured(&skew, &pose(180.0, 0.0, 0.0, 0.0)).centre(), [0.0, -400.0, 60.0]);
        let distortion = Some(Distortion { k1: 0.1, ..Distortion::default() });
        let bent = Intrinsics { distortion, ..INTRINSICS };
        let camera = CameraPose::measured(&perfect, &Pose::default());
        let [straight, bent] =
            [INTRINSICS, bent].map(|lens| camera.project(&lens, [0.0, 200.0, 60.0]).unwrap());
        // At half a focal length from the middle: by 0.1 / 4.
        assert!((bent.u - INTRINSICS.cx - (straight.u - INTRINSICS.cx) * 1.025).abs() < 1e-9, "{bent:?}");
    }

    #[test]
    fn a_level_camera_on_the_arm_looks_back_along_x() {
        let camera = CameraPose::new(&mount(400.0, 60.0, 0.0, 60.0), &Pose::default());
        assert_near(camera.centre(), [400.0, 0.0, 60.0]);
        assert_near(camera.forward(), [-1.0, 0.0, 0.0]);
        // y of the object is to the right of such a camera, and z is up.
        let seen = camera.project(&INTRINSICS, [0.0, 10.0, 70.0]).unwrap();
        assert!(seen.u > INTRINSICS.cx && seen.v < INTRINSICS.cy, "{seen:?}");
        assert!((seen.depth - 400.0).abs() < 1e-9);
    }

    #[test]
    fn turning_the_table_by_90_moves_the_camera_by_minus_90_around_the_object() {
        let mount = mount(400.0, 200.0, 0.0, 50.0);
        assert_near(CameraPose::new(&mount, &pose(90.0, 0.0, 0.0, 0.0)).centre(), [0.0, -400.0, 200.0]);
        assert_near(CameraPose::new(&mount, &pose(-90.0, 0.0, 0.0, 0.0)).centre(), [0.0, 400.0, 200.0]);
    }

    #[test]
    fn azimuth_turns_the_mount_counter_clockwise() {
        let camera = CameraPose::new(&mount(400.0, 200.0, 90.0, 50.0), &Pose::default());
        assert_near(camera.centre(), [0.0, 400.0, 200.0]);
    }

    #[test]
    fn lift_raises_and_rail_approaches_and_tilt_goes_over() {
        let mount = mount(400.0, 60.0, 0.0, 60.0);
        let lifted = CameraPose::new(&mount, &pose(0.0, 100.0, 0.0, 0.0));
        assert_near(lifted.centre(), [400.0, 0.0, 160.0]);
        assert_near(lifted.forward(), [-1.0, 0.0, 0.0]);
        let near = CameraPose::new(&mount, &pose(0.0, 0.0, 150.0, 0.0));
        assert_near(near.centre(), [250.0, 0.0, 60.0]);
        let above = CameraPose::new(&mount, &pose(0.0, 0.0, 0.0, 90.0));
        assert_near(above.centre(), [0.0, 0.0, 460.0]);
        assert_near(above.forward(), [0.0, 0.0, -1.0]);
    }

    #[test]
    fn a_point_behind_the_camera_is_not_in_the_image() {
        let camera = CameraPose::new(&mount(400.0, 60.0, 0.0, 60.0), &Pose::default());
        assert_eq!(camera.project(&INTRINSICS, [401.0, 0.0, 60.0]), None);
    }

    fn mounts() -> impl Strategy<Value = Mount> {
        (50.0..1000.0, -300.0..800.0, -360.0..360.0, 0.0..300.0).prop_map(|(d, h, a, l)| mount(d, h, a, l))
    }

    fn poses() -> impl Strategy<Value = Pose> {
        (-720.0..720.0, -100.0..500.0, -50.0..40.0, -30.0..120.0).prop_map(|(t, l, r, e)| pose(t, l, r, e))
    }

    proptest! {
        #[test]
        fn a_perfect_rig_measures_what_was_configured(mount in mounts(), pose in poses()) {
            let (configured, measured) =
                (CameraPose::new(&mount, &pose), CameraPose::measured(&extrinsics(&mount), &pose));
            let rows = |pose: CameraPose| pose.rotation.into_iter().chain([pose.translation]).flatten();
            for (a, b) in rows(configured).zip(rows(measured)) {
                prop_assert!((a - b).abs() < 1e-9, "{configured:?} is not {measured:?}");
            }
        }

        #[test]
        fn the_rotation_is_one(mount in mounts(), pose in poses()) {
            let [right, down, forward] = CameraPose::new(&mount, &pose).rotation;
            let cross = [
                right[1] * down[2] - right[2] * down[1],
                right[2] * down[0] - right[0] * down[2],
                right[0] * down[1] - right[1] * down[0],
            ];
            assert_near(cross, forward);
            assert_near([dot(right, right), dot(down, down), dot(right, down)], [1.0, 1.0, 0.0]);
        }

        #[test]
        fn the_look_at_point_is_at_the_principal_point(mount in mounts(), pose in poses()) {
            let look_at = [0.0, 0.0, mount.look_at_height.get() + pose.lift.get()];
            let seen = CameraPose::new(&mount, &pose).project(&INTRINSICS, look_at).unwrap();
            assert_near([seen.u, seen.v, 0.0], [INTRINSICS.cx, INTRINSICS.cy, 0.0]);
        }

        #[test]
        fn a_ray_leads_back_to_its_pixel(
            mount in mounts(), pose in poses(), u in 0.0..4608.0, v in 0.0..2592.0, along in 1.0..2000.0,
        ) {
            let camera = CameraPose::new(&mount, &pose);
            let direction = camera.sight(&INTRINSICS).ray(u, v);
            prop_assert!((dot(direction, direction) - 1.0).abs() < 1e-12);
            let seen = camera.project(&INTRINSICS, add(camera.centre(), scale(direction, along))).unwrap();
            prop_assert!((seen.u - u).abs() < 1e-6 && (seen.v - v).abs() < 1e-6, "{seen:?}");
        }
    }
}
