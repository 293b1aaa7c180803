//! The file as a program would read it that knows glTF and nothing of scanners.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use scanner_hull::{Bound, Carver, Look, Mesh, Station, Survey, Volume, glb};
use scanner_pixels::Area;
use scanner_pixels::mask::Photo;
use scanner_pixels::sight::{Sight, Vec3};
use serde_json::Value;

use support::{owl_outline, rings};

const AREA: Area = Area { width: 320, height: 240 };

/// The parts of a GLB.
fn parts(bytes: &[u8]) -> (Value, &[u8]) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((&bytes[..4], word(4), word(8)), (&b"glTF"[..], 2, bytes.len()));
    let text = word(12);
    assert_eq!((&bytes[16..20], text % 4), (&b"JSON"[..], 0));
    let binary = 20 + text;
    assert_eq!((&bytes[binary + 4..binary + 8], word(binary)), (&b"BIN\0"[..], bytes.len() - binary - 8));
    (serde_json::from_slice(&bytes[20..binary]).unwrap(), &bytes[binary + 8..])
}

/// `point` turned by the quaternion x, y, z, w.
fn turned(quaternion: &[f64], point: Vec3) -> Vec3 {
    let cross =
        |a: Vec3, b: Vec3| [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let axis = [quaternion[0], quaternion[1], quaternion[2]];
    let once = cross(axis, point);
    let twice = cross(axis, once);
    [0, 1, 2].map(|n| point[n] + 2.0 * (quaternion[3] * once[n] + twice[n]))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// A picture that is red where it looks at the upper half of what it shows, else blue.
fn picture() -> Photo {
    let pixels = (0..80 * 60).map(|at| if at < 80 * 26 { [255, 0, 0] } else { [0, 0, 255] });
    Photo { width: 80, pixels: pixels.collect() }
}

#[test]
fn cameras_see_the_model_where_they_stood_and_the_model_has_their_colours() {
    let sights = rings(AREA, &[3.0], 12);
    let mut carver = Carver::new(Volume::seen_by(&sights).unwrap(), Bound { memory: 4 << 20, side: 64 });
    for sight in &sights {
        carver.carve(sight, &owl_outline(sight));
    }
    let mesh = Mesh::of(&carver).unwrap();
    let mut survey = Survey::new(&mesh);
    let picture = picture();
    for sight in &sights {
        survey.look(&Look { sight, sharpness: 0.5, picture: Some(&picture) });
    }
    let covered = survey.end();
    let names: Vec<String> = (0..12).map(|number| format!("images/cam0/r{number}.jpg")).collect();
    let stations: Vec<Station<'_>> =
        sights.iter().zip(&names).map(|(sight, name)| Station { name, sight: *sight }).collect();
    let bytes = glb(&mesh, &covered, &stations);
    let (root, binary) = parts(&bytes);

    let nodes = root["nodes"].as_array().unwrap();
    for (sight, name) in sights.iter().zip(&names) {
        let node = nodes.iter().find(|node| node["name"] == name.as_str()).unwrap();
        let lens = &root["cameras"][node["camera"].as_u64().unwrap() as usize]["perspective"];
        for point in [[0.0, 0.0, 60.0], [20.0, -30.0, 10.0]] {
            let wanted = seen(sight, point);
            let metres = [point[0], point[2], -point[1]].map(|at| at / 1000.0);
            let at = numbers(&node["translation"]);
            // Into the camera's frame: back, and turned the other way.
            let mut back = numbers(&node["rotation"]);
            back[3] = -back[3];
            let [x, y, z] = turned(&back, [metres[0] - at[0], metres[1] - at[1], metres[2] - at[2]]);
            let up = (lens["yfov"].as_f64().unwrap() / 2.0).tan();
            let across = up * lens["aspectRatio"].as_f64().unwrap();
            let (right, above) = (x / -z / across, y / -z / up);
            assert!(
                (160.0 + 160.0 * right - wanted[0]).abs() < 1e-6
                    && (120.0 - 120.0 * above - wanted[1]).abs() < 1e-6
            );
        }
    }

    let primitive = &root["meshes"][0]["primitives"][0];
    let accessor = |name: &str| &root["accessors"][primitive["attributes"][name].as_u64().unwrap() as usize];
    let bytes_of = |name: &str| {
        let view = &root["bufferViews"][accessor(name)["bufferView"].as_u64().unwrap() as usize];
        let start = view["byteOffset"].as_u64().unwrap() as usize;
        &binary[start..start + view["byteLength"].as_u64().unwrap() as usize]
    };
    let heights: Vec<f32> = bytes_of("POSITION")
        .as_chunks::<12>()
        .0
        .iter()
        .map(|at| f32::from_le_bytes(at[4..8].try_into().unwrap()))
        .collect();
    let reds: Vec<u16> =
        bytes_of("COLOR_0").as_chunks::<8>().0.iter().map(|at| u16::from_le_bytes([at[0], at[1]])).collect();
    assert_eq!((heights.len(), reds.len()), (mesh.positions.len(), mesh.positions.len()));
    assert!(heights.iter().all(|height| (-0.001..0.13).contains(height)));
    let mean = |wanted: &dyn Fn(f32) -> bool| {
        let of: Vec<f64> = heights
            .iter()
            .zip(&reds)
            .filter(|(height, _)| wanted(**height))
            .map(|(_, red)| f64::from(*red))
            .collect();
        of.iter().sum::<f64>() / of.len() as f64 / 65535.0
    };
    assert!(mean(&|height| (0.085..0.115).contains(&height)) > 0.95);
    assert!(mean(&|height| (0.01..0.055).contains(&height)) < 0.05);
    // Half as sharp is half as fine.
    assert!((1.0..1.3).contains(&(covered.summary.finest / (320.0 / 240.0 / 2.0))), "{:?}", covered.summary);
}

fn seen(sight: &Sight, point: Vec3) -> [f64; 2] {
    let [x, y, depth] =
        sight.rotation.map(|row| (0..3).map(|n| row[n] * (point[n] - sight.centre[n])).sum::<f64>());
    [sight.focal[0] * x / depth + sight.middle[0], sight.focal[1] * y / depth + sight.middle[1]]
}
