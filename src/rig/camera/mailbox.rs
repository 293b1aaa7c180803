//! Where an answer of a driver is waited for: one thing at a time, until it comes, is given up, or cannot come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use super::error::CameraError;
use super::sorting::{Answer, Want};

/// What is waited for, and who has it. Nothing comes any more once it has ended.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Option<Waiting>,
    next_ticket: u64,
    /// Why nothing will come any more.
    ended: Option<CameraError>,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    want: Want,
    answer: mpsc::Sender<Result<Answer, CameraError>>,
}

/// Names one wait: of a mailbox, none is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// The right to one answer; dropping it gives the wait up.
#[derive(Debug)]
pub(super) struct Wait {
    mailbox: Arc<Mailbox>,
    ticket: Ticket,
    answer: Option<mpsc::Receiver<Result<Answer, CameraError>>>,
}

impl Wait {
    /// What blocks until the answer is there, or fails once the wait is given up. There is one.
    pub(super) fn take_receiver(&mut self) -> Option<mpsc::Receiver<Result<Answer, CameraError>>> {
        self.answer.take()
    }

    /// By which the mailbox is known.
    pub(super) fn ticket(&self) -> Ticket {
        self.ticket
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        // Without its sender the receiver, wherever it waits, returns.
        let _ = self.mailbox.state().waiting.take_if(|waiting| waiting.ticket == self.ticket);
    }
}

impl Mailbox {
    /// Makes `want` what is waited for, in place of anything else.
    pub(super) fn wait_for(self: &Arc<Self>, want: Want) -> Wait {
        let (sender, receiver) = mpsc::channel();
        let mut state = self.state();
        state.next_ticket += 1;
        let ticket = Ticket(state.next_ticket);
        match state.ended.clone() {
            // The receiver finds it waiting.
            Some(error) => drop(sender.send(Err(error))),
            None => state.waiting = Some(Waiting { ticket, want, answer: sender }),
        }
        Wait { mailbox: Arc::clone(self), ticket, answer: Some(receiver) }
    }

    /// What is waited for.
    pub(super) fn wanted(&self) -> Option<(Ticket, Want)> {
        self.state().waiting.as_ref().map(|waiting| (waiting.ticket, waiting.want))
    }

    /// Does `act`, which must not block, if the wait with this ticket has neither been given up nor answered: it is
    /// looked at and done under one lock, so nothing is done in the name of a wait that is over.
    pub(super) fn while_waited_for<T>(&self, ticket: Ticket, act: impl FnOnce() -> T) -> Option<T> {
        let state = self.state();
        let waits = state.waiting.as_ref().is_some_and(|waiting| waiting.ticket == ticket);
        waits.then(act)
    }

    /// Ends the wait with this ticket, if there is one, with `answer`; gives back what nobody waits for any more.
    pub(super) fn deliver(
        &self,
        ticket: Option<Ticket>,
        answer: Result<Answer, CameraError>,
    ) -> Option<Result<Answer, CameraError>> {
        let waiting = self.state().waiting.take_if(|waiting| Some(waiting.ticket) == ticket);
        match waiting {
            Some(waiting) => waiting.answer.send(answer).err().map(|mpsc::SendError(answer)| answer),
            None => Some(answer),
        }
    }

    /// Notes why nothing will come any more, unless that is known. Who waits is not woken.
    pub(super) fn note_end(&self, why: CameraError) {
        self.state().ended.get_or_insert(why);
    }

    /// Ends every wait: nothing will come any more, because of `why`, unless another cause is known.
    pub(super) fn end(&self, why: CameraError) {
        let mut state = self.state();
        let why = state.ended.get_or_insert(why).clone();
        if let Some(waiting) = state.waiting.take() {
            // Fails if the wait was given up, which ends it too.
            let _ = waiting.answer.send(Err(why));
        }
    }

    /// Why nothing will come any more.
    pub(super) fn ended(&self) -> Option<CameraError> {
        self.state().ended.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera_driver::protocol::ErrorKind;

    #[test]
    fn nothing_is_done_in_the_name_of_a_wait_that_is_over() {
        let mailbox = Arc::new(Mailbox::default());
        let act = |ticket| mailbox.while_waited_for(ticket, || ());
        let given_up = mailbox.wait_for(Want::Stopped);
        let ticket = given_up.ticket();
        assert_eq!(act(ticket), Some(()));
        drop(given_up);
        assert_eq!(act(ticket), None);

        let replaced = mailbox.wait_for(Want::Stopped);
        let newer = mailbox.wait_for(Want::Converged);
        assert_eq!((act(replaced.ticket()), act(newer.ticket())), (None, Some(())));
        // Of the older one, nothing is left to be given up.
        drop(replaced);
        assert_eq!(act(newer.ticket()), Some(()));

        assert!(mailbox.deliver(Some(newer.ticket()), Ok(Answer::Stopped)).is_none());
        assert_eq!(act(newer.ticket()), None);
        assert!(mailbox.deliver(Some(newer.ticket()), Ok(Answer::Stopped)).is_some(), "answered twice");

        mailbox.end(CameraError::new("cam0", ErrorKind::Crashed, "it is gone"));
        let mut late = mailbox.wait_for(Want::Stopped);
        assert_eq!(act(late.ticket()), None);
        let error = late.take_receiver().unwrap().recv().unwrap().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Crashed);
    }
}
