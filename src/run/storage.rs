//! Where frames and records of a run go: the frame pipeline, and a thread for the journal's other records, so
//! that no sync ever holds up the loop.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, mpsc as blocking};
use std::thread::JoinHandle;

use jiff::tz::TimeZone;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::error;

use crate::camera_driver::protocol::{FrameMetadata, Hello, Payload};
use crate::config;
use crate::dataset::{Dataset, DescribeError};
use crate::frame::exif::{self, Exif};
use crate::frame::{
    Captured, Content, FailureKind, File, Job, Pipeline, PixelView, Plane, StoreFailed, ViewError,
};
use crate::plan::{Plan, Point, ShotIndex};
use crate::procfs;
use crate::rig::camera::{CapturedFrame, RawView};
use crate::scan::{
    Description, DescriptionChanges, ExtendedBy, Gate, Input, Late, Record, References, RetakenFor, Stored,
};

use super::at_disk::AtDisk;
use super::gated::Gated;
use super::identity;
use super::timing::Taken;

/// Threads that encode: half of a Pi's cores, so that cameras and control always find a free one.
const ENCODERS: usize = 2;

/// What the loop is told. All of it comes through one queue: a frame is captured before it is stored.
#[derive(Debug)]
pub(super) enum Message {
    /// A camera or the axes have done as they were asked, or not.
    Input(Input),
    /// The times of a frame; its `Input::Captured` follows.
    Taken(Taken),
    /// A frame is on disk.
    Stored(Stored),
    /// Something is wrong with an image that is on disk already.
    Late(Late),
    /// A frame is not on disk.
    StoreFailed { shot: ShotIndex, kind: FailureKind, message: String },
    /// The shot that was to be taken again is pending, in the journal, and its place is free; or a better image has it back;
    /// or why not.
    Retaken(Result<Option<Stored>, String>),
    /// The points that were to be added are in the journal; or why not.
    Extended(Result<(), String>),
    /// The scan is called this from now on.
    Described(Description),
    /// The journal does not take records any more.
    NoteFailed { message: String },
}

/// What the thread `journal` does, in order.
enum Order {
    Note(Record),
    Retake(ShotIndex, RetakenFor),
    KeepBest(ShotIndex),
    Extend(Vec<Point>, ExtendedBy),
    Describe(DescriptionChanges, oneshot::Sender<Result<Description, DescribeError>>),
}

/// An open dataset and the threads that fill it.
pub struct Storage {
    plan: Arc<Plan>,
    pipeline: Arc<Pipeline>,
    /// What the names of its cameras are made from.
    machine: String,
    orders: blocking::Sender<Order>,
    /// Ends with the first error, if there was one.
    journal: JoinHandle<Result<(), String>>,
    inbox: mpsc::UnboundedSender<Message>,
    messages: mpsc::UnboundedReceiver<Message>,
}

impl Storage {
    /// Starts the threads that fill `dataset`, of which `records` tell, with JPEGs of this quality (1 to 100), each judged
    /// by a gate with these `limits`, which knows by `references` what is behind the object. What takes long shows `at_disk`.
    pub fn start(
        dataset: Dataset,
        jpeg_quality: u8,
        limits: config::Gate,
        references: References,
        records: &[Record],
        at_disk: &AtDisk,
    ) -> io::Result<Self> {
        let plan = dataset.plan();
        let mut gate = Gate::new(plan.clone(), limits, references, records);
        let machine = procfs::machine_id()?;
        let (inbox, messages) = mpsc::unbounded_channel();
        let (orders, receiver) = blocking::channel();
        let journal = {
            let (dataset, inbox, at_disk) = (dataset.clone(), inbox.clone(), at_disk.clone());
            std::thread::Builder::new()
                .name("journal".into())
                .spawn(move || keep_journal(&dataset, &receiver, &inbox, &at_disk))?
        };
        let to_inbox = inbox.clone();
        // Nobody listens any more only when the run has ended.
        let mut found = move |late| drop(to_inbox.send(Message::Late(late)));
        gate.left_over().into_iter().for_each(&mut found);
        let store =
            Gated { dataset, gate, at_disk: at_disk.clone(), found: Box::new(found), told: BTreeSet::new() };
        let to_inbox = inbox.clone();
        let on_result = move |result: Result<Stored, StoreFailed>| {
            let message = match result {
                Ok(stored) => Message::Stored(stored),
                Err(StoreFailed { shot, kind, message, .. }) => Message::StoreFailed { shot, kind, message },
            };
            // Nobody listens any more only when the run has ended.
            let _ = to_inbox.send(message);
        };
        let pipeline = Arc::new(Pipeline::start(ENCODERS, jpeg_quality, Box::new(store), on_result)?);
        Ok(Self { plan, pipeline, machine, orders, journal, inbox, messages })
    }

    /// Appends a record to the journal, some time soon, in order.
    pub fn note(&self, record: Record) {
        self.order(Order::Note(record));
    }

    /// Makes a stored shot pending, some time soon; answered by [`Message::Retaken`].
    pub(super) fn retake(&self, shot: ShotIndex, by: RetakenFor) {
        self.order(Order::Retake(shot, by));
    }

    /// Gives an earlier image of a stored shot its place back if it is better, some time soon; answered by
    /// [`Message::Retaken`].
    pub(super) fn keep_best(&self, shot: ShotIndex) {
        self.order(Order::KeepBest(shot));
    }

    /// Puts points behind those of the plan, some time soon; answered by [`Message::Extended`].
    pub(super) fn extend(&self, points: Vec<Point>, by: ExtendedBy) {
        self.order(Order::Extend(points, by));
    }

    /// Calls the scan something else, some time soon.
    pub(super) fn describe(
        &self,
        changes: DescriptionChanges,
        done: oneshot::Sender<Result<Description, DescribeError>>,
    ) {
        self.order(Order::Describe(changes, done));
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            error!("the journal's thread has ended before the scan");
        }
    }

    /// The place where the camera with this index, which says `hello` of itself, hands its frames over.
    pub(super) fn frames(&self, camera: usize, hello: &Hello) -> Frames {
        let intrinsics = self.plan.cameras.get(camera).and_then(|camera| camera.intrinsics.intrinsics());
        let camera = Arc::new(identity::camera(hello, intrinsics, &self.machine));
        Frames { pipeline: self.pipeline.clone(), inbox: self.inbox(), camera }
    }

    /// Where messages for the loop go.
    pub(super) fn inbox(&self) -> mpsc::UnboundedSender<Message> {
        self.inbox.clone()
    }

    /// The next message for the loop.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }

    /// Waits until everything is on disk and ends the threads.
    ///
    /// # Errors
    /// Why a record is not in the journal, for people.
    pub(super) async fn finish(self) -> Result<(), String> {
        let Self { pipeline, orders, journal, .. } = self;
        drop(orders);
        let finishing = tokio::task::spawn_blocking(move || {
            // The cameras' tasks have ended: this is the last handle.
            drop(pipeline);
            journal.join().unwrap_or_else(|_| Err("the journal's thread panicked".into()))
        });
        finishing.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// Takes a camera's frames.
#[derive(Clone)]
pub(super) struct Frames {
    pipeline: Arc<Pipeline>,
    inbox: mpsc::UnboundedSender<Message>,
    camera: Arc<exif::Camera>,
}

impl Frames {
    /// Hands a frame over to be encoded and stored; `place` is free again once it is.
    pub(super) fn submit(
        &self,
        shot: ShotIndex,
        attempt: u32,
        captured: CapturedFrame,
        place: OwnedSemaphorePermit,
    ) {
        let said = captured.metadata();
        let taken_at = jiff::Timestamp::now();
        let (exposure, gain) = said.exposure_and_gain();
        let exif = Exif {
            camera: self.camera.clone(),
            taken_at: taken_at.to_zoned(TimeZone::system()),
            exposure,
            gain,
            focus: said.focus,
            id: identity::image(&self.camera.serial, taken_at, said.exposed.at_ns()),
        };
        let captured = Box::new(captured);
        let job = Job { shot, attempt, captured, taken_at, exif: Some(exif), permit: place };
        if self.pipeline.submit(job).is_err() {
            let message = "the threads that store frames have ended: restart the service, then resume".into();
            let kind = FailureKind::StorageUnusable;
            let _ = self.inbox.send(Message::StoreFailed { shot, kind, message });
        }
    }
}

impl Captured for CapturedFrame {
    fn content(&self) -> Result<Content<'_>, ViewError> {
        let frame = match &self.metadata().payload {
            Payload::Pixels(planes) => planes,
            Payload::Files(_) => {
                return Ok(Content::Files(self.files().map(|(kind, bytes)| File { kind, bytes }).collect()));
            }
        };
        let mut planes = [Plane { data: &[], stride: 1 }; 3];
        let count = frame.format.planes().min(planes.len());
        for (index, plane) in planes.iter_mut().enumerate().take(count) {
            *plane = Plane { data: self.plane(index), stride: frame.strides[index] as usize };
        }
        PixelView::new(frame.format, frame.size, &planes[..count]).map(Content::Pixels)
    }

    fn raw(&self) -> Option<RawView<'_>> {
        self.raw()
    }

    fn metadata(&self) -> &FrameMetadata {
        self.metadata()
    }
}

fn keep_journal(
    dataset: &Dataset,
    orders: &blocking::Receiver<Order>,
    inbox: &mpsc::UnboundedSender<Message>,
    at_disk: &AtDisk,
) -> Result<(), String> {
    let mut outcome = Ok(());
    for order in orders {
        // After an error the journal's end is unknown: a later record must not pretend otherwise.
        if outcome.is_err() {
            continue;
        }
        let _errand = at_disk.begin();
        // Nobody listens any more only when the run has ended.
        let _ = match order {
            Order::Note(record) => match dataset.note(&record) {
                Ok(()) => Ok(()),
                Err(error) => {
                    let message = error.to_string();
                    outcome = Err(message.clone());
                    inbox.send(Message::NoteFailed { message })
                }
            },
            Order::Describe(changes, done) => {
                let described = dataset.describe(changes);
                let told = described.as_ref().ok().cloned();
                // Whoever asked may have gone.
                let _ = done.send(described);
                match told {
                    Some(description) => inbox.send(Message::Described(description)),
                    None => Ok(()),
                }
            }
            // If it was the journal that failed, the next record will say so.
            Order::Retake(shot, by) => {
                let retaken = dataset.retake(shot, by).map(|()| None);
                inbox.send(Message::Retaken(retaken.map_err(|error| error.to_string())))
            }
            Order::Extend(points, by) => {
                let extended = dataset.extend(&points, by).map(drop);
                inbox.send(Message::Extended(extended.map_err(|error| error.to_string())))
            }
            Order::KeepBest(shot) => {
                let best = dataset.keep_best(shot).map_err(|error| error.to_string());
                inbox.send(Message::Retaken(best))
            }
        };
    }
    outcome
}
