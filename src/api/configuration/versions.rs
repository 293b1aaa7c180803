//! What was before, and the whole in one file.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::routes::{Changed, done};
use super::state::{put, seen, store};
use crate::api::access::grant::Grant;
use crate::api::rig::state::Rig;
use crate::api::transport::extract::{Body, Path};
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;
use crate::drop_in::{self, PAGE, StoreError, Wish};

/// What was before the last changes, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ConfigVersions {
    versions: Vec<Earlier>,
}

/// What a drop-in said until somebody changed it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Earlier {
    /// By which it is taken back.
    number: u32,
    /// When it was changed.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Who changed it.
    by: String,
    /// What was changed then, for people.
    change: String,
    /// Which drop-in.
    drop_in: String,
}

/// What was before the last changes: twenty are kept.
#[utoipa::path(get, path = "/api/v1/configuration/versions", operation_id = "list_configuration_versions", tag = "configuration", responses(
    (status = 200, body = ConfigVersions),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn versions(State(rig): State<Rig>) -> Answer<Json<ConfigVersions>> {
    let store = store(&rig)?;
    on_disk(move || {
        let shown = |version: drop_in::Version| Earlier {
            number: version.number,
            until: version.until,
            by: version.by,
            change: version.change,
            drop_in: version.drop_in,
        };
        Ok(Json(ConfigVersions { versions: store.versions()?.into_iter().map(shown).collect() }))
    })
    .await
}

/// Have it as it was before a change. That is a change as well, and can be taken back.
#[utoipa::path(post, path = "/api/v1/configuration/versions/{version}/restore", operation_id = "restore_configuration_version", tag = "configuration",
    params(("version" = u32, Path, description = "Its number.")), responses(
    (status = 200, body = Changed),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn take_back(
    State(rig): State<Rig>,
    axum::Extension(grant): axum::Extension<Grant>,
    Path(number): Path<u32>,
) -> Answer<Json<Changed>> {
    let (store, reloads) = (store(&rig)?, rig.service.reloads().cloned());
    let put = on_disk(move || {
        let found = store.versions()?.into_iter().find(|version| version.number == number);
        let version = found.ok_or(StoreError::NoVersion(number))?;
        let (drop_in, text, by) =
            (version.drop_in.as_str(), version.text.as_deref(), grant.token.name.as_str());
        let change = format!("back to version {number}");
        put(&store, reloads.as_ref(), &Wish { drop_in, text, based_on: None, by, change: &change })
    })
    .await?;
    Ok(done(&rig, put, Vec::new()))
}

/// The whole configuration in one file, without secrets.
#[utoipa::path(get, path = "/api/v1/configuration/backup.toml", operation_id = "get_configuration_backup", tag = "configuration", responses(
    (status = 200, body = String, content_type = "application/toml"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn backup(State(rig): State<Rig>) -> Answer<Response> {
    let store = store(&rig)?;
    let text = on_disk(move || {
        let now = jiff::Zoned::now().strftime("%F %T %Z").to_string();
        Ok(drop_in::backup(store.path(), &format!("Backup of the configuration of scanner, {now}"))?)
    })
    .await?;
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/toml"));
    let name = HeaderValue::from_static("attachment; filename=\"scanner-backup.toml\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// A backup that is to be had back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Backup {
    /// The `fingerprint` that it is based on.
    based_on: Option<String>,
    /// The file.
    text: String,
}

/// Have the configuration as a backup has it. It is checked as a whole before anything is changed.
#[utoipa::path(put, path = "/api/v1/configuration/backup.toml", operation_id = "restore_configuration_backup", tag = "configuration", request_body = Backup, responses(
    (status = 200, body = Changed),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn restore(
    State(rig): State<Rig>,
    axum::Extension(grant): axum::Extension<Grant>,
    Body(backup): Body<Backup>,
) -> Answer<Json<Changed>> {
    let (store, seen) = (store(&rig)?, seen(backup.based_on)?);
    let reloads = rig.service.reloads().cloned();
    let (put, left_out) = on_disk(move || {
        let restored = drop_in::restore(store.path(), &backup.text)?;
        let (text, by) = (Some(restored.text.as_str()), grant.token.name.as_str());
        let wish = Wish { drop_in: PAGE, text, based_on: Some(&seen), by, change: "from a backup" };
        Ok((put(&store, reloads.as_ref(), &wish)?, restored.left_out))
    })
    .await?;
    Ok(done(&rig, put, left_out))
}
