//! Whose turn it is.

use super::*;
use crate::config::Config;
use crate::rig::camera::Spawner;

/// A camera whose driver is never started.
fn camera(folder: &std::path::Path) -> StandbyCamera {
    let text = "[motion]\nbackend = \"sim\"\n[motion.turntable]\nspeed = \"60 deg/s\"\nacceleration = \"120 deg/s2\"\n[plan.ring]\nshape = \"ring\"\nangles = 1\n[[camera]]\nname = \"cam0\"\ndriver = \"none\"\nid = \"0\"\n";
    let config = Config::from_text("rig.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    let spawner = Spawner::new(folder).unwrap();
    let camera = Camera::new(&config.cameras[0], &config.recovery, 4, serde_json::Map::default(), spawner);
    StandbyCamera::new(camera, Arc::default(), Controls::default())
}

/// However shortly before it was taken: there is no moment in which a turn is taken and it is not known for what.
#[tokio::test]
async fn a_photograph_waits_for_whoever_only_looks_and_for_no_other_photograph() {
    let folder = tempfile::tempdir().unwrap();
    let camera = camera(folder.path());
    let looking = camera.turn.lock().await;
    let mut waiting = std::pin::pin!(camera.take(None, Duration::ZERO));
    assert!(futures_util::poll!(&mut waiting).is_pending(), "it is refused");
    drop(looking);
    let held = waiting.await.unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(camera.take(None, Duration::ZERO).await, Err(StandbyError::Taken { .. })));
    drop(held);
    assert!(camera.take(None, Duration::ZERO).await.is_ok());
}

/// Given back behind the back of whoever has the turn next, it would be had by somebody then.
#[tokio::test]
async fn whoever_has_the_turn_after_a_camera_that_could_not_be_opened_has_the_camera() {
    let folder = tempfile::tempdir().unwrap();
    let camera = camera(folder.path());
    let mut viewing = camera.turn.lock().await;
    assert!(matches!(camera.open(&mut viewing).await, Err(StandbyError::Camera(_))));
    drop(viewing);
    let closed = camera.close();
    closed.await;
    let scan = camera.handle().lease("scan");
    assert!(scan.is_ok(), "{:?}", scan.err());
}
