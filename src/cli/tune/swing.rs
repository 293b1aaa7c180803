//! How its axes swing, which the rig finds out by its own cameras.

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use crate::api::fit;
use crate::config::Config;
use crate::daemon::{Service, StartError, Station, TuneError, TuneProgress, attend, gain_of, serve};
use crate::logging;
use crate::model::{Axis, Shaper};
use crate::rig::camera::reap_orphans;
use crate::tune::{self, AxisSwing, Gain, TunedAxis, Tuning, unseen};

use super::super::args::SwingArgs;
use super::super::exit::{Exit, Failure};
use super::super::signals::Signals;
use super::super::{config as changing, output, run};

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(250);

/// What was found, as JSON.
#[derive(Serialize)]
struct Told<'a> {
    axes: Vec<ToldAxis<'a>>,
    /// Where all of it is kept; none after a dry run.
    kept: Option<PathBuf>,
    picture: Option<PathBuf>,
}

#[derive(Serialize)]
struct ToldAxis<'a> {
    swing: Option<AxisSwing>,
    gain: Option<Gain>,
    #[serde(flatten)]
    found: &'a TunedAxis,
}

pub(super) fn swing(path: &Path, config: &Config, what: SwingArgs) -> Result<Exit, Failure> {
    let SwingArgs { axis, dry_run, json } = what;
    let axes: Vec<Axis> = axis.into_iter().map(Axis::from).collect();
    let state = config.storage.state_directory.clone();
    let found = measured(config.clone(), &axes)?;
    let gains: Vec<Option<Gain>> = found.iter().map(|axis| gain_of(config, axis)).collect();
    let unwritable = |message: String| Failure { exit: Exit::Storage, message };
    let kept =
        if dry_run { None } else { Some(Tuning::keep_beside(found.clone(), &state).map_err(unwritable)?) };
    if json {
        let (kept, picture) = kept.map(|[file, picture]| (file, picture)).unzip();
        let told = |(found, gain): (_, &Option<Gain>)| ToldAxis::of(found, *gain);
        let axes = found.iter().zip(&gains).map(told).collect();
        output::json(&Told { axes, kept, picture })?;
    } else {
        tell(&found, &gains)?;
        if let Some([file, picture]) = &kept {
            output::print(&format!("kept in {}, drawn in {}", file.display(), picture.display()))?;
        }
    }
    if let Some(reason) = unseen(&found) {
        output::error(reason);
        return Ok(Exit::Failed);
    }
    if !dry_run {
        changing::change(path, "scanner tune", json, |store, by| tune::write(store, &found, by, &fit))?;
    }
    Ok(Exit::Done)
}

/// Wires the rig up, moves and looks, and takes it down again.
fn measured(config: Config, axes: &[Axis]) -> Result<Vec<TunedAxis>, Failure> {
    let runtime = run::runtime()?;
    let outcome = runtime.block_on(async {
        let directory = config.storage.runtime_directory.clone();
        let mut signals = Signals::install_at_terminal()?;
        let service = Service::new(Station::open(config).map_err(taken)?);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(service.clone(), &directory)?);
        tasks.spawn(attend(service.clone()));
        tasks.spawn(reap_orphans());
        let (told, progress) = watch::channel(None);
        let bar = tokio::spawn(draw(progress));
        let found = {
            let tuning = service.tune(axes, &told);
            tokio::pin!(tuning);
            tokio::select! {
                // First, so that there is something to give up when a signal came before it was polled at all.
                biased;
                found = &mut tuning => found,
                heard = signals.next() => {
                    warn!("braking ({})", heard.name());
                    // It may have ended just now.
                    let _ = service.cancel();
                    tuning.await
                }
            }
        };
        drop(told);
        // It ends with the sender.
        let _ = bar.await;
        tasks.shutdown().await;
        tokio::task::block_in_place(|| service.station().end());
        Ok(found?)
    });
    run::shut_down(runtime);
    outcome
}

/// Why there is no rig to tune. A service that has it can do it itself.
fn taken(error: StartError) -> Failure {
    let in_use = matches!(error, StartError::RigInUse { .. });
    let mut failure = Failure::from(error);
    if in_use {
        failure.message +=
            "; a service tunes its rig itself: in its page (System, Calibration), or by POST /api/v1/tuning";
    }
    failure
}

/// Draws how far it is, until the sender is gone. Draws nothing where nobody looks.
async fn draw(mut progress: watch::Receiver<Option<TuneProgress>>) {
    let (true, Some(bars)) = (logging::is_interactive(), logging::bars()) else { return };
    let bar = bars.add(ProgressBar::new(0));
    if let Ok(style) =
        ProgressStyle::with_template("{msg} [{wide_bar}] {pos}/{len} moves, {elapsed}, {eta} left")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    let mut tick = tokio::time::interval(TICK);
    loop {
        if let Some(TuneProgress { axis, done, moves }) = *progress.borrow_and_update() {
            bar.set_length(moves as u64);
            bar.set_position(done as u64);
            bar.set_message(axis.name());
        }
        tokio::select! {
            changed = progress.changed() => if changed.is_err() { break },
            _ = tick.tick() => bar.tick(),
        }
    }
    bar.finish_and_clear();
}

impl<'a> ToldAxis<'a> {
    fn of(found: &'a TunedAxis, gain: Option<Gain>) -> Self {
        Self { swing: found.swing(), gain, found }
    }
}

fn say(axis: Axis, Gain { distance, unshaped_s, shaped_s, shaper }: &Gain) -> String {
    let unit = axis.unit();
    let until = |seconds: &Option<f64>| {
        seconds.map_or_else(|| "never rests".to_owned(), |seconds| format!("rests after {seconds:.2} s"))
    };
    let unshaped = until(unshaped_s);
    if *shaper == Shaper::Off {
        return format!(
            "{axis}: after a move over {distance:.1} {unit} it {unshaped}; no shaper makes that sooner"
        );
    }
    let shaped = until(shaped_s);
    format!(
        "{axis}: after a move over {distance:.1} {unit} it {shaped}, by the shaper {}; without, it {unshaped}",
        shaper.name()
    )
}

fn tell(found: &[TunedAxis], gains: &[Option<Gain>]) -> Result<(), Failure> {
    for (TunedAxis { axis, places, .. }, gain) in found.iter().zip(gains) {
        for place in places {
            let by = place.camera.as_ref().map(|camera| format!(", by {camera}")).unwrap_or_default();
            output::print(&format!("{axis} at {:.1} {}: {}{by}", place.at, axis.unit(), place.found))?;
        }
        if let Some(gain) = gain {
            output::print(&say(*axis, gain))?;
        }
    }
    Ok(())
}

impl From<TuneError> for Failure {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Rig(error) => error.into(),
            TuneError::NoAxis(_) | TuneError::NoCamera => Self::new(Exit::Config, &error),
            TuneError::Blind => Self::new(Exit::Camera, &error),
            TuneError::GivenUp => Self::new(Exit::Cancelled, &error),
        }
    }
}
