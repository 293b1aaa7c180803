//! The page. Everything that is not markup goes through maud, which escapes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::cameras::cameras;
use super::gate::{self, and_more};
use super::plot::{Measure, colour, number, plot};
use super::poses::poses;
use super::shots::{Shot, State};
use super::story::{Line, Story};
use super::worst::{Usual, Worst};
use crate::dataset::{Contents, Manifest};
use crate::model::Axis;
use crate::plan::{Plan, ShotIndex};
use crate::scan::{Description, Outcome, ScanState};
use crate::units::Seconds;

/// Most lines of a table; whoever wants more has the journal.
const MOST_LINES: usize = 100;

/// Thumbnails as addresses that need no network.
pub(super) type Pictures = BTreeMap<ShotIndex, String>;

pub(super) fn page(
    contents: &Contents,
    shots: &[Shot<'_>],
    photographs: &[Shot<'_>],
    usual: &[Usual],
    worst: &[Worst],
    pictures: &Pictures,
) -> String {
    let (plan, manifest) = (&contents.plan, &contents.manifest);
    let story = Story::of(contents);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { "Scan " (manifest.id) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header {
                    h1 { (manifest.id) }
                    span.chip.(tone(manifest.state)) { (manifest.state) }
                }
                (described(&manifest.description))
                (at_a_glance(manifest, plan, shots, &story))
                (missing(shots))
                section {
                    h2 { "Cameras" }
                    (legend(plan))
                    div.scroll { (cameras(plan, photographs, usual)) }
                }
                (measures(plan, photographs))
                (look_at(shots, worst, pictures))
                (gate::flagged(shots))
                @if let Some(drawings) = poses(plan, photographs) {
                    section { h2 { "Where the cameras stood" } (legend(plan)) (drawings) }
                }
                (happened(contents, shots, &story))
                footer.dim.small {
                    "Made from the dataset by scanner " (env!("CARGO_PKG_VERSION")) "; the scan was made by "
                    (manifest.software) ". Times are in UTC. The journal of the dataset says more, and "
                    code { "scanner dataset verify" } " whether every image is as it was stored."
                }
            }
        }
    };
    page.into_string()
}

/// What a person calls the scan, and knows of it.
fn described(Description { name, note, tags }: &Description) -> Markup {
    html! {
        @if name.is_some() || note.is_some() || !tags.is_empty() {
            section {
                @if let Some(name) = name { h2 { (name) } }
                @if let Some(note) = note { p { (note) } }
                @if !tags.is_empty() { p.dim { (tags.join(", ")) } }
            }
        }
    }
}

const fn tone(state: ScanState) -> &'static str {
    match state {
        ScanState::Finished(Outcome::Complete) => "good",
        ScanState::Running | ScanState::Paused => "warn",
        ScanState::Finished(Outcome::Incomplete | Outcome::Cancelled | Outcome::Aborted) => "bad",
    }
}

fn at_a_glance(manifest: &Manifest, plan: &Plan, shots: &[Shot<'_>], story: &Story) -> Markup {
    let counts = &manifest.shots;
    let bytes: u64 = shots.iter().filter_map(Shot::taken).map(|taken| taken.bytes).sum();
    let saved = shots.iter().filter(|shot| shot.taken().is_some() && shot.attempts > 1).count();
    let took = manifest.updated.duration_since(manifest.created).as_secs_f64();
    html! {
        section {
            dl.figures {
                div { dt { "Images" } dd { (counts.done) span.dim { " of " (counts.planned) } } }
                div { dt { "Failed" } dd.bad[counts.failed > 0] { (counts.failed) } }
                @if counts.pending > 0 { div { dt { "Not taken yet" } dd { (counts.pending) } } }
                div { dt { "Failed attempts" } dd.warn[story.failed_attempts() > 0] { (story.failed_attempts()) } }
                div { dt { "Images at a later attempt" } dd { (saved) } }
                div { dt { "Retakes" } dd { (story.retakes) } }
                div { dt { "Began" } dd { (time(manifest.created)) } }
                @if manifest.state.is_finished() {
                    div { dt { "Ended" } dd { (time(manifest.updated)) } }
                    @if took >= 0.0 { div { dt { "From begin to end" } dd { (duration(took)) } } }
                }
                @if let Some(spread) = manifest.shutter_spread {
                    div { dt { "Shutter spread, median" } dd { (number(spread.median_us as f64 / 1e3)) " ms" } }
                    div { dt { "Shutter spread, most" } dd { (number(spread.most_us as f64 / 1e3)) " ms" } }
                }
                div { dt { "Size of the files" } dd { (number(bytes as f64 / 1e6)) " MB" } }
            }
            p { (points(plan)) }
        }
    }
}

/// The plan in a sentence.
fn points(plan: &Plan) -> String {
    let mut text = format!(
        "{} points with {} each{}",
        plan.points.len(),
        if plan.cameras.len() == 1 { "one image".into() } else { format!("{} images", plan.cameras.len()) },
        match plan.silhouettes() {
            0 => String::new(),
            count => format!(", {count} of them for silhouettes, which are left out of what follows"),
        }
    );
    for axis in Axis::ALL {
        let mut places: Vec<f64> = plan.points.iter().map(|point| point.pose.get(axis)).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let (Some(low), Some(high)) = (places.first(), places.last()) else { continue };
        let unit = if axis.unit() == "deg" { "°" } else { " mm" };
        if places.len() > 1 {
            let (count, low, high) = (places.len(), number(*low), number(*high));
            let _ = write!(text, "; {axis} at {count} places from {low}{unit} to {high}{unit}");
        }
    }
    text + "."
}

/// Shots that have no image: what nobody may overlook stands first.
fn missing(shots: &[Shot<'_>]) -> Markup {
    let failed = shots.iter().filter_map(|shot| match &shot.state {
        State::Failed(reason) => Some((shot, *reason)),
        State::Pending | State::Taken(_) => None,
    });
    let failed: Vec<_> = failed.collect();
    html! {
        @if !failed.is_empty() {
            section {
                h2 { "Failed shots" }
                div.scroll {
                    table {
                        tr { th { "Shot" } th.n { "Attempts" } th { "Why" } }
                        @for (shot, reason) in failed.iter().take(MOST_LINES) {
                            tr { td { code { (shot.name) } } td.n { (shot.attempts) } td { (reason) } }
                        }
                    }
                }
                (and_more(failed.len()))
            }
        }
    }
}

fn legend(plan: &Plan) -> Markup {
    html! {
        @if plan.cameras.len() > 1 {
            p.legend {
                @for (index, camera) in plan.cameras.iter().enumerate() {
                    span { svg viewBox="0 0 10 10" { circle.(colour(index)).dot cx="5" cy="5" r="5" {} } (camera.name) }
                }
            }
        }
    }
}

fn measures(plan: &Plan, shots: &[Shot<'_>]) -> Markup {
    let percent = |shot: &Shot<'_>| Some(shot.taken()?.clipped() * 100.0);
    let milliseconds = |shot: &Shot<'_>| Some(shot.taken()?.facts.exposure.get() * 1000.0);
    let measures = [
        Measure {
            name: "Sharpness",
            note: "variance of the Laplacian; compare images of one camera",
            value: &|shot| Some(shot.taken()?.facts.sharpness),
            at_least: 0.0,
        },
        Measure {
            name: "Clipped",
            note: "% of pixels that are black or white",
            value: &percent,
            at_least: 1.0,
        },
        Measure {
            name: "Brightness",
            note: "mean of the thumbnail, 0 to 255",
            value: &|shot| shot.taken()?.brightness,
            at_least: 0.0,
        },
        Measure { name: "Exposure", note: "ms", value: &milliseconds, at_least: 0.0 },
        Measure { name: "Gain", note: "", value: &|shot| Some(shot.taken()?.facts.gain), at_least: 1.0 },
        Measure {
            name: "Time",
            note: "s from the order until the image was on disk",
            value: &|shot| shot.taken()?.seconds,
            at_least: 0.0,
        },
    ];
    let (cameras, points) = (plan.cameras.len(), plan.points.len() as u32);
    let plots: Vec<_> = measures.iter().filter_map(|measure| plot(measure, shots, cameras, points)).collect();
    html! {
        @if !plots.is_empty() {
            section {
                h2 { "Shot by shot, in the order in which they were taken" }
                (legend(plan))
                div.grid { @for plot in plots { (plot) } }
            }
        }
    }
}

fn look_at(shots: &[Shot<'_>], worst: &[Worst], pictures: &Pictures) -> Markup {
    let card = |image: &Worst| {
        let shot = shots.get(image.shot.0 as usize)?;
        let taken = shot.taken()?;
        let picture = pictures.get(&image.shot);
        Some(html! {
            figure.card {
                @if let Some(picture) = picture {
                    img src=(picture) alt=(shot.name);
                } @else {
                    div.none.dim { "no thumbnail" }
                }
                figcaption {
                    code { (shot.name) }
                    @for reason in &image.reasons { p { (reason) } }
                    p.dim.small {
                        "sharpness " (number(taken.facts.sharpness)) ", clipped " (number(taken.clipped() * 100.0)) " %, "
                        @if let Some(brightness) = taken.brightness { "brightness " (number(brightness)) ", " }
                        (exposure(taken.facts.exposure)) ", gain " (number(taken.facts.gain)) ", attempt "
                        (shot.attempts)
                    }
                }
            }
        })
    };
    html! {
        @if !worst.is_empty() {
            section {
                h2 { "Images to look at first" }
                div.cards { @for image in worst { @if let Some(card) = card(image) { (card) } } }
            }
        }
    }
}

fn happened(contents: &Contents, shots: &[Shot<'_>], story: &Story) -> Markup {
    let plan = &contents.plan;
    let name = |shot: ShotIndex| shots.get(shot.0 as usize).map(|shot| shot.name.as_str());
    html! {
        @if !story.failures.is_empty() {
            section {
                h2 { "Failed attempts" }
                div.scroll {
                    table {
                        tr { th { "Camera" } th { "Kind" } th.n { "How many" } }
                        @for ((camera, kind), count) in &story.failures {
                            tr {
                                td { (plan.cameras.get(*camera).map_or("", |camera| camera.name.as_str())) }
                                td { (kind) }
                                td.n { (count) }
                            }
                        }
                    }
                }
            }
        }
        (gate::taken_again(contents, shots))
        section {
            h2 { "What happened" }
            div.scroll {
                table.story {
                    @for Line { at, shot, what, reason } in story.lines.iter().take(MOST_LINES) {
                        tr {
                            td.dim { (time(*at)) }
                            td { @if let Some(name) = shot.and_then(name) { code { (name) } } }
                            td { (what) @if !reason.is_empty() { ": " (reason) } }
                        }
                    }
                }
            }
            (and_more(story.lines.len()))
        }
    }
}

fn time(at: jiff::Timestamp) -> String {
    at.strftime("%F %T").to_string()
}

fn exposure(time: Seconds) -> String {
    format!("{} ms", number(time.get() * 1000.0))
}

fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, _) => format!("{seconds:.1} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
