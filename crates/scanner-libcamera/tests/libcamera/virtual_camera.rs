//! What makes libcamera's virtual camera run here and fail on command (`virtual.c`, `virtual_isp.cpp`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The library to be preloaded, compiled once.
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("virtual.so");
        let source = |file: &str| format!("{}/tests/libcamera/{file}", env!("CARGO_MANIFEST_DIR"));
        let mut flags = Command::new("pkg-config");
        let flags = flags.args(["--cflags", "--libs", "libcamera"]).output().unwrap();
        let flags = String::from_utf8(flags.stdout).unwrap();
        let mut compiler = Command::new("c++");
        compiler.args(["-O2", "-w", "-std=c++17", "-shared", "-fPIC", "-Wl,--allow-shlib-undefined"]);
        // Other tests may be starting processes with the one that is there.
        let new = library.with_extension(format!("{}", std::process::id()));
        compiler.arg("-o").arg(&new);
        compiler.args([
            "-x",
            "c",
            &source("virtual.c"),
            "-x",
            "c++",
            &source("virtual_isp.cpp"),
            "-x",
            "none",
        ]);
        compiler.args(flags.split_whitespace());
        for folder in flags.split_whitespace().filter_map(|flag| flag.strip_prefix("-L")) {
            compiler.arg(format!("-Wl,-rpath,{folder}"));
        }
        assert!(compiler.status().unwrap().success());
        fs::rename(new, &library).unwrap();
        library
    })
}
