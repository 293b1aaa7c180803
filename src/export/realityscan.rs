//! XMP files beside the images, which RealityScan (once `RealityCapture`) reads with them:
//! <https://rshelp.capturingreality.com/en-US/tools/xmpalign.htm>.
//!
//! The rotation is from the world to the camera, row by row, with the camera's x to the right, y down and z forward. The
//! focal length is one of film of 36 mm for the longer side; the principal point counts from the middle of the image, in
//! parts of the longer side.

use crate::model::{Distortion, Intrinsics};
use crate::plan::geometry::CameraPose;

use super::Views;
use super::files::Files;
use super::xml::numbers;

pub(super) fn files(views: &Views) -> Files {
    let names = views.unique_names();
    let images = names.iter().map(|name| format!("images/{name}")).collect();
    let texts = views.views.iter().zip(&names).filter_map(|(view, name)| {
        let stem = name.strip_suffix(".jpg")?;
        let xmp = xmp(view.camera_index, view.pose, views.intrinsics(view))?;
        Some((format!("images/{stem}.xmp"), xmp))
    });
    let texts = texts.collect();
    // What lies beside an image with this ending is its layer of that name.
    let masks = views.masks(|index| format!("images/{}.mask.png", names[index]));
    Files { images, masks, texts }
}

fn xmp(camera: usize, pose: Option<CameraPose>, intrinsics: Option<Intrinsics>) -> Option<String> {
    let mut attributes = Vec::new();
    let mut elements = Vec::new();
    if let Some(pose) = pose {
        attributes.push(r#"xcr:PosePrior="initial" xcr:Coordinates="absolute""#.to_owned());
        elements
            .push(format!("<xcr:Rotation>{}</xcr:Rotation>", numbers(pose.rotation.into_iter().flatten())));
        elements.push(format!("<xcr:Position>{}</xcr:Position>", numbers(pose.centre())));
    }
    if let Some(Intrinsics { width, height, fx, fy, cx, cy, pixel_pitch: _, distortion }) = intrinsics {
        let longer = f64::from(width.max(height));
        let (focal_length, aspect) = (fx / longer * 36.0, fy / fx);
        let (u, v) = ((cx - f64::from(width) / 2.0) / longer, (cy - f64::from(height) / 2.0) / longer);
        // A group of images has one lens.
        let group = camera + 1;
        attributes.push(format!(
            r#"xcr:CalibrationPrior="initial" xcr:FocalLength35mm="{focal_length}" xcr:AspectRatio="{aspect}""#
        ));
        attributes.push(format!(r#"xcr:Skew="0" xcr:PrincipalPointU="{u}" xcr:PrincipalPointV="{v}""#));
        // What its tangential coefficients are is not documented: those of a lens are small, and left to the program.
        let (model, Distortion { k1, k2, .. }) = match distortion {
            Some(distortion) => ("brown3", distortion),
            None => ("perspective", Distortion::default()),
        };
        attributes.push(format!(
            r#"xcr:DistortionModel="{model}" xcr:CalibrationGroup="{group}" xcr:DistortionGroup="{group}""#
        ));
        elements.push(format!("<xcr:DistortionCoeficients>{k1} {k2} 0 0 0 0</xcr:DistortionCoeficients>"));
    }
    if elements.is_empty() {
        return None;
    }
    let (attributes, elements) = (attributes.join("\n      "), elements.join("\n      "));
    Some(format!(
        r#"<x:xmpmeta xmlns:x="adobe:ns:meta/">
  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description xmlns:xcr="http://www.capturingreality.com/ns/xcr/1.1#" xcr:Version="3"
      {attributes}
      xcr:InTexturing="1" xcr:InMeshing="1">
      {elements}
    </rdf:Description>
  </rdf:RDF>
</x:xmpmeta>
"#
    ))
}
