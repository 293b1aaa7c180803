//! Says which settings the libcamera that is built against has. The crate `libcamera` has its own build for the rest, and
//! refuses a libcamera that it does not know.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(libcamera_0_4)");
    let found = pkg_config::Config::new().cargo_metadata(false).probe("libcamera");
    if found.is_ok_and(|library| library.version.starts_with("0.4.")) {
        println!("cargo:rustc-cfg=libcamera_0_4");
    }
}
