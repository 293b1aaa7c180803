//! How a job stands, as a transition function without clock and broker.
//!
//! A record of it lies at the broker, and is only ever changed by comparing and setting: who changes it has read what was there last. So
//! of two workers of which each believes the other dead, one finishes a job, and the other one is told that it is not its any more.

use serde::{Deserialize, Serialize};

use super::job::Sum;

/// Runs of a job that may end without a word, with the worker that had it, before it counts as failed: it may be the job that they die of.
pub const MOST_LOST: u32 = 8;

/// A file that a run has put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// Its name, of one part: `model.ply`.
    pub name: String,
    /// The subject that has its bytes.
    pub subject: String,
    /// What they have to be.
    #[serde(flatten)]
    pub sum: Sum,
}

/// What a worker is doing of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It fetches the dataset.
    Fetching {
        /// Bytes that are there.
        bytes: u64,
        /// Of so many.
        of: u64,
    },
    /// Its program runs.
    Working {
        /// What that has said last.
        said: String,
    },
    /// It puts the result back.
    Putting,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum State {
    /// It waits for a worker.
    Queued,
    /// A worker has it.
    Running {
        /// Which run it is: no other one may change the state.
        run: String,
        /// The worker.
        worker: String,
        /// What it does.
        step: Step,
    },
    /// It has failed as often as it may. It can be offered again.
    Failed {
        /// Why, the last time.
        reason: String,
    },
    /// Its result is there.
    Done {
        /// The run that made it.
        run: String,
        /// The worker.
        worker: String,
        /// How long that took, from taking to putting, in seconds.
        took_s: u64,
        /// Its files, the log among them.
        files: Vec<Put>,
    },
    /// The rig has fetched it, and nothing but this is left of it at the broker.
    Fetched {
        /// The worker that made it.
        worker: String,
    },
}

/// A job that fails, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The worker.
    pub worker: String,
    /// Why.
    pub reason: String,
    /// What its program said, if it came so far.
    pub log: Option<Put>,
}

/// All that changes of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// How it stands.
    pub state: State,
    /// Failures since it was offered.
    pub failures: Vec<Failure>,
    /// Runs that have ended without a word.
    pub lost: u32,
}

/// What happens to a job.
#[derive(Debug, Clone)]
pub enum Input {
    /// The rig offers it.
    Offer,
    /// A worker was given it by the queue, which gives it to one at a time.
    Take {
        /// A number that no other run has.
        run: String,
        /// The worker.
        worker: String,
    },
    /// The run says what it does.
    Say {
        /// Which.
        run: String,
        /// What.
        step: Step,
    },
    /// The run ends for reasons that lie in the worker, not in the job.
    GiveBack {
        /// Which.
        run: String,
    },
    /// The run has failed.
    Fail {
        /// Which.
        run: String,
        /// Why.
        reason: String,
        /// What its program said.
        log: Option<Put>,
        /// So many failures there may be.
        tries: u32,
    },
    /// The run has put its result.
    Finish {
        /// Which.
        run: String,
        /// How long it took.
        took_s: u64,
        /// The files.
        files: Vec<Put>,
    },
    /// The rig has all of the result of this run.
    Fetch {
        /// Which.
        run: String,
    },
}

/// Why something cannot happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is done, or has failed for good: the queue need not keep it.
    #[error("the job is over")]
    Over,
    /// It is another run's.
    #[error("another worker has the job by now")]
    NotYours,
    /// It was never offered.
    #[error("there is no such job")]
    Unknown,
    /// It is in the queue already.
    #[error("the job is in the queue already")]
    There,
}

impl Standing {
    /// As it is offered.
    pub const NEW: Self = Self { state: State::Queued, failures: Vec::new(), lost: 0 };

    /// Whether nothing is to be done for it any more.
    pub fn is_over(&self) -> bool {
        match self.state {
            State::Queued | State::Running { .. } => false,
            State::Failed { .. } | State::Done { .. } | State::Fetched { .. } => true,
        }
    }
}

/// How a job that stands so stands after `input`.
pub fn step(standing: Option<Standing>, input: Input) -> Result<Standing, Refused> {
    let Some(mut now) = standing else {
        return match input {
            Input::Offer => Ok(Standing::NEW),
            Input::Take { .. }
            | Input::Say { .. }
            | Input::GiveBack { .. }
            | Input::Fail { .. }
            | Input::Finish { .. }
            | Input::Fetch { .. } => Err(Refused::Unknown),
        };
    };
    let over = now.is_over();
    // Whether it is this run's to change.
    let of = |run: &str| match &now.state {
        State::Running { run: own, .. } if own == run => Ok(()),
        State::Queued | State::Running { .. } => Err(Refused::NotYours),
        State::Failed { .. } | State::Done { .. } | State::Fetched { .. } => Err(Refused::Over),
    };
    match input {
        Input::Offer => match now.state {
            State::Failed { .. } => return Ok(Standing::NEW),
            State::Queued | State::Running { .. } => return Err(Refused::There),
            State::Done { .. } | State::Fetched { .. } => return Err(Refused::Over),
        },
        Input::Take { .. } if over => return Err(Refused::Over),
        // Written, and the broker's answer got lost: said once more, it is as it is.
        Input::Take { run, .. } if of(&run).is_ok() => {}
        Input::Take { run, worker } => {
            // The queue gives it to somebody else only if the one before is silent.
            if matches!(now.state, State::Running { .. }) {
                now.lost += 1;
            }
            now.state = if now.lost >= MOST_LOST {
                let reason =
                    format!("{MOST_LOST} workers that had it have ended, or fallen silent, without a word");
                State::Failed { reason }
            } else {
                State::Running { run, worker, step: Step::Fetching { bytes: 0, of: 0 } }
            };
        }
        Input::Say { run, step: said } => {
            of(&run)?;
            if let State::Running { step, .. } = &mut now.state {
                *step = said;
            }
        }
        Input::GiveBack { run } => {
            of(&run)?;
            now.state = State::Queued;
        }
        Input::Fail { run, reason, log, tries } => {
            of(&run)?;
            let worker = now.worker();
            now.failures.push(Failure { worker, reason: reason.clone(), log });
            let is_last = now.failures.len() >= tries as usize;
            now.state = if is_last { State::Failed { reason } } else { State::Queued };
        }
        Input::Finish { run, .. } if matches!(&now.state, State::Done { run: own, .. } if *own == run) => {}
        Input::Finish { run, took_s, files } => {
            of(&run)?;
            now.state = State::Done { worker: now.worker(), run, took_s, files };
        }
        Input::Fetch { run } => match &now.state {
            State::Done { run: own, worker, .. } if *own == run => {
                now.state = State::Fetched { worker: worker.clone() };
            }
            State::Done { .. }
            | State::Queued
            | State::Running { .. }
            | State::Failed { .. }
            | State::Fetched { .. } => {
                return Err(Refused::NotYours);
            }
        },
    }
    Ok(now)
}

impl Standing {
    /// Who has it, or had it last.
    fn worker(&self) -> String {
        match &self.state {
            State::Running { worker, .. } | State::Done { worker, .. } | State::Fetched { worker } => {
                worker.clone()
            }
            State::Queued | State::Failed { .. } => String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
