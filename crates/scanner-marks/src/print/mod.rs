//! The targets on paper, true to scale, with a ruler by which that can be checked.

mod layout;
mod pdf;
mod svg;

use scanner_pixels::target::{Board, Polygon, Ring, Vec2};

/// What is on a page, in mm from its bottom left corner, y up.
#[derive(Debug, Clone, Default)]
struct Page {
    size: Vec2,
    /// Black, without borders.
    black: Vec<Polygon>,
    /// Thin lines, each through points.
    lines: Vec<Vec<Vec2>>,
    /// Where it begins, and the height of its letters.
    texts: Vec<(Vec2, f64, String)>,
}

/// A target to be printed.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// The board.
    Board(Board),
    /// The ring.
    Ring(Ring),
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Pages one below the other.
    Svg,
    /// For printers.
    Pdf,
}

/// The file with `target`.
pub fn print(target: &Target, format: Format) -> Vec<u8> {
    let pages = match target {
        Target::Board(board) => vec![layout::board(board)],
        Target::Ring(ring) => layout::ring(ring),
    };
    match format {
        Format::Svg => svg::write(&pages).into_bytes(),
        Format::Pdf => pdf::write(&pages),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All points that are black, around these pages' left bottom corners.
    fn corners(page: &Page) -> impl Iterator<Item = &Vec2> {
        page.black.iter().flatten()
    }

    fn inside(page: &Page) {
        for [x, y] in corners(page) {
            assert!(
                *x > 4.9 && *y > 4.9 && *x < page.size[0] - 4.9 && *y < page.size[1] - 4.9,
                "({x}, {y}) is at the edge"
            );
        }
    }

    #[test]
    fn a_board_is_on_one_page_in_its_size() {
        let page = layout::board(&Board::default());
        assert!((page.size[0] - 297.0).abs() + (page.size[1] - 210.0).abs() < 1e-9, "{:?}", page.size);
        inside(&page);
        let across: Vec<f64> = corners(&page).map(|corner| corner[0]).collect();
        let (least, most) =
            (across.iter().copied().fold(f64::MAX, f64::min), across.iter().copied().fold(0.0, f64::max));
        assert!((most - least - 252.0).abs() < 1e-9, "from {least} to {most}");
        let large = layout::board(&Board::new(12, 9, 40.0, 30.0).unwrap());
        assert!(large.size[0] > 480.0 && large.size[1] > 360.0, "{:?}", large.size);
        inside(&large);
    }

    #[test]
    fn a_ring_has_all_marks_in_their_size() {
        let small = Ring::new(12, 60.0, 16.0).unwrap();
        for (ring, pages) in [(small, 1), (Ring::default(), 2), (Ring::new(48, 300.0, 30.0).unwrap(), 0)] {
            let printed = layout::ring(&ring);
            assert!(pages == 0 || printed.len() == pages, "{} pages", printed.len());
            let black: usize = printed.iter().map(|page| page.black.len()).sum();
            assert_eq!(black, ring.polygons().len());
            printed.iter().for_each(inside);
            let area = |polygons: &[Polygon]| -> f64 {
                let side = |a: Vec2, b: Vec2| (a[0] - b[0]).hypot(a[1] - b[1]);
                polygons
                    .iter()
                    .map(|polygon| side(polygon[0], polygon[1]) * side(polygon[1], polygon[2]))
                    .sum()
            };
            let on_paper: f64 = printed.iter().map(|page| area(&page.black)).sum();
            assert!((on_paper - area(&ring.polygons())).abs() < 1e-6);
        }
    }

    #[test]
    fn files_say_what_they_are() {
        let target = Target::Board(Board::default());
        let svg = String::from_utf8(print(&target, Format::Svg)).unwrap();
        assert!(
            svg.starts_with("<?xml") && svg.contains("width=\"297mm\"") && svg.contains("100 mm"),
            "{svg:.300}"
        );
        assert!(svg.contains("not fitted to the page"));
        let pdf = print(&Target::Ring(Ring::default()), Format::Pdf);
        assert!(pdf.starts_with(b"%PDF-") && pdf.ends_with(b"%%EOF"));
    }
}
