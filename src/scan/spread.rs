//! What is usual among a few numbers, one of which may be far off.

/// The median, and the median deviation from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    pub(super) middle: f64,
    pub(super) deviation: f64,
}

/// Of `values`; 0 of none.
pub(super) fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let values: Vec<f64> = values.collect();
    let middle = median(values.clone());
    Spread { middle, deviation: median(values.into_iter().map(|value| (value - middle).abs()).collect()) }
}

/// The one in the middle; 0 of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match (values.get(half.wrapping_sub(1)), values.get(half)) {
        (Some(low), Some(high)) if values.len().is_multiple_of(2) => low.midpoint(*high),
        (_, Some(middle)) => *middle,
        (_, None) => 0.0,
    }
}
