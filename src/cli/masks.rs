//! `scanner dataset masks`: where the object is.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::logging;
use crate::mask::{self, Report, Wish};

use super::exit::{Exit, Failure};
use super::output;

pub(super) fn masks(dir: &Path, wish: &Wish, json: bool) -> Result<Exit, Failure> {
    let report = drawn(dir, wish)?;
    if json {
        output::json(&report)?;
        return Ok(Exit::Done);
    }
    for without in &report.without {
        output::print(&format!("no mask of {}: {}", without.image, without.reason))?;
    }
    for note in &report.notes {
        output::print(&format!("note: {note}"))?;
    }
    let Report { masks, without, notes: _ } = &report;
    let kept = masks.iter().filter(|mask| mask.kept).count();
    let (least, most) = masks
        .iter()
        .fold((1.0_f64, 0.0_f64), |(least, most), mask| (least.min(mask.covered), most.max(mask.covered)));
    let covering = if masks.is_empty() {
        String::new()
    } else {
        format!(", which cover {:.1} to {:.1} % of their images", 100.0 * least, 100.0 * most)
    };
    let by = |silhouette: bool, reference: bool| {
        masks
            .iter()
            .filter(|mask| (mask.silhouette.is_some(), mask.reference.is_some()) == (silhouette, reference))
            .count()
    };
    let sources = [
        (by(true, true), "by silhouette and empty rig"),
        (by(true, false), "by silhouette"),
        (by(false, true), "by the empty rig"),
    ];
    let sources = sources.iter().filter(|(count, _)| *count > 0);
    let sources = sources.map(|(count, source)| format!("{count} {source}")).collect::<Vec<_>>().join(", ");
    let sources = if sources.is_empty() { sources } else { format!(" ({sources})") };
    output::print(&format!(
        "{}: {} masks{sources}, {kept} of which were there{covering}; {} images have none",
        dir.join("masks").display(),
        masks.len(),
        without.len()
    ))?;
    Ok(Exit::Done)
}

/// Makes the masks, and draws how far they are where somebody looks.
pub(super) fn drawn(dir: &Path, wish: &Wish) -> Result<Report, mask::MaskError> {
    with_bar("masks", |tell| mask::make(dir, wish, tell))
}

/// Does `what`, and draws how far it is where somebody looks.
pub(super) fn with_bar<T>(what: &str, act: impl FnOnce(&(dyn Fn(usize, usize) -> bool + Sync)) -> T) -> T {
    let bars = logging::bars().filter(|_| logging::is_interactive());
    let bar = bars.map(|bars| bars.add(ProgressBar::new(0)));
    let style = ProgressStyle::with_template(&format!(
        "{what} [{{wide_bar}}] {{pos}}/{{len}}, {{elapsed}}, {{eta}} left"
    ));
    if let (Some(bar), Ok(style)) = (&bar, style) {
        bar.set_style(style.progress_chars("=> "));
    }
    let done = act(&|done, images| {
        if let Some(bar) = &bar {
            bar.set_length(images as u64);
            bar.set_position(done as u64);
        }
        true
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    done
}
