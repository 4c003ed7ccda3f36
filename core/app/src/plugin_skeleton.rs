//! Skeletons of plugins.

use crate::cli::{PluginKindArg, PluginLanguage};
use crate::failure::Failure;

/// Files of a skeleton: name and text.
pub fn files(
    _kind: PluginKindArg,
    _language: PluginLanguage,
) -> Result<Vec<(String, String)>, Failure> {
    Ok(Vec::new())
}
