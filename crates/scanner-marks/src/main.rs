//! `scanner-marks`: targets to print, and a service that measures by them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use scanner_marks::print::{Format, Target, print};
use scanner_marks::serve;
use scanner_pixels::target::{Board, Ring};

/// Prints targets with which a 3D scanner measures itself, and measures by them.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints the chessboard with marks in it, with which cameras are measured.
    Board(BoardArguments),
    /// Prints the ring of marks for the turntable's edge.
    Ring(RingArguments),
    /// Answers requests, one line of JSON each, until standard input ends.
    Serve,
}

#[derive(Debug, Args)]
struct BoardArguments {
    /// Squares in a row.
    #[arg(long, default_value_t = 9)]
    columns: u16,
    /// Rows of squares.
    #[arg(long, default_value_t = 6)]
    rows: u16,
    /// Side of a square in mm.
    #[arg(long, default_value_t = 28.0)]
    square_mm: f64,
    /// Side of a mark in mm.
    #[arg(long, default_value_t = 21.0)]
    marker_mm: f64,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct RingArguments {
    /// How many marks.
    #[arg(long, default_value_t = 24)]
    count: u16,
    /// Radius of the circle on which their middles are, in mm.
    #[arg(long, default_value_t = 92.0)]
    radius_mm: f64,
    /// Side of a mark in mm.
    #[arg(long, default_value_t = 18.0)]
    mark_mm: f64,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Output {
    /// The kind of file.
    #[arg(long, value_enum, default_value = "pdf")]
    format: Format,
    /// Where to write it; standard output if it is left out.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is gone, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "scanner-marks: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Board(BoardArguments { columns, rows, square_mm, marker_mm, output }) => {
            let board = Board::new(columns, rows, square_mm, marker_mm).map_err(|error| error.to_string())?;
            write(&Target::Board(board), &output)
        }
        Command::Ring(RingArguments { count, radius_mm, mark_mm, output }) => {
            let ring = Ring::new(count, radius_mm, mark_mm).map_err(|error| error.to_string())?;
            write(&Target::Ring(ring), &output)
        }
        Command::Serve => serve::serve(std::io::stdin().lock(), std::io::stdout().lock())
            .map_err(|error| format!("requests can be neither read nor answered any more: {error}")),
    }
}

fn write(target: &Target, Output { format, out }: &Output) -> Result<(), String> {
    let file = print(target, *format);
    let written = match out {
        Some(path) => std::fs::write(path, file),
        None => std::io::stdout().lock().write_all(&file),
    };
    let name = out.as_deref().unwrap_or(Path::new("standard output"));
    written.map_err(|error| format!("{} cannot be written: {error}", name.display()))
}
