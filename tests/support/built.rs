//! Programs of other packages, as cargo has built them beside the test that runs. Only those of a test's own package does
//! cargo build for it, so these may be missing, or older than what they are made of.

use std::fs;
use std::path::{Path, PathBuf};

/// What builds them all.
const HOW: &str = "./.ci/program builds it, which make does before its tests";

/// A program or a library by its name below `target/debug`.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join(name);
    assert!(built.is_file(), "{} is missing: {HOW}", built.display());
    // What it was made of, if it was built by its name. A file that is gone is none of it any more.
    let made_of = fs::read_to_string(built.with_extension("d")).unwrap_or_default();
    if let Some(newer) = newer(&made_of, &built) {
        panic!("{} is older than {}: {HOW}", built.display(), newer.display());
    }
    built
}

/// What is newer than `built` of the files that cargo lists in `made_of`, `built: file file ...`.
fn newer(made_of: &str, built: &Path) -> Option<PathBuf> {
    let age = |path: &Path| fs::metadata(path).and_then(|found| found.modified());
    let end = age(built).unwrap();
    let (_, files) = made_of.split_once(": ")?;
    // A space in a name is written `\ `.
    let files = files.trim_end().replace("\\ ", "\0");
    let mut paths = files.split(' ').map(|file| PathBuf::from(file.replace('\0', " ")));
    paths.find(|path| age(path).is_ok_and(|changed| changed > end))
}
