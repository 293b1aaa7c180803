//! The `ChArUco` board: a chessboard with marks in its white squares.

use super::{IDS, Polygon, Unfit, Vec2, count, length, mark_is_black, mark_polygons, ring::FIRST_RING_ID};
use crate::sight::Vec3;

/// A `ChArUco` board with marks of `DICT_APRILTAG_36h11` (ids 0, 1, ... along the rows), laid out as `OpenCV` 4.6 and later do
/// (`cv2.aruco.CharucoBoard`, not its legacy pattern): the square at the top left is black.
///
/// **Its frame**: millimetres, the origin at the *bottom left* corner of the chessboard, x right, y up in the plane, z out of
/// the printed side towards whoever looks at it. `OpenCV`'s board frame has its origin at the top left, y down and z into the
/// board: `x = x_cv`, `y = rows * square - y_cv`, `z = -z_cv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Board {
    columns: u16,
    rows: u16,
    square: f64,
    marker: f64,
}

impl Default for Board {
    /// 9 by 6 squares of 28 mm, with marks of 21 mm: fits A4 across, with 21 mm left on each side.
    fn default() -> Self {
        Self { columns: 9, rows: 6, square: 28.0, marker: 21.0 }
    }
}

impl Board {
    /// A board of `columns` by `rows` squares with sides of `square` mm, and marks with sides of `marker` mm in the white ones.
    pub fn new(columns: u16, rows: u16, square: f64, marker: f64) -> Result<Self, Unfit> {
        count("columns of squares", columns, 3, 60)?;
        count("rows of squares", rows, 3, 60)?;
        length("a board's square", square)?;
        length("a board's mark", marker)?;
        let longest_mm = square * 0.8;
        if marker > longest_mm {
            return Err(Unfit::Crowded { target: "board", mark_mm: marker, longest_mm });
        }
        // The ids from there on are the ring's.
        count("marks on a board (half its squares)", columns * rows / 2, 4, FIRST_RING_ID.min(IDS))?;
        Ok(Self { columns, rows, square, marker })
    }

    /// Squares in a row.
    pub fn columns(&self) -> u16 {
        self.columns
    }

    /// Rows of squares.
    pub fn rows(&self) -> u16 {
        self.rows
    }

    /// Side of a square in mm.
    pub fn square(&self) -> f64 {
        self.square
    }

    /// Side of a mark in mm, with its black border.
    pub fn marker(&self) -> f64 {
        self.marker
    }

    /// Width and height of the chessboard in mm.
    pub fn size(&self) -> Vec2 {
        [f64::from(self.columns) * self.square, f64::from(self.rows) * self.square]
    }

    /// How much white belongs to the board around the chessboard, in mm.
    pub fn margin(&self) -> f64 {
        self.square / 4.0
    }

    /// How many corners four squares share: those that are found in images.
    pub fn corner_count(&self) -> u16 {
        (self.columns - 1) * (self.rows - 1)
    }

    /// Where corner `id` is. `ChArUco` counts from the top left, along the rows.
    pub fn corner(&self, id: u16) -> Option<Vec3> {
        let across = self.columns - 1;
        let (row, column) = (id / across, id % across);
        (id < self.corner_count()).then(|| {
            let squares_up = self.rows - 1 - row;
            [f64::from(column + 1) * self.square, f64::from(squares_up) * self.square, 0.0]
        })
    }

    /// All corners that four squares share, with their ids.
    pub fn corners(&self) -> Vec<(u16, Vec3)> {
        (0..self.corner_count()).filter_map(|id| Some((id, self.corner(id)?))).collect()
    }

    /// Whether it is black at (`x`, `y`); none beside the chessboard and its [`margin`](Self::margin).
    #[inline]
    pub fn is_black(&self, x: f64, y: f64) -> Option<bool> {
        let [width, height] = self.size();
        let margin = self.margin();
        if !(x >= -margin && y >= -margin && x < width + margin && y < height + margin) {
            return None;
        }
        if x < 0.0 || y < 0.0 || x >= width || y >= height {
            return Some(false);
        }
        let (column, squares_up) = ((x / self.square) as u16, (y / self.square) as u16);
        let row = (self.rows - 1).saturating_sub(squares_up);
        let Some(id) = self.mark_in(row, column) else { return Some(true) };
        let middle = self.middle(row, column);
        Some(mark_is_black(id, self.marker, x - middle[0], y - middle[1]).unwrap_or(false))
    }

    /// What is printed black, on white.
    pub fn polygons(&self) -> Vec<Polygon> {
        let mut polygons = Vec::new();
        for row in 0..self.rows {
            for column in 0..self.columns {
                let [x, y] = self.middle(row, column);
                let Some(id) = self.mark_in(row, column) else {
                    let half = self.square / 2.0;
                    polygons.push(
                        [[-half, half], [half, half], [half, -half], [-half, -half]]
                            .map(|[right, up]| [x + right, y + up]),
                    );
                    continue;
                };
                let placed = |corner: Vec2| [x + corner[0] * self.marker, y + corner[1] * self.marker];
                polygons.extend(mark_polygons(id).into_iter().map(|polygon| polygon.map(placed)));
            }
        }
        polygons
    }

    /// The middle of the square in `row` from the top and `column` from the left.
    fn middle(&self, row: u16, column: u16) -> Vec2 {
        let squares_up = f64::from(self.rows - 1 - row);
        [(f64::from(column) + 0.5) * self.square, (squares_up + 0.5) * self.square]
    }

    /// The id of the mark in the square in `row` from the top and `column` from the left; none in black squares.
    fn mark_in(&self, row: u16, column: u16) -> Option<u16> {
        if (row + column).is_multiple_of(2) {
            return None;
        }
        // Rows begin with a black square and a white one by turns.
        let before = row / 2 * self.columns + row % 2 * (self.columns / 2);
        Some(before + column / 2)
    }
}
