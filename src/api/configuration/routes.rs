//! What the configuration says and could say; checking a change, and making it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reserved::{self, reserved};
use super::state::{put, seen, shown_text, store};
use crate::api::access::grant::Grant;
use crate::api::rig::state::Rig;
use crate::api::transport::extract::Body;
use crate::api::transport::problem::{Answer, Problem};
use crate::api::transport::work::on_disk;
use crate::config::{Config, Kind, Problem as Mistake, Setting as Written, Survey, reference};
use crate::drop_in::{Edit, Fingerprint, PAGE, Put, Store, Wish};

/// The configuration: what its files say, and what they could say.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Configuration {
    /// Of the files, as they are now: a change is based on it.
    fingerprint: Fingerprint,
    /// Every key that could be written, in the order in which they are read.
    settings: Vec<Setting>,
    /// Tables, and what they are for.
    tables: Vec<Explained>,
    /// What is wrong with it.
    problems: Vec<Mistake>,
    /// The drop-in that is changed here.
    file: String,
    /// What that says; null if there is a secret in it, which somebody wrote on the machine.
    text: Option<String>,
    /// Whether it is in force: what is written is what the service goes by.
    in_force: bool,
    /// Why the last reload was refused, if it was.
    refused: Option<String>,
    /// Whether it is put in force at the end of what is under way.
    waits: bool,
}

/// A key of the configuration.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Setting {
    /// Where it stands: `motion.settle`, `camera.cam0.controls.gain`.
    key: String,
    /// What its value is like.
    form: Kind,
    /// What has to be written, for people.
    wanted: String,
    /// What is written; null if nothing is, or if it is a secret.
    #[schema(value_type = Option<serde_json::Value>)]
    value: Option<serde_json::Value>,
    /// Whether something is written that is not shown.
    secret: bool,
    /// Its default, as it would be written; null if it has none.
    default: Option<String>,
    /// The file in which it is written, and the line; null if it is not.
    file: Option<String>,
    line: Option<u32>,
    /// Whether it is the drop-in of the page that says so.
    changed_here: bool,
    /// What it is for.
    explanation: String,
    /// Why it is not changed over the network; null if it is.
    reserved: Option<&'static str>,
}

/// What a table is for.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Explained {
    /// Which: `gate`, `camera.NAME.controls`.
    key: String,
    /// What it is for.
    explanation: String,
}

/// Look at the configuration: every key with its value, where that is written, its default and what it is for. Secrets are not
/// shown.
#[utoipa::path(get, path = "/api/v1/configuration", operation_id = "get_configuration", tag = "configuration", responses(
    (status = 200, body = Configuration),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn configuration(State(rig): State<Rig>) -> Answer<Json<Configuration>> {
    let store = store(&rig)?;
    on_disk(move || look(&rig, &store).map(Json)).await
}

fn look(rig: &Rig, store: &Store) -> Answer<Configuration> {
    let fingerprint = store.fingerprint()?;
    let survey = Survey::of(store.path(), None);
    let in_force = Config::load(store.path()).is_ok_and(|config| config == *rig.config());
    let file = store.file(PAGE).display().to_string();
    let is_table = |entry: &&crate::config::Entry| entry.kind.is_none() && !entry.explanation.is_empty();
    let explained = |entry: &crate::config::Entry| Explained {
        key: entry.key.clone(),
        explanation: entry.explanation.clone(),
    };
    Ok(Configuration {
        text: shown_text(store, &survey)?,
        settings: survey.settings.into_iter().map(|setting| shown(setting, &file)).collect(),
        tables: reference().iter().filter(is_table).map(explained).collect(),
        problems: survey.problems,
        refused: rig.service.reloads().and_then(crate::daemon::Reloads::refused).filter(|_| !in_force),
        waits: !in_force && rig.service.status().scanning,
        fingerprint,
        file,
        in_force,
    })
}

fn shown(setting: Written, page: &str) -> Setting {
    let (file, line) = setting.from.clone().unzip();
    Setting {
        changed_here: file.as_deref() == Some(page),
        reserved: reserved(&setting.key),
        key: setting.key,
        form: setting.kind,
        wanted: setting.wanted,
        value: setting.value,
        secret: setting.secret,
        default: setting.default,
        explanation: setting.explanation,
        file,
        line,
    }
}

/// A change of the drop-in of the page: key by key, or as a text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Change {
    /// The `fingerprint` that it is based on; needed where it is made.
    based_on: Option<String>,
    /// Changes of keys, one after the other.
    #[serde(default)]
    edits: Vec<Edit>,
    /// All that the drop-in is to say, in place of what it says.
    text: Option<String>,
}

impl Change {
    fn text(&self, store: &Store) -> Answer<String> {
        match &self.text {
            Some(_) if !self.edits.is_empty() => Err(Problem::bad_request("write either `edits` or `text`")),
            Some(text) => Ok(text.clone()),
            None => Ok(store.edited(&self.edits)?),
        }
    }

    /// For people.
    fn summary(&self) -> String {
        let of = |edit: &Edit| match edit {
            Edit::Set { key, value } => format!("{key} = {value}"),
            Edit::Unset { key } => format!("{key} as before"),
            Edit::TakeAway { key } => format!("{key} taken away"),
        };
        let all = self.edits.iter().map(of).collect::<Vec<_>>().join(", ");
        let all = if self.text.is_some() { "the text".to_owned() } else { all };
        all.chars().filter(|c| !c.is_control()).take(200).collect()
    }
}

/// What a change would come to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Checked {
    /// What would be wrong with the configuration, as `scanner check-config` says it.
    problems: Vec<Mistake>,
    /// Why it is not made all the same: it would load, and yet not do, or may not be changed over the network.
    refused: Option<String>,
    /// What the drop-in would say.
    text: String,
}

/// Check a change without making it.
#[utoipa::path(post, path = "/api/v1/configuration/check", operation_id = "check_configuration", tag = "configuration", request_body = Change, responses(
    (status = 200, body = Checked),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn check(
    State(rig): State<Rig>,
    Body(change): Body<Change>,
) -> Answer<Json<Checked>> {
    let store = store(&rig)?;
    on_disk(move || {
        let text = change.text(&store)?;
        let after = Survey::of(store.path(), Some((PAGE, Some(&text))));
        let refused = if after.problems.is_empty() {
            let unfit = || {
                Config::load_as_if(store.path(), PAGE, Some(&text))
                    .ok()
                    .and_then(|config| super::fit(&config).err())
            };
            // Whether it would do is looked up in files: only in those that may be named over the network.
            reserved::check(&Survey::of(store.path(), None), &after).err().or_else(unfit)
        } else {
            None
        };
        Ok(Json(Checked { problems: after.problems, refused, text }))
    })
    .await
}

/// What has come of a change.
#[expect(clippy::struct_field_names, reason = "as a client reads it")]
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Changed {
    /// Of the files, as they are now.
    pub(super) fingerprint: Fingerprint,
    /// Whether the drop-in said something else before.
    pub(super) changed: bool,
    /// Whether it waits for the end of what is under way; else it is put in force at once: the API ends then, and is there again a moment later.
    pub(super) waits: bool,
    /// What could not be had back, for want of a secret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) left_out: Vec<String>,
}

/// Change the configuration. It is written if the whole configuration loads with it, and put in force at once, or at the end of
/// what is under way: `in_force` of `GET /api/v1/configuration` says when.
#[utoipa::path(patch, path = "/api/v1/configuration", operation_id = "change_configuration", tag = "configuration", request_body = Change, responses(
    (status = 200, body = Changed),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn change(
    State(rig): State<Rig>,
    axum::Extension(grant): axum::Extension<Grant>,
    Body(change): Body<Change>,
) -> Answer<Json<Changed>> {
    let (store, seen) = (store(&rig)?, seen(change.based_on.clone())?);
    let reloads = rig.service.reloads().cloned();
    let put = on_disk(move || {
        let text = change.text(&store)?;
        let (by, summary) = (grant.token.name.as_str(), change.summary());
        put(
            &store,
            reloads.as_ref(),
            &Wish { drop_in: PAGE, text: Some(&text), based_on: Some(&seen), by, change: &summary },
        )
    })
    .await?;
    Ok(done(&rig, put, Vec::new()))
}

/// What has come of it.
pub(super) fn done(rig: &Rig, put: Put, left_out: Vec<String>) -> Json<Changed> {
    let waits = rig.service.status().scanning;
    Json(Changed { fingerprint: put.fingerprint, changed: put.changed, waits, left_out })
}
