//! What a person says of a scan.

use crate::scan::DescriptionChanges;

/// What a person says of a scan.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli) struct DescriptionArgs {
    /// What to call the scan, in one line; "" for nothing
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What else is to be known of it; "" for nothing
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// A word by which it is found, once for each; those that it had are replaced; "" for none
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<String>,
}

impl From<DescriptionArgs> for DescriptionChanges {
    fn from(DescriptionArgs { name, note, tags }: DescriptionArgs) -> Self {
        let tags = (!tags.is_empty()).then_some(Some(tags));
        Self { name: name.map(Some), note: note.map(Some), tags }
    }
}
