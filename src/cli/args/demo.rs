//! The arguments of `scanner demo`.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DemoArgs {
    /// Where to keep the scan
    #[arg(long, value_name = "DIRECTORY", default_value = "demo-scans")]
    pub(in crate::cli) directory: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// How many times faster than a real rig
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub(in crate::cli) time_scale: Option<f64>,
    /// With a simulated DSLR, driven through this machine's libgphoto2; needs the package scanner-gphoto2
    #[arg(long)]
    pub(in crate::cli) dslr: bool,
}

fn factor(text: &str) -> Result<f64, &'static str> {
    text.parse().map_err(|_| "write a number, such as 20")
}
