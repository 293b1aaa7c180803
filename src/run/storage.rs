//! Where frames and records of a run go: the frame pipeline, and a thread for the journal's other records, so
//! that no sync ever holds up the loop.

use std::io;
use std::sync::{Arc, mpsc as blocking};
use std::thread::JoinHandle;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::error;

use crate::dataset::Dataset;
use crate::frame::exif::Exif;
use crate::frame::{
    CaptureFacts, FailureKind, Job, Pipeline, PixelView, Pixels, Plane, StoreFailed, ViewError,
};
use crate::plan::{Plan, ShotIndex};
use crate::rig::camera::CapturedFrame;
use crate::scan::{Input, Record, Stored};
use crate::units::{Millimetres, Seconds};

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
    /// A frame is not on disk.
    StoreFailed { shot: ShotIndex, kind: FailureKind, message: String },
    /// The shot that was to be taken again is pending, in the journal, and its place is free; or why not.
    Retaken(Result<(), String>),
    /// The journal does not take records any more.
    NoteFailed { message: String },
}

/// What the thread `journal` does, in order.
enum Order {
    Note(Record),
    Retake(ShotIndex),
}

/// An open dataset and the threads that fill it.
pub struct Storage {
    plan: Arc<Plan>,
    pipeline: Arc<Pipeline>,
    orders: blocking::Sender<Order>,
    /// Ends with the first error, if there was one.
    journal: JoinHandle<Result<(), String>>,
    inbox: mpsc::UnboundedSender<Message>,
    messages: mpsc::UnboundedReceiver<Message>,
}

impl Storage {
    /// Starts the threads that fill `dataset` with JPEGs of this quality (1 to 100).
    pub fn start(dataset: Dataset, jpeg_quality: u8) -> io::Result<Self> {
        let plan = Arc::new(dataset.plan().clone());
        let (inbox, messages) = mpsc::unbounded_channel();
        let (orders, receiver) = blocking::channel();
        let journal = {
            let (dataset, inbox) = (dataset.clone(), inbox.clone());
            std::thread::Builder::new()
                .name("journal".into())
                .spawn(move || keep_journal(&dataset, &receiver, &inbox))?
        };
        let to_inbox = inbox.clone();
        let on_result = move |result: Result<Stored, StoreFailed>| {
            let message = match result {
                Ok(stored) => Message::Stored(stored),
                Err(StoreFailed { shot, kind, message, .. }) => Message::StoreFailed { shot, kind, message },
            };
            // Nobody listens any more only when the run has ended.
            let _ = to_inbox.send(message);
        };
        let pipeline = Arc::new(Pipeline::start(ENCODERS, jpeg_quality, Box::new(dataset), on_result)?);
        Ok(Self { plan, pipeline, orders, journal, inbox, messages })
    }

    /// Appends a record to the journal, some time soon, in order.
    pub fn note(&self, record: Record) {
        self.order(Order::Note(record));
    }

    /// Makes a stored shot pending, some time soon; answered by [`Message::Retaken`].
    pub(super) fn retake(&self, shot: ShotIndex) {
        self.order(Order::Retake(shot));
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_err() {
            error!("the journal's thread has ended before the scan");
        }
    }

    /// The place where the camera with this index hands its frames over.
    pub(super) fn frames(&self, camera: usize, model: &str) -> Frames {
        let intrinsics = self.plan.cameras.get(camera).and_then(|camera| camera.intrinsics.intrinsics());
        let focal_length = intrinsics.map(|i| Millimetres::new(i.fx / f64::from(i.width.max(1)) * 36.0));
        Frames {
            pipeline: self.pipeline.clone(),
            inbox: self.inbox(),
            model: model.to_owned(),
            focal_length_35mm: focal_length,
        }
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
    model: String,
    focal_length_35mm: Option<Millimetres>,
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
        let frame = captured.frame();
        let taken_at = jiff::Timestamp::now();
        let exposure = Seconds::new(frame.exposure_us as f64 / 1e6);
        let facts = CaptureFacts {
            taken_at,
            sensor_timestamp_ns: frame.sensor_timestamp_ns,
            exposure,
            gain: frame.gain,
            white_balance: frame.white_balance,
            focus: frame.focus,
            sequence: frame.sequence,
        };
        let exif = Exif {
            make: "scanner".into(),
            model: self.model.clone(),
            taken_at,
            exposure,
            gain: frame.gain,
            focal_length: None,
            focal_length_35mm: self.focal_length_35mm,
        };
        let pixels = Box::new(captured);
        let job = Job { shot, attempt, pixels, facts, exif: Some(exif), permit: place };
        if self.pipeline.submit(job).is_err() {
            let message = "the threads that store frames have ended: restart the service, then resume".into();
            let kind = FailureKind::StorageUnusable;
            let _ = self.inbox.send(Message::StoreFailed { shot, kind, message });
        }
    }
}

impl Pixels for CapturedFrame {
    fn view(&self) -> Result<PixelView<'_>, ViewError> {
        let frame = self.frame();
        let mut planes = [Plane { data: &[], stride: 1 }; 3];
        let count = frame.format.planes().min(planes.len());
        for (index, plane) in planes.iter_mut().enumerate().take(count) {
            *plane = Plane { data: self.plane(index), stride: frame.strides[index] as usize };
        }
        PixelView::new(frame.format, frame.size, &planes[..count])
    }
}

fn keep_journal(
    dataset: &Dataset,
    orders: &blocking::Receiver<Order>,
    inbox: &mpsc::UnboundedSender<Message>,
) -> Result<(), String> {
    let mut outcome = Ok(());
    for order in orders {
        // After an error the journal's end is unknown: a later record must not pretend otherwise.
        if outcome.is_err() {
            continue;
        }
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
            // If it was the journal that failed, the next record will say so.
            Order::Retake(shot) => {
                inbox.send(Message::Retaken(dataset.retake(shot).map_err(|error| error.to_string())))
            }
        };
    }
    outcome
}
