//! Points from a CSV file: a header, then one point a line.
//!
//! ```csv
//! label,turntable,lift
//! front,0,50
//! left,90 deg,5 cm
//! ```
//! The header names the axes, in any order; axes that it does not name stand at zero. A position is a quantity
//! with its unit, or a plain number in the axis' own. Without a `label` column, points are labelled `p0001` and
//! on. Lines that start with `#` are comments.

use std::collections::HashMap;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::Point;
use crate::file_name;
use crate::model::{Axis, Pose};
use crate::regular_file::{self, Unread};
use crate::units::{Degrees, Millimetres};

/// Longest label, in characters: files are named by it.
pub(super) const MAX_LABEL: usize = 64;

/// Longest file, in bytes: the most points of a plan, with every axis and a label, fit.
const LONGEST: u64 = 64 << 20;

/// Why a list of points cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file cannot be read.
    #[error("the file {0}")]
    Read(#[from] Unread),
    /// The text is no CSV.
    #[error("line {line}: {message}")]
    Csv {
        /// The line of the file, counted from 1.
        line: u64,
        /// What reading it said.
        message: String,
    },
    /// A column that means nothing.
    #[error("the header names a column {column:?}: columns are turntable, lift, rail, tilt and label")]
    UnknownColumn {
        /// The column's name, as it is written.
        column: String,
    },
    /// The header has a column twice.
    #[error("the header names {column} twice")]
    RepeatedColumn {
        /// The column's name, as it is written.
        column: String,
    },
    /// A header without an axis.
    #[error(
        "the header names no axis: its columns are turntable, lift, rail, tilt and label, separated by commas"
    )]
    NoAxis,
    /// A position that is not one.
    #[error("line {line}, {axis}: {message}")]
    Position {
        /// The line of the file, counted from 1.
        line: u64,
        /// The axis whose column it is in.
        axis: Axis,
        /// Why it is no position.
        message: String,
    },
    /// A label that cannot name a file.
    #[error("line {line}: the label {label:?} must be 1 to {MAX_LABEL} letters A to Z, digits, '-' or '_'")]
    Label {
        /// The line of the file, counted from 1.
        line: u64,
        /// The label, as it is written.
        label: String,
    },
    /// A label that not every system can have as a file's name.
    #[error("line {line}: the label {label:?} {objection}: choose another one")]
    Unportable {
        /// The line of the file, counted from 1.
        line: u64,
        /// The label, as it is written.
        label: String,
        /// Which system cannot have it, and why.
        objection: &'static str,
    },
    /// Labels that not every system can keep apart.
    #[error(
        "line {line}: Windows and Macs cannot keep the labels {label:?} and {other:?} (line {first}) apart"
    )]
    Alike {
        /// The line of the file, counted from 1.
        line: u64,
        /// The label, as it is written.
        label: String,
        /// Where the other one is.
        first: u64,
        /// The other one, as written.
        other: String,
    },
    /// Two points have one label.
    #[error("line {line}: the label {label} is already on line {first}: labels must be unique")]
    RepeatedLabel {
        /// The later line, counted from 1.
        line: u64,
        /// Where it was first.
        first: u64,
        /// The label, as it is written.
        label: String,
    },
    /// Columns that are separated as a spreadsheet of another country does.
    #[error("the columns are separated by semicolons or tabs: use commas, and points in decimals")]
    Separator,
    /// More points than a plan may have.
    #[error("more than {most} points, which is the most for the cameras of this rig")]
    TooManyPoints {
        /// How many points a plan may have for the cameras of the rig.
        most: usize,
    },
}

/// The points in `file`, at most `most`.
pub(super) fn read(file: &Path, most: usize) -> Result<Vec<Point>, ListError> {
    Ok(read_with_labels(file, most)?.0)
}

/// The same, and whether the list says what they are called.
pub(super) fn read_with_labels(file: &Path, most: usize) -> Result<(Vec<Point>, bool), ListError> {
    parse(&regular_file::read(file, LONGEST)?, most)
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Label,
    Position(Axis),
}

fn parse(input: &[u8], most: usize) -> Result<(Vec<Point>, bool), ListError> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).comment(Some(b'#')).from_reader(input);
    let columns = columns(reader.headers().map_err(csv_error)?)?;
    let mut points = Vec::new();
    let mut first_lines: HashMap<String, (u64, String)> = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(csv_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        if points.len() == most {
            return Err(ListError::TooManyPoints { most });
        }
        let point = point(&columns, &record, line, points.len() + 1)?;
        let label = point.label.clone();
        if let Some(objection) = file_name::objection(&label) {
            return Err(ListError::Unportable { line, label, objection });
        }
        match first_lines.insert(file_name::folded(&label), (line, label.clone())) {
            Some((first, other)) if other == label => {
                return Err(ListError::RepeatedLabel { line, first, label });
            }
            Some((first, other)) => return Err(ListError::Alike { line, label, first, other }),
            None => {}
        }
        points.push(point);
    }
    Ok((points, columns.contains(&Column::Label)))
}

fn columns(header: &StringRecord) -> Result<Vec<Column>, ListError> {
    let mut columns = Vec::new();
    for name in header {
        let axis = Axis::ALL.into_iter().find(|axis| axis.name() == name).map(Column::Position);
        let Some(column) = axis.or_else(|| (name == "label").then_some(Column::Label)) else {
            if name.contains([';', '\t']) {
                return Err(ListError::Separator);
            }
            return Err(ListError::UnknownColumn { column: name.to_owned() });
        };
        if columns.contains(&column) {
            return Err(ListError::RepeatedColumn { column: name.to_owned() });
        }
        columns.push(column);
    }
    if columns.iter().all(|&column| column == Column::Label) {
        return Err(ListError::NoAxis);
    }
    Ok(columns)
}

fn point(columns: &[Column], record: &StringRecord, line: u64, number: usize) -> Result<Point, ListError> {
    let mut point = Point::new(format!("p{number:04}"), Pose::default());
    for (column, text) in std::iter::zip(columns, record) {
        match *column {
            Column::Label if is_label(text) => text.clone_into(&mut point.label),
            Column::Label => return Err(ListError::Label { line, label: text.to_owned() }),
            Column::Position(axis) => {
                let position =
                    position(axis, text).map_err(|message| ListError::Position { line, axis, message })?;
                point.pose = point.pose.with(axis, position);
            }
        }
    }
    Ok(point)
}

fn position(axis: Axis, text: &str) -> Result<f64, String> {
    if let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) {
        return Ok(number);
    }
    match axis {
        Axis::Turntable | Axis::Tilt => text.parse().map(Degrees::get).map_err(|error| error.to_string()),
        Axis::Lift | Axis::Rail => text.parse().map(Millimetres::get).map_err(|error| error.to_string()),
    }
}

pub(super) fn is_label(text: &str) -> bool {
    (1..=MAX_LABEL).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn csv_error(error: csv::Error) -> ListError {
    let line = error.position().map_or(1, csv::Position::line);
    // The kinds that matter; the others (there may be more one day) speak for themselves.
    let message = if let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = error.kind() {
        format!("{len} values where the header names {expected_len} columns")
    } else if let csv::ErrorKind::Utf8 { .. } = error.kind() {
        "not UTF-8 text".to_owned()
    } else {
        error.to_string()
    };
    if let csv::ErrorKind::Io(error) = error.into_kind() {
        ListError::Read(Unread::Failed(error))
    } else {
        ListError::Csv { line, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(text: &str) -> Vec<Point> {
        parse(text.as_bytes(), 100).unwrap().0
    }

    fn error(text: &str) -> String {
        parse(text.as_bytes(), 3).unwrap_err().to_string()
    }

    #[test]
    fn columns_come_in_any_order_with_or_without_units() {
        let list =
            points("\u{feff}lift , label,turntable\n# a comment\n5 cm,front, -90\n7.5,left-2,90 deg\n");
        assert_eq!(list[0].label, "front");
        assert_eq!(list[0].pose, Pose::default().with(Axis::Turntable, -90.0).with(Axis::Lift, 50.0));
        assert_eq!(list[1].pose, Pose::default().with(Axis::Turntable, 90.0).with(Axis::Lift, 7.5));
        assert_eq!(points("tilt\n10\n20\n")[1].label, "p0002");
        assert!(points("tilt\n").is_empty());
    }

    #[test]
    fn errors_name_the_line_and_what_to_write() {
        assert!(error("turntable;lift\n0;1\n").contains("use commas"));
        assert_eq!(
            error("turntable,lift\n0,1\n0,12 deg\n"),
            "line 3, lift: \"12 deg\" is no length: write a number and one of mm, cm, m, um, µm"
        );
        assert!(error("turntable\n0\nnan\n").starts_with("line 3, turntable: "));
        assert!(error("turntable,tilt\n0,\n").starts_with("line 2, tilt: "));
        assert_eq!(error("turntable,tilt\n0\n"), "line 2: 1 values where the header names 2 columns");
        assert_eq!(error("lift,lift\n"), "the header names lift twice");
        assert!(error("label\nfront\n").contains("no axis"));
        assert!(error("").contains("no axis"));
        assert!(error("label,lift\n../x,1\n").contains("line 2: the label \"../x\""));
        assert!(error("label,lift\n,1\n").contains("line 2: the label \"\""));
        assert_eq!(
            error("label,lift\na,1\nb,2\na,3\n"),
            "line 4: the label a is already on line 2: labels must be unique"
        );
        let device = error("label,lift\na,1\nNUL,2\n");
        assert!(device.starts_with("line 3: the label \"NUL\" is the name of a device"), "{device}");
        assert_eq!(
            error("label,lift\nLeft,1\nleft,2\n"),
            "line 3: Windows and Macs cannot keep the labels \"left\" and \"Left\" (line 2) apart"
        );
        assert!(error("lift\n1\n2\n3\n4\n").starts_with("more than 3 points"));
        for (file, message) in
            [("/nonexistent/points.csv", "the file is missing"), ("/dev/zero", "the file is no regular file")]
        {
            assert_eq!(read(Path::new(file), 1).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn labels_are_up_to_64_characters() {
        assert!(is_label(&"a".repeat(64)) && !is_label(&"a".repeat(65)) && !is_label("") && !is_label("ä"));
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, 10);
        }

        #[test]
        fn what_is_written_reads_back(poses in proptest::collection::vec((-1e4..1e4_f64, -1e4..1e4_f64), 1..50)) {
            let lines: Vec<_> = poses.iter().map(|(angle, lift)| format!("{angle},{lift} mm")).collect();
            let read = points(&format!("turntable,lift\n{}\n", lines.join("\n")));
            for ((angle, lift), point) in poses.iter().zip(&read) {
                prop_assert_eq!(point.pose, Pose::default().with(Axis::Turntable, *angle).with(Axis::Lift, *lift));
            }
            prop_assert_eq!(read.len(), poses.len());
        }
    }
}
