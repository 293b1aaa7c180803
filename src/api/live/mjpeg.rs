//! MJPEG: one JPEG after the other, as parts of one answer.
//!
//! The boundary and the head of the next part stand behind each picture as soon as that is there. Chromium takes a part for
//! whole, and shows it, when it has read the next one's head, not when it has read the boundary; so a head can say nothing of
//! the length of its picture, which is not there yet.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{Stream, StreamExt as _, once, unfold};
use tokio::time::Instant;

use super::camera::Newest;
use super::picture::{HEADER, Picture};

/// What a multipart answer of these parts says of itself.
pub(in crate::api) const CONTENT_TYPE: &str = "multipart/x-mixed-replace; boundary=frame";
/// What stands in front of each picture.
const HEAD: &str = "--frame\r\nContent-Type: image/jpeg\r\n\r\n";

/// The pictures of `newest` as parts, no two of them nearer than `interval`; as long as `viewer` is kept.
pub(in crate::api) fn parts<V: Send>(
    viewer: V,
    mut newest: Newest,
    interval: Duration,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    newest.mark_changed();
    let begin = (viewer, newest, Instant::now());
    let parts = unfold(begin, move |(viewer, mut newest, next)| async move {
        loop {
            // Without a picture there is nothing to wait after.
            if let Some(picture) = super::camera::newest(&mut newest, next).await? {
                return Some((Ok(part(&picture)), (viewer, newest, Instant::now() + interval)));
            }
        }
    });
    once(async { Ok(Bytes::from_static(HEAD.as_bytes())) }).chain(parts)
}

fn part(picture: &Arc<Picture>) -> Bytes {
    let jpeg = picture.message.get(HEADER..).unwrap_or_default();
    let mut part = BytesMut::with_capacity(jpeg.len() + 2 + HEAD.len());
    part.extend_from_slice(jpeg);
    part.extend_from_slice(b"\r\n");
    part.extend_from_slice(HEAD.as_bytes());
    part.freeze()
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn the_first_picture_waits_for_nothing_and_each_part_is_whole_at_once() {
        let pictures = watch::Sender::new(None);
        let mut parts = Box::pin(parts((), pictures.subscribe(), Duration::from_secs(3600)));
        let head = "--frame\r\nContent-Type: image/jpeg\r\n\r\n";
        assert_eq!(parts.next().await.unwrap().unwrap(), head);
        let first = tokio::spawn(async move { parts.next().await.unwrap().unwrap() });
        // It is waited for before it is there.
        tokio::task::yield_now().await;
        let message = Bytes::from([[0; HEADER].as_slice(), b"JPEG"].concat());
        pictures.send_replace(Some(Arc::new(Picture { number: 1, message })));
        let first = tokio::time::timeout(Duration::from_secs(60), first).await.unwrap().unwrap();
        assert_eq!(first, format!("JPEG\r\n{head}"));
    }
}
