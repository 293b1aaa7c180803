//! What stands on the simulated turntable: an owl.
//!
//! Millimetres in the object's frame: z up, the plate at z = 0, the owl faces +x.

use super::noise::{Noise, mix, step};

/// An ellipsoid of one material.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its middle, in the object's frame.
    pub centre: [f64; 3],
    /// Half its length along its own axes.
    pub radii: [f64; 3],
    /// Turn around x, degrees: positive leans its top towards -y.
    pub roll: f64,
    /// Turn around y, degrees: positive leans its top towards +x.
    pub pitch: f64,
    /// What it is made of.
    pub material: Material,
}

/// What a surface looks like, in light of 1.
#[derive(Debug, Clone, Copy)]
pub struct Material {
    /// Luma, 0 to 1.
    luma: f32,
    /// How much the texture changes it.
    contrast: f32,
    /// Blue and red difference of white in this hue.
    pub(super) chroma: [f32; 2],
    texture: Texture,
}

#[derive(Debug, Clone, Copy)]
enum Texture {
    /// Blotches, with fine grain.
    Mottled,
    /// Drops of dark on light.
    Speckled,
    /// Flat bands that follow the blotches.
    Barred,
}

const BROWN: [f32; 2] = [-0.11, 0.09];
const CREAM: [f32; 2] = [-0.08, 0.025];
const ORANGE: [f32; 2] = [-0.30, 0.20];

const FEATHERS: Material = Material { luma: 0.44, contrast: 0.62, chroma: BROWN, texture: Texture::Mottled };
const BELLY: Material = Material { luma: 0.74, contrast: 0.62, chroma: CREAM, texture: Texture::Speckled };
const WING: Material = Material { luma: 0.34, contrast: 0.72, chroma: BROWN, texture: Texture::Barred };
const FACE: Material = Material { luma: 0.80, contrast: 0.40, chroma: CREAM, texture: Texture::Speckled };
const HORN: Material = Material { luma: 0.62, contrast: 0.40, chroma: ORANGE, texture: Texture::Mottled };
const PUPIL: Material = Material { luma: 0.10, contrast: 0.5, chroma: [0.0, 0.0], texture: Texture::Mottled };
/// The plate's, under its marks.
pub(super) const STONE: Material =
    Material { luma: 0.66, contrast: 0.42, chroma: [0.02, -0.02], texture: Texture::Mottled };

/// The parts that the owl is made of.
pub const OWL: [Part; 17] = [
    part([0.0, 0.0, 46.0], [31.0, 33.0, 44.0], FEATHERS),
    part([9.0, 0.0, 41.0], [25.0, 27.0, 36.0], BELLY),
    part([2.0, 0.0, 91.0], [27.0, 31.0, 24.0], FEATHERS),
    lean([0.0, 19.0, 111.0], [7.0, 7.0, 15.0], -24.0, -8.0, WING),
    lean([0.0, -19.0, 111.0], [7.0, 7.0, 15.0], 24.0, -8.0, WING),
    lean([16.0, 11.5, 94.0], [12.0, 13.0, 13.0], 0.0, 0.0, FACE),
    lean([16.0, -11.5, 94.0], [12.0, 13.0, 13.0], 0.0, 0.0, FACE),
    part([25.0, 11.5, 95.0], [4.5, 7.0, 7.0], HORN),
    part([25.0, -11.5, 95.0], [4.5, 7.0, 7.0], HORN),
    part([28.0, 11.5, 95.0], [2.8, 4.2, 4.2], PUPIL),
    part([28.0, -11.5, 95.0], [2.8, 4.2, 4.2], PUPIL),
    lean([28.5, 0.0, 86.0], [6.0, 4.0, 8.0], 0.0, -18.0, HORN),
    lean([-4.0, 30.0, 50.0], [21.0, 8.5, 34.0], 9.0, -12.0, WING),
    lean([-4.0, -30.0, 50.0], [21.0, 8.5, 34.0], -9.0, -12.0, WING),
    part([22.0, 13.0, 4.5], [14.0, 8.5, 5.5], HORN),
    part([22.0, -13.0, 4.5], [14.0, 8.5, 5.5], HORN),
    lean([-32.0, 3.0, 17.0], [9.0, 16.0, 24.0], 0.0, 48.0, WING),
];

/// The parts of the owl that throw a shadow on the plate.
pub(super) const SHADOWS: [usize; 6] = [0, 2, 3, 4, 12, 13];

const fn part(centre: [f64; 3], radii: [f64; 3], material: Material) -> Part {
    lean(centre, radii, 0.0, 0.0, material)
}

const fn lean(centre: [f64; 3], radii: [f64; 3], roll: f64, pitch: f64, material: Material) -> Part {
    Part { centre, radii, roll, pitch, material }
}

impl Part {
    /// Its axes, each divided by its radius: what takes it to the unit sphere at the origin.
    pub(super) fn to_sphere(self) -> [[f64; 3]; 3] {
        let (sin_roll, cos_roll) = self.roll.to_radians().sin_cos();
        let (sin_pitch, cos_pitch) = self.pitch.to_radians().sin_cos();
        let axes = [
            [cos_pitch, 0.0, -sin_pitch],
            [sin_roll * sin_pitch, cos_roll, sin_roll * cos_pitch],
            [cos_roll * sin_pitch, -sin_roll, cos_roll * cos_pitch],
        ];
        std::array::from_fn(|axis| axes[axis].map(|component| component / self.radii[axis]))
    }
}

impl Material {
    /// Luma and strength of the hue at `point`; `octaves` says how fine the texture is (see [`octaves`]).
    #[inline]
    pub(super) fn at(&self, noise: &Noise, point: [f32; 3], octaves: usize) -> (f32, f32) {
        let coarse = noise.at(point.map(|x| x * (1.0 / 11.0) + 7.3));
        let middle = noise.at(point.map(|x| x * (1.0 / 3.7) + 1.9));
        let mut fine = 0.5;
        if octaves > 2 {
            fine = noise.at(point.map(|x| x * (1.0 / 1.31) + 5.1));
        }
        if octaves > 3 {
            fine = mix(fine, noise.at(point.map(|x| x * (1.0 / 0.47) + 2.6)), 0.45);
        }
        if octaves > 4 {
            fine = mix(fine, noise.at(point.map(|x| x * (1.0 / 0.17) + 8.2)), 0.35);
        }
        let pattern = match self.texture {
            Texture::Mottled => step(0.38, 0.62, mix(coarse, middle, 0.55)) - 0.5,
            Texture::Speckled => 0.3 - step(0.56, 0.66, mix(middle, coarse, 0.3)),
            Texture::Barred => {
                let phase = point[2] * 0.09 + coarse * 1.1 + 64.0;
                let band = (2.0 * (phase - phase as i32 as f32) - 1.0).abs();
                step(0.3, 0.7, band) * (0.6 + 0.4 * middle) - 0.45
            }
        };
        let luma = self.luma * (1.0 + self.contrast * (pattern + 0.9 * (fine - 0.5)));
        (luma, 0.75 + 0.5 * coarse)
    }
}

/// How many octaves of texture are visible where a pixel covers `footprint` mm.
pub(super) fn octaves(footprint: f64) -> usize {
    // Cells are to be wider than two pixels, or the texture would flicker from view to view.
    [1.31, 0.47, 0.17].iter().filter(|cell| **cell > footprint * 2.0).count() + 2
}
