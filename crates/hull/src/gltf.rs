//! A model as a GLB: glTF 2.0 in one file.
//!
//! glTF wants metres, with y up: the object's frame is turned by -90 degrees about x, so that (x, y, z) in millimetres becomes
//! (x, z, -y) / 1000. A camera of glTF looks along its -z with its y up, where the scanner's looks along z with y down.

use scanner_pixels::sight::{Sight, Vec3};
use serde_json::{Value, json};

use crate::cover::Covered;
use crate::mesh::Mesh;

/// The colour of what no image shows, in linear light.
const UNSEEN: [f32; 3] = [0.2; 3];
/// Cameras see from here on, in metres.
const NEAR: f64 = 0.01;

const FLOAT: u32 = 5126;
const UNSIGNED_SHORT: u32 = 5123;
const UNSIGNED_INT: u32 = 5125;
const VERTICES: u32 = 34962;
const INDICES: u32 = 34963;

/// An image, and where it was taken from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station<'a> {
    /// What the image is called.
    pub name: &'a str,
    /// The camera's place, and its lens.
    pub sight: Sight,
}

/// The file's bytes: one mesh, `hull`, and a camera for each station, named after its image. A vertex has
///
/// * `COLOR_0`: its colour in linear light; grey where no image shows it;
/// * `_COVERAGE`: its score, 0 to 1;
/// * `_IMAGES`: images that see it, degrees by which the straightest looks aside, the widest angle between two in degrees, and
///   pixels to a millimetre in the finest.
pub fn glb(mesh: &Mesh, covered: &Covered, stations: &[Station<'_>]) -> Vec<u8> {
    let mut file = File::default();
    let count = mesh.positions.len();
    let turned = |point: &[f32; 3]| turned(*point);
    let positions = mesh.positions.iter().map(turned).map(|point| point.map(|at| at / 1000.0));
    let (least, most) = bounds(positions.clone());
    let position = file.floats(positions, "VEC3", count);
    file.accessors[position]["min"] = json!(least);
    file.accessors[position]["max"] = json!(most);
    let normal = file.floats(mesh.normals.iter().map(turned), "VEC3", count);
    let colour = file.colours(&covered.colours);
    let score = file.floats(covered.scores.iter().map(|score| [*score]), "SCALAR", count);
    let seen =
        covered.covers.iter().map(|cover| [cover.images as f32, cover.angle, cover.spread, cover.sampling]);
    let seen = file.floats(seen, "VEC4", count);
    let indices = file.add(
        mesh.triangles.as_flattened().iter().flat_map(|index| index.to_le_bytes()),
        INDICES,
        None,
        json!({ "componentType": UNSIGNED_INT, "type": "SCALAR", "count": mesh.triangles.len() * 3 }),
    );
    let attributes = json!({
        "POSITION": position, "NORMAL": normal, "COLOR_0": colour, "_COVERAGE": score, "_IMAGES": seen,
    });
    let mut cameras = Vec::new();
    let mut nodes = vec![json!({ "name": "hull", "mesh": 0 })];
    for station in stations {
        let lens = lens(&station.sight);
        let camera = cameras.iter().position(|known| *known == lens).unwrap_or_else(|| {
            cameras.push(lens);
            cameras.len() - 1
        });
        nodes.push(json!({
            "name": station.name,
            "camera": camera,
            "translation": turned_double(station.sight.centre).map(|at| at / 1000.0),
            "rotation": rotation(&station.sight),
        }));
    }
    let summary = &covered.summary;
    let mut root = json!({
        "asset": { "version": "2.0", "generator": "scanner", "extras": {
            "frame": "metres, y up; the scanner's x, y, z in millimetres are x, -z, y here, times 1000",
            "well_covered_percent": summary.well_covered,
            "volume_mm3": summary.volume,
            "voxel_mm": mesh.voxel,
        } },
        "scene": 0,
        "scenes": [{ "nodes": (0..nodes.len()).collect::<Vec<_>>() }],
        "nodes": nodes,
        "meshes": [{ "name": "hull", "primitives": [{
            "attributes": attributes, "indices": indices, "material": 0, "mode": 4,
        }] }],
        "materials": [{ "name": "photographs", "pbrMetallicRoughness": { "metallicFactor": 0, "roughnessFactor": 1 } }],
        "accessors": file.accessors,
        "bufferViews": file.views,
        "buffers": [{ "byteLength": file.bytes.len() }],
    });
    if !cameras.is_empty() {
        root["cameras"] = Value::Array(cameras);
    }
    packed(root.to_string().into_bytes(), file.bytes)
}

#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
}

impl File {
    /// Adds bytes, and an accessor of them. Its number.
    fn add(
        &mut self,
        bytes: impl Iterator<Item = u8>,
        target: u32,
        stride: Option<u32>,
        mut accessor: Value,
    ) -> usize {
        let start = self.bytes.len();
        self.bytes.extend(bytes);
        let mut view = json!({
            "buffer": 0, "byteOffset": start, "byteLength": self.bytes.len() - start, "target": target,
        });
        if let Some(stride) = stride {
            view["byteStride"] = json!(stride);
        }
        accessor["bufferView"] = json!(self.views.len());
        self.views.push(view);
        self.accessors.push(accessor);
        self.accessors.len() - 1
    }

    fn floats<const N: usize>(
        &mut self,
        values: impl Iterator<Item = [f32; N]>,
        shape: &str,
        count: usize,
    ) -> usize {
        let bytes = values.flatten().flat_map(f32::to_le_bytes);
        self.add(bytes, VERTICES, None, json!({ "componentType": FLOAT, "type": shape, "count": count }))
    }

    /// With 16 bits: 8 are too few for dark colours in linear light.
    fn colours(&mut self, colours: &[Option<[f32; 3]>]) -> usize {
        let short = |channel: f32| (channel.clamp(0.0, 1.0) * f32::from(u16::MAX)).round() as u16;
        let shorts = colours.iter().flat_map(|colour| {
            let [red, green, blue] = colour.unwrap_or(UNSEEN).map(short);
            [red, green, blue, u16::MAX]
        });
        let accessor = json!({
            "componentType": UNSIGNED_SHORT, "normalized": true, "type": "VEC4", "count": colours.len(),
        });
        self.add(shorts.flat_map(u16::to_le_bytes), VERTICES, Some(8), accessor)
    }
}

/// A GLB of its two parts, each filled up to four bytes.
fn packed(mut text: Vec<u8>, mut bytes: Vec<u8>) -> Vec<u8> {
    text.resize(text.len().next_multiple_of(4), b' ');
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let length = 12 + 8 + text.len() + 8 + bytes.len();
    let mut file = Vec::with_capacity(length);
    file.extend(b"glTF");
    file.extend(2_u32.to_le_bytes());
    file.extend((length as u32).to_le_bytes());
    for (kind, part) in [(b"JSON", text), (b"BIN\0", bytes)] {
        file.extend((part.len() as u32).to_le_bytes());
        file.extend(kind);
        file.extend(part);
    }
    file
}

fn turned([x, y, z]: [f32; 3]) -> [f32; 3] {
    [x, z, -y]
}

fn turned_double([x, y, z]: Vec3) -> Vec3 {
    [x, z, -y]
}

fn bounds(points: impl Iterator<Item = [f32; 3]>) -> ([f32; 3], [f32; 3]) {
    points.fold(([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]), |(least, most), point| {
        (
            std::array::from_fn(|axis| least[axis].min(point[axis])),
            std::array::from_fn(|axis| most[axis].max(point[axis])),
        )
    })
}

/// A lens as glTF has it, which knows no principal point: that is beside it.
fn lens(sight: &Sight) -> Value {
    let (width, height) = (sight.area.width as f64, sight.area.height as f64);
    json!({
        "type": "perspective",
        "perspective": {
            "yfov": 2.0 * (height / 2.0 / sight.focal[1]).atan(),
            "aspectRatio": width / height * sight.focal[1] / sight.focal[0],
            "znear": NEAR,
        },
        "extras": { "width": sight.area.width, "height": sight.area.height, "focal_px": sight.focal, "middle_px": sight.middle },
    })
}

/// How a camera of glTF is turned: x, y, z, w.
fn rotation(sight: &Sight) -> [f64; 4] {
    let [right, down, forward] = sight.rotation.map(turned_double);
    // The columns of the matrix: the camera's right, up and backward.
    let columns = [right, down.map(|component| -component), forward.map(|component| -component)];
    let m = |row: usize, column: usize| columns[column][row];
    // Of the four forms, the one that divides by the largest number.
    let forms = [
        [m(2, 1) - m(1, 2), m(0, 2) - m(2, 0), m(1, 0) - m(0, 1), 1.0 + m(0, 0) + m(1, 1) + m(2, 2)],
        [1.0 + m(0, 0) - m(1, 1) - m(2, 2), m(0, 1) + m(1, 0), m(0, 2) + m(2, 0), m(2, 1) - m(1, 2)],
        [m(0, 1) + m(1, 0), 1.0 - m(0, 0) + m(1, 1) - m(2, 2), m(1, 2) + m(2, 1), m(0, 2) - m(2, 0)],
        [m(0, 2) + m(2, 0), m(1, 2) + m(2, 1), 1.0 - m(0, 0) - m(1, 1) + m(2, 2), m(1, 0) - m(0, 1)],
    ];
    let length = |form: &[f64; 4]| form.iter().map(|part| part * part).sum::<f64>();
    let longest =
        forms.into_iter().max_by(|a, b| length(a).total_cmp(&length(b))).unwrap_or([0.0, 0.0, 0.0, 1.0]);
    let long = length(&longest).sqrt();
    longest.map(|part| part / long)
}
