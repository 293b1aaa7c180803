//! What is recorded of a frame, put together from what its driver said and what was measured.

use jiff::Timestamp;
use scanner_pixels::quality::Quality;

use crate::camera_driver::protocol::FrameMetadata;
use crate::scan::FrameFacts;

/// What is known of a frame that was received at `taken_at`.
pub fn facts(said: &FrameMetadata, taken_at: Timestamp, measured: Quality) -> FrameFacts {
    let (exposure, gain) = said.exposure_and_gain();
    FrameFacts {
        taken_at,
        sensor_timestamp_ns: said.exposed.at_ns(),
        exposure,
        gain,
        white_balance: said.white_balance,
        focus: said.focus,
        clock_uncertainty_us: said.clock_uncertainty_us,
        sequence: said.sequence,
        sharpness: measured.sharpness,
        clipped_dark: measured.clipped_dark,
        clipped_bright: measured.clipped_bright,
        measured: None,
        verdict: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera_driver::protocol::FromDriver;

    /// A frame as any driver of protocol 1 may send it, and the facts as journals and metadata of format 1 have them:
    /// neither text may ever change.
    #[test]
    fn what_a_driver_says_and_what_is_recorded_are_spelled_as_ever() {
        let all = concat!(
            r#"{"type":"frame","epoch":1,"request":2,"stream":"still","format":"yuv420","#,
            r#""size":{"width":640,"height":480},"strides":[640,320,320],"offsets":[0,307200,384000],"#,
            r#""sensor_timestamp_ns":18446744073709551615,"exposure_us":4000,"readout_us":25000,"gain":1.5,"#,
            r#""white_balance":[1.75,1.5],"focus":"2.5 dpt","completed_ns":5380837010552,"sequence":2,"buffer":7}"#,
        );
        let least = concat!(
            r#"{"type":"frame","epoch":1,"stream":"live","format":"nv12","size":{"width":64,"height":48},"#,
            r#""strides":[64,64],"offsets":[0,3072],"sensor_timestamp_ns":5,"readout_us":0,"completed_ns":0,"#,
            r#""sequence":2,"buffer":7}"#,
        );
        let recorded = [
            concat!(
                r#"{"taken_at":"2026-11-21T14:30:05Z","sensor_timestamp_ns":18446744073709551615,"#,
                r#""exposure":"0.004 s","gain":1.5,"white_balance":[1.75,1.5],"focus":"2.5 dpt","sequence":2,"#,
                r#""sharpness":12.5,"clipped_dark":0.25,"clipped_bright":0.5}"#,
            ),
            concat!(
                r#"{"taken_at":"2026-11-21T14:30:05Z","sensor_timestamp_ns":5,"exposure":"0 s","gain":0.0,"#,
                r#""sequence":2,"sharpness":12.5,"clipped_dark":0.25,"clipped_bright":0.5}"#,
            ),
        ];
        let measured = Quality { sharpness: 12.5, clipped_dark: 0.25, clipped_bright: 0.5 };
        let taken_at: Timestamp = "2026-11-21T14:30:05Z".parse().unwrap();
        for (text, recorded) in [all, least].into_iter().zip(recorded) {
            let message: FromDriver = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&message).unwrap(), text);
            let FromDriver::Frame(frame) = message else { panic!("{message:?}") };
            let facts = facts(&frame.metadata, taken_at, measured);
            assert_eq!(serde_json::to_string(&facts).unwrap(), recorded);
            assert_eq!(serde_json::from_str::<FrameFacts>(recorded).unwrap(), facts);
        }
    }
}
