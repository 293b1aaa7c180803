//! Blur: the mean of values that lie side by side.

/// Makes each value of `plane`, in rows of `width`, the mean of `count` values around it that are `step` apart: 1 for
/// those of its row, `width` for those of its column. Beyond the edge it goes on as at the edge.
pub fn average(plane: &mut [u8], width: usize, step: usize, count: usize) {
    if count < 2 || plane.is_empty() {
        return;
    }
    let sharp = plane.to_vec();
    let (across, firsts) = if step == 1 {
        (width, (0..plane.len()).step_by(width))
    } else {
        (plane.len() / width, (0..width).step_by(1))
    };
    let before = (count - 1) / 2;
    for first in firsts {
        let at = |place: usize| u32::from(sharp[first + place.saturating_sub(before).min(across - 1) * step]);
        let mut sum: u32 = (0..count).map(at).sum();
        for place in 0..across {
            plane[first + place * step] = (sum / count as u32) as u8;
            sum = sum + at(place + count) - at(place);
        }
    }
}
