//! Pages as SVG.

use std::fmt::Write as _;

use super::Page;

/// Between pages, in mm.
const GAP: f64 = 10.0;

/// The pages, one below the other, in mm.
pub(super) fn write(pages: &[Page]) -> String {
    let width = pages.iter().map(|page| page.size[0]).fold(0.0, f64::max);
    let height = pages.iter().map(|page| page.size[1] + GAP).sum::<f64>() - GAP;
    let mut svg = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" \
         height=\"{height}mm\" viewBox=\"0 0 {width} {height}\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut top = 0.0;
    for page in pages {
        let bottom = top + page.size[1];
        let place = |[x, y]: [f64; 2]| format!("{x:.4} {:.4}", bottom - y);
        // In one path: where two areas touch, no line is left between them.
        svg.push_str("<path fill=\"black\" d=\"");
        for polygon in &page.black {
            let [a, b, c, d] = polygon.map(place);
            let _ = write!(svg, "M{a}L{b}L{c}L{d}Z");
        }
        svg.push_str("\"/>\n<path fill=\"none\" stroke=\"black\" stroke-width=\"0.15\" d=\"");
        for line in &page.lines {
            for (index, point) in line.iter().enumerate() {
                svg.push(if index == 0 { 'M' } else { 'L' });
                svg.push_str(&place(*point));
            }
        }
        svg.push_str("\"/>\n");
        for ([x, y], height, text) in &page.texts {
            let y = bottom - y;
            let _ = writeln!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"{height:.3}\">{text}</text>"
            );
        }
        top = bottom + GAP;
    }
    svg.push_str("</svg>\n");
    svg
}
