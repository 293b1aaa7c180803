//! Where the setup reads and writes: the configuration with its drop-ins, and the answers of a session that was left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::cli::check_config::plans_of;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::config::Config;
use crate::drop_in::{Store, Wish};
use crate::durable::{self, Readers};
use crate::plan::Plan;
use crate::regular_file::{self, SMALL, Unread};
use crate::setup::{Answers, DROP_IN, Facts, Layer, PLAN, complete, write};

/// The configuration, which the setup may write.
pub(super) struct Place {
    path: PathBuf,
    folder: PathBuf,
    /// What it says, or would say with the usual answers.
    pub(super) config: Config,
    /// Its files.
    pub(super) layers: Vec<Layer>,
}

impl Place {
    /// Looks whether the setup can do its work there.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let folder = Config::drop_in_folder(path);
        may_write(path, &folder)?;
        let layers = layers(path)?;
        let present = Config::load(path);
        let config = match (Config::load_as_if(path, DROP_IN, None), &present) {
            (Ok(config), _) => config,
            // Another file may change what this one has brought.
            (Err(_), Ok(config)) => config.clone(),
            (Err(errors), Err(_)) => {
                // One that lacks only what is asked for here is in order.
                let facts = Facts {
                    layers: layers.iter().filter(|layer| !layer.own).cloned().collect(),
                    ..Facts::default()
                };
                let usual = write(&complete(&Answers::default(), &facts), &facts, &[]);
                Config::load_as_if(path, DROP_IN, Some(&usual)).map_err(|left| {
                    let theirs = left.problems().iter().all(|problem| !problem.file.ends_with(DROP_IN));
                    let errors = if theirs { left } else { errors };
                    let message = format!("{errors}\n\nPut this right first; nothing was changed.");
                    Failure { exit: Exit::Config, message }
                })?
            }
        };
        if let Err(errors) = present
            && layers.iter().any(|layer| layer.own)
        {
            output::print(&format!(
                "What {DROP_IN} says now is not in order, and will be replaced:\n{errors}\n"
            ))?;
        }
        Ok(Self { path: path.to_owned(), folder, config, layers })
    }

    /// The file that is written.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(DROP_IN)
    }

    /// The drop-in of `answers`, without the plans of other files that the rig cannot reach.
    pub(super) fn text(&self, answers: &Answers, facts: &Facts) -> String {
        let others: Vec<String> = facts.names_at("plan").into_iter().filter(|name| name != PLAN).collect();
        let reached = |name: &String| {
            let off: Vec<String> = others.iter().filter(|other| *other != name).cloned().collect();
            self.load(&write(answers, facts, &off)).is_ok_and(|config| plans_of(&config).is_ok())
        };
        let off: Vec<String> = others.iter().filter(|name| !reached(name)).cloned().collect();
        write(answers, facts, &off)
    }

    /// The whole configuration with this drop-in, as `check-config` reads it.
    pub(super) fn load(&self, text: &str) -> Result<Config, Failure> {
        Config::load_as_if(&self.path, DROP_IN, Some(text))
            .map_err(|errors| Failure::new(Exit::Config, &errors))
    }

    /// Puts a drop-in in place.
    pub(super) fn put(&self, text: &str) -> Result<(), Failure> {
        let store = Store::new(&self.path, &self.config.storage.state_directory);
        let wish = Wish {
            drop_in: DROP_IN,
            text: Some(text),
            based_on: None,
            by: "scanner setup",
            change: "the rig, by questions",
        };
        store.put(&wish, &|_| Ok(()))?;
        Ok(())
    }

    /// Where answers wait for the next time.
    fn kept(&self) -> PathBuf {
        self.config.storage.state_directory.join("setup.toml")
    }

    /// The answers of a session that was left; none if there is no such file, or it is not to be understood.
    pub(super) fn answers(&self) -> Answers {
        let bytes = regular_file::read(&self.kept(), SMALL).unwrap_or_default();
        Answers::from_toml(&String::from_utf8_lossy(&bytes)).unwrap_or_default()
    }

    /// Keeps them for the next time.
    pub(super) fn keep(&self, answers: &Answers) -> io::Result<()> {
        durable::create_folder(&self.config.storage.state_directory)?;
        durable::swap(&self.kept(), answers.to_toml().as_bytes(), Readers::Owner)
    }

    /// Forgets them: they are in the configuration.
    pub(super) fn forget(&self) {
        let _ = fs::remove_file(self.kept());
    }

    /// The plan that was asked for.
    pub(super) fn plan(config: &Config) -> Result<Option<Plan>, Failure> {
        Ok(plans_of(config)?.into_iter().find(|(name, _)| *name == PLAN).map(|(_, plan)| plan))
    }
}

/// The folder that the configuration is in.
fn beside(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Before anything is asked: it would be a pity about the answers.
fn may_write(path: &Path, folder: &Path) -> Result<(), Failure> {
    let written = if folder.is_dir() { folder } else { beside(path) };
    let Err(error) = access(written, Access::WRITE_OK | Access::EXEC_OK) else { return Ok(()) };
    let message = format!(
        "{} cannot be written by this user: {error}. Say: sudo scanner --config {} setup",
        written.display(),
        path.display()
    );
    Err(Failure { exit: Exit::Failed, message })
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
