use super::*;

/// Whether a point is in one of these polygons.
fn covered(polygons: &[Polygon], [x, y]: Vec2) -> bool {
    polygons.iter().any(|polygon| {
        let sides = (0..4).map(|index| {
            let ([ax, ay], [bx, by]) = (polygon[index], polygon[(index + 1) % 4]);
            (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        });
        let sides: Vec<f64> = sides.collect();
        sides.iter().all(|side| *side > 0.0) || sides.iter().all(|side| *side < 0.0)
    })
}

/// Points that are on no edge.
fn points(reach: f64) -> impl Iterator<Item = Vec2> {
    (0..20_000_u64).map(move |index| {
        let part = |salt: u64| crate::random::hash(index * 2 + salt) as f64 / u64::MAX as f64 * 2.0 - 1.0;
        [part(0) * reach, part(1) * reach]
    })
}

#[test]
fn the_polygons_of_a_board_are_what_is_black() {
    for board in [Board::default(), Board::new(4, 5, 10.0, 8.0).unwrap(), Board::new(5, 5, 7.0, 5.0).unwrap()]
    {
        let polygons = board.polygons();
        let mut black = 0;
        for [x, y] in points(board.size()[0] * 1.1) {
            let seen = board.is_black(x, y);
            assert_eq!(seen.unwrap_or(false), covered(&polygons, [x, y]), "({x}, {y}) of {board:?}");
            let [width, height] = board.size().map(|side| side + board.margin());
            let inside = x > -board.margin() && y > -board.margin() && x < width && y < height;
            assert_eq!(seen.is_some(), inside, "({x}, {y}) of {board:?}");
            black += u32::from(seen == Some(true));
        }
        assert!(black > 500, "{black} of 20000 points are black on {board:?}");
    }
}

#[test]
fn the_polygons_of_a_ring_are_what_is_black() {
    for ring in [Ring::default(), Ring::new(5, 40.0, 12.0).unwrap()] {
        let polygons = ring.polygons();
        let mut black = 0;
        for [x, y] in points(ring.extent()[1]) {
            let seen = ring.is_black(x, y);
            assert_eq!(seen.unwrap_or(false), covered(&polygons, [x, y]), "({x}, {y}) of {ring:?}");
            black += u32::from(seen == Some(true));
        }
        assert!(black > 300, "{black} of 20000 points are black on {ring:?}");
    }
}

#[test]
fn around_a_corner_two_squares_are_black() {
    let board = Board::default();
    let corners = board.corners();
    assert_eq!(corners.len(), 40);
    assert_eq!(corners[0], (0, [28.0, 140.0, 0.0]), "the first is at the top left");
    assert_eq!(corners[39], (39, [224.0, 28.0, 0.0]));
    for (id, [x, y, _]) in corners {
        let seen = [[-1.0, 1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]
            .map(|[right, up]| board.is_black(x + right, y + up));
        // The square at the board's top left is black, and so is the one to the upper left of every other corner.
        let upper_left = (id % 8 + id / 8) % 2 == 0;
        assert_eq!(seen, [upper_left, !upper_left, upper_left, !upper_left].map(Some), "corner {id}");
    }
    assert_eq!(board.corner(40), None);
}

#[test]
fn a_mark_is_black_along_its_edge_and_white_around() {
    let ring = Ring::default();
    for mark in ring.marks() {
        for [x, y, _] in mark.corners() {
            let [right, up] = mark.relative([x, y]);
            let beside = |factor: f64| {
                let [x, y] = mark.placed([right * factor, up * factor]);
                ring.is_black(x, y)
            };
            assert_eq!((beside(0.95), beside(1.1)), (Some(true), Some(false)), "mark {}", mark.id);
        }
        assert_eq!(ring.mark_with_id(mark.id), Some(mark));
    }
    let [top_left, top_right, bottom_right, _] = ring.mark_with_id(100).unwrap().corners();
    assert_eq!(
        (top_left, top_right, bottom_right),
        ([101.0, 9.0, 0.0], [101.0, -9.0, 0.0], [83.0, -9.0, 0.0])
    );
    let [_, _, z] = ring.mark_with_id(106).unwrap().corners()[0];
    assert!(z.abs() < 1e-12);
    assert!(ring.mark_with_id(106).unwrap().middle[1] > 91.9, "a quarter on, counter-clockwise, is +y");
    assert_eq!((ring.mark_with_id(99), ring.mark_with_id(124)), (None, None));
}

#[test]
fn the_ring_fits_on_the_plate() {
    assert!(Ring::default().extent()[1] < 105.0);
}

#[test]
fn what_does_not_fit_says_so() {
    let says = |unfit: Unfit, part: &str| assert!(unfit.to_string().contains(part), "{unfit} lacks {part}");
    says(Board::new(2, 5, 10.0, 8.0).unwrap_err(), "take 3 to 60");
    says(Board::new(20, 20, 10.0, 8.0).unwrap_err(), "take 4 to 100");
    says(Board::new(5, 5, 10.0, 9.0).unwrap_err(), "at most 8.00 mm");
    says(Board::new(5, 5, f64::NAN, 9.0).unwrap_err(), "a board's square cannot be NaN mm");
    says(Ring::new(24, 92.0, 0.0).unwrap_err(), "more than 0");
    says(Ring::new(65, 92.0, 3.0).unwrap_err(), "take 3 to 64");
    let Unfit::Crowded { longest_mm, .. } = Ring::new(24, 92.0, 50.0).unwrap_err() else { panic!() };
    assert!(Ring::new(24, 92.0, longest_mm * 0.999).is_ok());
    assert!(longest_mm > 18.0 && longest_mm < 24.0, "{longest_mm}");
}
