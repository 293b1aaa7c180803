//! The programs that merge stacks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What merges the images of a stack into one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeProgram {
    /// This one.
    #[default]
    Own,
    /// `enfuse`, which has to be installed.
    Enfuse,
}

impl MergeProgram {
    /// Every one, in the order in which they are listed to people.
    pub const ALL: [Self; 2] = [Self::Own, Self::Enfuse];

    /// Its name in the configuration and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Enfuse => "enfuse",
        }
    }
}

impl fmt::Display for MergeProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MergeProgram {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|program| program.name() == name);
        found.ok_or_else(|| format!("there is no program {name}: write own or enfuse"))
    }
}
