//! What is compared of the frames of a camera that waits for the rig to come to rest.

/// The mean of each tile of `side` by `side` pixels, row by row; pixels that no tile is full of are left out.
pub fn means(rows: &[&[u8]], side: usize) -> Vec<f32> {
    let width = rows.first().map_or(0, |row| row.len());
    let (mut means, mut sums) = (Vec::new(), vec![0_u32; width / side]);
    for (index, row) in rows.iter().enumerate() {
        for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(side)) {
            *sum += pixels.iter().map(|luma| u32::from(*luma)).sum::<u32>();
        }
        if index % side == side - 1 {
            means.extend(sums.iter_mut().map(|sum| std::mem::take(sum) as f32 / (side * side) as f32));
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_tiles_count() {
        let rows: [&[u8]; 5] =
            [&[1, 3, 7, 7, 99], &[5, 7, 7, 8, 99], &[0, 0, 9, 9, 99], &[0, 2, 9, 9, 99], &[99; 5]];
        assert_eq!(means(&rows, 2), [4.0, 7.25, 0.5, 9.0]);
        assert!(means(&[], 2).is_empty());
    }
}
