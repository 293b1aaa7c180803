//! `scanner calibrate` and `scanner calibration`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::calibration::Targets;
use crate::cli::complete;
use crate::units::{Dioptres, Millimetres};

#[derive(Debug, Args)]
pub(in crate::cli) struct CalibrateArgs {
    /// Take no images: use those of this scan, which was a calibration
    #[arg(long, value_name = "SCAN", conflicts_with = "focus", add = ArgValueCompleter::new(complete::scans))]
    pub(in crate::cli) from: Option<String>,
    /// Measure the lens at each of these lens positions, as "2.5 dpt,4 dpt"; where it is configured to be, if absent
    #[arg(long, value_name = "POSITIONS", value_delimiter = ',')]
    pub(in crate::cli) focus: Vec<Dioptres>,
    #[command(flatten)]
    pub(in crate::cli) targets: TargetArgs,
    /// Print as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// The printed targets, where they are not those that `scanner board` prints by default.
#[derive(Debug, Args)]
pub(in crate::cli) struct TargetArgs {
    /// Squares in a row of the board
    #[arg(long, value_name = "NUMBER")]
    columns: Option<u16>,
    /// Rows of squares
    #[arg(long, value_name = "NUMBER")]
    rows: Option<u16>,
    /// Side of a square, as measured on the print
    #[arg(long, value_name = "LENGTH")]
    square: Option<Millimetres>,
    /// Side of a mark on the board
    #[arg(long, value_name = "LENGTH")]
    marker: Option<Millimetres>,
    /// How many marks the ring has
    #[arg(long, value_name = "NUMBER")]
    marks: Option<u16>,
    /// From the middle of the ring to the middles of its marks
    #[arg(long, value_name = "LENGTH")]
    radius: Option<Millimetres>,
    /// Side of a mark of the ring
    #[arg(long, value_name = "LENGTH")]
    mark: Option<Millimetres>,
}

impl TargetArgs {
    /// The targets that are meant.
    pub(in crate::cli) fn targets(&self) -> Targets {
        let usual = Targets::default();
        let length = |given: Option<Millimetres>, usual: f64| given.map_or(usual, Millimetres::get);
        Targets {
            columns: self.columns.unwrap_or(usual.columns),
            rows: self.rows.unwrap_or(usual.rows),
            square_mm: length(self.square, usual.square_mm),
            marker_mm: length(self.marker, usual.marker_mm),
            count: self.marks.unwrap_or(usual.count),
            radius_mm: length(self.radius, usual.radius_mm),
            mark_mm: length(self.mark, usual.mark_mm),
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CalibrationArgs {
    /// Which, by its number; the newest, which counts, if absent
    pub(in crate::cli) number: Option<u32>,
    /// List all that are kept
    #[arg(long, conflicts_with_all = ["number", "take_back"])]
    pub(in crate::cli) list: bool,
    /// Remove the newest, so that the one before it counts again
    #[arg(long, conflicts_with = "number")]
    pub(in crate::cli) take_back: bool,
    /// Print as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BoardArgs {
    /// The ring of marks for the turntable's edge, in place of the board
    #[arg(long)]
    pub(in crate::cli) ring: bool,
    #[command(flatten)]
    pub(in crate::cli) targets: TargetArgs,
    /// pdf, for printers, or svg
    #[arg(long, default_value = "pdf", value_parser = ["pdf", "svg"])]
    pub(in crate::cli) format: String,
    /// Where to write it; standard output if absent
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(in crate::cli) out: Option<PathBuf>,
}
