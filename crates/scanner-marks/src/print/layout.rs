//! What goes where on the pages.

use std::f64::consts::{FRAC_PI_2, PI};

use scanner_pixels::target::{Board, Mark, Ring, Vec2};

use super::Page;

/// A4, across.
const A4: Vec2 = [297.0, 210.0];
/// Where printers leave off, in mm from the edges.
const EDGE: f64 = 5.0;
/// Height of the strip with ruler and text along the lower edge, in mm.
const STRIP: f64 = 16.0;
/// Length of the ruler in mm.
const RULER: f64 = 100.0;
/// Height of letters in mm.
const LETTERS: f64 = 3.2;
/// Steps in which circles are drawn, in radians.
const STEP: f64 = PI / 90.0;

/// The board on one page: A4 if it fits there, or one that is large enough.
pub(super) fn board(board: &Board) -> Page {
    let size = board.size();
    let needed = [size[0] + 2.0 * EDGE, size[1] + EDGE + STRIP + EDGE];
    let [across, down] = A4;
    let page = if needed[0] <= across && needed[1] <= down {
        A4
    } else if needed[0] <= down && needed[1] <= across {
        [down, across]
    } else {
        [0, 1].map(|axis: usize| (needed[axis].max([130.0, 60.0][axis]) + 10.0).ceil())
    };
    let left = (page[0] - size[0]) / 2.0;
    let bottom = EDGE + STRIP + (page[1] - STRIP - 2.0 * EDGE - size[1]) / 2.0;
    let place = |[x, y]: Vec2| [left + x, bottom + y];
    let black = board.polygons().into_iter().map(|polygon| polygon.map(place)).collect();
    let what = format!(
        "ChArUco board, {} x {} squares of {} mm, marks of {} mm, DICT_APRILTAG_36h11 from id 0 (as OpenCV 4.6 and later)",
        board.columns(),
        board.rows(),
        board.square(),
        board.marker()
    );
    let mut page = Page { size: page, black, ..Page::default() };
    strip(&mut page, [what, PAPER.to_owned()]);
    page
}

/// How to print.
const PAPER: &str = "Print at 100 %, not fitted to the page, then measure the line: 100 mm. Keep the paper flat, and not glossy.";

/// The ring on one page if it fits there, or in parts.
pub(super) fn ring(ring: &Ring) -> Vec<Page> {
    let marks = ring.marks();
    let room = [A4[0] - 2.0 * EDGE, A4[1] - 2.0 * EDGE - STRIP];
    let whole = 2.0 * ring.extent()[1];
    if whole <= room[0].min(room[1]) {
        return vec![part(ring, &marks, "1 of 1", true)];
    }
    // As many marks on a page as fit; one at least, however large.
    let fits = |count: &usize| {
        let [width, height] = size_of(ring, *count);
        width <= room[0] && height <= room[1]
    };
    let most = (1..=marks.len() / 2).rev().find(fits).unwrap_or(1);
    let pages = marks.len().div_ceil(most);
    let each = marks.len().div_ceil(pages);
    let pages = marks.len().div_ceil(each);
    let parts = marks.chunks(each).enumerate();
    parts.map(|(number, marks)| part(ring, marks, &format!("{} of {pages}", number + 1), false)).collect()
}

/// Half the angle over which `count` marks of `ring` stand.
fn half_angle(ring: &Ring, count: usize) -> f64 {
    PI * count as f64 / f64::from(ring.count())
}

/// Width and height of an arc with `count` marks.
fn size_of(ring: &Ring, count: usize) -> Vec2 {
    let half = half_angle(ring, count);
    let [inner, outer] = ring.extent();
    [2.0 * outer * half.min(FRAC_PI_2).sin(), outer - inner.min(inner * half.cos()).min(outer * half.cos())]
}

/// A page with `marks`, which stand next to each other; the middle of the arc is at the top.
fn part(ring: &Ring, marks: &[Mark], number: &str, whole: bool) -> Page {
    let headings = marks.iter().map(|mark| mark.heading);
    let middle = headings.sum::<f64>() / marks.len().max(1) as f64;
    let turn = if whole { 0.0 } else { FRAC_PI_2 - middle };
    let half = if whole { PI } else { half_angle(ring, marks.len()) };
    let [inner, outer] = ring.extent();
    let [width, height] = if whole { [2.0 * outer; 2] } else { size_of(ring, marks.len()) };
    let size = [A4[0].max(width + 2.0 * EDGE), A4[1].max(height + 2.0 * EDGE + STRIP)];
    let top = size[1] - EDGE - (size[1] - 2.0 * EDGE - STRIP - height) / 2.0;
    let centre = [size[0] / 2.0, top - outer];
    let (sin, cos) = turn.sin_cos();
    let place = |[x, y]: Vec2| [centre[0] + cos * x - sin * y, centre[1] + sin * x + cos * y];
    let black = marks.iter().flat_map(Mark::polygons).map(|polygon| polygon.map(place)).collect();

    // Where to cut.
    let steps = (2.0 * half / STEP).ceil() as usize;
    let arc = |radius: f64| -> Vec<Vec2> {
        let angle = |step: usize| middle - half + 2.0 * half * step as f64 / steps as f64;
        (0..=steps).map(|step| place([radius * angle(step).cos(), radius * angle(step).sin()])).collect()
    };
    let mut lines = vec![arc(inner), arc(outer)];
    if !whole {
        lines.extend([-half, half].map(|end| {
            let (sin, cos) = (middle + end).sin_cos();
            vec![place([inner * cos, inner * sin]), place([outer * cos, outer * sin])]
        }));
    }
    // The axis, if it is on the page.
    if centre[1] > EDGE + STRIP + 2.0 {
        for [x, y] in [[3.0, 0.0], [0.0, 3.0]] {
            lines.push(vec![[centre[0] - x, centre[1] - y], [centre[0] + x, centre[1] + y]]);
        }
    }
    let ids = |mark: Option<&Mark>| mark.map_or(0, |mark| mark.id);
    let what = format!(
        "Ring for the turntable, {} marks of {} mm on a circle of {} mm radius; page {number}: ids {} to {} (AprilTag 36h11)",
        ring.count(),
        ring.mark_side(),
        ring.radius(),
        ids(marks.first()),
        ids(marks.last())
    );
    let how = "Print at 100 %, not fitted to the page; the line: 100 mm. Glue it flat; cut-out marks may lie anywhere.";
    let mut page = Page { size, black, lines, ..Page::default() };
    strip(&mut page, [what, how.to_owned()]);
    page
}

/// The ruler and the text.
fn strip(page: &mut Page, texts: [String; 2]) {
    let (left, ruler) = (EDGE + 2.0, EDGE + 10.5);
    page.lines.push(vec![[left, ruler], [left + RULER, ruler]]);
    for tick in 0..=10 {
        let height = if tick % 5 == 0 { 3.0 } else { 1.8 };
        let x = left + f64::from(tick) * RULER / 10.0;
        page.lines.push(vec![[x, ruler], [x, ruler + height]]);
    }
    page.texts.push(([left + RULER + 2.0, ruler], LETTERS, "100 mm".to_owned()));
    // Narrow pages have smaller letters: a letter is about half as wide as high.
    let [first, second] = texts;
    let longest = first.len().max(second.len()) as f64 * 0.52;
    let height = LETTERS.min((page.size[0] - 2.0 * left) / longest);
    page.texts.push(([left, EDGE + 5.5], height, first));
    page.texts.push(([left, EDGE + 1.0], height, second));
}
