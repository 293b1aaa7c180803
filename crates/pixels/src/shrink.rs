//! Small pictures of large ones.

use crate::Area;

/// Which of a plane's interleaved channels.
#[derive(Debug, Clone, Copy)]
pub struct Channels {
    /// How many there are.
    pub count: usize,
    /// This one's number, from 0.
    pub index: usize,
}

/// One channel of the plane with these `rows` as `to.width` x `to.height` means, without padding.
pub fn means(rows: &[&[u8]], channel: Channels, to: Area) -> Vec<u8> {
    let Area { width, height } = to;
    let row_bytes = rows.first().map_or(0, |row| row.len());
    let columns = row_bytes / channel.count;
    let mut small = Vec::with_capacity(to.pixels());
    let mut sums = vec![0_u32; row_bytes];
    for y in 0..height {
        let band = &rows[y * rows.len() / height..(y + 1) * rows.len() / height];
        sums.fill(0);
        for row in band {
            for (sum, &value) in sums.iter_mut().zip(*row) {
                *sum += u32::from(value);
            }
        }
        small.extend((0..width).map(|x| {
            let from = x * columns / width;
            let to = (x + 1) * columns / width;
            let values = sums[from * channel.count..to * channel.count].iter().skip(channel.index);
            let sum: u64 = values.step_by(channel.count).map(|&sum| u64::from(sum)).sum();
            let count = ((to - from) * band.len()).max(1) as u64;
            ((sum + count / 2) / count) as u8
        }));
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_rounded_and_do_not_mix_channels() {
        let rows: [&[u8]; 2] = [&[30, 200, 31, 201, 90, 90, 90, 90], &[30, 200, 31, 203, 90, 90, 90, 91]];
        let to = Area { width: 2, height: 1 };
        assert_eq!(means(&rows, Channels { count: 2, index: 0 }, to), [31, 90]);
        assert_eq!(means(&rows, Channels { count: 2, index: 1 }, to), [201, 90]);
        let one = Area { width: 1, height: 2 };
        assert_eq!(means(&rows, Channels { count: 1, index: 0 }, one), [103, 103]);
    }
}
