//! Progress bars, drawn through the queue to standard error.

use std::io;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget, TermLike};

use super::outlet::Outlet;

/// A place for bars that holds nobody who draws on it.
pub(super) fn new(outlet: Outlet) -> MultiProgress {
    let paper = Paper { outlet, drawn: Mutex::default() };
    MultiProgress::with_draw_target(ProgressDrawTarget::term_like_with_hz(Box::new(paper), 20))
}

/// Collects a drawing, and hands it over whole. One that finds others waiting is left out: the next one is newer.
#[derive(Debug)]
struct Paper {
    outlet: Outlet,
    drawn: Mutex<String>,
}

impl Paper {
    fn put(&self, text: &str) {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }

    fn go(&self, steps: usize, direction: char) {
        if steps > 0 {
            self.put(&format!("\x1b[{steps}{direction}"));
        }
    }
}

impl TermLike for Paper {
    fn width(&self) -> u16 {
        console::Term::stderr().size().1
    }

    fn height(&self) -> u16 {
        console::Term::stderr().size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D');
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.put(text);
        self.put("\n");
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let drawn = std::mem::take(&mut *self.drawn.lock().unwrap_or_else(PoisonError::into_inner));
        if !drawn.is_empty() {
            self.outlet.push_if_idle(drawn.into_bytes());
        }
        Ok(())
    }
}
