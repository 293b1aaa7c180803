//! The parts of the rig, tried one by one while somebody presses, looks and measures.

use std::pin::pin;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::state::{Session, Setup};
use super::tried::{Became, Shown, TrialPhase};
use crate::api::transport::extract::Body;
use crate::api::transport::problem::{Answer, Problem};
use crate::daemon::{Bench, ByHand, Showing, Tried};
use crate::setup::trial::{Outcome, Part, repinned};
use crate::setup::{Answers, Function};

/// How long something stays on, or powered, for somebody who is asked and says nothing.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which part is to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TrialRequest {
    /// Its name.
    part: String,
}

/// What happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TrialAnswer {
    /// One of the words of the part, or a distance.
    answer: String,
}

/// Another pin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct TrialPin {
    /// The contact that has it.
    part: String,
    /// The pin, as somebody types it.
    pin: String,
}

/// What came of a try.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TrialResult {
    /// What became of the part; null if somebody has to be asked first.
    became: Option<Became>,
    /// What was changed, or what may be the reason, for people; empty if there is nothing to say.
    message: String,
}

impl Setup {
    /// Makes what is shown safe.
    async fn make_safe(&self) {
        let shown = {
            let mut trial = self.trial();
            trial.at_work = None;
            trial.shown.take()
        };
        if let Some(Shown { release, task }) = shown {
            drop(release);
            // It has nothing to say.
            let _ = task.await;
        }
    }

    /// Keeps something on, or powered, until somebody has said what it does.
    fn show(&self, part: Part, showing: Showing, mut taken: ByHand, bench: Bench) {
        let (release, released) = oneshot::channel::<()>();
        let setup = self.clone();
        let task = self.rig.runtime().spawn(async move {
            tokio::select! {
                _ = released => {}
                () = taken.told_to_stop() => setup.trial().at_work = None,
                () = tokio::time::sleep(PATIENCE) => setup.trial().at_work = None,
            }
            drop((showing, bench, taken));
        });
        let mut trial = self.trial();
        trial.at_work = Some((part, TrialPhase::Asked));
        trial.shown = Some(Shown { release, task });
    }

    /// Takes down what came of a try.
    fn settle(&self, part: Part, outcome: Outcome, session: &Session) -> Answer<TrialResult> {
        let (became, message) = match outcome {
            Outcome::Works => (Became::Works, String::new()),
            Outcome::Changed(answers, changed) => {
                session.keep(&answers)?;
                (Became::Changed, changed)
            }
            Outcome::Fails(reason) => (Became::Fails, reason),
        };
        self.trial().became(part, became);
        Ok(TrialResult { became: Some(became), message })
    }
}

/// The part of this name, and all the answers.
fn part_of(session: &Session, name: &str) -> Answer<(Part, Answers)> {
    let answers = session.whole()?;
    let part = Part::of(&answers).into_iter().find(|part| part.id() == name);
    let part =
        part.ok_or_else(|| Problem::not_found(format!("this rig has no part {name:?} to be tried")))?;
    Ok((part, answers))
}

/// Try a part of the rig: **a motor moves**, a light goes on, a contact is waited for, for 30 s. Only with somebody at the rig
/// who has agreed. `POST /api/v1/rig/cancel` brakes, and ends it. Not during a scan, nor where the service itself has the pins.
#[utoipa::path(post, path = "/api/v1/setup/trial", operation_id = "run_setup_trial", tag = "setup", request_body = TrialRequest, responses(
    (status = 200, body = TrialResult),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn try_part(
    State(setup): State<Setup>,
    Body(TrialRequest { part }): Body<TrialRequest>,
) -> Answer<Json<TrialResult>> {
    let _turn = setup.turn().await;
    let prepared = setup.with_session(move |_, session| {
        let (part, answers) = part_of(&session, &part)?;
        let config =
            session.place.load(&session.place.text(&answers, &session.facts)).map_err(Problem::setup)?;
        Ok((part, answers, config, session))
    });
    let (part, answers, config, session) = prepared.await?;
    setup.make_safe().await;
    let own = setup.clone();
    let done = setup.rig.act(move |service| async move {
        let mut taken = service.take_by_hand()?;
        let bench = Bench::beside(service.station())?;
        own.trial().at_work = Some((part, TrialPhase::Preparing));
        let now = || own.trial().at_work = Some((part, TrialPhase::Press));
        let tried = {
            let stop = pin!(taken.told_to_stop());
            bench.try_part(part, &config, &answers, now, stop).await
        };
        own.trial().at_work = None;
        match tried? {
            Tried::Over(outcome) => own.settle(part, outcome, &session),
            Tried::Ask(showing) => {
                own.show(part, showing, taken, bench);
                Ok(TrialResult { became: None, message: String::new() })
            }
        }
    });
    done.await.map(Json)
}

/// Say what happened to the part that was tried. What turns out to be described wrong is put right in the answers.
#[utoipa::path(post, path = "/api/v1/setup/trial/answer", operation_id = "set_setup_trial_answer", tag = "setup", request_body = TrialAnswer, responses(
    (status = 200, body = TrialResult),
    (status = 422, description = "This is no answer; `detail` says what was expected.", body = Problem, content_type = "application/problem+json"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn answer(
    State(setup): State<Setup>,
    Body(TrialAnswer { answer }): Body<TrialAnswer>,
) -> Answer<Json<TrialResult>> {
    let _turn = setup.turn().await;
    let asked = match setup.trial().at_work {
        Some((part, TrialPhase::Asked)) => Some(part),
        Some((_, TrialPhase::Preparing | TrialPhase::Press)) | None => None,
    };
    let part = asked.ok_or_else(|| Problem::setup("nothing is asked: try the part first"))?;
    let settled = setup.with_session(move |setup, session| {
        let outcome = part.answered(&answer, &session.whole()?, &session.facts);
        setup.settle(part, outcome.map_err(Problem::unprocessable)?, &session)
    });
    let result = settled.await?;
    setup.make_safe().await;
    Ok(Json(result))
}

/// Give a contact another pin.
#[utoipa::path(post, path = "/api/v1/setup/trial/pin", operation_id = "set_setup_trial_pin", tag = "setup", request_body = TrialPin, responses(
    (status = 200, body = TrialResult),
    (status = 422, description = "This is no pin for it; `detail` says why.", body = Problem, content_type = "application/problem+json"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn pin(
    State(setup): State<Setup>,
    Body(TrialPin { part, pin }): Body<TrialPin>,
) -> Answer<Json<TrialResult>> {
    let _turn = setup.turn().await;
    setup.make_safe().await;
    let settled = setup.with_session(move |setup, session| {
        let (part, answers) = part_of(&session, &part)?;
        let outcome = repinned(contact(part)?, &pin, &answers).map_err(Problem::unprocessable)?;
        setup.settle(part, outcome, &session)
    });
    settled.await.map(Json)
}

fn contact(part: Part) -> Answer<Function> {
    match part {
        Part::Contact(function) => Ok(function),
        Part::Direction(_) | Part::Distance(_) | Part::Home(_) | Part::Lamp(_) => {
            Err(Problem::bad_request("only a contact is given another pin here"))
        }
    }
}

/// End the trial: what is on goes off, motors are released.
#[utoipa::path(post, path = "/api/v1/setup/trial/end", operation_id = "cancel_setup_trial", tag = "setup", responses((status = 204)))]
pub(in crate::api) async fn end(State(setup): State<Setup>) -> http::StatusCode {
    // Whatever moves brakes, and then gives the turn back.
    if setup.trial().at_work.is_some() {
        let _ = setup.rig.service.pause("the trial was ended");
    }
    let _turn = setup.turn().await;
    setup.make_safe().await;
    http::StatusCode::NO_CONTENT
}
