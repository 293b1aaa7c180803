//! The cameras of a scan side by side: what is known of each, and what its images say.

use maud::{Markup, html};

use super::plot::number;
use super::shots::{Shot, Taken};
use super::worst::Usual;
use crate::plan::{Plan, PlanCamera};

/// A row of the table of cameras: what it is called, and what it says of one.
type Fact<'a> = (&'static str, &'a dyn Fn(usize, &PlanCamera) -> String);

pub(super) fn cameras(plan: &Plan, shots: &[Shot<'_>], usual: &[Usual]) -> Markup {
    let of = |camera: usize| shots.iter().filter(move |shot| shot.camera == camera).filter_map(Shot::taken);
    let unknown = || "not known".to_owned();
    let spread = |values: &mut dyn Iterator<Item = f64>, unit: &str, factor: f64| {
        let (low, high) =
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return unknown();
        }
        let (low, high) = (number(low * factor), number(high * factor));
        if low == high { format!("{low}{unit}") } else { format!("{low} to {high}{unit}") }
    };
    let size = |_: usize, camera: &PlanCamera| {
        let size = camera.intrinsics.size();
        let size = size.map_or_else(unknown, |size| format!("{} × {}", size.width, size.height));
        if camera.has_raw() { format!("{size}, with raw files") } else { size }
    };
    let focal = |_: usize, camera: &PlanCamera| {
        let length = camera.intrinsics.intrinsics().map(|known| match known.pixel_pitch {
            Some(pitch) => format!("{} mm, {} px", number(known.fx * pitch.get()), number(known.fx)),
            None => format!("{} px", number(known.fx)),
        });
        length.unwrap_or_else(unknown)
    };
    let mount = |_: usize, camera: &PlanCamera| {
        camera.mount.map_or_else(unknown, |mount| {
            format!(
                "{} mm from the axis, {} mm high, at {}°",
                number(mount.distance.get()),
                number(mount.height.get()),
                number(mount.azimuth.get())
            )
        })
    };
    let exposure = |camera, _: &PlanCamera| {
        spread(&mut of(camera).map(|taken| taken.facts.exposure.get()), " ms", 1000.0)
    };
    let gain = |camera, _: &PlanCamera| spread(&mut of(camera).map(|taken| taken.facts.gain), "", 1.0);
    let white = |camera, _: &PlanCamera| {
        let gains = || of(camera).filter_map(|taken| taken.facts.white_balance);
        let red = spread(&mut gains().map(|gains| gains.red), "", 1.0);
        if gains().next().is_none() {
            return red;
        }
        format!("red {red}, blue {}", spread(&mut gains().map(|gains| gains.blue), "", 1.0))
    };
    let focus = |camera, _: &PlanCamera| {
        spread(&mut of(camera).filter_map(|taken| Some(taken.facts.focus?.get())), " dpt", 1.0)
    };
    let sharpness = |camera: usize, _: &PlanCamera| {
        let sharpness = usual.get(camera).and_then(|usual| usual.sharpness);
        sharpness.map_or_else(unknown, number)
    };
    let clipped = |camera, _: &PlanCamera| spread(&mut of(camera).map(Taken::clipped), " %", 100.0);
    let facts: [Fact<'_>; 9] = [
        ("Images", &size),
        ("Focal length", &focal),
        ("Mounted", &mount),
        ("Exposure", &exposure),
        ("Gain", &gain),
        ("White balance", &white),
        ("Focus", &focus),
        ("Sharpness, median", &sharpness),
        ("Clipped", &clipped),
    ];
    html! {
        table {
            tr { th {} @for camera in &plan.cameras { th { (camera.name) } } }
            @for (name, fact) in facts {
                tr {
                    th { (name) }
                    @for (index, camera) in plan.cameras.iter().enumerate() { td { (fact(index, camera)) } }
                }
            }
        }
    }
}
