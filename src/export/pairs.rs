//! Which images are worth matching: those that can see the same part of the object's surface.

use crate::plan::geometry::{CameraPose, Vec3};

/// Features are matched reliably up to about this angle between two views of a surface.
const MOST_DEGREES: f64 = 42.0;
/// Each view is matched with this many others at least, so that a sparse plan stays in one piece.
const LEAST: usize = 6;

/// Pairs of indices into `poses`, the smaller first, in order.
pub(super) fn pairs(poses: &[CameraPose]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (a, pose) in poses.iter().enumerate() {
        let mut others: Vec<(f64, usize)> = poses
            .iter()
            .enumerate()
            .filter(|(b, _)| *b != a)
            .map(|(b, other)| (degrees_between(pose.forward(), other.forward()), b))
            .collect();
        others.sort_by(|x, y| x.0.total_cmp(&y.0));
        let near =
            others.iter().enumerate().filter(|(rank, (angle, _))| *angle <= MOST_DEGREES || *rank < LEAST);
        found.extend(near.map(|(_, (_, b))| (a.min(*b), a.max(*b))));
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn degrees_between(a: Vec3, b: Vec3) -> f64 {
    let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    dot.clamp(-1.0, 1.0).acos().to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mount, Pose};
    use crate::units::{Degrees, Millimetres};

    fn ring(count: u32) -> Vec<CameraPose> {
        let mount = Mount {
            distance: Millimetres::new(300.0),
            height: Millimetres::new(40.0),
            azimuth: Degrees::ZERO,
            look_at_height: Millimetres::new(40.0),
        };
        let pose = |index| {
            let turntable = Degrees::new(360.0 * f64::from(index) / f64::from(count));
            CameraPose::new(&mount, &Pose { turntable, ..Pose::default() })
        };
        (0..count).map(pose).collect()
    }

    #[test]
    fn neighbours_of_a_ring_are_matched_and_opposites_are_not() {
        let pairs = pairs(&ring(72));
        // 5 degrees apart: eight to either side.
        assert_eq!(pairs.len(), 72 * 8);
        assert!(pairs.contains(&(0, 71)) && pairs.contains(&(0, 8)) && !pairs.contains(&(0, 36)));
    }

    #[test]
    fn a_sparse_ring_stays_in_one_piece() {
        let pairs = pairs(&ring(6));
        assert!(pairs.contains(&(0, 1)) && pairs.contains(&(0, 5)));
        assert!(super::pairs(&ring(1)).is_empty() && super::pairs(&[]).is_empty());
    }
}
