//! The patterns of the status LED. Pure. docs/wiring.md shows them.

use std::time::Duration;

use crate::rig::panel::Led;

/// How long the LED flickers to say that a press was heard, and nothing is done.
pub(super) const REFUSED: Duration = Duration::from_millis(600);

/// How a pattern goes: it is lit for the first time, dark for the second, and so on, and begins anew. All in
/// milliseconds.
const fn beats(pattern: Led) -> &'static [u64] {
    match pattern {
        Led::Ready => &[1000],
        Led::Scanning => &[500, 500],
        Led::Recovering => &[125, 125],
        Led::Attention => &[150, 150, 150, 1550],
        Led::Pairing => &[600, 150, 100, 150],
        Led::Stopped => &[50, 50],
        Led::Wedged => &[150, 150, 150, 150, 150, 1250],
    }
}

/// Whether `pattern` does not blink.
pub(super) fn is_steady(pattern: Led) -> bool {
    beats(pattern).len() < 2
}

/// Whether `pattern` is lit `since` it began.
pub(super) fn is_lit(pattern: Led, since: Duration) -> bool {
    let beats = beats(pattern);
    let mut left = since.as_millis() as u64 % beats.iter().sum::<u64>();
    for (index, beat) in beats.iter().enumerate() {
        if left < *beat {
            return index % 2 == 0;
        }
        left -= beat;
    }
    false
}

/// Whether the LED is lit `since` a press was refused; none once that is over.
pub(super) fn is_lit_refusing(since: Duration) -> Option<bool> {
    (since < REFUSED).then_some((since.as_millis() / 100) % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Led; 7] =
        [Led::Ready, Led::Scanning, Led::Recovering, Led::Attention, Led::Pairing, Led::Stopped, Led::Wedged];

    /// Flashes and lit milliseconds in four seconds.
    fn seen(pattern: Led) -> (usize, usize) {
        let lit: Vec<bool> = (0..4000).map(|ms| is_lit(pattern, Duration::from_millis(ms))).collect();
        let flashes = lit.windows(2).filter(|pair| pair[1] && !pair[0]).count() + usize::from(lit[0]);
        (flashes, lit.iter().filter(|lit| **lit).count())
    }

    #[test]
    fn patterns_can_be_told_apart_by_their_flashes() {
        assert_eq!(
            ALL.map(seen),
            [(1, 4000), (4, 2000), (16, 2000), (4, 600), (8, 2800), (40, 2000), (6, 900)]
        );
    }

    #[test]
    fn a_refused_press_flickers_three_times_and_no_longer() {
        let lit = |ms| is_lit_refusing(Duration::from_millis(ms));
        assert_eq!([0, 100, 200, 300, 400, 500].map(lit), [false, true, false, true, false, true].map(Some));
        assert_eq!(lit(600), None);
    }
}
