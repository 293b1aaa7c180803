//! Preparing a scan, and seeing it to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Zoned;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::calibration::Targets;
use crate::dataset::ScanId;
use crate::run::{Command, Errand, OpenCamera, Summary};
use crate::scan::{End, WaitsFor};

use super::super::error::StartError;
use super::super::resumes;
use super::super::station::{Job, Prepared, Station};
use super::claim::Claim;
use super::derived::write_report;
use super::{Launched, Service, Starting};
use crate::daemon::work::Work;

/// How long the disk may take for one step of the preparation of a scan, such as to read an image or to remove old scans.
const DISK_PATIENCE: Duration = Duration::from_secs(600);

impl Service {
    /// Takes the rig for a scan, at once, and starts it in the background: a new scan's folder is made once the
    /// cameras are open, so that what cannot begin leaves nothing behind. Until the scan has begun, [`Self::pause`] and
    /// [`Self::cancel`] give it up.
    ///
    /// # Errors
    /// The rig is taken, or the program is ending.
    pub fn begin(&self, work: Work) -> Result<Starting, StartError> {
        let (claim, commands) = self.claim()?;
        Ok(Starting(tokio::spawn(self.clone().launch(claim, work, commands, None))))
    }

    /// As [`Self::begin`], and waits until the scan has begun.
    pub async fn start(&self, work: Work) -> Result<Launched, StartError> {
        self.begin(work)?.done().await
    }

    /// Sees the scan to its end. One for a calibration is measured by these targets then.
    pub(super) async fn launch(
        self,
        mut claim: Claim,
        work: Work,
        mut commands: mpsc::Receiver<Command>,
        measured_by: Option<Targets>,
    ) -> Result<Launched, StartError> {
        let (prepared, cameras) = match self.prepare(work, &mut commands).await {
            Ok(ready) => ready,
            Err(error) => {
                claim.failed(&error);
                return Err(error);
            }
        };
        let id = prepared.id.clone();
        if let Some(targets) = measured_by {
            self.calibrations.want(&id, targets);
        }
        let (following, watching, scan) = (self.follow(&id), self.watch(&id), id.clone());
        let (teller, progress) = watch::channel(prepared.progress());
        claim.scanning(progress.clone());
        let end = tokio::spawn(async move {
            let listeners = self.listeners.clone();
            let (ended, cameras) =
                self.station.run(prepared, cameras, commands, listeners, teller, self.pulse.clone()).await;
            self.station.close(cameras).await;
            let goes_on = match &ended {
                Ok(summary) => self.extend_once(&scan, &summary.end).await,
                Err(_) => false,
            };
            match &ended {
                Ok(summary) => {
                    // A service that breaks down again and again is not to go on with the scan for ever.
                    if !matches!(summary.end, End::Paused { waits_for: WaitsFor::Service, .. }) {
                        resumes::forget(&self.station.config().storage);
                    }
                    claim.ended(summary);
                }
                Err(error) => {
                    error!("{error}");
                    claim.failed(error);
                }
            }
            match &ended {
                Ok(Summary { end: End::Finished(_), .. }) if !goes_on => following.finish(),
                // It is followed again when it goes on.
                Ok(Summary { end: End::Finished(_) | End::Paused { .. }, .. }) | Err(_) => drop(following),
            }
            match &ended {
                // Paused, it is followed again when it goes on. What its images show of the marks is known then.
                Ok(_) => watching.finish(),
                Err(_) => drop(watching),
            }
            // Before anybody hears of the end.
            drop(claim);
            if !goes_on {
                self.measure_after(&scan, &ended);
            }
            if goes_on {
                // Report and exports are those of its true end.
                self.go_on_with(scan);
            } else if let Ok(summary) = &ended {
                self.export(summary);
                if let End::Finished(_) = summary.end {
                    write_report(self.station.config().storage.directory.join(&summary.scan)).await;
                }
            }
            ended
        });
        Ok(Launched { id, progress, end })
    }

    /// Everything up to the first move. What was taken is given back if it fails.
    async fn prepare(
        &self,
        work: Work,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(Prepared, Vec<OpenCamera>), StartError> {
        let hours = self.station.config().schedule.at(&Zoned::now());
        if !hours.open {
            let until = hours
                .until
                .map_or_else(|| "for good".into(), |until| format!("until {}", until.strftime("%F %H:%M")));
            return Err(StartError::OutOfHours { until });
        }
        match self.on_a_thread(move |station, _| station.decide(work)).await? {
            Job::Resume { scan } => {
                let prepared = self.prepare_resumed(&scan, commands).await?;
                if !prepared.wants_cameras() {
                    return Ok((prepared, Vec::new()));
                }
                self.station.pin_sizes(prepared.plan());
                let cameras = self.open_unless_told(Some(scan), commands).await?;
                let checked = self.station.same_cameras(&prepared.id, prepared.plan());
                match checked.and_then(|()| self.station.check_stacks(prepared.plan())) {
                    Ok(()) => Ok((prepared, cameras)),
                    Err(error) => {
                        self.station.close(cameras.into_iter().map(|camera| camera.lease)).await;
                        Err(error)
                    }
                }
            }
            Job::New { plan, id, reference, description } => {
                let wish = (plan.clone(), id.clone());
                self.on_a_thread(move |station, _| station.check_new(&wish.0, wish.1.as_ref())).await?;
                let cameras = self.open_unless_told(None, commands).await?;
                match self
                    .on_a_thread(move |station, _| station.prepare_new(&plan, id, reference, &description))
                    .await
                {
                    Ok(prepared) => Ok((prepared, cameras)),
                    Err(error) => {
                        self.station.close(cameras.into_iter().map(|camera| camera.lease)).await;
                        Err(error)
                    }
                }
            }
        }
    }

    /// Puts the dataset in order, unless somebody wants the scan to stop meanwhile.
    async fn prepare_resumed(
        &self,
        scan: &ScanId,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Prepared, StartError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (id, told) = (scan.clone(), stop.clone());
        let pulse = self.pulse.clone();
        let preparing = self.on_a_thread(move |station, errand| {
            station.prepare_resumed(&id, &|| {
                pulse.beat(DISK_PATIENCE);
                errand.goes_on();
                !told.load(Ordering::Relaxed)
            })
        });
        tokio::pin!(preparing);
        let command = tokio::select! {
            prepared = &mut preparing => return prepared,
            Some(command) = commands.recv() => command,
        };
        stop.store(true, Ordering::Relaxed);
        // What became of it does not matter: it can be begun again.
        let _ = preparing.await;
        Err(StartError::NotResumed { scan: scan.clone(), reason: command.reason() })
    }

    /// Opens the cameras, unless somebody wants the scan to stop meanwhile.
    async fn open_unless_told(
        &self,
        resumed: Option<ScanId>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Vec<OpenCamera>, StartError> {
        let stop = CancellationToken::new();
        let opening = async {
            self.standby.close().await;
            self.station.open_all("scan", &stop).await
        };
        tokio::pin!(opening);
        let command = tokio::select! {
            opened = &mut opening => return opened,
            Some(command) = commands.recv() => command,
        };
        stop.cancel();
        // An error is what was asked for.
        if let Ok(cameras) = opening.await {
            self.station.close(cameras.into_iter().map(|camera| camera.lease)).await;
        }
        let reason = command.reason();
        Err(match resumed {
            Some(scan) => StartError::NotResumed { scan, reason },
            None => StartError::NotBegun { reason },
        })
    }

    /// A step that waits for the disk.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        step: impl FnOnce(&Station, &Errand) -> Result<T, StartError> + Send + 'static,
    ) -> Result<T, StartError> {
        let station = self.station.clone();
        self.pulse.beat(DISK_PATIENCE);
        let done = tokio::task::spawn_blocking(move || step(&station, &station.at_disk().begin())).await;
        self.pulse.rest();
        done.unwrap_or_else(|error| Err(StartError::Defect(error.to_string())))
    }
}

impl Starting {
    /// Waits until the scan has begun. It goes on if nobody waits.
    pub async fn done(self) -> Result<Launched, StartError> {
        self.0.await.unwrap_or_else(|error| Err(StartError::Defect(error.to_string())))
    }
}
