//! What a simulated camera sees at a moment.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use scanner_pixels::blur;
use scanner_pixels::lens::Lens;
use scanner_pixels::object::{Light, OnPlate, Renderer, Viewpoint, depths};
use scanner_pixels::picture::Picture;
use scanner_pixels::target::Ring;

use super::SimOptions;
use super::focus::{WALL, at, breathing, lens_at, object_at};
use super::viewpoint::{camera_pose, cropped, scaled, viewpoint};
use crate::camera_driver::host::{DeviceError, DriverArgs, parse_options};
use crate::clock;
use crate::model::{Distortion, Lighting, Pose, Size};
use crate::plan::geometry::Vec3;
use crate::sim::camera::{Faulty, Framing, Properties, Scene, Script, Shutter, Synthetic};
use crate::sim::{OnTable, World, WorldReader};
use crate::units::Dioptres;

/// Pictures kept for frames to come: at the present and the next pose, of each stream.
const KEPT: usize = 4;
/// Light that is there when the rig's lights are off.
const ROOM_LIGHT: f64 = 0.15;
/// What a backlight adds to it.
const SPILL: f64 = 0.05;
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
        synced: options.synced,
        exposure: options.exposure,
        readout: options.readout,
        time_scale: options.time_scale,
        startup_frames: options.startup_frames,
        live_beside_stills: options.live_beside_stills,
        protocol: options.protocol,
        longest_call: options.longest_call,
        timestamps: options.timestamps,
        trigger_log: options.trigger_log.clone(),
        files: options.deliver.clone(),
        mosaic: Some(options.mosaic()),
        seen: options.seen.clone(),
        noise: Some(options.seed),
    };
    let script = Script::new(options.script(&args.camera))?;
    let (time_scale, wedge_file) = (options.time_scale, options.wedge_file.clone());
    let mut table = Table::new(options);
    table.world()?;
    Ok(Faulty::new(Synthetic::new(properties, table), script, time_scale, wedge_file))
}

/// The turntable with the object on it.
#[derive(Debug)]
pub struct Table {
    options: SimOptions,
    /// None: nothing but the camera is simulated.
    reader: Option<WorldReader>,
    renderer: Renderer,
    /// Pictures at rest, the last used last.
    kept: VecDeque<(Key, Rc<Picture>)>,
}

/// What makes a picture what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    size: Size,
    /// Whether it is one after the camera was bumped.
    bumped: bool,
    framing: Framing,
    pose: Pose,
    light: Light,
}

impl Table {
    pub(super) fn new(options: SimOptions) -> Self {
        let ring = options.marks.then(Ring::default);
        let reader = options.world.clone().map(WorldReader::new);
        Self { options, reader, renderer: Renderer::with_ring(ring), kept: VecDeque::new() }
    }

    fn world(&mut self) -> Result<Rc<World>, DeviceError> {
        let Some(reader) = &mut self.reader else { return Ok(Rc::default()) };
        reader.world().map_err(|error| DeviceError::invalid(format!("option world: {error}")))
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
        let options = &self.options;
        let lens_position = lens_at(options, &key.framing, &key.pose, key.light.on_plate);
        let intrinsics = cropped(&options.built.lens(&options.intrinsics), key.framing.crop);
        let intrinsics = breathing(&scaled(&intrinsics, key.size), options, lens_position);
        let shot = if key.bumped { options.built.bumped_from } else { None };
        let viewpoint = viewpoint(options, &intrinsics, &key.pose, shot);
        let distortion = intrinsics.distortion.unwrap_or_default();
        let mut picture = if options.samples == 1 && distortion == Distortion::default() {
            self.renderer.render(&viewpoint, key.light)
        } else {
            let Distortion { k1, k2, p1, p2 } = distortion;
            let lens = Lens::new(viewpoint.sight, [k1, k2, p1, p2], options.samples.into());
            lens.picture(&self.renderer.render(&Viewpoint { sight: lens.fine(), ..viewpoint }, key.light))
        };
        // Pixels that a point is spread over, for each dioptre that the lens is off.
        let spread = options.aperture.get() / 1000.0 * intrinsics.fx;
        if options.defocus_by_depth {
            let wall = at(options, &key.pose, WALL).get();
            let diameter = |depth: f32| {
                let sharp = if depth.is_finite() { 1000.0 / f64::from(depth).max(10.0) } else { wall };
                ((lens_position.get() - sharp).abs() * spread).min(WIDEST_BLUR as f64) as f32
            };
            let empty = key.light.on_plate != OnPlate::Owl;
            let diameters: Vec<f32> = depths(&viewpoint, empty).into_iter().map(diameter).collect();
            blur::defocus_each(&mut picture, &diameters);
        } else {
            let off = (lens_position - object_at(options, &key.pose)).get().abs();
            blur::defocus(&mut picture, ((off * spread).round() as usize).min(WIDEST_BLUR));
        }
        picture
    }

    /// How far the object moves in a picture between two poses, in pixels.
    fn way(&self, size: Size, framing: &Framing, from: &Pose, to: &Pose) -> f64 {
        let intrinsics = scaled(&cropped(&self.options.intrinsics, framing.crop), size);
        let ways = LANDMARKS.iter().filter_map(|&point| {
            let at = |pose| camera_pose(&self.options, pose, None).project(&intrinsics, point);
            let (from, to) = (at(from)?, at(to)?);
            Some((to.u - from.u).hypot(to.v - from.v))
        });
        ways.fold(0.0, f64::max)
    }
}

/// At which it is looked how far something is displaced while it is exposed.
const MOMENTS: u64 = 8;

impl Scene for Table {
    fn picture(
        &mut self,
        size: Size,
        framing: &Framing,
        shutter: &Shutter,
        shot: Option<u32>,
    ) -> Result<Rc<Picture>, DeviceError> {
        let world = self.world()?;
        // Rows are exposed one after the other, until the last one is read out.
        let (from_ns, to_ns) = (shutter.opens_ns, shutter.ready_ns);
        let pose = world.seen_at(from_ns.midpoint(to_ns));
        let bumped = self.options.built.is_bumped(shot);
        let key = Key { size, bumped, framing: *framing, pose, light: light(&world) };
        if world.rests_during(from_ns, to_ns) {
            return Ok(self.at_rest(key));
        }
        let way = self.way(size, framing, &world.seen_at(from_ns), &world.seen_at(to_ns));
        let mut picture = self.render(key);
        blur::motion(&mut picture, (way.round() as usize).min(WIDEST_BLUR));
        Ok(Rc::new(picture))
    }

    /// Renders the pose at which the axes will rest, while they are on their way there.
    fn prepare(&mut self, size: Size, framing: &Framing, shot: Option<u32>) -> Result<(), DeviceError> {
        let world = self.world()?;
        // Once nothing swings any more, either.
        let pose = world.seen_at(u64::MAX);
        let bumped = self.options.built.is_bumped(shot);
        self.at_rest(Key { size, bumped, framing: *framing, pose, light: light(&world) });
        Ok(())
    }

    fn focused(&mut self, framing: &Framing) -> Result<Dioptres, DeviceError> {
        let world = self.world()?;
        Ok(lens_at(&self.options, framing, &world.seen_at(clock::now_ns()), on_plate(&world)))
    }

    fn displaced(&mut self, size: Size, framing: &Framing, shutter: &Shutter) -> Result<f64, DeviceError> {
        let world = self.world()?;
        let rest = world.seen_at(u64::MAX);
        let moments = 0..=MOMENTS;
        let at = |moment| shutter.opens_ns + (shutter.ready_ns - shutter.opens_ns) * moment / MOMENTS;
        Ok(moments
            .map(|moment| self.way(size, framing, &world.seen_at(at(moment)), &rest))
            .fold(0.0, f64::max))
    }

    fn held_still(&mut self, shutter: &Shutter) -> Result<bool, DeviceError> {
        // Whoever moves the axes while the sensor is read out sees it in the picture.
        Ok(self.world()?.rests_during(shutter.opens_ns, shutter.ready_ns))
    }
}

fn light(world: &World) -> Light {
    let panel = mean(world.lights(Lighting::Backlight));
    Light { brightness: brightness(world), panel, on_plate: on_plate(world) }
}

fn on_plate(world: &World) -> OnPlate {
    match world.on_table() {
        OnTable::Object => OnPlate::Owl,
        OnTable::Nothing => OnPlate::Nothing,
        OnTable::Board => OnPlate::Board,
    }
}

/// Light on the object, 1 with all lights on that shine on it; also 1 if the rig has none at all. A backlight lends it
/// little.
fn brightness(world: &World) -> f64 {
    let (front, panel) = (mean(world.lights(Lighting::Front)), mean(world.lights(Lighting::Backlight)));
    if front.is_none() && panel.is_none() {
        return 1.0;
    }
    ROOM_LIGHT + (1.0 - ROOM_LIGHT) * front.unwrap_or_default() + SPILL * panel.unwrap_or_default()
}

fn mean(lights: &BTreeMap<String, f64>) -> Option<f64> {
    (!lights.is_empty()).then(|| lights.values().sum::<f64>() / lights.len() as f64)
}

#[cfg(test)]
mod tests;
