//! `scanner dataset`: scans on disk.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::daemon::{StartError, find_scan, storage};
use crate::dataset::{self, DescribeError, Listed};
use crate::export::{self, Care, Exported, Format, View, Views};
use crate::mask::{MaskError, Remake, Wish};
use crate::model::MergeProgram;
use crate::report;
use crate::scan::{Description, DescriptionChanges};
use crate::units::{Bytes, counted};

use super::args::DatasetCommand;
use super::exit::{Exit, Failure};
use super::{control, extend, hull, load, marks, masks, merge, output};

pub(super) fn dataset(config: &Path, command: DatasetCommand) -> Result<Exit, Failure> {
    match command {
        DatasetCommand::List { search, json } => list(&load(config)?, search.as_deref(), json),
        DatasetCommand::Show { scan, json } => show(&locate(config, &scan)?, json),
        DatasetCommand::Describe { scan, what, json } => {
            let described = describe(config, scan, what.into())?;
            if json {
                output::json(&described)?;
            } else {
                print_description(&described)?;
            }
            Ok(Exit::Done)
        }
        DatasetCommand::Poses { scan, json } => poses(&locate(config, &scan)?, json),
        DatasetCommand::Export { scan, to, out, masks, no_masks, singles, json } => {
            let masks = if masks {
                Masks::Wanted
            } else if no_masks {
                Masks::Unwanted
            } else {
                Masks::IfThereIsAReference
            };
            export(&locate(config, &scan)?, to, out, (masks, singles), json)
        }
        DatasetCommand::Report { scan, out } => report(&locate(config, &scan)?, out.as_deref()),
        DatasetCommand::Masks { scan, reference, again, json } => {
            let reference = reference.map(|reference| locate(config, &reference)).transpose()?;
            masks::masks(
                &locate(config, &scan)?,
                &Wish { reference, remake: if again { Remake::All } else { Remake::Outdated } },
                json,
            )
        }
        DatasetCommand::Marks { scan, json } => marks::marks(&load(config)?, &locate(config, &scan)?, json),
        DatasetCommand::Merge { scan, program, again, json } => {
            let dir = locate(config, &scan)?;
            // A scan that is named by its path needs no configuration.
            let program = match program {
                Some(program) => program,
                None if scan.contains('/') => MergeProgram::default(),
                None => load(config)?.merge.program,
            };
            merge::merge(&dir, &merge_wish(program, again), json)
        }
        DatasetCommand::Propose { scan, json } => {
            extend::propose(&load(config)?, &locate(config, &scan)?, json)
        }
        DatasetCommand::Hull { scan, json } => hull::hull(&locate(config, &scan)?, json),
        DatasetCommand::Verify { scan, json } => verify(&locate(config, &scan)?, json),
    }
}

/// A person waits for it, and knows how much room there is.
fn merge_wish(program: MergeProgram, again: bool) -> crate::merge::Wish {
    crate::merge::Wish { program, again, keep_free: Bytes::ZERO }
}

/// A path names a folder anywhere, and needs no configuration; anything else must be a scan's id.
fn locate(config: &Path, scan: &str) -> Result<PathBuf, Failure> {
    if scan.contains('/') {
        if !Path::new(scan).is_dir() {
            return Err(Failure::new(Exit::NotFound, &format!("there is no folder {scan}")));
        }
        return Ok(scan.into());
    }
    let id = scan.parse().map_err(StartError::ScanId)?;
    Ok(find_scan(&load(config)?, &id)?)
}

/// By the scanner that runs on the rig, if there is one: it may have the scan under way. Without changes, only a look.
fn describe(config: &Path, scan: String, changes: DescriptionChanges) -> Result<Description, Failure> {
    let directory = locate(config, &scan)?;
    if changes.is_empty() {
        return Ok(dataset::description(&directory)?);
    }
    let is_path = scan.contains('/');
    if !is_path && let Some(described) = control::describe(&load(config)?, scan, changes.clone())? {
        return Ok(described);
    }
    dataset::describe(&directory, changes).map_err(|error| match error {
        DescribeError::Open(error) => error.into(),
        error @ (DescribeError::Unfit(_) | DescribeError::Ended) => Failure::new(Exit::Failed, &error),
    })
}

fn print_description(Description { name, note, tags }: &Description) -> Result<(), Failure> {
    let tags = (!tags.is_empty()).then(|| tags.join(", "));
    for (what, text) in [("Name", name), ("Note", note), ("Tags", &tags)] {
        if let Some(text) = text {
            output::print(&format!("{what}: {text}"))?;
        }
    }
    Ok(())
}

fn list(config: &Config, search: Option<&str>, json: bool) -> Result<Exit, Failure> {
    let mut scans = dataset::list(&config.storage.directory).map_err(dataset::OpenError::from)?;
    // Scans that are on a disk that is away are not gone.
    if let Err(missed) = storage::look(&config.storage)
        && missed.is_missing()
        && scans.is_empty()
    {
        return Err(StartError::from(missed).into());
    }
    if let Some(wanted) = search {
        let nothing = Description::default();
        scans.retain(|scan| {
            let description = scan.scan.as_ref().map_or(&nothing, |manifest| &manifest.description);
            description.is_found(scan.id.as_str(), wanted)
        });
    }
    if json {
        output::json(&scans)?;
        return Ok(Exit::Done);
    }
    output::print(&output::table(HEADER, scans.iter().map(row)))?;
    Ok(Exit::Done)
}

const HEADER: [&str; 6] = ["SCAN", "STATE", "STORED", "FAILED", "PLANNED", "NAME"];

fn row(listed: &Listed) -> [String; 6] {
    let id = listed.id.to_string();
    match &listed.scan {
        Ok(scan) => {
            let counts = &scan.shots;
            let state = if scan.state.is_finished() || listed.in_use {
                scan.state.to_string()
            } else {
                format!("{} (resumable)", scan.state)
            };
            let state = match &listed.began_as {
                Some(began_as) => format!("{state}, began as {began_as}"),
                None => state,
            };
            let state = if scan.reference { format!("{state}, empty rig") } else { state };
            let [done, failed, planned] =
                [counts.done, counts.failed, counts.planned].map(|count| count.to_string());
            [id, state, done, failed, planned, scan.description.name.clone().unwrap_or_default()]
        }
        Err(damaged) => {
            let [done, failed, planned, name] = [const { String::new() }; 4];
            [id, format!("damaged: {damaged}"), done, failed, planned, name]
        }
    }
}

fn show(directory: &Path, json: bool) -> Result<Exit, Failure> {
    let listed = dataset::show(directory)?;
    if json {
        output::json(&listed)?;
    } else {
        output::print(&output::table(HEADER, [row(&listed)]))?;
        if let Ok(scan) = &listed.scan {
            print_description(&scan.description)?;
        }
        output::print(&format!("Folder: {}", listed.dir.display()))?;
    }
    Ok(if listed.scan.is_ok() { Exit::Done } else { Exit::Invalid })
}

fn poses(directory: &Path, json: bool) -> Result<Exit, Failure> {
    let contents = dataset::read_contents(directory)?;
    let views = Views::of(&contents).measured(directory, &contents);
    if json {
        output::json(&views.views)?;
        return Ok(Exit::Done);
    }
    let row = |view: &View| {
        let millimetres =
            |index: usize| view.pose.map(|pose| format!("{:.3}", pose.centre()[index])).unwrap_or_default();
        let heading =
            |index: usize| view.pose.map(|pose| format!("{:.5}", pose.forward()[index])).unwrap_or_default();
        [
            view.image.clone(),
            millimetres(0),
            millimetres(1),
            millimetres(2),
            heading(0),
            heading(1),
            heading(2),
        ]
    };
    let header = ["IMAGE", "X mm", "Y mm", "Z mm", "LOOKS TO X", "Y", "Z"];
    output::print(&output::table(header, views.views.iter().map(row)))?;
    for line in &views.lacking {
        output::print(&format!("note: {line}"))?;
    }
    Ok(Exit::Done)
}

/// Whether an export has masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Masks {
    Wanted,
    Unwanted,
    IfThereIsAReference,
}

/// Makes the masks that an export lacks. What keeps them from being made keeps the export from being made only where they
/// are wanted; elsewhere, it is returned.
fn complete_masks(directory: &Path, masks: Masks) -> Result<Option<String>, Failure> {
    let wish = Wish { reference: None, remake: Remake::None };
    let made = match masks {
        Masks::Unwanted => return Ok(None),
        Masks::Wanted | Masks::IfThereIsAReference => masks::drawn(directory, &wish),
    };
    match (made, masks) {
        (Ok(_), _)
        | (Err(MaskError::NoReference(_) | MaskError::EmptyRig(_)), Masks::IfThereIsAReference) => Ok(None),
        (Err(error), Masks::Wanted) => Err(error.into()),
        (Err(error), Masks::Unwanted | Masks::IfThereIsAReference) => {
            Ok(Some(format!("masks that are missing were not made: {error}")))
        }
    }
}

fn export(
    directory: &Path,
    to: Format,
    out: Option<PathBuf>,
    (masks, singles): (Masks, bool),
    json: bool,
) -> Result<Exit, Failure> {
    let unmade = complete_masks(directory, masks)?;
    let out = out.unwrap_or_else(|| directory.join("exports").join(to.name()));
    let care = Care { masks: masks != Masks::Unwanted, singles, ..Care::NONE };
    let mut exported = export::export(directory, to, &out, &care)?;
    exported.lacking.extend(unmade);
    if json {
        output::json(&exported)?;
        return Ok(Exit::Done);
    }
    for line in &exported.lacking {
        output::print(&format!("note: {line}"))?;
    }
    let Exported { folder, images, masks, shared, lacking: _ } = exported;
    let with_masks = if masks == 0 { String::new() } else { format!(" with {masks} masks") };
    let folder = folder.display();
    output::print(&format!(
        "{folder}: {images} images{with_masks}, {shared} of which take no further space"
    ))?;
    output::print(&format!("To open it: {}", to.how_to_open().replace("FOLDER", &folder.to_string())))?;
    Ok(Exit::Done)
}

fn report(directory: &Path, out: Option<&Path>) -> Result<Exit, Failure> {
    let path = report::write(directory, out)?;
    output::print(&path.display().to_string())?;
    Ok(Exit::Done)
}

fn verify(directory: &Path, json: bool) -> Result<Exit, Failure> {
    let report = dataset::verify(directory)?;
    if json {
        output::json(&report)?;
    } else {
        for violation in &report.violations {
            output::print(&format!("violation: {violation}"))?;
        }
        for note in &report.notes {
            output::print(&format!("note: {note}"))?;
        }
        let counts = &report.shots;
        output::print(&format!(
            "{}: {}; {} of {} shots stored, {} failed, {} pending; {}",
            report.dir.display(),
            report.state,
            counts.done,
            counts.planned,
            counts.failed,
            counts.pending,
            counted(report.violations.len(), "violation", "violations")
        ))?;
    }
    Ok(if report.is_sound() { Exit::Done } else { Exit::Invalid })
}
