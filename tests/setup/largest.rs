//! The largest rig that a setup can describe, as the terminal and the API are told of it.

/// A configuration that says where files go, and nothing of a rig.
pub(crate) const FOLDERS: &str = "[storage]\ndirectory = \"scans\"\nruntime_directory = \"run\"\nstate_directory = \"state\"\nkeep_free = \"1 MB\"\n";
/// Answers to all questions of the largest rig.
pub(crate) const ANSWERS: [&str; 32] = [
    "simulated 2",
    "low, high",
    "lift",
    "sim",
    "26",
    "own",
    "4",
    "17",
    "none",
    "23",
    "24",
    "25",
    "16",
    "18",
    "13",
    "none",
    "6",
    "12",
    "a4988",
    "400",
    "8",
    "40 deg",
    "4 mm",
    "150 mm",
    "310 mm",
    "60, 250",
    "0, 10",
    "30 mm",
    "12",
    "0, 50",
    "scans",
    "network",
];
