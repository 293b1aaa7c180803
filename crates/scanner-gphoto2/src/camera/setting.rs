//! The settings of a camera: libgphoto2 calls them widgets.

use std::ffi::{c_char, c_int};
use std::ptr::{NonNull, null, null_mut};

use super::{Camera, Done, c_text, no_memory, text};
use crate::failure::{Failure, NOT_SUPPORTED};
use crate::library as gp;

/// What a setting takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing from a computer, at least not now.
    Nothing,
    /// One of these, in the camera's own words.
    Words(Vec<String>),
    /// Numbers.
    Numbers,
}

impl Camera {
    /// The value of a setting, as text.
    pub(crate) fn setting(&self, name: &str) -> Done<String> {
        let widget = self.widget(name)?;
        widget.value(self)
    }

    /// Sets a setting.
    pub(crate) fn set(&self, name: &str, value: &str) -> Done<()> {
        let (widget, c_name) = (self.widget(name)?, c_text(name)?);
        widget.set(self, value)?;
        // SAFETY: camera, context, widget and text are valid.
        let code = unsafe {
            let (camera, context) = (self.raw.as_ptr(), self.context.get());
            gp::gp_camera_set_single_config(camera, c_name.as_ptr(), widget.0.as_ptr(), context)
        };
        self.context.check(code).map(drop)
    }

    /// What a setting can be set to now.
    pub(crate) fn takes(&self, name: &str) -> Done<Takes> {
        let widget = self.widget(name)?;
        let mut fixed = 0;
        // SAFETY: the widget is valid, and a number is written.
        self.context.check(unsafe { gp::gp_widget_get_readonly(widget.0.as_ptr(), &raw mut fixed) })?;
        match widget.kind(self)? {
            _ if fixed != 0 => Ok(Takes::Nothing),
            gp::WIDGET_RADIO | gp::WIDGET_MENU => Ok(Takes::Words(widget.choices(self)?)),
            gp::WIDGET_RANGE => Ok(Takes::Numbers),
            _ => Ok(Takes::Nothing),
        }
    }

    fn widget(&self, name: &str) -> Done<Widget> {
        let (mut widget, name) = (null_mut(), c_text(name)?);
        // SAFETY: camera, context and text are valid; the widget that is made belongs to a value that frees it once.
        unsafe {
            let (camera, context) = (self.raw.as_ptr(), self.context.get());
            let code = gp::gp_camera_get_single_config(camera, name.as_ptr(), &raw mut widget, context);
            self.context.check(code)?;
        }
        NonNull::new(widget).map(Widget).ok_or_else(no_memory)
    }
}

/// A setting of the camera.
struct Widget(NonNull<gp::CameraWidget>);

impl Widget {
    fn kind(&self, camera: &Camera) -> Done<c_int> {
        let mut kind = 0;
        // SAFETY: the widget is valid.
        camera.context.check(unsafe { gp::gp_widget_get_type(self.0.as_ptr(), &raw mut kind) })?;
        Ok(kind)
    }

    fn value(&self, camera: &Camera) -> Done<String> {
        let widget = self.0.as_ptr();
        // SAFETY: the widget is valid, and what is written is what widgets of its kind have; its text is copied at once.
        unsafe {
            Ok(match self.kind(camera)? {
                gp::WIDGET_TEXT | gp::WIDGET_RADIO | gp::WIDGET_MENU => {
                    let mut value: *const c_char = null();
                    camera.context.check(gp::gp_widget_get_value(widget, (&raw mut value).cast()))?;
                    text(value)
                }
                gp::WIDGET_TOGGLE => {
                    let mut value: c_int = 0;
                    camera.context.check(gp::gp_widget_get_value(widget, (&raw mut value).cast()))?;
                    value.to_string()
                }
                gp::WIDGET_RANGE => {
                    let mut value: gp::Range = 0.0;
                    camera.context.check(gp::gp_widget_get_value(widget, (&raw mut value).cast()))?;
                    value.to_string()
                }
                kind => return Err(unfit(kind)),
            })
        }
    }

    fn choices(&self, camera: &Camera) -> Done<Vec<String>> {
        // SAFETY: the widget is valid, and has choices; each is copied at once.
        unsafe {
            let count = camera.context.check(gp::gp_widget_count_choices(self.0.as_ptr()))?;
            let choice = |index| {
                let mut choice: *const c_char = null();
                camera.context.check(gp::gp_widget_get_choice(self.0.as_ptr(), index, &raw mut choice))?;
                Ok(text(choice))
            };
            (0..count).map(choice).collect()
        }
    }

    fn set(&self, camera: &Camera, value: &str) -> Done<()> {
        let (widget, text) = (self.0.as_ptr(), c_text(value)?);
        let number = || {
            let text = format!("{value:?} is no number");
            value.parse::<f32>().map_err(|_| Failure { code: NOT_SUPPORTED, text })
        };
        // SAFETY: the widget is valid, and is given what widgets of its kind have; it copies a text.
        let code = unsafe {
            match self.kind(camera)? {
                gp::WIDGET_TEXT | gp::WIDGET_RADIO | gp::WIDGET_MENU => {
                    gp::gp_widget_set_value(widget, text.as_ptr().cast())
                }
                gp::WIDGET_TOGGLE => {
                    let value = number()? as c_int;
                    gp::gp_widget_set_value(widget, (&raw const value).cast())
                }
                gp::WIDGET_RANGE => {
                    let value: gp::Range = number()?;
                    gp::gp_widget_set_value(widget, (&raw const value).cast())
                }
                kind => return Err(unfit(kind)),
            }
        };
        camera.context.check(code).map(drop)
    }
}

impl Drop for Widget {
    fn drop(&mut self) {
        // SAFETY: it is valid, and not used afterwards.
        unsafe { gp::gp_widget_unref(self.0.as_ptr()) };
    }
}

fn unfit(kind: c_int) -> Failure {
    Failure { code: NOT_SUPPORTED, text: format!("it is no setting with a value (kind {kind})") }
}
