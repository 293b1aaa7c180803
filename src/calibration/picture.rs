//! A picture of what was found where: whether the corners fill the images that a lens is measured by.

use std::fmt::Write as _;

use super::solve::Seen;
use crate::dataset::Contents;

/// Width of a camera's image in the picture.
const WIDTH: f64 = 480.0;
/// Between two of them, and for what is written above.
const GAP: f64 = 28.0;

/// An SVG with a frame for each camera, and a dot for each corner that was `seen` by it: blue of the board, orange of the ring.
pub fn picture(contents: &Contents, seen: &[Seen]) -> String {
    let cameras = &contents.plan.cameras;
    let sizes = cameras.iter().map(|camera| camera.intrinsics.size());
    let heights: Vec<f64> = sizes
        .map(|size| size.map_or(0.0, |size| WIDTH * f64::from(size.height) / f64::from(size.width.max(1))))
        .collect();
    let height = heights.iter().fold(0.0_f64, |most, height| most.max(*height)) + 2.0 * GAP;
    let width = cameras.len() as f64 * (WIDTH + GAP) + GAP;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" font-family="sans-serif" font-size="14">
<rect width="100%" height="100%" fill="white"/>
"#
    );
    for (index, (camera, frame)) in cameras.iter().zip(&heights).enumerate() {
        let Some(size) = camera.intrinsics.size() else { continue };
        let (left, scale) = (GAP + index as f64 * (WIDTH + GAP), WIDTH / f64::from(size.width.max(1)));
        let own = || seen.iter().filter(|seen| seen.view["camera"] == camera.name.as_str());
        let (board, ring) = own().fold((0, 0), |(board, ring), seen| (board + seen.board, ring + seen.ring));
        let _ = writeln!(
            svg,
            r##"<text x="{left:.0}" y="18">{}: {board} corners of the board, {ring} of the ring</text>
<rect x="{left:.0}" y="{GAP:.0}" width="{WIDTH:.0}" height="{frame:.1}" fill="#f4f4f4" stroke="#888888"/>"##,
            camera.name
        );
        for corner in own().filter_map(|seen| seen.view["corners"].as_array()).flatten() {
            let (Some(x), Some(y)) = (corner["x"].as_f64(), corner["y"].as_f64()) else { continue };
            let colour = if corner["target"] == "board" { "#1f6fb4" } else { "#d9730d" };
            let (x, y) = (left + x * scale, GAP + y * scale);
            let _ = writeln!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="1" fill="{colour}"/>"#);
        }
    }
    svg.push_str("</svg>\n");
    svg
}
