//! Requests as lines of JSON, and the answers to them.

use std::io::{BufRead, Read as _, Write};
use std::path::PathBuf;

use scanner_pixels::target::{self, FIRST_RING_ID};
use serde::{Deserialize, Serialize};

use crate::detect::{Corner, DetectError, Detector};
use crate::geometry::{Axes, Board, Lens, Lift, LyingRing, Ring, Stand, Turntable};
use crate::image::{Grey, ImageError};
use crate::locate::{self, LocateError};
use crate::solve::{self, SolveError};

/// Bytes of the longest line that is read.
const LONGEST_LINE: u64 = 64 << 20;

/// One line in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// Where corners are in an image.
    Detect(Detect),
    /// Whether table and camera are where they should be.
    Locate(Box<Locate>),
    /// The rig, from views.
    Solve(Box<solve::Request>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Detect {
    image: PathBuf,
    #[serde(default)]
    board: Option<Board>,
    #[serde(default)]
    ring: Option<Ring>,
}

/// As [`locate::Request`], but with an image in place of corners if need be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locate {
    #[serde(default)]
    image: Option<PathBuf>,
    #[serde(default)]
    corners: Option<Vec<Corner>>,
    lens: Lens,
    stand: Stand,
    #[serde(default)]
    turntable: Turntable,
    #[serde(default)]
    lift: Lift,
    ring: LyingRing,
    axes: Axes,
    #[serde(default)]
    noise_px: Option<f64>,
    #[serde(default)]
    tolerance_deg: Option<f64>,
    #[serde(default)]
    tolerance_px: Option<f64>,
}

/// What was found in an image.
#[derive(Debug, Serialize)]
struct Detected {
    /// The image's width in pixels.
    width: usize,
    /// Its height in pixels.
    height: usize,
    /// All corners.
    corners: Vec<Corner>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Detected(Detected),
    Located(Box<locate::Answer>),
    Solved(Box<solve::Answer>),
}

#[derive(Debug, Serialize)]
struct Fault {
    error: String,
}

#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("the line is no request that is known: {0}")]
    Unknown(#[from] serde_json::Error),
    #[error("the line is longer than {} MiB: give fewer views", LONGEST_LINE >> 20)]
    TooLong,
    #[error("{0}")]
    Unfit(#[from] target::Unfit),
    #[error("{0}")]
    Image(#[from] ImageError),
    #[error("{0}")]
    Detect(#[from] DetectError),
    #[error("{0}")]
    Locate(#[from] LocateError),
    #[error("{0}")]
    Solve(#[from] SolveError),
    #[error("there is neither board nor ring to look for: describe one")]
    NoTarget,
    #[error("give either image or corners")]
    ImageOrCorners,
}

/// Answers each line of `requests` with a line, until they end.
pub fn serve(mut requests: impl BufRead, mut answers: impl Write) -> std::io::Result<()> {
    let mut detector = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut requests).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let torn = read as u64 == LONGEST_LINE && !line.ends_with(b"\n");
        if torn {
            skip_line(&mut requests)?;
        } else if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = if torn { Err(ServeError::TooLong) } else { answer(&line, &mut detector) };
        match answer {
            Ok(answer) => serde_json::to_writer(&mut answers, &answer)?,
            Err(error) => serde_json::to_writer(&mut answers, &Fault { error: error.to_string() })?,
        }
        answers.write_all(b"\n")?;
        answers.flush()?;
    }
}

fn skip_line(requests: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let read = requests.fill_buf()?;
        let end = read.iter().position(|byte| *byte == b'\n');
        let (used, done) = end.map_or((read.len(), read.is_empty()), |end| (end + 1, true));
        requests.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn answer(line: &[u8], detector: &mut Option<Detector>) -> Result<Answer, ServeError> {
    match serde_json::from_slice(line)? {
        Request::Detect(request) => {
            let board = request.board.map(target::Board::try_from).transpose()?;
            let ring = request.ring.map(target::Ring::try_from).transpose()?;
            if board.is_none() && ring.is_none() {
                return Err(ServeError::NoTarget);
            }
            let image = Grey::read(&request.image)?;
            let ids = ring.map_or(0..0, |ring| FIRST_RING_ID..FIRST_RING_ID + ring.count());
            let corners = ready(detector)?.detect(&image, board.as_ref(), |id| ids.contains(&id))?;
            Ok(Answer::Detected(Detected { width: image.width, height: image.height, corners }))
        }
        Request::Locate(request) => {
            let corners = match (request.image, request.corners) {
                (Some(image), None) => {
                    let ids: Vec<u16> = request.ring.marks.iter().map(|mark| mark.id).collect();
                    ready(detector)?.detect(&Grey::read(&image)?, None, |id| ids.contains(&id))?
                }
                (None, Some(corners)) => corners,
                (Some(_), Some(_)) | (None, None) => return Err(ServeError::ImageOrCorners),
            };
            let request = locate::Request {
                lens: request.lens,
                stand: request.stand,
                turntable: request.turntable,
                lift: request.lift,
                ring: request.ring,
                axes: request.axes,
                corners,
                noise_px: request.noise_px,
                tolerance_deg: request.tolerance_deg.unwrap_or(locate::TOLERANCE_DEG),
                tolerance_px: request.tolerance_px.unwrap_or(locate::TOLERANCE_PX),
            };
            Ok(Answer::Located(Box::new(locate::locate(&request)?)))
        }
        Request::Solve(request) => Ok(Answer::Solved(Box::new(solve::solve(&request)?))),
    }
}

/// A detector, made when it is first needed.
fn ready(detector: &mut Option<Detector>) -> Result<&mut Detector, DetectError> {
    match detector {
        Some(detector) => Ok(detector),
        None => Ok(detector.insert(Detector::new()?)),
    }
}
