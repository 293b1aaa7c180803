//! What may be in the way of a scan on this machine, and what to do about it.
//!
//! Reading is apart from judging: each judgement is a function of what was read, so that it can be tested with what a
//! Raspberry Pi says.

mod access;
mod delivery;
mod disk;
mod machine;
mod network;
mod nodes;
mod properties;
mod tuned;
mod unit;
mod watch;

use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;

use serde::Serialize;

use crate::config::Config;
use crate::daemon::{self, Wanted};
pub use machine::model;
pub use network::{Asked, Served};
pub use watch::tell_of_shut_addresses;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PreflightFinding)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// What is there, for people.
    pub found: String,
    /// What comes of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What comes of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is to be done.
    Fine,
    /// It cannot be found out here.
    Unknown,
    /// Scans work, but not as well as they could.
    Advice {
        /// What would make them better, for people.
        what_to_do: String,
    },
    /// Scans fail, or will.
    Problem {
        /// What has to be done before, for people.
        what_to_do: String,
    },
}

impl Finding {
    /// What was found, and what comes of it.
    pub fn fine(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, found: found.into(), verdict: Verdict::Fine }
    }

    /// What was found, and what comes of it.
    pub fn unknown(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, found: found.into(), verdict: Verdict::Unknown }
    }

    /// What was found, and what comes of it.
    pub fn advice(check: &'static str, found: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { check, found: found.into(), verdict: Verdict::Advice { what_to_do: what_to_do.into() } }
    }

    /// What was found, and what comes of it.
    pub fn problem(check: &'static str, found: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { check, found: found.into(), verdict: Verdict::Problem { what_to_do: what_to_do.into() } }
    }
}

/// Looks at everything, with the configuration in `file`, whose page is `served` so. Writes some megabytes beside the scans, and
/// removes them.
pub fn examine(file: &Path, served: &Served) -> Vec<Finding> {
    let mut findings = machine::versions();
    let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let mut asked = Asked::At(everywhere);
    match Config::load(file) {
        Ok(config) => {
            asked = Asked::of(config.api.listen);
            findings.push(Finding::fine("configuration", format!("{} is in order", file.display())));
            findings.extend(of_rig(&config, &daemon::wanted(&config)));
            findings.push(network::page(&config.api, served));
        }
        Err(errors) => findings.push(Finding::problem(
            "configuration",
            format!("{} has errors, so that cameras and disk were not looked at", file.display()),
            format!("put this right: {errors}"),
        )),
    }
    findings.push(machine::throttling());
    findings.push(machine::clock());
    findings.push(machine::zone());
    findings.extend(unit::examine(asked));
    findings
}

/// Looks at what a scan with `config` needs of this machine, its plans what is `wanted`. Writes some megabytes beside the scans, and
/// removes them.
pub fn examine_rig(config: &Config, wanted: &[Wanted]) -> Vec<Finding> {
    let mut findings = of_rig(config, wanted);
    findings.extend([machine::throttling(), machine::clock(), machine::zone()]);
    findings
}

/// Looks at this machine alone, whatever it is for.
pub fn examine_machine() -> Vec<Finding> {
    let mut findings = machine::versions();
    findings.extend([machine::throttling(), machine::clock(), machine::zone()]);
    findings
}

fn of_rig(config: &Config, wanted: &[Wanted]) -> Vec<Finding> {
    let mut findings = access::drivers(config);
    findings.extend(access::devices(config));
    findings.extend(access::holders());
    findings.push(machine::contiguous_memory(config));
    findings.extend(disk::examine(&config.storage, wanted));
    findings.push(disk::state(&config.storage.state_directory));
    findings.extend(tuned::examine(config));
    findings.extend(nodes::examine(config));
    findings.extend(delivery::examine(config));
    findings
}

/// The first line of a file that the kernel or the system keeps.
fn first_line(path: impl AsRef<Path>) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.lines().next()?.trim().to_owned())
}
