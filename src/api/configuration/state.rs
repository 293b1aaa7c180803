//! The configuration, as its routes need it.

use http::StatusCode;

use crate::api::rig::state::Rig;
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::config::Survey;
use crate::daemon::Reloads;
use crate::drop_in::{Fingerprint, PAGE, Put, Store, Wish};

use super::reserved;

/// The store of a service; not of a scan in the foreground, which keeps its configuration.
pub(super) fn store(rig: &Rig) -> Answer<Store> {
    rig.service.store().ok_or_else(|| {
        let detail =
            "a scan in the foreground keeps its configuration: wait for its end, and start the service";
        Problem::new(ProblemType::InUse, detail)
    })
}

/// Puts in place what was wished over the network, if that may be changed so, and asks that it is put in force, whether or not its
/// client is still there. Blocks.
pub(super) fn put(store: &Store, reloads: Option<&Reloads>, wish: &Wish<'_>) -> Answer<Put> {
    // What was looked at is what is changed.
    let seen = match wish.based_on {
        Some(seen) => seen.clone(),
        None => store.fingerprint()?,
    };
    let before = Survey::of(store.path(), None);
    let after = Survey::of(store.path(), Some((wish.drop_in, wish.text)));
    if after.problems.is_empty() {
        reserved::check(&before, &after).map_err(|reason| Problem::new(ProblemType::Reserved, reason))?;
    }
    let wish = Wish { based_on: Some(&seen), ..*wish };
    let put = store.put(&wish, &super::fit)?;
    if let Some(reloads) = reloads.filter(|_| put.changed) {
        // Which ends the API; that waits until this is answered.
        reloads.ask_when_idle();
    }
    Ok(put)
}

/// What the drop-in of the page says, if nothing in it is a secret.
pub(super) fn shown_text(store: &Store, survey: &Survey) -> Answer<Option<String>> {
    let file = store.file(PAGE).display().to_string();
    let in_it = |setting: &crate::config::Setting| {
        setting.secret && setting.from.as_ref().is_some_and(|(from, _)| *from == file)
    };
    if survey.settings.iter().any(in_it) {
        return Ok(None);
    }
    Ok(Some(store.text(PAGE)?.unwrap_or_default()))
}

/// What somebody has seen.
pub(super) fn seen(fingerprint: Option<String>) -> Answer<Fingerprint> {
    fingerprint.map(Fingerprint::from).ok_or_else(|| {
        let detail = "say on what it is based: `based_on`, the `fingerprint` of GET /api/v1/configuration";
        Problem::bad_request(detail).with_status(StatusCode::UNPROCESSABLE_ENTITY)
    })
}
