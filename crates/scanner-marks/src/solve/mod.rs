//! The rig as the views show it, by least squares.

mod answer;
mod index;
mod report;
mod request;
mod rounds;
mod start;
mod state;
mod warnings;

pub use answer::{Answer, Board as FoundBoard, Camera as FoundCamera, FoundLens, View as FoundView};
pub use request::{Camera, Request, View};

use scanner_pixels::target::Unfit;

use index::Index;
use rounds::Rounds;

/// Why a rig cannot be solved for.
#[derive(Debug, thiserror::Error)]
pub enum SolveError {
    /// A target cannot be as it is said to be.
    #[error("{0}")]
    Unfit(#[from] Unfit),
    /// A view is of a camera that is not listed.
    #[error("view {0} is of camera {1:?}, which is not among the cameras: list it")]
    NoCamera(usize, String),
    /// Two cameras have one name.
    #[error("two cameras have the name {0:?}: give each a name of its own")]
    TwoCameras(String),
    /// A camera's numbers make no sense.
    #[error("camera {0:?} cannot be so: {1}")]
    Camera(String, String),
    /// An angle, height or place in an image is no number.
    #[error("view {0} has an axis or corner that is no finite number")]
    NoNumber(usize),
    /// A view has a corner of the board that the board does not have.
    #[error(
        "view {0} has corner {1} of the board, which the board as it is described does not have: describe the board that is in the views"
    )]
    NoBoardCorner(usize, u16),
    /// A view has a mark that the ring does not have.
    #[error(
        "view {0} has corner {2} of mark {1}, which the ring as it is described does not have: describe the ring that is in the views"
    )]
    NoMark(usize, u16, u8),
    /// There is nothing to go by.
    #[error("no view has a corner in it: take images in which the board or the ring can be seen")]
    NothingSeen,
    /// There is too much to go by.
    #[error("there are {0} corners, and at most {1} are taken: give fewer views")]
    TooMany(usize, usize),
    /// The search found no way.
    #[error(
        "no rig near the one that is configured explains the views: compare where the cameras stand, and the size of the board, with the configuration"
    )]
    Lost,
    /// Different rigs explain the views alike.
    #[error(
        "the views do not determine the rig ({0}): take more, with the board at different heights and leaning, at three angles of the turntable or more"
    )]
    Undetermined(String),
}

/// Solves for the rig.
pub fn solve(request: &Request) -> Result<Answer, SolveError> {
    let index = Index::of(request)?;
    let solved = Rounds::new(request, &index).solve()?;
    Ok(report::answer(request, &index, &solved))
}
