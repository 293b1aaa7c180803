//! What is done about a request.

use serde_json::json;
use tracing::{info, warn};

use crate::dataset::ScanId;
use crate::model::Axis;
use crate::notify;
use crate::plan::{NewPoint, ShotIndex};
use crate::scan::{Description, ExtendedBy};
use crate::units::counted;

use super::super::error::Reason;
use super::super::facts;
use super::super::message::{Reply, Request, TokenAction};
use super::super::service::Service;
use super::super::work::Work;

/// What is said of a reload where the configuration is read once.
pub(super) const NO_RELOAD: &str = "a scan in the foreground keeps its configuration: wait for its end";

pub(super) async fn answer(service: &Service, request: Request) -> Reply {
    let done = Reply::done;
    let refused =
        |reason, error: &dyn std::fmt::Display| Reply::Refused { reason, message: error.to_string() };
    let work = match request {
        Request::Status => {
            return shown(&service.status());
        }
        Request::Retake { scan, shots } => {
            let count = shots.len();
            let scan = match scan.parse::<ScanId>() {
                Ok(scan) => scan,
                Err(error) => return refused(Reason::NotFound, &error),
            };
            return match service.retake(&scan, shots.into_iter().map(ShotIndex).collect()).await {
                Ok(()) => done(&format!("{count} of the shots of scan {scan} will be taken again")),
                Err(error) => refused(Reason::from(&error), &error),
            };
        }
        Request::Extend { scan, points } => return extend(service, &scan, points).await,
        Request::Describe { scan, changes } => {
            let scan = match scan.parse::<ScanId>() {
                Ok(scan) => scan,
                Err(error) => return refused(Reason::NotFound, &error),
            };
            return match service.describe(&scan, changes).await {
                Ok(description) => shown(&description),
                Err(error) => refused(Reason::from(&error), &error),
            };
        }
        Request::NotifyTest => return notify_test(service).await,
        Request::Pause => match service.pause("asked for by `scanner pause`") {
            Ok(()) => return done("pausing"),
            Err(error) => return refused(Reason::NotFound, &error),
        },
        Request::Cancel => match service.cancel() {
            Ok(()) => return done("cancelling"),
            Err(error) => return refused(Reason::NotFound, &error),
        },
        Request::Clear => match service.station().axes().clear() {
            Ok(()) => return done("cleared: the axes can move again"),
            Err(error) => return refused(Reason::Failed, &error),
        },
        Request::Home { axes } => match service.home(&axes).await {
            Ok(()) => return done(&at_home(&axes)),
            Err(error) => return refused(Reason::from(&error), &error),
        },
        Request::Token { action } => return token(service, action).await,
        Request::Pair { code, refuse } => match service.pairing().decide(&code, !refuse) {
            Ok(who) => return done(&format!("{who} is {}", if refuse { "refused" } else { "let in" })),
            Err(error) => return refused(Reason::NotFound, &error),
        },
        Request::Open { name } => match service.pairing().invite(&name) {
            Ok(invited) => {
                let status = json!({ "secret": invited.secret, "lasts_s": invited.lasts.as_secs() });
                return Reply::Ok { message: String::new(), status };
            }
            Err(error) => return refused(Reason::Failed, &error),
        },
        Request::Level { pin, high } => match service.station().set_level(pin, high) {
            Ok(()) => return done(&format!("GPIO{pin} is set")),
            Err(error) => return refused(Reason::Failed, &error),
        },
        Request::Press { button } => match service.station().press(button) {
            Ok(()) => return done(&format!("pressed {button}; `scanner status` shows what comes of it")),
            Err(error) => return refused(Reason::Failed, &error),
        },
        Request::Reload { .. } => return Reply::Refused { reason: Reason::InUse, message: NO_RELOAD.into() },
        Request::Start { plan, reference, description } => {
            let description = match description.applied(&Description::default()) {
                Ok(description) => description,
                Err(error) => return refused(Reason::Failed, &error),
            };
            let (plan, id) = (plan.into(), None);
            if reference {
                Work::Reference { plan, id, description }
            } else {
                Work::New { plan, id, description }
            }
        }
        Request::Resume { scan } => match scan.parse::<ScanId>() {
            Ok(scan) => Work::Resume { scan },
            Err(error) => return refused(Reason::NotFound, &error),
        },
    };
    match service.start(work).await {
        Ok(launched) => {
            info!(scan = %launched.id, "started at the control socket");
            done(&format!("scan {} has begun", launched.id))
        }
        Err(error) => {
            warn!("not started: {error}");
            refused(Reason::from(&error), &error)
        }
    }
}

/// Which axes are at home now, for people.
fn at_home(axes: &[Axis]) -> String {
    match axes {
        [] => "every axis is at home".into(),
        [axis] => format!("the {axis} is at home"),
        axes => {
            format!("{} are at home", axes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
    }
}

async fn extend(service: &Service, scan: &str, points: Vec<NewPoint>) -> Reply {
    let count = points.len();
    let scan = match scan.parse::<ScanId>() {
        Ok(scan) => scan,
        Err(error) => return Reply::Refused { reason: Reason::NotFound, message: error.to_string() },
    };
    match service.extend(&scan, points, ExtendedBy::Person).await {
        Ok(shots) => {
            let added = counted(count, "point was", "points were");
            Reply::done(&format!("{added} added to scan {scan}: it has {shots} shots now"))
        }
        Err(error) => Reply::Refused { reason: Reason::from(&error), message: error.to_string() },
    }
}

/// As the service itself would tell it, with what its unit lets it do.
async fn notify_test(service: &Service) -> Reply {
    let config = service.station().config();
    let (notify, facts) = (config.notify.clone(), facts(&config.api));
    let tried = tokio::task::spawn_blocking(move || notify::trial(&notify, &facts)).await;
    match tried {
        Ok(tried) => shown(&tried),
        Err(error) => Reply::Refused { reason: Reason::Failed, message: error.to_string() },
    }
}

/// What was asked for.
fn shown(value: &impl serde::Serialize) -> Reply {
    match serde_json::to_value(value) {
        Ok(status) => Reply::Ok { message: String::new(), status },
        Err(error) => Reply::Refused { reason: Reason::Failed, message: error.to_string() },
    }
}

/// Writing the file of tokens waits for the disk.
async fn token(service: &Service, action: TokenAction) -> Reply {
    let service = service.clone();
    let done = tokio::task::spawn_blocking(move || {
        let tokens = service.tokens();
        match action {
            TokenAction::New { name, may } => tokens.add(&name, may).map(|token| Reply::done(&token)),
            TokenAction::Revoke { name } => tokens
                .revoke(&name)
                .map(|()| Reply::done(&format!("the token {name:?} is not valid any more"))),
            TokenAction::List => {
                let list = tokens.list().into_iter();
                let list = list
                    .map(|token| json!({ "name": token.name, "created": token.created, "may": token.may }));
                Ok(Reply::Ok { message: String::new(), status: list.collect() })
            }
        }
    });
    match done.await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => Reply::Refused { reason: Reason::Failed, message: error.to_string() },
        Err(error) => Reply::Refused { reason: Reason::Failed, message: error.to_string() },
    }
}
