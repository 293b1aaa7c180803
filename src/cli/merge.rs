//! `scanner dataset merge`: one image of each stack.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::logging;
use crate::merge::{self, Report, Wish};
use crate::threads;

use super::exit::{Exit, Failure};
use super::output;

/// Behind everything that a scan needs.
const NICE: i32 = 10;

pub(super) fn merge(dir: &Path, wish: &Wish, json: bool) -> Result<Exit, Failure> {
    threads::step_back(NICE);
    let report = drawn(dir, wish)?;
    if json {
        output::json(&report)?;
        return Ok(Exit::Done);
    }
    let Report { merged, without } = &report;
    for without in without {
        output::print(&format!("not merged: {}: {}", without.stack, without.reason))?;
    }
    for made in merged.iter().filter(|made| made.missing > 0) {
        let all = made.from + made.missing;
        output::print(&format!(
            "note: {} is merged from {} of {all} images: the others are not there",
            made.image, made.from
        ))?;
    }
    let kept = merged.iter().filter(|made| made.kept).count();
    output::print(&format!(
        "{}: {} merged images, {kept} of which were there; {} stacks have none",
        dir.join("merged").display(),
        merged.len(),
        without.len()
    ))?;
    Ok(Exit::Done)
}

/// Merges, and draws how far it is where somebody looks.
fn drawn(dir: &Path, wish: &Wish) -> Result<Report, merge::MergeError> {
    let bars = logging::bars().filter(|_| logging::is_interactive());
    let bar = bars.map(|bars| bars.add(ProgressBar::new(0)));
    let style = ProgressStyle::with_template("stacks [{wide_bar}] {pos}/{len}, {elapsed}, {eta} left");
    if let (Some(bar), Ok(style)) = (&bar, style) {
        bar.set_style(style.progress_chars("=> "));
    }
    let report = merge::make(dir, wish, &|| true, &|done, stacks| {
        if let Some(bar) = &bar {
            bar.set_length(stacks as u64);
            bar.set_position(done as u64);
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    report
}
