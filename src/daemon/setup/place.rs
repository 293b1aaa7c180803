//! Where a setup reads and writes: the configuration with its drop-ins, and the answers of a session that was left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;

use crate::config::{Config, ConfigErrors, gpio};
use crate::daemon::error::StartError;
use crate::daemon::fit::plans_of;
use crate::daemon::storage;
use crate::drop_in::{Store, StoreError, Wish};
use crate::durable::{self, Readers};
use crate::plan::summary;
use crate::regular_file::{self, SMALL, Unread};
use crate::setup::{
    Answers, DROP_IN, Disk, Facts, FoundCamera, Layer, Overlap, PLAN, complete, overlaps, write,
};
use crate::sim::SimAxes;

/// The configuration, which a setup may write.
pub struct Place {
    path: PathBuf,
    folder: PathBuf,
    /// What it says, or would say with the usual answers.
    pub config: Config,
    /// Its files.
    pub layers: Vec<Layer>,
    /// What is wrong with the drop-in that will be replaced.
    pub replaced: Option<ConfigErrors>,
}

/// Why no setup can be done there.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// This user may not write there.
    #[error("{} cannot be written by this user: {error}", .folder.display())]
    Unwritable {
        /// Where the drop-in would be.
        folder: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is nothing to write into.
    #[error(
        "there is no folder {}: make it, and a configuration in it, or name one that is there (-c FILE)",
        .folder.display()
    )]
    NoFolder {
        /// Where the configuration would be.
        folder: PathBuf,
    },
    /// What others wrote is wrong.
    #[error("{0}\n\nPut this right first; nothing was changed.")]
    Config(ConfigErrors),
    /// Its files cannot be listed.
    #[error(transparent)]
    Unread(#[from] io::Error),
}

impl Place {
    /// Looks whether a setup can do its work there.
    pub fn open(path: &Path) -> Result<Self, PlaceError> {
        let folder = Config::drop_in_folder(path);
        may_write(path, &folder)?;
        let layers = layers(path)?;
        let present = Config::load(path);
        // What others wrote may build upon what a setup wrote before.
        let config = match Config::load_as_if(path, DROP_IN, None)
            .or_else(|errors| present.clone().map_err(|_| errors))
        {
            Ok(config) => config,
            Err(errors) => {
                // One that lacks only what is asked for here is in order.
                let facts = Facts {
                    layers: layers.iter().filter(|layer| !layer.own).cloned().collect(),
                    ..Facts::default()
                };
                let usual = write(&complete(&Answers::default(), &facts), &facts, &[]);
                Config::load_as_if(path, DROP_IN, Some(&usual)).map_err(|left| {
                    let theirs = left.problems().iter().all(|problem| !problem.file.ends_with(DROP_IN));
                    PlaceError::Config(if theirs { left } else { errors })
                })?
            }
        };
        let own = layers.iter().any(|layer| layer.own);
        let replaced = present.err().filter(|_| own);
        Ok(Self { path: path.to_owned(), folder, config, layers, replaced })
    }

    /// What is known of this machine with these cameras and disks.
    pub fn facts(&self, machine: Option<String>, cameras: Vec<FoundCamera>, disks: Vec<Disk>) -> Facts {
        Facts { machine, cameras, disks, layers: self.layers.clone() }
    }

    /// The file that is written.
    pub fn file(&self) -> PathBuf {
        self.folder.join(DROP_IN)
    }

    /// The drop-in of `answers`, without the plans of other files that the rig cannot reach.
    pub fn text(&self, answers: &Answers, facts: &Facts) -> String {
        let others: Vec<String> = facts.names_at("plan").into_iter().filter(|name| name != PLAN).collect();
        let reached = |name: &String| {
            let off: Vec<String> = others.iter().filter(|other| *other != name).cloned().collect();
            self.load(&write(answers, facts, &off)).is_ok_and(|config| plans_of(&config).is_ok())
        };
        let off: Vec<String> = others.iter().filter(|name| !reached(name)).cloned().collect();
        write(answers, facts, &off)
    }

    /// The whole configuration with this drop-in, as it is read from the files.
    pub fn load(&self, text: &str) -> Result<Config, ConfigErrors> {
        Config::load_as_if(&self.path, DROP_IN, Some(text))
    }

    /// The configuration that is written, if it loads.
    pub fn written(&self) -> Option<Config> {
        Config::load_even_undescribed(&self.path).ok()
    }

    /// Puts a drop-in in place, as `by` wishes.
    pub fn put(&self, text: &str, by: &str) -> Result<(), StoreError> {
        let store = Store::new(&self.path, &self.config.storage.state_directory);
        let change = "the rig, by questions";
        let wish = Wish { drop_in: DROP_IN, text: Some(text), based_on: None, by, change };
        store.put(&wish, &|_| Ok(())).map(drop)
    }

    /// Where answers wait for the next time.
    fn kept(&self) -> PathBuf {
        self.config.storage.state_directory.join("setup.toml")
    }

    /// The answers of a session that was left; none if there is no such file, or it is not to be understood.
    pub fn answers(&self) -> Answers {
        let bytes = regular_file::read(&self.kept(), SMALL).unwrap_or_default();
        Answers::from_toml(&String::from_utf8_lossy(&bytes)).unwrap_or_default()
    }

    /// Keeps them for the next time.
    pub fn keep(&self, answers: &Answers) -> io::Result<()> {
        durable::create_folder(&self.config.storage.state_directory)?;
        durable::swap(&self.kept(), answers.to_toml().as_bytes(), Readers::Owner)
    }

    /// Forgets them: they are in the configuration.
    pub fn forget(&self) {
        let _ = fs::remove_file(self.kept());
    }

    /// How much a scan of the plan that was asked for is, for people; none if there is none.
    pub fn told(config: &Config) -> Result<Option<String>, StartError> {
        let start = SimAxes::home(&config.motion.axes);
        let plan = plans_of(config)?.into_iter().find(|(name, _)| *name == PLAN);
        Ok(plan.map(|(_, plan)| format!("A scan: {}.", summary(config, &plan, &start))))
    }
}

/// What is odd about the drop-in `text`, with which the configuration is `config`, for people.
pub fn notes(text: &str, facts: &Facts, config: &Config) -> Vec<String> {
    let overlap = |found: &Overlap| {
        let keys = found.keys.join(", ");
        if found.theirs {
            format!("NOTE: {} is read later and overrides this file in: {keys}", found.file)
        } else {
            format!("{} stays as it is; this file overrides it in: {keys}", found.file)
        }
    };
    let mut notes: Vec<String> = overlaps(text, &facts.layers).iter().map(overlap).collect();
    let warnings = gpio::warnings(config).into_iter().chain(storage::warning(&config.storage));
    notes.extend(warnings.map(|warning| format!("warning: {warning}")));
    notes
}

/// The folder that the configuration is in.
fn beside(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Before anything is asked: it would be a pity about the answers.
fn may_write(path: &Path, folder: &Path) -> Result<(), PlaceError> {
    let written = if folder.is_dir() { folder } else { beside(path) };
    let may = access(written, Access::WRITE_OK | Access::EXEC_OK);
    may.map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR => PlaceError::NoFolder { folder: written.to_owned() },
        error => PlaceError::Unwritable { folder: written.to_owned(), error: error.into() },
    })
}

/// Every file of the configuration that is TOML; what is wrong with the others, the loader says.
fn layers(path: &Path) -> io::Result<Vec<Layer>> {
    let mut layers = Vec::new();
    for file in Config::files(path)? {
        let text = match regular_file::read(&file, SMALL) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(Unread::Missing | Unread::NotAFile | Unread::TooLong { .. } | Unread::Failed(_)) => continue,
        };
        let Ok(table) = text.parse() else { continue };
        let own = file.file_name().is_some_and(|name| name == DROP_IN);
        layers.push(Layer { file: file.display().to_string(), own, table });
    }
    Ok(layers)
}
