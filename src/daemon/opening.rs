//! Opening and closing the cameras of a scan.

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::camera_driver::protocol::{ErrorKind, Hello};
use crate::config::{HoldSettings, Rung};
use crate::model::Controls;
use crate::plan::Plan;
use crate::rig::camera::{Camera, CameraError, Lease};
use crate::run::OpenCamera;
use crate::scan::recovery::reset_may_help;
use crate::units::Seconds;

use super::error::StartError;

/// Takes and opens every camera, all at once, each up to `attempts` times. If one fails or `stop` is cancelled,
/// all are closed again when this returns.
pub(super) async fn open_cameras(
    cameras: &[Camera],
    holder: &str,
    attempts: u32,
    stop: &CancellationToken,
) -> Result<Vec<OpenCamera>, StartError> {
    let lease = |camera: &Camera| {
        camera.lease(holder).map(|lease| (lease, camera.hold_settings(), camera.configured().exposure))
    };
    let leases = cameras.iter().map(lease).collect::<Result<Vec<_>, _>>()?;
    let opening = leases.into_iter().map(|(lease, hold_settings, exposure)| {
        tokio::spawn(open_camera(lease, hold_settings, exposure, attempts, stop.clone()))
    });
    let mut opened = Vec::new();
    let mut failed = None;
    for task in opening.collect::<Vec<_>>() {
        let error = match task.await {
            Ok(Ok(camera)) => {
                opened.push(camera);
                continue;
            }
            Ok(Err(error)) => StartError::Camera(error),
            Err(error) => StartError::Defect(error.to_string()),
        };
        failed.get_or_insert(error);
    }
    let Some(error) = failed else { return Ok(opened) };
    close_cameras(opened.into_iter().map(|camera| camera.lease)).await;
    Err(error)
}

/// Checks that `camera` can take the lens positions and exposures of `plan`.
pub(crate) fn stacks_of(plan: &Plan, camera: &Camera, hello: &Hello) -> Result<(), CameraError> {
    let name = camera.name();
    let positions = plan.points.iter().filter_map(|point| point.focus);
    for position in positions {
        let wanted = Controls { focus: Some(position), ..Controls::default() };
        wanted.check(&hello.controls).map_err(|refused| {
            let message = format!("the plan's focus stack cannot be taken: {refused}");
            CameraError::new(name, ErrorKind::InvalidArgument, message)
        })?;
    }
    let refuse = |why: String| {
        let message = format!("the plan's bracket cannot be taken: {why}");
        CameraError::new(name, ErrorKind::InvalidArgument, message)
    };
    let stops: Vec<_> = plan.points.iter().filter_map(|point| point.bracket).collect();
    let usual = camera.configured();
    let has = |control: &str| hello.controls.iter().any(|known| known.name == control);
    if !stops.is_empty() && !has("exposure") {
        return Err(refuse("this camera's exposure cannot be set".into()));
    }
    // What is automatic from image to image would make up for every exposure.
    let automatic = usual.exposure.is_none() || (has("gain") && usual.gain.is_none());
    if !stops.is_empty() && camera.hold_settings() == HoldSettings::Never && automatic {
        return Err(refuse(
            "its exposure and gain are found anew for each image (hold = \"never\"): set both in [camera.controls], or \
             have them held"
                .into(),
        ));
    }
    for exposure in usual.exposure.iter().flat_map(|usual| stops.iter().map(|stops| *usual * stops.factor()))
    {
        let wanted = Controls { exposure: Some(exposure), ..Controls::default() };
        wanted.check(&hello.controls).map_err(|refused| refuse(refused.to_string()))?;
    }
    Ok(())
}

/// Closes cameras in order, all at once.
pub(super) async fn close_cameras(leases: impl IntoIterator<Item = Lease>) {
    let closing = leases.into_iter().map(|lease| tokio::spawn(lease.end()));
    for task in closing.collect::<Vec<_>>() {
        if let Err(error) = task.await {
            warn!("closing a camera failed: {error}");
        }
    }
}

async fn open_camera(
    mut lease: Lease,
    hold_settings: HoldSettings,
    exposure: Option<Seconds>,
    attempts: u32,
    stop: CancellationToken,
) -> Result<OpenCamera, CameraError> {
    match stop.run_until_cancelled(open_lease(&mut lease, attempts)).await {
        Some(Ok(hello)) => Ok(OpenCamera { lease, hello, hold_settings, exposure }),
        Some(Err(error)) => {
            lease.end().await;
            Err(error)
        }
        None => {
            // Waits for the step that was given up, too.
            let camera = lease.camera().to_owned();
            lease.end().await;
            Err(CameraError::new(&camera, ErrorKind::Cancelled, "given up while it was being opened"))
        }
    }
}

/// Opens a camera, with a new driver each time that fails, up to `attempts` times; at last, once more with a port that is reset, where
/// that can be done.
pub(super) async fn open_lease(lease: &mut Lease, attempts: u32) -> Result<Hello, CameraError> {
    let mut result = lease.open().await;
    for _ in 1..attempts {
        let Err(error) = &result else { return result };
        // A new driver comes only after those that may be ended have been.
        let may_be_free = error.kind == ErrorKind::Busy && lease.may_end_holders();
        if !error.may_pass() && !may_be_free {
            break;
        }
        warn!(kind = %error.kind, "{error}; trying again");
        result = opened_by(lease, Rung::Respawn).await;
    }
    if let Err(error) = &result
        && reset_may_help(error.kind)
        && lease.can_reset()
    {
        warn!(kind = %error.kind, "{error}; trying again after a reset of its port");
        result = opened_by(lease, Rung::Reset).await;
    }
    result
}

async fn opened_by(lease: &mut Lease, rung: Rung) -> Result<Hello, CameraError> {
    lease.recover(rung).await?;
    lease.open().await
}
