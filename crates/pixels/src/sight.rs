//! Where a camera looks from and to, in the object's frame.

use crate::Area;

/// A point or direction: x, y, z.
pub type Vec3 = [f64; 3];

/// What is to be known of a camera to say what each of its pixels looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// The size of the picture.
    pub area: Area,
    /// Where the camera's centre is, in the object's frame.
    pub centre: Vec3,
    /// The camera's right, down and forward in the object's frame, each of length 1.
    pub rotation: [Vec3; 3],
    /// Focal length in pixels, across and down.
    pub focal: [f64; 2],
    /// The principal point in pixels, from the left and from the top edge. The centre of the first pixel is at 0.5.
    pub middle: [f64; 2],
}

impl Sight {
    /// Away from the camera at (`u`, `v`) of the picture, of length 1.
    pub fn ray(&self, u: f64, v: f64) -> Vec3 {
        let direction = turned(&self.rotation, self.in_camera(u, v));
        let per_length = dot(direction, direction).sqrt().recip();
        direction.map(|component| component * per_length)
    }

    /// The line of sight at (`u`, `v`) in the camera's frame, 1 forward.
    pub(crate) fn in_camera(&self, u: f64, v: f64) -> Vec3 {
        [(u - self.middle[0]) / self.focal[0], (v - self.middle[1]) / self.focal[1], 1.0]
    }
}

/// `direction` in the frame of a camera with this `rotation` as it is in the object's.
pub fn turned(rotation: &[Vec3; 3], direction: Vec3) -> Vec3 {
    let [right, down, forward] = *rotation;
    std::array::from_fn(|axis| {
        right[axis] * direction[0] + down[axis] * direction[1] + forward[axis] * direction[2]
    })
}

pub(crate) fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
