//! What is said of a job, a line of JSON each.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// So far it has come.
    Progress {
        /// Files that are there and compared.
        files: usize,
        /// Of so many.
        of_files: usize,
        /// Their bytes.
        bytes: u64,
        /// Of so many.
        of_bytes: u64,
    },
    /// All is there.
    Delivered {
        /// How many files.
        files: usize,
        /// Their bytes.
        bytes: u64,
        /// Those that had to be sent: the others were there already.
        sent_files: usize,
        /// Bytes of these.
        sent_bytes: u64,
    },
    /// What is there was read.
    Checked {
        /// Files that should be there.
        files: usize,
        /// Bytes of these.
        bytes: u64,
        /// What is not as it was delivered.
        wrong: Vec<Wrong>,
    },
    /// The target is there, and could take something.
    Reached {},
    /// It came to nothing; what is there stays, and the next try goes on.
    Failed {
        /// Which kind of failure it is.
        kind: String,
        /// What has happened, to what, and what to do.
        message: String,
        /// Whether it lies in the scan, and not in the target: other scans may go there.
        of_scan: bool,
    },
}

/// A file there that is not as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// Its path in the scan's folder.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

impl Said {
    /// Writes it, and its end of line.
    ///
    /// # Errors
    /// Nobody reads it.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        out.write_all(&line)?;
        out.flush()
    }
}
