//! `plugin`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use respaldo_contract::messages::Lang;

/// `plugin`.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List the strategies that come with respaldo and the configured plugins
    List,
    /// Show what a configured plugin says of itself, and its options
    Info(PluginInfoArgs),
    /// Examine a library: its file, its calls, and a whole chain of backups through it
    Check(PluginCheckArgs),
    /// Print the configuration that allows a library, with its SHA-256
    Pin(PluginPinArgs),
    /// Write the skeleton of a plugin into a new folder
    New(PluginNewArgs),
}

/// `plugin info`.
#[derive(Debug, Args)]
pub struct PluginInfoArgs {
    /// Its name in the configuration
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `plugin check`.
#[derive(Debug, Args)]
pub struct PluginCheckArgs {
    /// The library
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Which of its plugins, where it has several
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Its options: a JSON object, or @FILE with one
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub options: String,
}

/// `plugin pin`.
#[derive(Debug, Args)]
pub struct PluginPinArgs {
    /// The library
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
}

/// `plugin new`; the language is the global `--lang`.
#[derive(Debug, Args)]
pub struct PluginNewArgs {
    /// sink, detector, dumper or validator
    #[arg(value_name = "KIND", hide_possible_values = true)]
    pub kind: PluginKindArg,
    /// Folder to write into; must not exist
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// A kind of plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PluginKindArg {
    /// Keeps objects
    Sink,
    /// Says which tables did not change
    Detector,
    /// Writes archives
    Dumper,
    /// Looks at sealed backups
    Validator,
}

/// A language to write a plugin in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginLanguage {
    /// With the SDK.
    Rust,
    /// With the header alone.
    C,
}

/// What `--lang` says: the language of all that is said, or, of `plugin new`, that of the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LangArg {
    /// For people.
    Spoken(Lang),
    /// For a compiler.
    Written(PluginLanguage),
}

impl FromStr for LangArg {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "rust" => Ok(Self::Written(PluginLanguage::Rust)),
            "c" => Ok(Self::Written(PluginLanguage::C)),
            _ => word
                .parse()
                .map(Self::Spoken)
                .map_err(|_| "en and es are, and of plugin new rust and c".to_owned()),
        }
    }
}
