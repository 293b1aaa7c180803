//! The tasks of a service: none of them ends unseen.

use std::collections::HashMap;

use tokio::task::{Id, JoinError, JoinSet};

/// Tasks with names, under watch. They are stopped when this is dropped.
#[derive(Default)]
pub(super) struct Watched {
    tasks: JoinSet<()>,
    known: HashMap<Id, (&'static str, MayEnd)>,
}

/// Whether a task may end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MayEnd {
    /// It works until it is stopped.
    Never,
    /// It ends on a rig that does not need it, or not any more.
    Unneeded,
}

impl Watched {
    pub(super) fn spawn(
        &mut self,
        name: &'static str,
        may_end: MayEnd,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.tasks.spawn(task).id();
        self.known.insert(id, (name, may_end));
    }

    /// Waits for a task that should not have ended, and says which and how. May be dropped and called again.
    pub(super) async fn broken(&mut self) -> String {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
            let (name, may_end) = self.known.remove(&id).unwrap_or(("a task", MayEnd::Never));
            match (ended, may_end) {
                (Ok(_), MayEnd::Unneeded) => {}
                (Ok(_), MayEnd::Never) => return format!("{name} ended, which it never should"),
                (Err(error), MayEnd::Never | MayEnd::Unneeded) => {
                    return format!("{name} broke down: {error}");
                }
            }
        }
        std::future::pending().await
    }

    /// Stops all, and waits until they have stopped.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_named_though_others_were_not_needed() {
        let mut tasks = Watched::default();
        tasks.spawn("the lights", MayEnd::Never, std::future::pending());
        tasks.spawn("the hours", MayEnd::Unneeded, async {});
        tasks.spawn("the panel", MayEnd::Unneeded, async { panic!("a button too many") });
        let broken = tasks.broken().await;
        assert!(
            broken.starts_with("the panel broke down") && broken.contains("a button too many"),
            "{broken}"
        );
    }

    #[tokio::test]
    async fn a_task_that_ends_though_it_never_should_is_named() {
        let mut tasks = Watched::default();
        tasks.spawn("the cameras", MayEnd::Never, async {});
        assert_eq!(tasks.broken().await, "the cameras ended, which it never should");
    }
}
