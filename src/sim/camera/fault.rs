//! The ways in which a camera fails, as options name them, and what each of them happens to.

use serde::{Deserialize, Serialize};

use super::forged::Forged;
use super::spoil::Spoilt;
use crate::camera_driver::protocol::ErrorKind;

/// A way for a camera to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A call into the camera never returns.
    Hang,
    /// No more frames until the camera is stopped and started.
    Stall,
    /// No more frames, and stopping the camera never returns.
    StopHangs,
    /// The process dies of SIGABRT.
    Abort,
    /// The process ends as if all were well.
    Exit,
    /// The capture comes back without a picture.
    Cancelled,
    /// A buffer cannot be queued.
    QueueBuffer,
    /// A setting is refused.
    InvalidArgument,
    /// Another process has the camera.
    Busy,
    /// The camera is not there any more.
    Gone,
    /// There is no memory for frames.
    NoMemory,
    /// A frame says that it has another size than configured.
    WrongSize,
    /// A frame's rows are said to be closer together than they are wide; or its files to be half as long as they are.
    WrongStride,
    /// A frame's memory is shorter than the frame.
    ShortDescriptor,
    /// A frame that was exposed before it was wanted.
    StaleFrame,
    /// A frame with the number of the frame delivered before it; waits until one has been in this epoch.
    DuplicateSequence,
    /// Nothing comes, until the camera is stopped and started: then the answer to the capture of before.
    LateFrame,
    /// Bytes that are no message, in place of the frame.
    Garbage,
    /// The frame comes 3 s late, and none before it.
    Slow,
    /// A call takes three quarters of `longest_call`, which is said before. Then the frame comes.
    LongCall,
    /// A call never returns, and the driver has said that it is busy for ever.
    BusyHang,
    /// The driver says again and again that it is busy, and does nothing else.
    BusyAgain,
    /// `converge` is never answered, though frames come and captures are answered. Of no shot.
    NeverConverges,
    /// The owner's thread reads `wedge_file`: if that is on a file system that never answers, the process
    /// cannot even be killed.
    Wedge,
    /// The frame is blurred in every direction, by a hundredth of its width.
    Blurred,
    /// The frame is blurred along its rows, as by something that moves.
    MotionBlurred,
    /// The frame is 2.5 times as bright, and white where that is too much.
    Overexposed,
    /// The frame is three quarters as bright: somebody has bumped into a light.
    Dimmed,
    /// The frame has the pixels of the frame delivered before it; waits until there is one.
    Duplicate,
    /// The frame is blurred, and says that the lens is 2 dpt off.
    Defocused,
}

impl FaultKind {
    /// Every kind: first those that can be drawn at random, then those that cannot.
    pub const ALL: [Self; 30] = [
        Self::Hang,
        Self::Stall,
        Self::StopHangs,
        Self::Abort,
        Self::Exit,
        Self::Cancelled,
        Self::QueueBuffer,
        Self::InvalidArgument,
        Self::Busy,
        Self::Gone,
        Self::NoMemory,
        Self::WrongSize,
        Self::WrongStride,
        Self::ShortDescriptor,
        Self::StaleFrame,
        Self::DuplicateSequence,
        Self::LateFrame,
        Self::Garbage,
        Self::Slow,
        Self::LongCall,
        Self::BusyHang,
        Self::BusyAgain,
        Self::NeverConverges,
        Self::Wedge,
        Self::Blurred,
        Self::MotionBlurred,
        Self::Overexposed,
        Self::Dimmed,
        Self::Duplicate,
        Self::Defocused,
    ];

    /// How many of them, the first ones, can be drawn at random: the others need a `longest_call`, a `converge`, or a file
    /// system that never answers, or spoil pictures, which is no failure of the camera.
    pub(super) const RANDOM: u64 = Self::ALL.len() as u64 - 11;

    /// What happens to a capture; none of a fault that is of no shot.
    pub(super) const fn of_capture(self) -> Option<CaptureFault> {
        use CaptureFault::{Call, Frame};
        Some(match self {
            Self::Hang => Call(CallFault::Hang),
            Self::Stall => Call(CallFault::Stall { stop_hangs: false }),
            Self::StopHangs => Call(CallFault::Stall { stop_hangs: true }),
            Self::Abort => Call(CallFault::Abort),
            Self::Exit => Call(CallFault::Exit),
            Self::Cancelled => failing(ErrorKind::Cancelled, "the request came back cancelled"),
            Self::QueueBuffer => {
                failing(ErrorKind::QueueBuffer, "Failed to queue buffer 0: Invalid argument")
            }
            Self::InvalidArgument => failing(ErrorKind::InvalidArgument, "the exposure time was refused"),
            Self::Busy => Call(CallFault::Busy),
            Self::Gone => failing(ErrorKind::Gone, "the camera is not there any more: check its cable"),
            Self::NoMemory => failing(ErrorKind::NoMemory, "no memory for frames"),
            Self::WrongSize => Frame(FrameFault::Forged(Forged::Size)),
            Self::WrongStride => Frame(FrameFault::Forged(Forged::Stride)),
            Self::ShortDescriptor => Frame(FrameFault::Forged(Forged::ShortMemory)),
            Self::StaleFrame => Frame(FrameFault::Forged(Forged::Stale)),
            Self::DuplicateSequence => Frame(FrameFault::Forged(Forged::Sequence)),
            Self::LateFrame => Frame(FrameFault::Delayed(Delay::UntilNextEpoch)),
            Self::Garbage => Frame(FrameFault::Forged(Forged::Garbage)),
            Self::Slow => Frame(FrameFault::Delayed(Delay::Slow)),
            Self::LongCall => Call(CallFault::LongCall),
            Self::BusyHang => Call(CallFault::BusyHang),
            Self::BusyAgain => Call(CallFault::BusyAgain),
            Self::NeverConverges => return None,
            Self::Wedge => Call(CallFault::Wedge),
            Self::Blurred => Frame(FrameFault::Spoilt(Spoilt::Blurred)),
            Self::MotionBlurred => Frame(FrameFault::Spoilt(Spoilt::MotionBlurred)),
            Self::Overexposed => Frame(FrameFault::Spoilt(Spoilt::Overexposed)),
            Self::Dimmed => Frame(FrameFault::Spoilt(Spoilt::Dimmed)),
            Self::Duplicate => Frame(FrameFault::Spoilt(Spoilt::Duplicate)),
            Self::Defocused => Frame(FrameFault::Spoilt(Spoilt::Defocused)),
        })
    }

    /// As in a driver's options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hang => "hang",
            Self::Stall => "stall",
            Self::StopHangs => "stop_hangs",
            Self::Abort => "abort",
            Self::Exit => "exit",
            Self::Cancelled => "cancelled",
            Self::QueueBuffer => "queue_buffer",
            Self::InvalidArgument => "invalid_argument",
            Self::Busy => "busy",
            Self::Gone => "gone",
            Self::NoMemory => "no_memory",
            Self::WrongSize => "wrong_size",
            Self::WrongStride => "wrong_stride",
            Self::ShortDescriptor => "short_descriptor",
            Self::StaleFrame => "stale_frame",
            Self::DuplicateSequence => "duplicate_sequence",
            Self::LateFrame => "late_frame",
            Self::Garbage => "garbage",
            Self::Slow => "slow",
            Self::LongCall => "long_call",
            Self::BusyHang => "busy_hang",
            Self::BusyAgain => "busy_again",
            Self::NeverConverges => "never_converges",
            Self::Wedge => "wedge",
            Self::Blurred => "blurred",
            Self::MotionBlurred => "motion_blurred",
            Self::Overexposed => "overexposed",
            Self::Dimmed => "dimmed",
            Self::Duplicate => "duplicate",
            Self::Defocused => "defocused",
        }
    }
}

/// A fault to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// To which shot; to whichever comes, if absent.
    #[serde(default)]
    pub shot: Option<u32>,
    /// From which shot on, in the order of the plan; from the first, if absent.
    #[serde(default)]
    pub from: u32,
    /// To how many captures of it.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

const fn failing(kind: ErrorKind, message: &'static str) -> CaptureFault {
    CaptureFault::Call(CallFault::Fails(kind, message))
}

/// What happens to a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CaptureFault {
    /// A call into the camera goes wrong, and needs no frame for that.
    Call(CallFault),
    /// The frame that answers it goes wrong.
    Frame(FrameFault),
}

/// How a frame goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameFault {
    /// It is not what it says.
    Forged(Forged),
    /// It is as it should be, and not there when it should be.
    Delayed(Delay),
    /// It is what it says, and its picture is no good.
    Spoilt(Spoilt),
}

/// How a call into the camera goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallFault {
    Hang,
    /// No frame comes any more.
    Stall {
        /// And no stop returns.
        stop_hangs: bool,
    },
    LongCall,
    BusyHang,
    BusyAgain,
    Abort,
    Exit,
    /// With these words.
    Fails(ErrorKind, &'static str),
    Busy,
    Wedge,
}

/// Until when a frame is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delay {
    /// Too long for who waits.
    Slow,
    /// The camera is stopped and started.
    UntilNextEpoch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_options() {
        for kind in FaultKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let (_, others) = FaultKind::ALL.split_at(FaultKind::RANDOM as usize);
        let (none_of_these, pictures) = others.split_at(5);
        assert_eq!(
            none_of_these,
            [
                FaultKind::LongCall,
                FaultKind::BusyHang,
                FaultKind::BusyAgain,
                FaultKind::NeverConverges,
                FaultKind::Wedge
            ],
            "left out of the random ones"
        );
        let spoils =
            |kind: &FaultKind| matches!(kind.of_capture(), Some(CaptureFault::Frame(FrameFault::Spoilt(_))));
        assert!(pictures.iter().all(spoils) && pictures.len() == 6);
    }
}
