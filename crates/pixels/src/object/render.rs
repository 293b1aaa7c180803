//! Pictures of the object from anywhere.

use super::board::{self, Leaning};
use super::noise::{Noise, step};
use super::owl::{self, OWL, STONE};
use super::plate::Plate;
use super::view::{self, View, Viewpoint, dot32};
use crate::picture::Picture;
use crate::sight::Sight;
use crate::target::{Board, Ring};

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
pub struct Renderer {
    noise: Noise,
    /// The plate's texture as it was last made, since making it takes time.
    plate: Plate,
    /// What is printed along the plate's edge, in place of its own dots.
    ring: Option<Ring>,
    board: Leaning,
}

/// What the rig is like, beside its axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// How bright it is: 1 is right for the exposure.
    pub brightness: f64,
    /// How bright the panel behind the object shines, 0 (off) to 1 (full); none if there is no panel.
    pub panel: Option<f64>,
    /// What somebody has put on the plate.
    pub on_plate: OnPlate,
}

/// What stands on the plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnPlate {
    /// The object.
    #[default]
    Owl,
    /// Nothing.
    Nothing,
    /// A calibration board that leans back.
    Board,
}

/// How a view is lit, and how finely it is seen.
struct Look {
    brightness: f32,
    octaves: usize,
}

impl Default for Renderer {
    fn default() -> Self {
        let noise = Noise::new(1);
        let board = Leaning::new(Board::default());
        Self { plate: Plate::new(&noise, f64::INFINITY), noise, ring: None, board }
    }
}

impl Renderer {
    /// Renders a plate along whose edge `ring` is printed, if there is one.
    pub fn with_ring(ring: Option<Ring>) -> Self {
        Self { ring, ..Self::default() }
    }

    /// What is seen from `viewpoint`.
    pub fn render(&mut self, viewpoint: &Viewpoint, light: Light) -> Picture {
        let sight = &viewpoint.sight;
        let view = View::new(viewpoint);
        let view = match light.on_plate {
            OnPlate::Owl => view,
            OnPlate::Nothing => view.cleared(),
            OnPlate::Board => view.cleared().with_board(self.board),
        };
        let distance = view.centre.iter().map(|component| component * component).sum::<f64>().sqrt();
        let footprint = distance / sight.focal[0];
        if !self.plate.fits(footprint) {
            self.plate = Plate::new(&self.noise, footprint);
        }
        let panel = light.panel.map(|shining| Panel::new(viewpoint, light.brightness, shining));
        let look = Look { brightness: light.brightness as f32, octaves: owl::octaves(footprint) };
        let mut picture = Picture::plain(sight.area, 0, 128, 128);
        let (width, chroma_width) = (sight.area.width, sight.area.chroma().width);
        let (mut depths, mut parts) = (vec![0.0; width], vec![0; width]);
        let chroma = picture.u.chunks_exact_mut(chroma_width).zip(picture.v.chunks_exact_mut(chroma_width));
        for ((pair, lumas), (blue, red)) in picture.y.chunks_mut(2 * width).enumerate().zip(chroma) {
            for (odd, lumas) in lumas.chunks_exact_mut(width).enumerate() {
                let number = 2 * pair + odd;
                let row = view.row(number, &mut depths, &mut parts);
                let down = (number as f64 - sight.middle[1]) / sight.focal[1];
                let backdrop = backdrop(down as f32) * look.brightness;
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
                        view::INK | view::PAPER => {
                            (view.board_luma(row.parts[column]) * look.brightness, [0.0; 2])
                        }
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
        let printed = self.ring.and_then(|ring| ring.is_black(point[0].into(), point[1].into()));
        match printed {
            Some(black) => (light * if black { board::INK } else { board::PAPER }, [0.0; 2]),
            None => (self.plate.at(point[0], point[1]) * light, STONE.chroma),
        }
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
    fn new(viewpoint: &Viewpoint, brightness: f64, shining: f64) -> Self {
        let away = viewpoint.distance + PANEL_BEHIND;
        let Sight { focal, middle, .. } = viewpoint.sight;
        Self {
            middle,
            half: [PANEL[0] * focal[0] / away, PANEL[1] * focal[1] / away],
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
