//! Scans: what there is on the disk, and beginning, resuming and removing one.

use std::path::PathBuf;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::daemon::{PlanChoice, Work, find_scan};
use crate::dataset::{self, Contents, Counts, Listed, ScanId, State};

use super::app::{App, Shared};
use super::extract::{MaybeBody, Path, Query};
use super::index::{Cursor, page};
use super::plans::{InlinePlan, PlanDetail};
use super::problem::{Answer, Problem, ProblemType};

/// Scans on a page, if nobody says.
const PAGE: usize = 50;
/// Most scans on a page.
const MAX_PAGE: usize = 200;

/// A scan at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct ScanSummary {
    /// Its id.
    id: String,
    /// Whether a process writes to it. One that is running and not in use was interrupted, and can be resumed.
    in_use: bool,
    /// What it says of itself; none of a damaged one.
    scan: Option<ScanFacts>,
    /// Why nothing can be said of it.
    damage: Option<String>,
}

/// What a scan says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct ScanFacts {
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When its state last changed.
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
    /// How it stands.
    state: State,
    /// How many shots stand how.
    shots: Counts,
    /// Its cameras.
    cameras: Vec<String>,
}

/// A page of the list of scans.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScanPage {
    /// The newest first.
    scans: Vec<ScanSummary>,
    /// How many there are in all.
    total: usize,
    /// `after` of the next page, which holds though scans begin or are removed meanwhile; none if this is the last one.
    next: Option<String>,
}

/// Which page of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    limit: Option<usize>,
    after: Option<String>,
}

/// What to scan: a plan by its name, or one of your own, or, with neither, the first plan of the configuration.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NewScan {
    /// The name of a plan of the configuration.
    plan: Option<String>,
    /// A plan of your own.
    inline: Option<InlinePlan>,
    /// What to call the scan: lower-case letters, digits and `-`; by date and time if absent.
    id: Option<String>,
}

/// A scan that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Begun {
    /// Its id.
    id: String,
}

/// A scan with its plan.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScanDetail {
    #[serde(flatten)]
    summary: ScanSummary,
    /// What is to be taken.
    plan: PlanDetail,
    /// What happened to the cameras, in order: failed attempts, shots given up, pauses.
    journal: Vec<Note>,
}

/// A line of a scan's journal that a person wants to know of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Note {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Of which shot, if of one.
    shot: Option<u32>,
    /// `attempt_failed`, `shot_failed`, `lost`, `retake`, `paused`, `resumed`, `finished`.
    what: &'static str,
    /// Why, for people.
    reason: Option<String>,
}

impl From<Listed> for ScanSummary {
    fn from(listed: Listed) -> Self {
        let (scan, damage) = match listed.scan {
            Ok(manifest) => (Some(ScanFacts::from(manifest)), None),
            Err(damaged) => (None, Some(damaged.reason)),
        };
        Self { id: listed.id.to_string(), in_use: listed.in_use, scan, damage }
    }
}

impl From<dataset::Manifest> for ScanFacts {
    fn from(manifest: dataset::Manifest) -> Self {
        let dataset::Manifest { created, updated, state, shots, cameras, .. } = manifest;
        Self { created, updated, state, shots, cameras }
    }
}

impl App {
    /// The folder of the scan of this id, which exists.
    pub(super) fn folder_of(&self, id: &str) -> Answer<PathBuf> {
        let id: ScanId = id.parse().map_err(Problem::not_found)?;
        Ok(find_scan(self.service.station().config(), &id)?)
    }
}

/// The scans on disk.
#[utoipa::path(get, path = "/api/v1/scans", operation_id = "list_scans", tag = "scans", params(
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 200, description = "Scans on a page: 50 if absent."),
    ("after" = Option<String>, Query, description = "Where to go on: `next` of the page before."),
), responses(
    (status = 200, body = ScanPage),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn scans(app: Shared, Query(wanted): Query<Page>) -> Answer<Json<ScanPage>> {
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("a page has 1 to {MAX_PAGE} scans")));
    }
    let after = wanted.after.as_deref().map(str::parse::<Cursor>).transpose();
    let after = after.map_err(Problem::bad_request)?;
    let shared = app.0.clone();
    app.on_disk(move || {
        let places = shared.scans.sorted()?;
        let (on_page, next) = page(&places, after.as_ref(), limit);
        let root = shared.scans.root();
        // One that has gone meanwhile is left out.
        let scans = on_page.iter().filter_map(|place| dataset::show(&root.join(place.id.as_str())).ok());
        let next = next.map(ToString::to_string);
        Ok(Json(ScanPage { scans: scans.map(ScanSummary::from).collect(), total: places.len(), next }))
    })
    .await
}

/// Begin a scan; answers once it has begun.
#[utoipa::path(post, path = "/api/v1/scans", operation_id = "start_scan", tag = "scans", request_body = Option<NewScan>, responses(
    (status = 201, body = Begun),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn start(app: Shared, MaybeBody(new): MaybeBody<NewScan>) -> Answer<Response> {
    let plan = match (new.plan, new.inline) {
        (Some(_), Some(_)) => return Err(Problem::bad_request("either `plan` or `inline`, not both")),
        (Some(name), None) => PlanChoice::Named(name),
        (None, Some(inline)) => inline.checked(&app.service)?,
        (None, None) => PlanChoice::First,
    };
    let id = new.id.map(|id| id.parse::<ScanId>()).transpose().map_err(Problem::bad_request)?;
    begin(&app, Work::New { plan, id }).await
}

/// Go on with a scan that was paused or interrupted, or try again what failed; answers once it goes on.
#[utoipa::path(post, path = "/api/v1/scans/{scan}/resume", operation_id = "resume_scan", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 201, body = Begun),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn resume(app: Shared, Path(scan): Path<String>) -> Answer<Response> {
    let scan: ScanId = scan.parse().map_err(Problem::not_found)?;
    begin(&app, Work::Resume { scan }).await
}

async fn begin(app: &App, work: Work) -> Answer<Response> {
    let id = app.on_rig(|service| async move { Ok(service.start(work).await?.id) }).await?;
    tracing::info!(scan = %id, "started through the API");
    let location = HeaderValue::from_str(&format!("/api/v1/scans/{id}")).map_err(Problem::failed)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(Begun { id: id.to_string() }))
        .into_response())
}

/// A scan with its plan and what happened to it.
#[utoipa::path(get, path = "/api/v1/scans/{scan}", operation_id = "get_scan", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = ScanDetail),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn scan(app: Shared, Path(scan): Path<String>) -> Answer<Json<ScanDetail>> {
    let shared = app.0.clone();
    app.on_disk(move || {
        let dir = shared.folder_of(&scan)?;
        let contents = dataset::read_contents(&dir)?;
        let config = shared.service.station().config();
        let start = contents.plan.points.first().map(|point| point.pose).unwrap_or_default();
        let plan = PlanDetail::of(&contents.plan, config, &start);
        let journal = notes(&contents);
        Ok(Json(ScanDetail { summary: dataset::show(&dir)?.into(), plan, journal }))
    })
    .await
}

fn notes(contents: &Contents) -> Vec<Note> {
    use crate::scan::Record;
    let note = |entry: &dataset::Entry| {
        let (shot, what, reason) = match &entry.record {
            Record::Opened { .. } | Record::Attempted { .. } | Record::Stored(_) => return None,
            Record::AttemptFailed { shot, kind, message, .. } => {
                (Some(shot.0), "attempt_failed", Some(format!("{kind}: {message}")))
            }
            Record::ShotFailed { shot, reason } => (Some(shot.0), "shot_failed", Some(reason.clone())),
            Record::Lost { shot, reason } => (Some(shot.0), "lost", Some(reason.clone())),
            Record::Retake { shot } => (Some(shot.0), "retake", None),
            Record::Paused { reason } => (None, "paused", Some(reason.clone())),
            Record::Resumed => (None, "resumed", None),
            Record::Finished { outcome } => (None, "finished", Some(outcome.name().to_owned())),
        };
        Some(Note { at: entry.at, shot, what, reason })
    };
    contents.entries.iter().filter_map(note).collect()
}

/// Remove a scan and all its images, for good. Never one that is in use.
#[utoipa::path(delete, path = "/api/v1/scans/{scan}", operation_id = "delete_scan", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn remove(app: Shared, Path(scan): Path<String>) -> Answer<StatusCode> {
    let shared = app.0.clone();
    app.on_disk(move || {
        shared.folder_of(&scan)?;
        let id: ScanId = scan.parse().map_err(Problem::not_found)?;
        dataset::discard(shared.scans.root(), &id)?;
        tracing::info!(scan = %id, "removed scan {id}: asked for through the API");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// What a check of a scan found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Verified {
    /// Whether no promise is broken.
    sound: bool,
    /// How the scan stands, as its journal says.
    state: State,
    /// How many shots stand how.
    shots: Counts,
    /// Broken promises, for people.
    violations: Vec<String>,
    /// What resuming the scan puts in order, for people.
    notes: Vec<String>,
}

/// Check every promise about a scan, reading every image; changes nothing.
#[utoipa::path(post, path = "/api/v1/scans/{scan}/verify", operation_id = "verify_scan", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 200, body = Verified),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn verify(app: Shared, Path(scan): Path<String>) -> Answer<Json<Verified>> {
    let shared = app.0.clone();
    app.on_disk(move || {
        let report = dataset::verify(&shared.folder_of(&scan)?)?;
        let texts = |list: Vec<String>| list;
        Ok(Json(Verified {
            sound: report.is_sound(),
            state: report.state,
            shots: report.shots,
            violations: texts(report.violations.iter().map(ToString::to_string).collect()),
            notes: texts(report.notes.iter().map(ToString::to_string).collect()),
        }))
    })
    .await
}

impl From<dataset::RemoveError> for Problem {
    fn from(error: dataset::RemoveError) -> Self {
        match error {
            dataset::RemoveError::Open(error) => error.into(),
            incomplete @ dataset::RemoveError::NotComplete { .. } => {
                Self::new(ProblemType::InUse, incomplete)
            }
        }
    }
}
