//! Back and forth: one axis goes all its way while the others rest, then the next one takes a step.

use super::metric::{Metric, Node};

/// Every order in which the axes can be nested, as a tour each. The best for points on a grid, as of a cylinder.
pub(super) fn serpentines(metric: &Metric) -> Vec<Vec<Node>> {
    nestings(metric.axes())
        .iter()
        .map(|nesting| {
            let mut tour = vec![0];
            visit(metric, nesting, (1..metric.nodes() as Node).collect(), &mut tour);
            tour
        })
        .collect()
}

/// Every permutation of the axes, the outermost first.
fn nestings(axes: usize) -> Vec<Vec<usize>> {
    (0..axes).fold(vec![vec![]], |shorter, axis| {
        let with_axis_at = |nesting: &Vec<usize>, place| {
            let mut longer = nesting.clone();
            longer.insert(place, axis);
            longer
        };
        shorter
            .iter()
            .flat_map(|nesting| (0..=nesting.len()).map(|place| with_axis_at(nesting, place)))
            .collect()
    })
}

/// Appends `nodes` to `tour`: the outermost axis of `nesting` goes once over its positions, and at each one the
/// others do so in turn.
fn visit(metric: &Metric, nesting: &[usize], mut nodes: Vec<Node>, tour: &mut Vec<Node>) {
    let Some((&axis, inner)) = nesting.split_first() else {
        tour.extend(nodes);
        return;
    };
    let position = |node: &Node| metric.position(*node, axis);
    nodes.sort_by(|a, b| position(a).total_cmp(&position(b)));
    let mut groups: Vec<&[Node]> =
        nodes.chunk_by(|a, b| position(a).total_cmp(&position(b)).is_eq()).collect();
    let here = tour.last().map_or(0.0, position);
    let positions: Vec<f64> = groups.iter().map(|group| position(&group[0])).collect();
    if metric.is_circular(axis) {
        let (first, backwards) = way_round(&positions, here, |way| metric.axis_seconds(axis, way));
        groups.rotate_left(first);
        if backwards {
            // Keeps the first one where it is.
            groups[1..].reverse();
        }
    } else if positions.first().zip(positions.last()).is_some_and(|(min, max)| max - here < here - min) {
        groups.reverse();
    }
    for group in groups {
        visit(metric, inner, group.to_vec(), tour);
    }
}

/// Where to begin, and whether to go backwards, to see all `angles` (sorted, in degrees) with the least turning
/// from `here`, of which `seconds` says how long it takes: the way there, and round but for the gap that closes the circle.
fn way_round(angles: &[f64], here: f64, seconds: impl Fn(f64) -> f64) -> (usize, bool) {
    let count = angles.len();
    let gap = |from: usize, to: usize| {
        let gap = (angles[to] - angles[from]).rem_euclid(360.0);
        // None if there is but one.
        seconds(gap.min(360.0 - gap))
    };
    let way_there = |to: usize| {
        let way = (angles[to] - here).abs();
        seconds(way.min(360.0 - way))
    };
    (0..count)
        .flat_map(|first| {
            let (before, after) = ((first + count - 1) % count, (first + 1) % count);
            let forwards = way_there(first) - gap(before, first);
            let backwards = way_there(first) - gap(first, after);
            [(forwards, first, false), (backwards, first, true)]
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or((0, false), |(_, first, backwards)| (first, backwards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_nest_in_every_way() {
        let mut all = nestings(3);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
        assert_eq!(nestings(0), [Vec::<usize>::new()]);
    }

    #[test]
    fn the_way_round_leaves_out_the_largest_gap_unless_it_is_far() {
        // A full circle: begin here, and either way.
        assert_eq!(way_round(&[0.0, 90.0, 180.0, 270.0], 180.0, f64::abs).0, 2);
        // An arc over zero: from its nearer end to the other.
        assert_eq!(way_round(&[0.0, 10.0, 340.0, 350.0], 330.0, f64::abs), (2, false));
        assert_eq!(way_round(&[0.0, 10.0, 340.0, 350.0], 20.0, f64::abs), (1, true));
        assert_eq!(way_round(&[7.0], 100.0, f64::abs).0, 0);
    }
}
