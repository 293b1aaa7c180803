//! One run: the dataset is fetched, the command runs, the result is put back.

mod end;
mod log;

use std::fs::{self, File};
use std::io::Cursor;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep};
use tracing::{info, warn};

use super::command::{self, Ended};
use super::config::WorkerConfig;
use super::dataset::Unlike;
use super::job::{Item, JobId, LONGEST_LIST, List, Sum, is_inside};
use super::records::Record;
use super::results::RECORD;
use super::scratch::{Bench, Scratch};
use super::shop::Shop;
use super::state::{Input, Put, Step};
use super::{DATASETS, data_subject, dataset, result_subject};
pub use end::End;
use end::{Tries, here};
use log::{last_line, tail};

/// Most files of a result, and its log.
const MOST_FILES: usize = 100;
const LOG_NAME: &str = "log.txt";

/// A result, put.
#[derive(Debug)]
pub struct Made {
    /// Its files.
    pub files: Vec<Put>,
    /// How long it took.
    pub took: Duration,
    /// What can be removed once it is known to be there.
    pub bench: Bench,
}

/// A run.
pub struct Run<'a> {
    /// The workshop.
    pub shop: &'a Shop,
    /// The worker's configuration.
    pub config: &'a WorkerConfig,
    /// Its folder.
    pub scratch: &'a Scratch,
    /// The job.
    pub job: &'a JobId,
    /// What is known of it.
    pub record: &'a Record,
    /// This run's number.
    pub run: &'a str,
    /// What is told of it.
    pub step: watch::Sender<Step>,
    /// Whether to stop.
    pub stop: watch::Receiver<bool>,
}

impl Run<'_> {
    /// Makes and puts the result.
    pub async fn perform(&self) -> Result<Made, End> {
        let begun = Instant::now();
        let (list, bench) = self.unless_stopped(self.fetch()).await?;
        info!(job = %self.job, files = list.files.len(), "the dataset is here");
        self.command(&bench).await?;
        let files = self.unless_stopped(self.put(&bench)).await?;
        Ok(Made { files, took: begun.elapsed(), bench })
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T, End>>) -> Result<T, End> {
        tokio::select! { biased; () = stopped(self.stop.clone()) => Err(End::Stopped), done = work => done }
    }

    async fn fetch(&self) -> Result<(List, Bench), End> {
        let about = &self.record.about;
        let failed = |reason: String| End::Failed { reason, log: None };
        if about.list.bytes > LONGEST_LIST {
            return Err(failed(format!("its list of files has {} bytes", about.list.bytes)));
        }
        let json = self.get_list().await?;
        let list: List =
            serde_json::from_slice(&json).map_err(|error| failed(format!("its list of files: {error}")))?;
        list.check().map_err(failed)?;
        if list.scan != about.scan {
            return Err(failed(format!("its list is that of {}", list.scan)));
        }
        let bench = self.scratch.bench(self.job, &list.scan).map_err(|error| here(&error))?;
        bench.clear(&list.files).map_err(|error| here(&error))?;
        let missing: Vec<_> = list.files.iter().enumerate().filter(|(_, file)| !bench.has(file)).collect();
        let of = list.bytes();
        let mut bytes = of - missing.iter().map(|(_, file)| file.sum.bytes).sum::<u64>();
        self.must_have_room(of - bytes)?;
        for (number, file) in missing {
            self.step.send_replace(Step::Fetching { bytes, of });
            self.get_file(&bench, number, file).await?;
            bytes += file.sum.bytes;
        }
        dataset::agrees(&bench.dataset, &list).map_err(|unlike| match unlike {
            Unlike::Unread(error) => End::Trouble(error.to_string()),
            Unlike::Damaged(reason) => failed(reason),
        })?;
        Ok((list, bench))
    }

    fn must_have_room(&self, bytes: u64) -> Result<(), End> {
        let free = self.scratch.free().map_err(|error| here(&error))?;
        let wanted = bytes.saturating_add(self.config.keep_free_mb.saturating_mul(1_000_000));
        if free < wanted {
            let message = format!(
                "{} MB are free in the scratch folder, and {} are needed",
                free / 1_000_000,
                wanted / 1_000_000
            );
            return Err(End::Trouble(message));
        }
        Ok(())
    }

    async fn get_list(&self) -> Result<Vec<u8>, End> {
        let subject = data_subject(self.job, "list");
        let sum = self.record.about.list;
        let mut tries = Tries::default();
        loop {
            let mut json = Vec::new();
            match self.shop.get(DATASETS, &subject, &mut json, sum).await {
                Ok(()) => return Ok(json),
                Err(error) => tries.again(self.shop, "its list of files", error).await?,
            }
        }
    }

    async fn get_file(&self, bench: &Bench, number: usize, file: &Item) -> Result<(), End> {
        let path = bench.dataset.join(&file.path);
        // No file of a dataset begins so: what is half there is swept away by the next run.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = path.with_file_name(format!(".{name}.part"));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| here(&error))?;
        }
        let subject = data_subject(self.job, &number.to_string());
        let mut tries = Tries::default();
        loop {
            let mut to = File::create(&part).map_err(|error| here(&error))?;
            match self.shop.get(DATASETS, &subject, &mut to, file.sum).await {
                Ok(()) => return fs::rename(&part, &path).map_err(|error| here(&error)),
                Err(error) => tries.again(self.shop, &file.path, error).await?,
            }
        }
    }

    async fn command(&self, bench: &Bench) -> Result<(), End> {
        let paths = [("{dataset}", bench.dataset.as_path()), ("{out}", bench.out.as_path())];
        let filled = |argument: &String| {
            paths
                .iter()
                .fold(argument.clone(), |text, (name, path)| text.replace(name, &path.to_string_lossy()))
        };
        let command: Vec<String> = self.config.command.iter().map(filled).collect();
        let environment =
            [("SCANNER_DATASET", bench.dataset.as_path()), ("SCANNER_OUT", bench.out.as_path())];
        self.step.send_replace(Step::Working { said: String::new() });
        let log = File::create(&bench.log).map_err(|error| here(&error))?;
        let mut started =
            command::start(&command, &bench.work, &environment, log).map_err(|error| here(&error))?;
        let leash = started.leash();
        let mut waiting = spawn_blocking(move || started.wait());
        let mut look = interval(Duration::from_secs(1));
        let limit = sleep(self.config.time_limit());
        tokio::pin!(limit);
        let cut = loop {
            tokio::select! {
                ended = &mut waiting => break Err(ended),
                () = stopped(self.stop.clone()) => break Ok(End::Stopped),
                () = &mut limit => {
                    let reason = format!("the command takes longer than {} s", self.config.time_limit_s);
                    break Ok(End::Failed { reason, log: None });
                }
                _ = look.tick() => drop(self.step.send_replace(Step::Working { said: last_line(&bench.log) })),
            }
        };
        let ended = match cut {
            Err(ended) => ended,
            Ok(end) => {
                // It ends with all that it has started; only then another one may begin.
                drop(leash);
                let _ended = waiting.await;
                return Err(self.with_log(end, bench).await);
            }
        };
        let ended = ended.map_err(|error| End::Trouble(error.to_string()))?.map_err(|error| here(&error))?;
        match ended {
            Ended::Well => Ok(()),
            Ended::NotStarted => {
                Err(End::Trouble(format!("the command cannot be started: {}", last_line(&bench.log))))
            }
            Ended::Badly(reason) => {
                // A disk that is full is no fault of the job.
                self.must_have_room(0)?;
                let said = last_line(&bench.log);
                let reason = if said.is_empty() { reason } else { format!("{reason}: {said}") };
                Err(self.with_log(End::Failed { reason, log: None }, bench).await)
            }
        }
    }

    /// A failure with what the command has said; without, where that cannot be put.
    async fn with_log(&self, end: End, bench: &Bench) -> End {
        let End::Failed { reason, log: None } = end else { return end };
        let name = format!("failed-{}.txt", self.run);
        let log = match tail(&bench.log) {
            Ok(text) => self.unless_stopped(self.put_bytes(&name, "log", &text)).await,
            Err(error) => Err(here(&error)),
        };
        match log {
            Ok(log) => End::Failed { reason, log: Some(log) },
            Err(why) => {
                warn!(job = %self.job, ?why, "its log cannot be put back");
                End::Failed { reason, log: None }
            }
        }
    }

    async fn put(&self, bench: &Bench) -> Result<Vec<Put>, End> {
        self.step.send_replace(Step::Putting);
        let mut names = Vec::new();
        for entry in fs::read_dir(&bench.out).map_err(|error| here(&error))? {
            let entry = entry.map_err(|error| here(&error))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && is_inside(&name) && !name.starts_with('.') && name != LOG_NAME && name != RECORD {
                names.push(name);
            }
        }
        names.sort();
        let wrong = if !names.iter().any(|name| name.starts_with("model.")) {
            Some("the command has left no model.* in the folder for results".to_owned())
        } else if names.len() > MOST_FILES {
            Some(format!("the command has left {} files: most are {MOST_FILES}", names.len()))
        } else {
            None
        };
        if let Some(reason) = wrong {
            return Err(self.with_log(End::Failed { reason, log: None }, bench).await);
        }
        // Whoever was believed dead learns it before it puts anything.
        let say = Input::Say { run: self.run.to_owned(), step: Step::Putting };
        if let Err(error) = self.shop.change(self.job, say, None).await
            && error.refused().is_some()
        {
            return Err(End::Stopped);
        }
        let mut put = Vec::with_capacity(names.len() + 1);
        for (number, name) in names.iter().enumerate() {
            let open = || File::open(bench.out.join(name));
            let sum = open().and_then(dataset::sum).map_err(|error| here(&error))?;
            let mut tries = Tries::default();
            put.push(loop {
                let subject = result_subject(self.job, self.run, &format!("{number}-{}", tries.all));
                let mut from = open().map_err(|error| here(&error))?;
                match self.shop.put(&subject, &mut from, sum).await {
                    Ok(()) => break Put { name: name.clone(), subject, sum },
                    Err(error) => tries.again(self.shop, name, error).await?,
                }
            });
        }
        let text = tail(&bench.log).map_err(|error| here(&error))?;
        put.push(self.put_bytes(LOG_NAME, "log", &text).await?);
        Ok(put)
    }

    async fn put_bytes(&self, name: &str, number: &str, bytes: &[u8]) -> Result<Put, End> {
        let sum = Sum::NONE.and(bytes);
        let mut tries = Tries::default();
        loop {
            let subject = result_subject(self.job, self.run, &format!("{number}-{}", tries.all));
            match self.shop.put(&subject, &mut Cursor::new(bytes), sum).await {
                Ok(()) => return Ok(Put { name: name.to_owned(), subject, sum }),
                Err(error) => tries.again(self.shop, name, error).await?,
            }
        }
    }
}

/// Ends once it is to be stopped.
async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody can say so any more.
        std::future::pending::<()>().await;
    }
}
