//! Progress on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use respaldo_contract::messages::Lang;
use respaldo_engine::ports::Progress;

use crate::messages::steps;

const WITH_TOTAL: &str =
    "{spinner} {msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} {prefix}";
const WITHOUT_TOTAL: &str = "{spinner} {msg} {bytes} {prefix}";
const WITHOUT_BYTES: &str = "{spinner} {msg} {prefix}";

/// One bar: step, tables done, bytes, rate, time left where the total is known.
pub struct Bars {
    lang: Lang,
    bar: ProgressBar,
}

impl Bars {
    /// A bar on stderr that redraws a few times a second and vanishes at the end.
    pub fn new(lang: Lang) -> Self {
        let bar = ProgressBar::no_length();
        bar.set_style(style("{spinner} {msg}"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { lang, bar }
    }
}

/// The template is ours; one that does not parse falls back to indicatif's own.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress for Bars {
    fn step(&self, name: &'static str, total_bytes: Option<u64>) {
        self.bar.reset();
        self.bar.set_message(steps::text(name, self.lang));
        self.bar.set_prefix(String::new());
        if let Some(total) = total_bytes {
            self.bar.set_length(total);
            self.bar.set_style(style(WITH_TOTAL));
        } else {
            self.bar.unset_length();
            self.bar.set_style(style(WITHOUT_BYTES));
        }
    }

    fn bytes(&self, count: u64) {
        if self.bar.position() == 0 && self.bar.length().is_none() {
            self.bar.set_style(style(WITHOUT_TOTAL));
        }
        self.bar.inc(count);
    }

    fn table(&self, name: &str) {
        self.bar.set_prefix(name.to_owned());
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
