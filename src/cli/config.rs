//! `scanner config`: what the configuration says, and changing it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::args::ConfigCommand;
use super::control::{RELOAD_PATIENCE, accepted};
use super::exit::{Exit, Failure};
use super::output;
use crate::api::fit;
use crate::config::{Config, Setting, Survey, did_you_mean, explained_page, reference};
use crate::daemon::{ControlError, Request, ask};
use crate::drop_in::{self, Edit, PAGE, Put, Store, StoreError, Wish};
use crate::durable::{self, Readers};
use crate::regular_file::{self, SMALL};
use crate::tune::DROP_IN;

/// What is written during a scan is put in force when that has ended.
const WHEN_IDLE: Request = Request::Reload { when_idle: true };

pub(super) fn config(path: &Path, command: ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Show { defaults, json } => show(path, defaults, json),
        ConfigCommand::Explain { key, markdown } => explain(key.as_deref(), markdown),
        ConfigCommand::Set { key, value } => set(path, &key, &value),
        ConfigCommand::Unset { key, take_away } => unset(path, &key, take_away),
        ConfigCommand::Versions { json } => versions(path, json),
        ConfigCommand::TakeBack { version } => {
            let (store, before) = store(path)?;
            let kept = store.versions()?.into_iter().find(|kept| kept.number == version);
            let put = store.take_back(version, &user(), &fit)?;
            told_of(&store, kept.as_ref().map_or(PAGE, |kept| &kept.drop_in), &before, &put)
        }
        ConfigCommand::Backup { file } => backup(path, &file),
        ConfigCommand::Restore { file } => restore(path, &file),
    }
}

fn show(path: &Path, defaults: bool, as_json: bool) -> Result<Exit, Failure> {
    let survey = Survey::of(path, None);
    let shown = |setting: &&Setting| defaults || setting.from.is_some();
    let settings: Vec<&Setting> = survey.settings.iter().filter(shown).collect();
    if as_json {
        let of = |setting: &&Setting| {
            let (file, line) = setting.from.clone().unzip();
            json!({
                "key": setting.key, "value": setting.value, "secret": setting.secret, "default": setting.default,
                "file": file, "line": line,
            })
        };
        output::json(&settings.iter().map(of).collect::<Vec<_>>())?;
    } else {
        let row = |setting: &&Setting| {
            let from = setting.from.as_ref().map(|(file, line)| format!("{file}:{line}"));
            let value = match (&setting.value, &setting.default) {
                _ if setting.secret => "(secret)".to_owned(),
                (Some(value), _) => value.to_string(),
                (None, default) => default.clone().unwrap_or_default(),
            };
            [setting.key.clone(), value, from.unwrap_or_else(|| "default".to_owned())]
        };
        output::print(&output::table(["KEY", "VALUE", "FROM"], settings.iter().map(row)))?;
    }
    // What cannot be read has been shown as far as it can.
    Config::load(path).map_err(|errors| Failure::new(Exit::Config, &errors))?;
    Ok(Exit::Done)
}

fn explain(key: Option<&str>, markdown: bool) -> Result<Exit, Failure> {
    if markdown {
        output::print(&explained_page())?;
        return Ok(Exit::Done);
    }
    let wanted = crate::config::generic(key.unwrap_or_default());
    let is_meant =
        |known: &str| wanted.is_empty() || known == wanted || known.starts_with(&format!("{wanted}."));
    let mut text = String::new();
    for entry in reference().iter().filter(|entry| is_meant(&entry.key)) {
        // Writing to memory does not fail.
        let _ = writeln!(text, "{}\n    {}", entry.key, entry.explanation);
        if !entry.wanted.is_empty() {
            let _ = writeln!(text, "    Write {}.", entry.wanted);
        }
        if let Some(default) = &entry.default {
            let _ = writeln!(text, "    Default: {default}");
        }
    }
    if text.is_empty() {
        let keys: Vec<String> = reference().iter().map(|entry| entry.key.clone()).collect();
        // Whoever remembers the last word of a key, too.
        let ending = format!(".{wanted}");
        let meant =
            keys.iter().find(|key| key.ends_with(&ending)).map(|key| format!("did you mean `{key}`?"));
        let meant = meant.or_else(|| did_you_mean(&wanted, keys.iter().map(String::as_str)));
        let meant = meant.map(|meant| format!("{meant} ")).unwrap_or_default();
        let message = format!("there is no key {wanted:?}: {meant}`scanner config explain` shows all");
        return Err(Failure { exit: Exit::Config, message });
    }
    output::print(&text)?;
    Ok(Exit::Done)
}

fn set(path: &Path, key: &str, written: &str) -> Result<Exit, Failure> {
    if Survey::is_secret(key) {
        let message = format!(
            "`{key}` is a secret, and what is set so can be seen in the page: write it into a file of your own in {}",
            Config::drop_in_folder(path).display()
        );
        return Err(Failure { exit: Exit::Config, message });
    }
    let (store, before) = store(path)?;
    let change = format!("{key} = {written}");
    let mut first = None;
    for value in readings(written) {
        let edits = [Edit::Set { key: key.to_owned(), value }];
        match put(&store, &edits, &change) {
            Ok(put) => return told(&store, &before, &put),
            // Another reading may be what was meant.
            Err(error @ StoreError::Config(_)) => first = first.or(Some(error)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(first.map_or_else(|| Failure::new(Exit::Config, &"nothing was written"), Failure::from))
}

/// What may be meant: a value of TOML, or a text without its quotes.
fn readings(written: &str) -> Vec<Json> {
    let as_toml = format!("value = {written}").parse::<toml::Table>().ok();
    let as_toml = as_toml.and_then(|table| serde_json::to_value(table.get("value")?).ok());
    as_toml.into_iter().chain([Json::String(written.to_owned())]).collect()
}

fn unset(path: &Path, key: &str, take_away: bool) -> Result<Exit, Failure> {
    let (store, before) = store(path)?;
    let change = format!("{key} unset");
    let key = key.to_owned();
    let edit = if take_away { Edit::TakeAway { key: key.clone() } } else { Edit::Unset { key: key.clone() } };
    let put = put(&store, &[edit], &change)?;
    if !put.changed && !take_away {
        let file = store.file(PAGE);
        output::print(&format!("nothing has changed: {} says nothing of `{key}`", file.display()))?;
    }
    let left = Survey::of(path, None).settings.into_iter().find(|setting| setting.key == key);
    if let Some((file, line)) = left.and_then(|setting| setting.from)
        && !take_away
    {
        output::print(&format!(
            "{file}:{line} still says something of it; --take-away takes that away, too"
        ))?;
    }
    if put.changed || take_away { told(&store, &before, &put) } else { Ok(Exit::Done) }
}

fn versions(path: &Path, as_json: bool) -> Result<Exit, Failure> {
    let versions = store(path)?.0.versions()?;
    if as_json {
        output::json(&versions)?;
        return Ok(Exit::Done);
    }
    let row = |version: drop_in::Version| {
        let until = version.until.strftime("%F %T UTC").to_string();
        [version.number.to_string(), until, version.by, version.change, version.drop_in]
    };
    output::print(&output::table(
        ["VERSION", "BEFORE", "BY", "CHANGE", "FILE"],
        versions.into_iter().map(row),
    ))?;
    Ok(Exit::Done)
}

fn backup(path: &Path, file: &Path) -> Result<Exit, Failure> {
    let now = jiff::Zoned::now().strftime("%F %T %Z").to_string();
    let text = drop_in::backup(path, &format!("Backup of the configuration of scanner, {now}"))?;
    durable::create(file, text.as_bytes(), Readers::AsUsual).map_err(|error| Failure {
        exit: Exit::Failed,
        message: format!("cannot write {}: {error}", file.display()),
    })?;
    output::print(&format!("{} has the whole configuration, without secrets", file.display()))?;
    Ok(Exit::Done)
}

fn restore(path: &Path, file: &Path) -> Result<Exit, Failure> {
    let bytes = regular_file::read(file, SMALL)
        .map_err(|unread| Failure { exit: Exit::Failed, message: format!("{} {unread}", file.display()) })?;
    let (store, before) = store(path)?;
    let restored = drop_in::restore(path, &String::from_utf8_lossy(&bytes))?;
    for name in &restored.left_out {
        output::print(&format!(
            "{name} is left out: its address is a secret, which no backup has; write it again"
        ))?;
    }
    let change = format!("from the backup {}", file.display());
    let wish =
        Wish { drop_in: PAGE, text: Some(&restored.text), based_on: None, by: &user(), change: &change };
    let put = store.put(&wish, &fit)?;
    told(&store, &before, &put)
}

/// The store, and the configuration as it is.
fn store(path: &Path) -> Result<(Store, Config), Failure> {
    // What is wrong may be what is to be taken back.
    let config = Config::load(path).or_else(|_| Config::load_as_if(path, PAGE, None));
    let config = config.map_err(|errors| Failure::new(Exit::Config, &errors))?;
    crate::ownership::share_like(&config.storage.runtime_directory);
    Ok((Store::new(path, &config.storage.state_directory), config))
}

fn put(store: &Store, edits: &[Edit], change: &str) -> Result<Put, StoreError> {
    let based_on = store.fingerprint()?;
    let text = store.edited(edits)?;
    store
        .put(&Wish { drop_in: PAGE, text: Some(&text), based_on: Some(&based_on), by: &user(), change }, &fit)
}

/// Has the drop-in of the tuning say what `write` has it say, as whom it is told, and a service that runs read it.
pub(super) fn change(
    path: &Path,
    command: &str,
    quiet: bool,
    write: impl FnOnce(&Store, &str) -> Result<Put, StoreError>,
) -> Result<(), Failure> {
    let (store, before) = store(path)?;
    let put = write(&store, &by(command))?;
    if quiet {
        // Who reads JSON reads nothing else there; a service that does not run reads it when it starts.
        return match ask(&before.storage.runtime_directory, &WHEN_IDLE, RELOAD_PATIENCE) {
            Err(ControlError::NotRunning { .. }) => Ok(()),
            answer => accepted(answer?).map(|_| ()),
        };
    }
    told_of(&store, DROP_IN, &before, &put).map(|_| ())
}

/// Says what became of the drop-in of the page, and lets a service that runs read it.
fn told(store: &Store, before: &Config, put: &Put) -> Result<Exit, Failure> {
    told_of(store, PAGE, before, put)
}

fn told_of(store: &Store, drop_in: &str, before: &Config, put: &Put) -> Result<Exit, Failure> {
    if !put.changed {
        output::print("nothing has changed: it says so already")?;
        return Ok(Exit::Done);
    }
    let file = store.file(drop_in);
    let done = if file.exists() { "written to" } else { "removed, as it was not there then:" };
    output::print(&format!("{done} {}; `scanner config versions` has what was before", file.display()))?;
    match ask(&before.storage.runtime_directory, &WHEN_IDLE, RELOAD_PATIENCE) {
        Err(ControlError::NotRunning { .. }) => {
            output::print("no service is running: it reads it when it starts")?;
        }
        answer => output::print(
            &accepted(answer?)
                .map_err(|failure| Failure {
                    exit: failure.exit,
                    message: format!("it is written, and not in force yet: {}", failure.message),
                })?
                .0,
        )?,
    }
    Ok(Exit::Done)
}

/// Who does this, for people.
fn user() -> String {
    by("scanner config")
}

fn by(command: &str) -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let name = set("SUDO_USER").or_else(|| set("USER")).unwrap_or_else(|| "somebody".to_owned());
    format!("{name}, by `{command}`")
}
