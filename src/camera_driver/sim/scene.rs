//! What a simulated camera sees at a moment.

use std::collections::VecDeque;
use std::rc::Rc;

use super::SimOptions;
use super::render::{Renderer, scaled};
use crate::camera_driver::host::{DeviceError, DriverArgs, parse_options};
use crate::camera_driver::protocol::Size;
use crate::camera_driver::synthetic::{Faulty, Picture, Properties, Scene, Script, Shutter, Synthetic};
use crate::plan::Pose;
use crate::plan::geometry::{CameraPose, Vec3};
use crate::rig::sim::World;

/// Pictures kept for frames to come: at the present and the next pose, of each stream.
const KEPT: usize = 4;
/// Light that is there when the rig's lights are off.
const ROOM_LIGHT: f64 = 0.15;
/// Points of the object whose way in the picture says how blurred a moving picture is.
const LANDMARKS: [Vec3; 3] = [[30.0, 0.0, 50.0], [-30.0, 0.0, 50.0], [0.0, 0.0, 100.0]];
/// Widest blur, in pixels.
const WIDEST_BLUR: usize = 96;

/// The device of `scanner-sim`.
pub type SimDevice = Faulty<Synthetic<Table>>;

/// Builds the device from the driver's command line.
pub fn build(args: &DriverArgs) -> Result<SimDevice, DeviceError> {
    let options: SimOptions = parse_options(&args.options)?;
    options.check()?;
    let properties = Properties {
        driver: concat!("scanner-sim ", env!("CARGO_PKG_VERSION")).into(),
        camera: args.camera.clone(),
        model: "simulated".into(),
        sensor: options.sensor,
        pixel_pitch_um: options.pixel_pitch.get() * 1000.0,
        frame_period: options.frame_period,
        exposure: options.exposure,
        readout: options.readout,
        time_scale: options.time_scale,
        startup_frames: options.startup_frames,
        live_beside_stills: options.live_beside_stills,
        noise: Some(options.seed),
    };
    let script = Script::new(options.script(&args.camera))?;
    let (time_scale, wedge_file) = (options.time_scale, options.wedge_file.clone());
    let table = Table::new(options);
    table.world()?;
    Ok(Faulty::new(Synthetic::new(properties, table), script, time_scale, wedge_file))
}

/// The turntable with the object on it.
#[derive(Debug)]
pub struct Table {
    options: SimOptions,
    renderer: Renderer,
    /// Pictures at rest, the last used last.
    kept: VecDeque<(Key, Rc<Picture>)>,
}

/// What makes a picture what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    size: Size,
    pose: Pose,
    brightness: f64,
}

impl Table {
    fn new(options: SimOptions) -> Self {
        Self { options, renderer: Renderer::new(), kept: VecDeque::new() }
    }

    fn world(&self) -> Result<World, DeviceError> {
        let Some(path) = &self.options.world else { return Ok(World::default()) };
        World::load(path).map_err(|error| DeviceError::invalid(format!("option world: {error}")))
    }

    /// The picture of `key`, rendered unless it was kept.
    fn at_rest(&mut self, key: Key) -> Rc<Picture> {
        let picture = match self.kept.iter().position(|(kept, _)| *kept == key) {
            Some(index) => self.kept.remove(index).map(|(_, picture)| picture),
            None => None,
        };
        let picture = picture.unwrap_or_else(|| Rc::new(self.render(key)));
        self.kept.push_back((key, Rc::clone(&picture)));
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        picture
    }

    fn render(&mut self, key: Key) -> Picture {
        let SimOptions { intrinsics, mount, .. } = &self.options;
        self.renderer.render(key.size, intrinsics, mount, &key.pose, key.brightness)
    }

    /// How far the object moves in a picture of `size` between two poses, in pixels.
    fn way(&self, size: Size, from: &Pose, to: &Pose) -> f64 {
        let intrinsics = scaled(&self.options.intrinsics, size);
        let ways = LANDMARKS.iter().filter_map(|&point| {
            let at = |pose| CameraPose::new(&self.options.mount, pose).project(&intrinsics, point);
            let (from, to) = (at(from)?, at(to)?);
            Some((to.u - from.u).hypot(to.v - from.v))
        });
        ways.fold(0.0, f64::max)
    }
}

impl Scene for Table {
    fn picture(
        &mut self,
        size: Size,
        shutter: &Shutter,
        _shot: Option<u32>,
    ) -> Result<Rc<Picture>, DeviceError> {
        let world = self.world()?;
        // Rows are exposed one after the other, until the last one is read out.
        let (from_ns, to_ns) = (shutter.opens_ns, shutter.ready_ns);
        let pose = world.pose_at(from_ns.midpoint(to_ns));
        let key = Key { size, pose, brightness: brightness(&world) };
        if world.rests_during(from_ns, to_ns) {
            return Ok(self.at_rest(key));
        }
        let way = self.way(size, &world.pose_at(from_ns), &world.pose_at(to_ns));
        let mut picture = self.render(key);
        blur(&mut picture, (way.round() as usize).min(WIDEST_BLUR));
        Ok(Rc::new(picture))
    }

    /// Renders the pose at which the axes will rest, while they are on their way there.
    fn prepare(&mut self, size: Size, _shot: Option<u32>) -> Result<(), DeviceError> {
        let world = self.world()?;
        let key = Key { size, pose: world.pose_at(world.rest_ns()), brightness: brightness(&world) };
        self.at_rest(key);
        Ok(())
    }

    fn held_still(&mut self, shutter: &Shutter) -> Result<bool, DeviceError> {
        // Whoever moves the axes while the sensor is read out sees it in the picture.
        Ok(self.world()?.rests_during(shutter.opens_ns, shutter.ready_ns))
    }
}

/// Light on the object, 1 with all lights on; also 1 if the rig has none.
fn brightness(world: &World) -> f64 {
    let lights = world.lights();
    if lights.is_empty() {
        return 1.0;
    }
    let mean = lights.values().sum::<f64>() / lights.len() as f64;
    ROOM_LIGHT + (1.0 - ROOM_LIGHT) * mean
}

/// Smears luma over `width` pixels of its row.
fn blur(picture: &mut Picture, width: usize) {
    if width < 2 {
        return;
    }
    let mut sharp = Vec::new();
    for row in picture.y.chunks_exact_mut(picture.size.width as usize) {
        sharp.clear();
        sharp.extend_from_slice(row);
        let at = |column: usize| u32::from(sharp[column.min(sharp.len() - 1)]);
        let mut sum: u32 = (0..width).map(at).sum();
        for (column, pixel) in row.iter_mut().enumerate() {
            *pixel = (sum / width as u32) as u8;
            sum = sum + at(column + width) - at(column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AxisConfig;
    use crate::motion::Limits;
    use crate::plan::Axis;
    use crate::rig::sim::WorldFile;

    const SIZE: Size = Size { width: 320, height: 180 };

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
        let start = table.picture(SIZE, &shutter(1_000_000_000), None).unwrap();
        let limits = Limits { speed: 360.0, acceleration: 3600.0, jerk: None };
        let axes = [AxisConfig { axis: Axis::Turntable, limits, travel: None }];
        let target = Pose::default().with(Axis::Turntable, 170.0);
        file.update(|world| world.push_move(2_000_000_000, target, &axes, 1.0)).unwrap();
        assert_eq!(table.picture(SIZE, &shutter(1_500_000_000), None).unwrap(), start, "still at rest");
        table.prepare(SIZE, None).unwrap();
        assert!(table.kept.iter().any(|(key, _)| key.pose == target), "the target is ready");
        let while_moving = shutter(2_200_000_000);
        let moving = table.picture(SIZE, &while_moving, None).unwrap();
        let pose = file.world().pose_at(while_moving.opens_ns.midpoint(while_moving.ready_ns));
        let sharp = table.render(Key { size: SIZE, pose, brightness: 1.0 });
        assert!(sharpness(&moving) < 0.7 * sharpness(&sharp), "{} {}", sharpness(&moving), sharpness(&sharp));
        let rest_ns = file.world().rest_ns();
        let just_too_early = table.picture(SIZE, &shutter(rest_ns - 1), None).unwrap();
        let end = table.picture(SIZE, &shutter(rest_ns), None).unwrap();
        assert_ne!(start, end);
        assert_ne!(just_too_early, start);
        assert_eq!(table.kept.len(), 2, "moving pictures are not kept");
    }

    #[test]
    fn light_is_that_of_the_rig() {
        let mut world = World::default();
        assert!((brightness(&world) - 1.0).abs() < 1e-9);
        world.set_light("left", 0.0);
        assert!((brightness(&world) - ROOM_LIGHT).abs() < 1e-9);
        world.set_light("left", 1.0);
        assert!((brightness(&world) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_blur_keeps_the_light() {
        let mut picture = Picture::plain(Size { width: 8, height: 1 }, 0, 128, 128);
        picture.y[4] = 200;
        blur(&mut picture, 4);
        assert_eq!(picture.y, [0, 50, 50, 50, 50, 0, 0, 0]);
    }
}
