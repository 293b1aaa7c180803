//! Every job has its result, whatever the frame, the store or a thread does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::*;
use crate::camera_driver::protocol::{ExposedAt, FrameMetadata, Payload, Planes, Stream};
use crate::frame::Plane;
use crate::model::{PixelFormat, Size};

static MEMORY: [u8; 64 * 48] = [77; 64 * 48];

const SIZE: Size = Size { width: 64, height: 48 };

/// Counts how many of it there are.
struct Borrowed {
    memory: Vec<u8>,
    alive: Arc<AtomicUsize>,
    planes: [Plane<'static>; 3],
    metadata: FrameMetadata,
    panics: bool,
}

impl Borrowed {
    fn boxed(alive: &Arc<AtomicUsize>, panics: bool) -> Box<dyn Captured> {
        alive.fetch_add(1, Ordering::SeqCst);
        let planes = [64, 32, 32].map(|stride| Plane { data: &MEMORY, stride });
        let metadata = FrameMetadata {
            stream: Stream::Still,
            payload: Payload::Pixels(Planes {
                format: PixelFormat::Yuv420,
                size: SIZE,
                strides: vec![64, 32, 32],
                offsets: vec![0, 3072, 3840],
            }),
            exposed: ExposedAt::Sensor { sensor_timestamp_ns: 1 },
            exposure_us: Some(10_000),
            readout_us: 0,
            gain: Some(1.0),
            white_balance: None,
            focus: None,
            raw: None,
            completed_ns: 0,
            clock_uncertainty_us: None,
            sequence: 1,
            buffer: 1,
        };
        Box::new(Self { memory: vec![0; 9], alive: Arc::clone(alive), planes, metadata, panics })
    }
}

impl Captured for Borrowed {
    fn content(&self) -> Result<Content<'_>, ViewError> {
        assert!(!self.panics, "this frame is cursed");
        assert_eq!(self.memory.len(), 9);
        PixelView::new(PixelFormat::Yuv420, SIZE, &self.planes).map(Content::Pixels)
    }

    fn metadata(&self) -> &FrameMetadata {
        &self.metadata
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Refuses or panics as the shot's number says; slow, so that frames queue before it.
struct Fake {
    alive: Arc<AtomicUsize>,
}

impl Store for Fake {
    fn store(
        &mut self,
        shot: ShotIndex,
        attempt: u32,
        files: &[File<'_>],
        facts: FrameFacts,
    ) -> Result<Stored, StoreRefused> {
        thread::sleep(Duration::from_millis(2));
        assert!(shot.0 % 10 != 3, "this disk is cursed");
        if shot.0 % 10 == 4 {
            return Err(StoreRefused { kind: FailureKind::DiskFull, message: "full".into() });
        }
        assert!(facts.sharpness.abs() < 1e-9);
        assert_eq!((facts.exposure.get(), facts.gain, facts.sequence), (0.01, 1.0, 1));
        assert!(self.alive.load(Ordering::SeqCst) < 40);
        let jpeg = files[0].bytes;
        let (bytes, crc32c) = (jpeg.len() as u64, crc32c::crc32c(jpeg));
        Ok(Stored { shot, attempt, image: String::new(), bytes, crc32c, beside: Vec::new(), facts })
    }

    fn thumbnail(&mut self, _: ShotIndex, jpeg: &[u8]) {
        assert!(turbojpeg::read_header(jpeg).is_ok());
    }
}

fn job(shot: u32, alive: &Arc<AtomicUsize>, permit: OwnedSemaphorePermit) -> Job {
    let captured = Borrowed::boxed(alive, shot % 10 == 5);
    Job { shot: ShotIndex(shot), attempt: 1, captured, taken_at: Timestamp::UNIX_EPOCH, exif: None, permit }
}

#[tokio::test]
async fn every_job_has_one_result_and_gives_everything_back() {
    let alive = Arc::new(AtomicUsize::new(0));
    let permits = Arc::new(Semaphore::new(4));
    let results = Arc::new(Mutex::new(BTreeMap::<u32, Vec<Result<Stored, StoreFailed>>>::new()));
    let seen = Arc::clone(&results);
    let store = Box::new(Fake { alive: Arc::clone(&alive) });
    let pipeline = Pipeline::start(2, 90, store, move |result| {
        let shot = result.as_ref().map_or_else(|failed| failed.shot, |stored| stored.shot);
        seen.lock().unwrap().entry(shot.0).or_default().push(result);
    })
    .unwrap();
    for shot in 0..60 {
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        assert!(alive.load(Ordering::SeqCst) <= 4, "no more frames on their way than permits");
        pipeline.submit(job(shot, &alive, permit)).unwrap();
    }
    pipeline.finish();

    assert_eq!(permits.available_permits(), 4);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    let results = results.lock().unwrap();
    assert_eq!(results.len(), 60);
    for (shot, results) in results.iter() {
        assert_eq!(results.len(), 1, "shot {shot}");
        let kind = results[0].as_ref().map_err(|failed| failed.kind).err();
        let wanted = match shot % 10 {
            3 => Some(FailureKind::StorageUnusable),
            4 => Some(FailureKind::DiskFull),
            5 => Some(FailureKind::Frame),
            _ => None,
        };
        assert_eq!(kind, wanted, "shot {shot}: {:?}", results[0]);
        if shot % 10 == 5 {
            assert!(results[0].as_ref().unwrap_err().message.contains("this frame is cursed"));
        }
    }
}

#[test]
fn dropping_waits_for_what_was_submitted() {
    let alive = Arc::new(AtomicUsize::new(0));
    let permits = Arc::new(Semaphore::new(3));
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let store = Box::new(Fake { alive: Arc::clone(&alive) });
    let pipeline = Pipeline::start(0, 90, store, move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    })
    .unwrap();
    for shot in 0..3 {
        let permit = Arc::clone(&permits).try_acquire_owned().unwrap();
        pipeline.submit(job(shot, &alive, permit)).unwrap();
    }
    drop(pipeline);
    assert_eq!(count.load(Ordering::SeqCst), 3);
}
