//! Pictures of the object from anywhere.

use super::noise::{Noise, step};
use super::owl::{self, OWL, STONE};
use super::plate::Plate;
use super::view::{self, View, dot32};
use crate::model::{Intrinsics, Mount, Pose, Region, Size};
use crate::sim::camera::Picture;

/// Light that comes from everywhere, as a part of the whole.
const AMBIENT: f32 = 0.42;
/// Hue of the wall behind.
const BACKDROP: [f32; 2] = [0.01, -0.01];
/// Half the width and half the height of the panel behind the object in mm: in the middle of the picture,
const PANEL: [f64; 2] = [170.0, 140.0];
/// so far behind the turntable's axis. It stands on the rig, as the camera does.
const PANEL_BEHIND: f64 = 230.0;
/// Luma of its white diffuser in light of 1, and in its own at full brightness,
const DIFFUSER: f32 = 0.62;
const SHINING: f32 = 0.86;
/// which falls off by this part towards its corners.
const FALL_OFF: f32 = 0.3;

/// Renders the object into frames, one after the other.
#[derive(Debug)]
pub(super) struct Renderer {
    noise: Noise,
    /// The plate's texture as it was last made, since making it takes time.
    plate: Plate,
}

/// What the rig is like, beside its axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Light {
    /// How bright it is: 1 is right for the exposure.
    pub(super) brightness: f64,
    /// How bright the panel behind the object shines, 0 (off) to 1 (full); none if there is no panel.
    pub(super) panel: Option<f64>,
    /// Nobody has put the owl on the plate.
    pub(super) empty: bool,
}

/// How a view is lit, and how finely it is seen.
struct Look {
    brightness: f32,
    octaves: usize,
}

impl Renderer {
    pub(super) fn new() -> Self {
        let noise = Noise::new(1);
        Self { plate: Plate::new(&noise, f64::INFINITY), noise }
    }

    /// What the camera at `mount` sees with the axes at `pose`.
    pub(super) fn render(
        &mut self,
        size: Size,
        intrinsics: &Intrinsics,
        mount: &Mount,
        pose: &Pose,
        light: Light,
    ) -> Picture {
        let intrinsics = scaled(intrinsics, size);
        let view = View::new(&intrinsics, mount, pose);
        let view = if light.empty { view.cleared() } else { view };
        let distance = view.centre.iter().map(|component| component * component).sum::<f64>().sqrt();
        let footprint = distance / intrinsics.fx;
        if !self.plate.fits(footprint) {
            self.plate = Plate::new(&self.noise, footprint);
        }
        let panel = light.panel.map(|shining| Panel::new(&intrinsics, mount, light.brightness, shining));
        let look = Look { brightness: light.brightness as f32, octaves: owl::octaves(footprint) };
        let mut picture = Picture::plain(size, 0, 128, 128);
        let width = size.width as usize;
        let chroma_width = width.div_ceil(2);
        let (mut depths, mut parts) = (vec![0.0; width], vec![0; width]);
        let chroma = picture.u.chunks_exact_mut(chroma_width).zip(picture.v.chunks_exact_mut(chroma_width));
        for ((pair, lumas), (blue, red)) in picture.y.chunks_mut(2 * width).enumerate().zip(chroma) {
            for (odd, lumas) in lumas.chunks_exact_mut(width).enumerate() {
                let number = 2 * pair + odd;
                let row = view.row(number, &mut depths, &mut parts);
                let backdrop =
                    backdrop(((number as f64 - intrinsics.cy) / intrinsics.fy) as f32) * look.brightness;
                lumas.fill(to_byte(backdrop));
                if odd == 0 {
                    blue.fill(chroma_byte(BACKDROP[0], backdrop));
                    red.fill(chroma_byte(BACKDROP[1], backdrop));
                }
                if let Some(panel) = &panel {
                    panel.draw(number, lumas);
                }
                for column in row.object.clone() {
                    let (luma, hue) = match row.parts[column] {
                        view::BACKGROUND => continue,
                        view::PLATE => self.shade_plate(&view, &look, row.point(column)),
                        part => self.shade(&view, &look, usize::from(part), row.point(column)),
                    };
                    lumas[column] = to_byte(luma);
                    if odd == 0 && column % 2 == 0 {
                        blue[column / 2] = chroma_byte(hue[0], luma);
                        red[column / 2] = chroma_byte(hue[1], luma);
                    }
                }
            }
        }
        picture
    }

    /// Luma, 0 to 1 and beyond, and hue of the owl's `part` at `point`.
    fn shade(&self, view: &View, look: &Look, part: usize, point: [f32; 3]) -> (f32, [f32; 2]) {
        let material = &OWL[part].material;
        let (luma, hue) = material.at(&self.noise, point, look.octaves);
        let normal = view.spheres[part].normal(point);
        let facing = dot32(normal, view.light).max(0.0);
        // The sky is above; near the plate less of it is seen.
        let sky = 0.8 + 0.2 * normal[2];
        let corner = 0.55 + 0.45 * step(-4.0, 22.0, point[2]);
        let light = (AMBIENT * sky * corner + (1.05 - AMBIENT) * facing) * look.brightness;
        (luma * light, material.chroma.map(|component| component * hue))
    }

    /// As [`shade`](Self::shade), for the plate.
    fn shade_plate(&self, view: &View, look: &Look, point: [f32; 3]) -> (f32, [f32; 2]) {
        if view.centre[2] < 0.0 {
            return (0.08 * look.brightness, [0.0; 2]);
        }
        let lit = view.apart_from_light(point).map_or(1.0, |apart| 0.15 + 0.85 * step(0.75, 1.15, apart));
        let light = (AMBIENT * (0.4 + 0.6 * lit) + (1.0 - AMBIENT) * view.light[2] * lit) * look.brightness;
        (self.plate.at(point[0], point[1]) * light, STONE.chroma)
    }
}

/// The panel behind the object, as a camera sees it.
struct Panel {
    /// Its middle in the picture, and half its size there, in pixels.
    middle: [f64; 2],
    half: [f64; 2],
    lit: f32,
    shining: f32,
}

impl Panel {
    fn new(intrinsics: &Intrinsics, mount: &Mount, brightness: f64, shining: f64) -> Self {
        let away = mount.distance.get().hypot(mount.height.get() - mount.look_at_height.get()) + PANEL_BEHIND;
        Self {
            middle: [intrinsics.cx, intrinsics.cy],
            half: [PANEL[0] * intrinsics.fx / away, PANEL[1] * intrinsics.fy / away],
            lit: DIFFUSER * brightness as f32,
            shining: SHINING * shining as f32,
        }
    }

    /// Draws what it has of row `number`.
    fn draw(&self, number: usize, lumas: &mut [u8]) {
        let down = (number as f64 + 0.5 - self.middle[1]) / self.half[1];
        if down.abs() > 1.0 {
            return;
        }
        let column = |at: f64| at.clamp(0.0, lumas.len() as f64) as usize;
        let columns = column(self.middle[0] - self.half[0])..column(self.middle[0] + self.half[0]);
        for (at, luma) in lumas.iter_mut().enumerate().take(columns.end).skip(columns.start) {
            let across = (at as f64 + 0.5 - self.middle[0]) / self.half[0];
            let apart = (across * across + down * down) as f32 / 2.0;
            *luma = to_byte(self.lit + self.shining * (1.0 - FALL_OFF * apart));
        }
    }
}

/// `intrinsics` of the same lens for pictures of `size`.
pub(super) fn scaled(intrinsics: &Intrinsics, size: Size) -> Intrinsics {
    let x = f64::from(size.width) / f64::from(intrinsics.width);
    let y = f64::from(size.height) / f64::from(intrinsics.height);
    Intrinsics {
        width: size.width,
        height: size.height,
        fx: intrinsics.fx * x,
        fy: intrinsics.fy * y,
        cx: intrinsics.cx * x,
        cy: intrinsics.cy * y,
        pixel_pitch: intrinsics.pixel_pitch.map(|pitch| pitch * (1.0 / x)),
    }
}

/// `intrinsics` of a picture that shows a part of the field of view only, as large as all of it.
pub(super) fn cropped(intrinsics: &Intrinsics, crop: Option<Region>) -> Intrinsics {
    let Region { x, y, width, height } = crop.unwrap_or(Region::WHOLE);
    Intrinsics {
        fx: intrinsics.fx / width,
        fy: intrinsics.fy / height,
        cx: (intrinsics.cx - x * f64::from(intrinsics.width)) / width,
        cy: (intrinsics.cy - y * f64::from(intrinsics.height)) / height,
        pixel_pitch: intrinsics.pixel_pitch.map(|pitch| pitch * width),
        ..*intrinsics
    }
}

/// Luma of 0 to 1, and beyond.
fn to_byte(luma: f32) -> u8 {
    (luma * 255.0) as u8
}

/// The colour difference of `hue` at `luma`, which is as saturated at any light.
fn chroma_byte(hue: f32, luma: f32) -> u8 {
    (128.5 + hue * luma.min(1.0) * 255.0) as u8
}

/// Luma of the wall behind, as far below the picture's middle as `down` is the tangent of.
fn backdrop(down: f32) -> f32 {
    0.34 + 0.16 * step(-0.28, 0.17, down)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Axis;
    use crate::plan::geometry::CameraPose;
    use crate::sim::object::{SimOptions, plate};

    const SIZE: Size = Size { width: 960, height: 540 };
    const FULL: Light = Light { brightness: 1.0, panel: None, empty: false };

    fn luma(picture: &Picture, u: f64, v: f64) -> Option<u8> {
        let inside = u >= 0.0 && v >= 0.0 && u < f64::from(SIZE.width) && v < f64::from(SIZE.height);
        inside.then(|| picture.y[v as usize * SIZE.width as usize + u as usize])
    }

    #[test]
    fn marks_of_the_plate_are_where_the_geometry_says() {
        let (mut renderer, options) = (Renderer::new(), SimOptions::default());
        let intrinsics = scaled(&options.intrinsics, SIZE);
        let mut seen = 0;
        for (turntable, tilt) in [(0.0, 0.0), (33.0, 15.0), (200.0, 40.0)] {
            let pose = Pose::default().with(Axis::Turntable, turntable).with(Axis::Tilt, tilt);
            let picture = renderer.render(SIZE, &options.intrinsics, &options.mount, &pose, FULL);
            let camera = CameraPose::new(&options.mount, &pose);
            for index in 0..plate::MARKS {
                let [x, y] = plate::mark(index).map(f64::from);
                let look = |dx: f64, dy: f64| {
                    let at = camera.project(&intrinsics, [x + dx, y + dy, 0.0])?;
                    luma(&picture, at.u, at.v)
                };
                // In front of the owl nothing hides a mark.
                let towards = x * camera.centre()[0] + y * camera.centre()[1];
                if towards < 40.0 * camera.centre()[0].hypot(camera.centre()[1]) {
                    continue;
                }
                let (Some(dot), Some(ring)) = (look(0.0, 0.0), look(0.0, 4.3)) else { continue };
                let ring = ring.max(look(4.3, 0.0).unwrap()).max(look(-4.3, 0.0).unwrap());
                assert!(dot > 2 * ring, "mark {index} at turntable {turntable}: dot {dot}, ring {ring}");
                seen += 1;
            }
        }
        assert!(seen >= 9, "only {seen} marks were looked at");
    }

    #[test]
    fn a_point_of_the_surface_looks_alike_in_two_views() {
        let (mut renderer, options) = (Renderer::new(), SimOptions::default());
        let poses = [0.0, 8.0].map(|angle| Pose::default().with(Axis::Turntable, angle));
        let pictures =
            poses.map(|pose| renderer.render(SIZE, &options.intrinsics, &options.mount, &pose, FULL));
        let intrinsics = scaled(&options.intrinsics, SIZE);
        // Points of the belly, which bulges out of the body towards the camera.
        let belly = OWL[1];
        let mut samples: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        for step in 0..400_u32 {
            let (side, up) = (f64::from(step % 20) / 20.0 - 0.5, f64::from(step / 20) / 20.0 - 0.5);
            let sphere = [(1.0 - side * side - up * up).sqrt(), side, up];
            let point = std::array::from_fn(|axis| belly.centre[axis] + belly.radii[axis] * sphere[axis]);
            for view in 0..2 {
                let at = CameraPose::new(&options.mount, &poses[view]).project(&intrinsics, point).unwrap();
                samples[view].push(f64::from(luma(&pictures[view], at.u, at.v).unwrap()));
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let [a, b] = &samples;
        let (mean_a, mean_b) = (mean(a), mean(b));
        let covariance = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>();
        let spread =
            |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let correlation = covariance / (spread(a, mean_a) * spread(b, mean_b)).sqrt();
        assert!(correlation > 0.8, "correlation {correlation}");
    }

    #[test]
    fn odd_sizes_and_views_from_anywhere_render() {
        let (mut renderer, options) = (Renderer::new(), SimOptions::default());
        for (lift, rail, tilt) in [(0.0, 0.0, 0.0), (-300.0, 0.0, 0.0), (0.0, 395.0, 0.0), (0.0, 0.0, 90.0)] {
            let pose = Pose::default().with(Axis::Lift, lift).with(Axis::Rail, rail).with(Axis::Tilt, tilt);
            let size = Size { width: 101, height: 67 };
            let picture = renderer.render(
                size,
                &options.intrinsics,
                &options.mount,
                &pose,
                Light { brightness: 0.5, ..FULL },
            );
            assert_eq!((picture.y.len(), picture.u.len()), (101 * 67, 51 * 34));
        }
    }
}
