//! What motion and a lens out of focus make of a picture.

use crate::sim::camera::{Picture, average, chroma_size};

/// Smears luma over `width` pixels of its row, as what moves across the picture does.
pub(super) fn motion(picture: &mut Picture, width: usize) {
    average(&mut picture.y, picture.size.width as usize, 1, width);
}

/// Spreads each point over a square `diameter` pixels wide.
pub(super) fn defocus(picture: &mut Picture, diameter: usize) {
    let width = picture.size.width as usize;
    let chroma_width = chroma_size(picture.size).width as usize;
    let planes = [
        (&mut picture.y, width, diameter),
        (&mut picture.u, chroma_width, diameter / 2),
        (&mut picture.v, chroma_width, diameter / 2),
    ];
    for (plane, width, diameter) in planes {
        average(plane, width, 1, diameter);
        average(plane, width, width, diameter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    #[test]
    fn blur_keeps_the_light_and_the_place() {
        let mut picture = Picture::plain(Size { width: 8, height: 1 }, 0, 128, 128);
        picture.y[4] = 200;
        motion(&mut picture, 4);
        assert_eq!(picture.y, [0, 0, 50, 50, 50, 50, 0, 0]);
        let mut picture = Picture::plain(Size { width: 5, height: 5 }, 0, 128, 128);
        picture.y[12] = 180;
        picture.u[4] = 254;
        defocus(&mut picture, 3);
        for (index, value) in picture.y.iter().enumerate() {
            let near = (1..=3).contains(&(index % 5)) && (1..=3).contains(&(index / 5));
            assert_eq!(*value, if near { 20 } else { 0 }, "at {index}");
        }
        assert_eq!((picture.u[4], &picture.v), (254, &vec![128; 9]), "chroma has half the size");
    }

    #[test]
    fn what_is_sharp_or_even_stays() {
        let mut picture = Picture::plain(Size { width: 4, height: 3 }, 77, 20, 200);
        let before = picture.clone();
        defocus(&mut picture, 9);
        motion(&mut picture, 9);
        assert_eq!(picture, before);
        picture.y[5] = 0;
        let before = picture.clone();
        defocus(&mut picture, 1);
        motion(&mut picture, 0);
        assert_eq!(picture, before);
    }
}
