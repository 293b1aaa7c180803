//! The files of a scan that are carried to another machine.

use std::fs;
use std::io;
use std::path::Path;

/// The paths of the regular files of the scan in `dir` that are whole, but for what is `left_out` of its top folder. Sorted.
///
/// # Errors
/// A folder cannot be read.
pub fn carried(dir: &Path, left_out: &[&str]) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    walk(dir, "", left_out, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(dir: &Path, below: &str, left_out: &[&str], found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(dir.join(below))? {
        let entry = entry?;
        // A name that is no text was not given by this program.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_left_out = below.is_empty() && left_out.contains(&name.as_str());
        let is_unfinished = Path::new(&name).extension().is_some_and(|extension| extension == "tmp");
        if is_left_out || is_unfinished || name.starts_with('.') || name.contains('\\') {
            continue;
        }
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(dir, &path, &[], found)?;
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_is_carried_and_what_is_left_out_is_of_the_top_alone() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        for file in [
            "plan.json",
            "exports/a.json",
            "images/cam0/1.jpg",
            "images/exports/2.jpg",
            "images/3.tmp",
            ".note",
        ] {
            let path = dir.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", dir.join("link")).unwrap();
        let found = carried(dir, &["exports"]).unwrap();
        assert_eq!(found, ["images/cam0/1.jpg", "images/exports/2.jpg", "plan.json"]);
        assert!(carried(&dir.join("none"), &[]).is_err());
    }
}
