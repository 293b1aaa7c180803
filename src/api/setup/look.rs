//! Cameras and disks looked for, and a picture of a camera.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Deserialize;

use super::questions::SetupState;
use super::state::{Looked, Session, Setup};
use crate::api::transport::extract::Query;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;
use crate::config;
use crate::daemon::{disks, plain_camera};
use crate::setup::{Answers, FoundCamera, Key, SIMULATED, complete};

/// Look for cameras and disks, and find out how fast these are: some megabytes are written to each, and removed. Cameras are
/// closed meanwhile for everybody else; not during a scan.
#[utoipa::path(post, path = "/api/v1/setup/look", operation_id = "run_setup_look", tag = "setup", responses(
    (status = 200, body = SetupState),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn look(State(setup): State<Setup>) -> Answer<Json<SetupState>> {
    let search = setup.rig.act(|service| async move { Ok(service.look_for_cameras().await?) }).await?;
    let found = search.found.into_iter();
    let cameras = found.map(|(driver, hello)| FoundCamera { driver, id: hello.camera, model: hello.model });
    let failed = search.failed.iter().map(|(driver, error)| format!("{driver}: {error}"));
    let directory = setup.rig.config().storage.directory.clone();
    let disks = on_disk(move || Ok(disks(&directory))).await?;
    setup.has_looked(Looked { cameras: cameras.collect(), failed: failed.collect(), disks });
    setup.with_session(|setup, session| Ok(Json(SetupState::of(setup, &session)))).await
}

/// Which camera.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Pictured {
    camera: String,
}

/// A photograph of a camera that was found, or of a simulated one, which is not kept. Cameras are closed meanwhile for everybody
/// else; not during a scan.
#[utoipa::path(get, path = "/api/v1/setup/picture.jpg", operation_id = "get_setup_picture", tag = "setup", params(
    ("camera" = String, Query, description = "Which camera, as an answer has it: its driver and its id."),
), responses(
    (status = 200, body = [u8], content_type = "image/jpeg"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn picture(
    State(setup): State<Setup>,
    Query(Pictured { camera }): Query<Pictured>,
) -> Answer<Response> {
    let wanted = setup.with_session(move |setup, session| wanted(setup, &session, &camera)).await?;
    let taken = setup.rig.act(move |service| async move { Ok(service.picture_of(&wanted).await?) });
    let mut response = taken.await?.image.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    Ok(response)
}

/// The camera, as far as anything is known of it. No program but a driver that was found is started.
fn wanted(setup: &Setup, session: &Session, camera: &str) -> Answer<config::Camera> {
    let unknown = || Problem::not_found(format!("no camera {camera:?} was found"));
    let (driver, id) = camera.split_once(':').ok_or_else(unknown)?;
    if driver != SIMULATED {
        let looked = setup.looked().unwrap_or_default();
        let found = looked.cameras.iter().find(|found| found.driver == driver && found.id == id);
        return found.map(|found| plain_camera(&found.driver, &found.id)).ok_or_else(unknown);
    }
    // A computed camera has a lens and a place: those that were answered, or usual ones.
    let mut answers = session.answers.clone();
    if !answers.cameras().contains(&(driver, id)) {
        answers = Answers::default();
        answers.set(Key::Cameras, camera);
    }
    let answers = complete(&answers, &session.facts);
    let config = session.place.load(&session.place.text(&answers, &session.facts)).map_err(Problem::setup)?;
    let same = |known: &config::Camera| known.driver.ends_with(driver) && known.id == id;
    config.cameras.into_iter().find(same).ok_or_else(unknown)
}
