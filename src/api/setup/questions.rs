//! The questions, and their answers.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::{Found, Session, Setup};
use super::tried::TrialState;
use crate::api::transport::extract::{Body, Path};
use crate::api::transport::problem::{Answer, Problem, ProblemType};
use crate::config::{Config, MotionBackend};
use crate::daemon::is_known_driver;
use crate::setup::{Answers, Choice, Form, Key, Question, Refused, SIMULATED, STEPS};

/// How far the rig is set up.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct SetupState {
    /// Whether a setup has described this rig before.
    is_set_up: bool,
    /// What the configuration in force describes.
    described: Described,
    /// Whether the configuration in force is the one that is written.
    in_force: bool,
    /// The file that it writes.
    file: String,
    /// What machine this is, by its device tree; null if that says nothing.
    machine: Option<String>,
    /// What was found; null before that was looked for.
    found: Option<Found>,
    /// How many steps there are: the machine is the first, the file the last.
    steps: u32,
    /// Every question up to the one that is asked.
    questions: Vec<SetupQuestion>,
    /// The question that is asked; null if all are answered.
    next: Option<&'static str>,
    /// The parts that can be tried; none before all is answered, or if nothing is real.
    trial: Option<TrialState>,
    /// Why what was applied last is not in force, for people.
    refused: Option<String>,
}

/// What the configuration in force describes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum Described {
    /// No rig yet.
    Nothing,
    /// A rig of which nothing is real, such as comes with the program, by whatever but a setup.
    Simulated,
    /// Somebody's rig.
    Rig,
}

/// A question.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct SetupQuestion {
    /// Which one; as a file of answers has it.
    key: &'static str,
    /// The step that it belongs to, from 2.
    step: u32,
    /// What that step is about.
    step_title: &'static str,
    /// What is asked.
    title: String,
    /// What has to be known for it; may be empty.
    about: String,
    /// More, for who wants to know.
    more: &'static str,
    /// How it is answered.
    form: SetupForm,
    /// What may be chosen.
    choices: Vec<SetupChoice>,
    /// What is taken if nothing is said.
    usual: String,
    /// What was answered; null of the one that is asked.
    answer: Option<String>,
}

/// How a question is answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum SetupForm {
    /// By one of the choices.
    One,
    /// By any number of them, with blanks in between.
    Several,
    /// By one of them, or by another text.
    Open,
}

/// What may be chosen.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct SetupChoice {
    /// The answer.
    answer: String,
    /// What it means, for people; may be empty.
    about: String,
}

/// An answer, as somebody types it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SetupAnswer {
    /// Empty, it is the usual one.
    answer: String,
}

impl SetupState {
    pub(super) fn of(setup: &Setup, session: &Session) -> Self {
        let interview = session.interview();
        let whole = session.whole().ok();
        let again = session.facts.again();
        Self {
            is_set_up: again,
            described: Described::of(setup.rig.config(), again),
            in_force: session.place.written().is_some_and(|written| written == *setup.rig.config()),
            file: session.place.file().display().to_string(),
            machine: session.facts.machine.clone(),
            found: setup.looked().map(Found::from),
            steps: STEPS,
            questions: interview.questions().into_iter().map(SetupQuestion::from).collect(),
            next: interview.key().map(Key::name),
            trial: whole.and_then(|answers| setup.trial().state(&answers)),
            refused: setup.refused(),
        }
    }
}

impl Described {
    fn of(config: &Config, again: bool) -> Self {
        let computed = config.cameras.iter().all(|camera| camera.driver.ends_with(SIMULATED));
        let moved = match &config.motion.backend {
            MotionBackend::Sim { .. } => false,
            MotionBackend::Gpio(_) => true,
        };
        if config.is_undescribed() {
            Self::Nothing
        } else if again || moved || !computed {
            Self::Rig
        } else {
            Self::Simulated
        }
    }
}

impl From<Question> for SetupQuestion {
    fn from(question: Question) -> Self {
        let step = question.key.step();
        let choice = |Choice { answer, about }| SetupChoice { answer, about };
        Self {
            key: question.key.name(),
            step: step.number,
            step_title: step.title,
            title: question.title,
            about: question.about,
            more: question.more,
            form: match question.key.form() {
                Form::One => SetupForm::One,
                Form::Several => SetupForm::Several,
                Form::Open => SetupForm::Open,
            },
            choices: question.choices.into_iter().map(choice).collect(),
            usual: question.usual,
            answer: question.answer,
        }
    }
}

/// How far the rig is set up: what is known, what is asked, what was answered. A session that was left in a terminal goes on
/// here, and the other way round.
#[utoipa::path(get, path = "/api/v1/setup", operation_id = "get_setup", tag = "setup", responses(
    (status = 200, body = SetupState),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn state(State(setup): State<Setup>) -> Answer<Json<SetupState>> {
    setup.with_session(|setup, session| Ok(Json(SetupState::of(setup, &session)))).await
}

/// Answer a question: the one that is asked, or one that was answered before. Changes nothing but the answers.
#[utoipa::path(put, path = "/api/v1/setup/answers/{key}", operation_id = "set_setup_answer", tag = "setup", request_body = SetupAnswer,
    params(("key" = String, Path, description = "Which question.")), responses(
    (status = 200, body = SetupState),
    (status = 422, description = "This is no answer; `detail` says what was expected.", body = Problem, content_type = "application/problem+json"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn answer(
    State(setup): State<Setup>,
    Path(key): Path<String>,
    Body(SetupAnswer { answer }): Body<SetupAnswer>,
) -> Answer<Json<SetupState>> {
    let key = Key::named(&key).ok_or_else(|| Problem::not_found(format!("there is no question {key:?}")))?;
    let _turn = setup.turn().await;
    let answered = setup.with_session(move |setup, mut session| {
        let mut interview = session.interview();
        interview.put(key, &answer).map_err(|refused| match refused {
            Refused::Wrong(expected) => Problem::unprocessable(expected),
            Refused::Open { .. } | Refused::Needless(_) => Problem::setup(refused),
        })?;
        let answers = interview.answers().clone();
        check_drivers(&answers, &session.place.config)?;
        session.keep(&answers)?;
        session.answers = answers;
        Ok(Json(SetupState::of(setup, &session)))
    });
    answered.await
}

/// A driver is a program: over the network, only ours are chosen, and those that the configuration has already.
fn check_drivers(answers: &Answers, config: &Config) -> Answer<()> {
    let known =
        |driver: &str| config.cameras.iter().any(|camera| camera.driver == std::path::Path::new(driver));
    let other = answers.cameras().into_iter().find(|(driver, _)| !is_known_driver(driver) && !known(driver));
    let Some((driver, _)) = other else { return Ok(()) };
    let detail = format!(
        "the driver {driver:?} is not chosen over the network, since it names a program; on the machine itself: sudo scanner \
         setup"
    );
    Err(Problem::new(ProblemType::Reserved, detail))
}

/// Forget what was answered: begin anew, with what the configuration says.
#[utoipa::path(delete, path = "/api/v1/setup/answers", operation_id = "clear_setup_answers", tag = "setup", responses(
    (status = 200, body = SetupState),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::api) async fn forget(State(setup): State<Setup>) -> Answer<Json<SetupState>> {
    let _turn = setup.turn().await;
    let forgotten = setup.with_session(|setup, mut session| {
        session.place.forget();
        session.answers = session.place.answers();
        setup.trial().forget();
        Ok(Json(SetupState::of(setup, &session)))
    });
    forgotten.await
}
