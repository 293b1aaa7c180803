use super::*;
use crate::model::AxisConfig;
use crate::model::Limits;
use crate::model::{Axis, Mount, Region};
use crate::sim::WorldFile;
use crate::sim::camera::{Focus, NEAREST};
use crate::units::Millimetres;

const SIZE: Size = Size { width: 320, height: 180 };
const SHARP: Framing = Framing { crop: None, focus: Focus::On(None) };

fn shutter(opens_ns: u64) -> Shutter {
    Shutter { index: 9, opens_ns, closes_ns: opens_ns + 10_000_000, ready_ns: opens_ns + 35_000_000 }
}

/// Mean square of the difference of neighbours in a row.
fn sharpness(picture: &Picture) -> f64 {
    let rows = picture.y.chunks_exact(SIZE.width as usize);
    let sum: u32 =
        rows.flat_map(|row| row.windows(2).map(|pair| u32::from(pair[0].abs_diff(pair[1])).pow(2))).sum();
    f64::from(sum) / picture.y.len() as f64
}

#[test]
fn pictures_show_the_pose_of_their_time_and_motion_blurs_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    let file = WorldFile::create(path.clone(), World::default()).unwrap();
    let mut table = Table::new(SimOptions { world: Some(path), ..SimOptions::default() });
    let start = table.picture(SIZE, &SHARP, &shutter(1_000_000_000), None).unwrap();
    let limits = Limits { speed: 360.0, acceleration: 3600.0, jerk: None };
    let axes = [AxisConfig::new(Axis::Turntable, limits, None)];
    let target = Pose::default().with(Axis::Turntable, 170.0);
    file.update(|world| world.push_move(2_000_000_000, target, &axes, 1.0)).unwrap();
    assert_eq!(table.picture(SIZE, &SHARP, &shutter(1_500_000_000), None).unwrap(), start, "still at rest");
    table.prepare(SIZE, &SHARP, None).unwrap();
    assert!(table.kept.iter().any(|(key, _)| key.pose == target), "the target is ready");
    let while_moving = shutter(2_200_000_000);
    let moving = table.picture(SIZE, &SHARP, &while_moving, None).unwrap();
    let pose = file.world().pose_at(while_moving.opens_ns.midpoint(while_moving.ready_ns));
    let sharp = table.render(Key {
        size: SIZE,
        bumped: false,
        framing: SHARP,
        pose,
        light: light(&World::default()),
    });
    assert!(sharpness(&moving) < 0.7 * sharpness(&sharp), "{} {}", sharpness(&moving), sharpness(&sharp));
    let rest_ns = file.world().rest_ns();
    let just_too_early = table.picture(SIZE, &SHARP, &shutter(rest_ns - 1), None).unwrap();
    let end = table.picture(SIZE, &SHARP, &shutter(rest_ns), None).unwrap();
    assert_ne!(start, end);
    assert_ne!(just_too_early, start);
    assert_eq!(table.kept.len(), 2, "moving pictures are not kept");
}

#[test]
fn light_is_that_of_the_rig() {
    let mut world = World::default();
    assert!((brightness(&world) - 1.0).abs() < 1e-9);
    world.set_light("left", Lighting::Front, 0.0);
    assert!((brightness(&world) - ROOM_LIGHT).abs() < 1e-9);
    world.set_light("left", Lighting::Front, 1.0);
    assert!((brightness(&world) - 1.0).abs() < 1e-9);
    world.set_light("panel", Lighting::Backlight, 1.0);
    world.set_light("left", Lighting::Front, 0.0);
    assert!((brightness(&world) - ROOM_LIGHT - SPILL).abs() < 1e-9, "a backlight shines past the object");
}

fn seen(framing: Framing) -> Picture {
    let mut table = Table::new(SimOptions::default());
    Rc::unwrap_or_clone(table.picture(SIZE, &framing, &shutter(1_000_000_000), None).unwrap())
}

#[test]
fn a_lens_is_sharp_at_the_distance_of_the_object_and_less_the_farther_off_it_is() {
    let at = |position: f64| sharpness(&seen(Framing { focus: Focus::At(Dioptres::new(position)), ..SHARP }));
    let mut table = Table::new(SimOptions::default());
    let found = table.focused(&SHARP).unwrap().get();
    // 400 mm away and 95 mm above.
    assert!((found - 1000.0 / 400.0_f64.hypot(95.0)).abs() < 1e-9, "{found}");
    assert!((at(found) - sharpness(&seen(SHARP))).abs() < 1e-9);
    let sharpnesses = [0.0, 2.0, 4.0, 8.0].map(|off| at(found + off));
    assert!(sharpnesses.windows(2).all(|pair| pair[0] > pair[1]), "{sharpnesses:?}");
    assert!(at(0.0) < 0.8 * at(found));
}

#[test]
fn autofocus_goes_no_nearer_than_the_lens_can_be_set() {
    let mount = Mount {
        distance: Millimetres::new(40.0),
        height: Millimetres::new(65.0),
        ..SimOptions::default().mount
    };
    let mut table = Table::new(SimOptions { mount, ..SimOptions::default() });
    assert_eq!(table.focused(&SHARP).unwrap(), NEAREST);
}

#[test]
fn autofocus_finds_what_its_window_shows() {
    let mut table = Table::new(SimOptions::default());
    let mut on = |x, y, crop| {
        let window = Region { x, y, width: 0.1, height: 0.1 };
        table.focused(&Framing { crop, focus: Focus::On(Some(window)) }).unwrap().get()
    };
    assert!(on(0.45, 0.45, None) > 2.0, "the owl");
    assert!(on(0.0, 0.0, None) < 1.0, "the wall");
    assert!(on(0.9, 0.9, Some(Region { x: 0.0, y: 0.0, width: 0.5, height: 0.5 })) > 2.0, "the owl's middle");
}

#[test]
fn a_crop_fills_the_picture_with_its_part() {
    let crop = Region { x: 0.25, y: 0.5, width: 0.5, height: 0.5 };
    let part = seen(Framing { crop: Some(crop), ..SHARP });
    let large = Size { width: 640, height: 360 };
    let mut table = Table::new(SimOptions::default());
    let whole = table.picture(large, &SHARP, &shutter(1_000_000_000), None).unwrap();
    let rows = whole.y.chunks_exact(640).skip(180);
    let differences = part
        .y
        .chunks_exact(320)
        .zip(rows)
        .flat_map(|(part, whole)| part.iter().zip(&whole[160..]).map(|(a, b)| u32::from(a.abs_diff(*b))));
    let mean = f64::from(differences.sum::<u32>()) / part.y.len() as f64;
    assert!(mean < 2.0, "{mean}");
}
