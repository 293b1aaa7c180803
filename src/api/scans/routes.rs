//! Scans: what there is on the disk, and beginning, resuming and removing one.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::daemon::{PlanChoice, Whereabouts, Work};
use crate::dataset::{self, Contents, Counts, ScanId};

use super::index::{Cursor, page};
use super::plans::{InlinePlan, PlanDetail};
use super::state::Scans;
use super::summary::ScanSummary;
use crate::api::rig::state::Rig;
use crate::api::transport::extract::{MaybeBody, Path, Query};
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::api::transport::work::on_disk;
use crate::scan::{Description, DescriptionChanges, ScanState};
use crate::units::counted;

/// Scans on a page, if nobody says.
const PAGE: usize = 50;
/// Most characters that are looked for.
const LONGEST_SEARCH: usize = 200;
/// Most scans on a page.
const MAX_PAGE: usize = 200;

/// A page of the list of scans.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ScanPage {
    /// The scans of this page, the newest first.
    scans: Vec<ScanSummary>,
    /// How many there are in all, of those that are looked for.
    total: usize,
    /// `after` of the next page, which holds though scans begin or are removed meanwhile; none if this is the last one.
    next: Option<String>,
}

/// Which page of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Page {
    limit: Option<usize>,
    after: Option<String>,
    search: Option<String>,
}

/// What to scan: a plan by its name, or one of your own, or, with neither, the first plan of the configuration.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct NewScan {
    /// The name of a plan of the configuration.
    plan: Option<String>,
    /// A plan of your own.
    inline: Option<InlinePlan>,
    /// Its id: lower-case letters, digits and `-`; by date and time if absent.
    id: Option<String>,
    /// Whether it is one of the empty rig, by which masks of later scans are made: there has to be nothing on the table.
    reference: bool,
    /// What to call it: one line of at most 100 characters.
    #[schema(max_length = 100)]
    name: Option<String>,
    /// What else is to be known of it: at most 2000 characters.
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// Words by which it is found: at most 20, of at most 40 characters each.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
}

/// A scan that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Begun {
    /// By which it is asked for from now on.
    id: String,
}

/// A scan with its plan.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ScanDetail {
    #[serde(flatten)]
    summary: ScanSummary,
    /// What is to be taken.
    plan: PlanDetail,
    /// What happened to the cameras, in order: failed attempts, shots given up, pauses. Of some ten thousand, the last ones.
    journal: Vec<Note>,
}

/// A line of a scan's journal that a person wants to know of.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Note {
    /// When it was written, by the rig's clock.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Of which shot, if of one.
    shot: Option<u32>,
    /// `attempt_failed`, `shot_failed`, `lost`, `retake`, `extended`, `paused`, `resumed`, `finished`.
    what: &'static str,
    /// What the journal says of why, for people.
    reason: Option<String>,
}

/// The scans on disk.
#[utoipa::path(get, path = "/api/v1/scans", operation_id = "list_scans", tag = "scans", params(
    ("limit" = Option<usize>, Query, minimum = 1, maximum = 200, description = "Scans on a page: 50 if absent."),
    ("search" = Option<String>, Query, max_length = 200, description = "Only scans with each of these words in id, name, note or tags."),
    ("after" = Option<String>, Query, description = "Where to go on: `next` of the page before."),
), responses(
    (status = 200, body = ScanPage),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn scans(
    State(scans): State<Scans>,
    Query(wanted): Query<Page>,
) -> Answer<Json<ScanPage>> {
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!("a page has 1 to {MAX_PAGE} scans")));
    }
    let after = wanted.after.as_deref().map(str::parse::<Cursor>).transpose();
    let after = after.map_err(Problem::bad_request)?;
    let wanted = wanted.search.unwrap_or_default();
    if wanted.chars().count() > LONGEST_SEARCH {
        return Err(Problem::bad_request(format!("look for at most {LONGEST_SEARCH} characters")));
    }
    let shared = scans.clone();
    on_disk(move || {
        let places = shared.index.found(&wanted)?;
        let (on_page, next) = page(&places, after.as_ref(), limit);
        let root = shared.index.root();
        // One that has gone meanwhile is left out.
        let scans = on_page.iter().filter_map(|place| dataset::show(&root.join(place.id().as_str())).ok());
        let next = next.map(ToString::to_string);
        let whereabouts = Whereabouts::now(shared.rig.config());
        let scans = scans.map(|scan| ScanSummary::of(scan, &whereabouts)).collect();
        Ok(Json(ScanPage { scans, total: places.len(), next }))
    })
    .await
}

/// Begin a scan; answers once it has begun.
#[utoipa::path(post, path = "/api/v1/scans", operation_id = "start_scan", tag = "scans", request_body = Option<NewScan>, responses(
    (status = 201, body = Begun),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn start(
    State(scans): State<Scans>,
    MaybeBody(new): MaybeBody<NewScan>,
) -> Answer<Response> {
    let plan = match (new.plan, new.inline) {
        (Some(_), Some(_)) => return Err(Problem::bad_request("either `plan` or `inline`, not both")),
        (Some(name), None) => PlanChoice::Named(name),
        (None, Some(inline)) => inline.checked(&scans.rig.service)?,
        (None, None) => PlanChoice::First,
    };
    let id = new.id.map(|id| id.parse::<ScanId>()).transpose().map_err(Problem::bad_request)?;
    let said = DescriptionChanges { name: Some(new.name), note: Some(new.note), tags: Some(new.tags) };
    let description = said.applied(&Description::default())?;
    let work = if new.reference {
        Work::Reference { plan, id, description }
    } else {
        Work::New { plan, id, description }
    };
    begin(&scans.rig, work).await
}

/// Go on with a scan that was paused or interrupted, or try again what failed; answers once it goes on.
#[utoipa::path(post, path = "/api/v1/scans/{scan}/resume", operation_id = "resume_scan", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 201, body = Begun),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn resume(State(scans): State<Scans>, Path(scan): Path<String>) -> Answer<Response> {
    let scan: ScanId = scan.parse().map_err(Problem::not_found)?;
    begin(&scans.rig, Work::Resume { scan }).await
}

async fn begin(rig: &Rig, work: Work) -> Answer<Response> {
    let id = rig.act(|service| async move { Ok(service.start(work).await?.id) }).await?;
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
pub(in crate::api) async fn scan(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<Json<ScanDetail>> {
    let shared = scans.clone();
    on_disk(move || {
        let dir = shared.folder_of(&scan)?;
        let contents = dataset::read_contents(&dir)?;
        let config = shared.rig.config();
        let start = contents.plan.points.first().map(|point| point.pose).unwrap_or_default();
        let plan = PlanDetail::of(&contents.plan, config, &start);
        let journal = notes(&contents);
        Ok(Json(ScanDetail { summary: shared.summary_of(&dir)?, plan, journal }))
    })
    .await
}

fn notes(contents: &Contents) -> Vec<Note> {
    use crate::scan::{ExtendedBy, Record, RetakenFor};
    let note = |entry: &dataset::Entry| {
        let (shot, what, reason) = match &entry.record {
            Record::Opened { .. } | Record::Attempted { .. } | Record::Stored(_) | Record::Described(_) => {
                return None;
            }
            Record::AttemptFailed { shot, kind, message, .. } => {
                (Some(shot.0), "attempt_failed", Some(format!("{kind}: {message}")))
            }
            Record::ShotFailed { shot, reason } => (Some(shot.0), "shot_failed", Some(reason.clone())),
            Record::Lost { shot, reason } => (Some(shot.0), "lost", Some(reason.clone())),
            Record::Retake { shot, by } => {
                let reason = match by {
                    RetakenFor::Person => None,
                    RetakenFor::Gate => Some("the gate wants another image".to_owned()),
                    RetakenFor::Better => Some("the image of an earlier attempt is better".to_owned()),
                };
                (Some(shot.0), "retake", reason)
            }
            Record::Flagged { shot, verdict, .. } => (Some(shot.0), "flagged", Some(verdict.message())),
            Record::Extended { points, by } => {
                let by = match by {
                    ExtendedBy::Person => "",
                    ExtendedBy::Proposer => ", as the scan itself suggests",
                };
                let points = counted(points.len(), "point was", "points were");
                (None, "extended", Some(format!("{points} added{by}")))
            }
            Record::Paused { reason, .. } => (None, "paused", Some(reason.clone())),
            Record::Resumed => (None, "resumed", None),
            Record::Finished { outcome } => (None, "finished", Some(outcome.name().to_owned())),
        };
        Some(Note { at: entry.at, shot, what, reason })
    };
    contents.notes().filter_map(note).collect()
}

/// Remove a scan and all its images, for good. Never one that is in use.
#[utoipa::path(delete, path = "/api/v1/scans/{scan}", operation_id = "delete_scan", tag = "scans", params(("scan" = String, Path)), responses(
    (status = 204),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn remove(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<StatusCode> {
    let shared = scans.clone();
    if let Ok(id) = scan.parse::<ScanId>()
        && scans.rig.service.masks().cancel(&id)
    {
        scans.rig.service.masks().done_with(&id).await;
    }
    if let Ok(id) = scan.parse::<ScanId>()
        && scans.rig.service.hulls().cancel(&id)
    {
        scans.rig.service.hulls().done_with(&id).await;
    }
    if let Ok(id) = scan.parse::<ScanId>()
        && scans.rig.service.watches().cancel(&id)
    {
        scans.rig.service.watches().done_with(&id).await;
    }
    if let Ok(id) = scan.parse::<ScanId>()
        && scans.rig.service.calibrations().cancel(Some(&id))
    {
        scans.rig.service.calibrations().done().await;
    }
    on_disk(move || {
        shared.folder_of(&scan)?;
        let id: ScanId = scan.parse().map_err(Problem::not_found)?;
        dataset::discard(shared.index.root(), &id)?;
        tracing::info!(scan = %id, "removed scan {id}: asked for through the API");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// What a check of a scan found.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Verified {
    /// Whether no promise is broken.
    sound: bool,
    /// How the scan stands, as its journal says.
    state: ScanState,
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
pub(in crate::api) async fn verify(
    State(scans): State<Scans>,
    Path(scan): Path<String>,
) -> Answer<Json<Verified>> {
    let shared = scans.clone();
    on_disk(move || {
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
