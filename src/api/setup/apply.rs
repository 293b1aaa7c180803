//! What the answers make, and putting that in force.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::ToSchema;

use super::state::{Session, Setup};
use crate::api::access::grant::Grant;
use crate::api::transport::extract::MaybeBody;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::config::Config;
use crate::daemon::{Place, StartError, notes};
use crate::model::Axis;

/// What the answers make.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct DropIn {
    /// The file that is written.
    file: String,
    /// What it will say.
    text: String,
    /// What is odd about it, for people.
    notes: Vec<String>,
    /// How much a scan is, for people.
    scan: Option<String>,
    /// An axis that is put in its place by hand, which has to be done, and said, before it is applied.
    placed_by_hand: Option<Axis>,
}

/// What somebody says who applies the answers.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct Apply {
    /// That axes that are put in their place by hand stand there.
    placed: bool,
}

/// The drop-in of the answers, and the whole configuration with it.
fn made(session: &Session) -> Answer<(String, Config)> {
    let text = session.place.text(&session.whole()?, &session.facts);
    let config = session.place.load(&text).map_err(|errors| {
        let detail = format!(
            "{errors}\n\nThe configuration would not load with these answers, so nothing was written. They are kept: put the \
             file that is named right, or change the answers."
        );
        Problem::new(ProblemType::Configuration, detail)
    })?;
    Ok((text, config))
}

/// What the answers make: the file, byte for byte, and what is odd about it. Writes nothing.
#[utoipa::path(get, path = "/api/v1/setup/drop-in", operation_id = "preview_setup", tag = "setup", responses(
    (status = 200, body = DropIn),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn preview(State(setup): State<Setup>) -> Answer<Json<DropIn>> {
    let previewed = setup.with_session(|_, session| {
        let (text, config) = made(&session)?;
        Ok(Json(DropIn {
            file: session.place.file().display().to_string(),
            notes: notes(&text, &session.facts, &config),
            scan: Place::told(&config)?,
            placed_by_hand: config.motion.backend.placed_by_hand(),
            text,
        }))
    });
    previewed.await
}

/// Put the answers in force: the file is written, and the service reads its configuration again, for which every connection
/// ends. Not during a scan. Whether it is in force, `is_set_up` and `refused` of `GET /api/v1/setup` say then.
#[utoipa::path(post, path = "/api/v1/setup/apply", operation_id = "run_setup_apply", tag = "setup", request_body = Option<Apply>, responses(
    (status = 202),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn apply(
    State(setup): State<Setup>,
    axum::Extension(grant): axum::Extension<Grant>,
    MaybeBody(Apply { placed }): MaybeBody<Apply>,
) -> Answer<StatusCode> {
    let by = grant.token.name;
    let _turn = setup.turn().await;
    let service = &setup.rig.service;
    let taken = service.take_by_hand()?;
    let old = service.station().config().motion.backend.placed_by_hand();
    let written = setup.with_session(move |_, session| {
        let (text, config) = made(&session)?;
        if let Some(axis) = old.or(config.motion.backend.placed_by_hand()).filter(|_| !placed) {
            let detail = format!("the {axis} is put in its place by hand: do that, and say so (`placed`)");
            return Err(Problem::setup(detail));
        }
        session.place.put(&text, &by)?;
        session.place.forget();
        Ok(session.place.file())
    });
    let file = written.await?;
    info!("{} is written by the setup", file.display());
    drop(taken);
    let reloads = service.reloads().ok_or_else(|| Problem::from(StartError::Closed))?;
    // Which ends the API; that waits until this is answered.
    reloads.ask_when_placed();
    Ok(StatusCode::ACCEPTED)
}
