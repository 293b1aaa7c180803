//! `scanner dataset`: what can be done with scans on disk.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::engine::ArgValueCompleter;

use super::DescriptionArgs;
use crate::cli::complete;
use crate::export::Format;
use crate::model::MergeProgram;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DatasetCommand {
    /// List the scans, the newest first
    List {
        /// Only those with each of these words in id, name, note or tags
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one scan
    Show {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Change what a scan is called, also while it is under way; no file is moved
    Describe {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        #[command(flatten)]
        what: DescriptionArgs,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show where each image of a scan was taken from, in the object's frame
    Poses {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// Print as JSON, with rotations
        #[arg(long)]
        json: bool,
    },
    /// Make a folder of a scan that a program for reconstruction opens, with poses in millimetres
    Export {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// For which program: colmap, nerfstudio, realityscan, metashape or meshroom
        #[arg(long, value_name = "FORMAT")]
        to: Format,
        /// Where; it must not exist. exports/FORMAT in the scan's folder if absent
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// With masks of the object, or not at all; if absent, with masks if the empty rig was scanned before
        #[arg(long, conflicts_with = "no_masks")]
        masks: bool,
        /// Without masks
        #[arg(long)]
        no_masks: bool,
        /// Every image of a stack, also where there is a merged one
        #[arg(long)]
        singles: bool,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the report of a scan: one page with its measurements, its worst images, and where the cameras stood
    Report {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// Where to write it; report.html in the scan's folder if absent
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make masks of the images, white where the object is, by a scan of the empty rig (`scanner reference`)
    Masks {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// By this scan of the empty rig, its id or path; by the newest before it if absent
        #[arg(long, value_name = "SCAN", add = ArgValueCompleter::new(complete::scans))]
        reference: Option<String>,
        /// Also those that are there and right
        #[arg(long)]
        again: bool,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Look for the ring of marks in images that nobody has looked at yet, and say where table or camera were elsewhere
    Marks {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// Print as JSON: all that is known, image by image
        #[arg(long)]
        json: bool,
    },
    /// Merge each focus stack and each exposure bracket into one image, in merged/: exports then have those
    Merge {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// With this program: own or enfuse; that of the configuration if absent
        #[arg(long, value_name = "PROGRAM")]
        program: Option<MergeProgram>,
        /// Also those that are there and right
        #[arg(long)]
        again: bool,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the model of the object (preview.glb) from masks and poses, and say how well images cover it; missing masks are made
    /// first
    Hull {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say which further points would show what was seen too little, by the model of the object; missing masks are not made
    Propose {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check every promise about a scan; changes nothing
    Verify {
        /// Its id, or the path of its folder
        #[arg(add = ArgValueCompleter::new(complete::scans))]
        scan: String,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}
