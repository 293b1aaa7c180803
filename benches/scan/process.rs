//! What Linux says of a process.

use std::fs;

use serde_json::{Value, json};

use crate::Outcome;

/// Memory in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// All that is in RAM.
    pub(crate) resident: u64,
    /// Heap and stacks.
    pub(crate) anonymous: u64,
    /// Shared memory, such as frames; each page counts in every process that maps it.
    pub(crate) shared: u64,
}

impl Memory {
    /// Of a process, now.
    pub(crate) fn of(pid: u32) -> Outcome<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let bytes = |key| Ok::<_, Box<dyn std::error::Error>>(number(&status, key)? * 1024);
        Ok(Self { resident: bytes("VmRSS:")?, anonymous: bytes("RssAnon:")?, shared: bytes("RssShmem:")? })
    }

    /// The greater of each.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            resident: self.resident.max(other.resident),
            anonymous: self.anonymous.max(other.anonymous),
            shared: self.shared.max(other.shared),
        }
    }

    pub(crate) fn json(self) -> Value {
        json!({ "resident": self.resident, "anonymous": self.anonymous, "shared": self.shared })
    }
}

/// What all threads of a process have done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Work {
    pub(crate) threads: usize,
    /// Time on a processor in nanoseconds.
    pub(crate) cpu_ns: u64,
    /// How often a thread went to sleep, and so was woken.
    pub(crate) wakeups: u64,
}

impl Work {
    /// Of a process, until now.
    pub(crate) fn of(pid: u32) -> Outcome<Self> {
        let mut work = Self::default();
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let thread = thread?.path();
            let status = fs::read_to_string(thread.join("status"))?;
            let on_cpu = fs::read_to_string(thread.join("schedstat"))?;
            work.threads += 1;
            work.wakeups += number(&status, "voluntary_ctxt_switches:")?;
            work.cpu_ns += number(&on_cpu, "")?;
        }
        Ok(work)
    }
}

/// The number that follows `key` at the start of a line.
fn number(text: &str, key: &str) -> Outcome<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key));
    let number = rest.and_then(|rest| rest.split_whitespace().next());
    Ok(number.ok_or_else(|| format!("no {key} in {text:?}"))?.parse()?)
}
