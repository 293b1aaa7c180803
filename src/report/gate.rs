//! What the gate found: the images that are not like the others, and those that were taken again.

use maud::{Markup, html};

use super::plot::number;
use super::shots::Shot;
use crate::dataset::Contents;
use crate::plan::ShotIndex;
use crate::scan::{Record, RetakenFor, Verdict};

/// Most lines of a table; whoever wants more has the journal.
const MOST_LINES: usize = 100;

/// Images that the gate has flagged, with its numbers.
pub(super) fn flagged(shots: &[Shot<'_>]) -> Markup {
    let flagged = shots.iter().filter_map(|shot| Some((shot, shot.taken()?.flagged()?)));
    let flagged: Vec<_> = flagged.collect();
    html! {
        @if !flagged.is_empty() {
            section {
                h2 { "Not like the others" }
                div.scroll {
                    table {
                        tr {
                            th { "Image" }
                            th { "What the gate found" }
                            th.n { "Detail" }
                            th.n { "Along/across" }
                            th.n { "Brightness" }
                            th.n { "White" }
                            th.n { "Lens" }
                            th.n { "Beside" }
                        }
                        @for (shot, verdict) in flagged.iter().take(MOST_LINES) {
                            tr { td { code { (shot.name) } } td { (verdict.message()) } (numbers(verdict)) }
                        }
                    }
                }
                p.dim.small {
                    "Detail, detail along one direction over that across it, and brightness are parts of what the neighbours \
                     have; white and lens are what there is more or less of. Beside how many neighbours, and by how many of 48 \
                     parts of the picture, if a scan of the empty rig told which of them show the object."
                }
                (and_more(flagged.len()))
            }
        }
    }
}

fn numbers(verdict: &Verdict) -> Markup {
    let percent = |part: Option<f64>| part.map(|part| format!("{} %", number(part * 100.0)));
    let lens = verdict.lens.map(|lens| format!("{} dpt", number(lens)));
    let tiles = verdict.tiles.map(|tiles| format!(" by {tiles}")).unwrap_or_default();
    let beside = (verdict.neighbours > 0).then(|| format!("{}{tiles}", verdict.neighbours));
    let cells = [
        percent(verdict.sharpness),
        percent(verdict.direction),
        percent(verdict.brightness),
        percent(verdict.clipped),
        lens,
        beside,
    ];
    html! { @for cell in cells { td.n { (cell.unwrap_or_default()) } } }
}

/// Shots that were taken again: who wanted that, and what was found of the image that they had.
pub(super) fn taken_again(contents: &Contents, shots: &[Shot<'_>]) -> Markup {
    let retakes = contents.retakes().filter_map(|(entry, verdict)| {
        let Record::Retake { shot, by } = &entry.record else { return None };
        Some((entry.at, name(shots, *shot)?, *by, verdict.map(Verdict::message).unwrap_or_default()))
    });
    let retakes: Vec<_> = retakes.collect();
    html! {
        @if !retakes.is_empty() {
            section {
                h2 { "Taken again" }
                div.scroll {
                    table {
                        tr { th { "When" } th { "Shot" } th { "Why" } th { "What the gate had found of its image" } }
                        @for (at, name, by, found) in retakes.iter().take(MOST_LINES) {
                            tr {
                                td.dim { (at.strftime("%F %T").to_string()) }
                                td { code { (name) } }
                                td { (why(*by)) }
                                td { (found) }
                            }
                        }
                    }
                }
                p.dim.small { "The images that they had are in " code { "retaken/" } "." }
                (and_more(retakes.len()))
            }
        }
    }
}

fn name<'a>(shots: &'a [Shot<'_>], shot: ShotIndex) -> Option<&'a str> {
    shots.get(shot.0 as usize).map(|shot| shot.name.as_str())
}

/// Why an image had to leave its place.
pub(super) const fn why(by: RetakenFor) -> &'static str {
    match by {
        RetakenFor::Person => "a person wanted it",
        RetakenFor::Gate => "the gate wanted it",
        RetakenFor::Better => "an earlier image was better, and is back",
    }
}

pub(super) fn and_more(lines: usize) -> Markup {
    html! { @if lines > MOST_LINES { p.dim { "and " (lines - MOST_LINES) " more" } } }
}
