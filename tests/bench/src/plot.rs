//! The plot: wall and CPU seconds of each tool, for readers in light and in dark. Of a run that
//! others disturbed it shows CPU seconds only.

use std::fmt::Write;

use crate::bounds::disturbed;
use crate::meter::Cost;
use crate::options::Options;
use crate::results::{Results, Row, Section};

/// Sections that are drawn.
const DRAWN: [&str; 3] = ["full", "day", "restore"];

const WIDTH: f64 = 760.0;
const NAMES: f64 = 250.0;
const FIGURES: f64 = 120.0;
const ROW: f64 = 30.0;
const HEAD: f64 = 40.0;
const BAR: f64 = 10.0;

const STYLE: &str = "
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.head { font-weight: 600; }
.small { font-size: 11px; fill: #57606a; }
.theirs { fill: #8c959f; }
.ours { fill: #0969da; }
.cpu { opacity: 0.45; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .small { fill: #9198a1; }
  .theirs { fill: #656c76; }
  .ours { fill: #4493f8; }
}
";

/// A figure that is drawn as a bar: its class in the style, and where to find it.
type Figure = (&'static str, fn(&Cost) -> f64);

const WALL: Figure = ("wall", |cost| cost.wall_s);
const CPU: Figure = ("cpu", Cost::cpu_s);

const BOTH: &str = "Seconds, medians; above: wall, below, paler: CPU of clients and server.";
const CPU_ONLY: &str =
    "CPU seconds of clients and server, medians. The machine was busy: wall times are not drawn.";

/// The plot as SVG.
pub fn svg(results: &Results, options: &Options) -> String {
    let drawn = |section: &&Section| DRAWN.contains(&section.key);
    let sections: Vec<&Section> = results.sections().iter().filter(drawn).collect();
    let busy = sections
        .iter()
        .flat_map(|section| &section.rows)
        .any(disturbed);
    let (figures, legend) = match busy {
        true => (&[CPU][..], CPU_ONLY),
        false => (&[WALL, CPU][..], BOTH),
    };
    let mut body = String::new();
    let y = sections
        .iter()
        .fold(0.0, |y, section| draw(&mut body, section, y, figures));
    let _ = writeln!(
        body,
        "<text class=\"small\" x=\"0\" y=\"{:.0}\">{legend} Mixed database of {} MB.</text>",
        y + 24.0,
        options.megabytes
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\">\n\
         <title>Cost of respaldo beside other tools</title>\n<style>{STYLE}</style>\n{body}</svg>\n",
        y + 36.0
    )
}

/// Draws a section from `y` on, and tells where it ends.
fn draw(body: &mut String, section: &Section, y: f64, figures: &[Figure]) -> f64 {
    let measured = |row: &Row| {
        let median = |(_, of): &Figure| Some(row.spread(|cost| Some(of(cost)))?.median);
        let seconds: Option<Vec<f64>> = figures.iter().map(median).collect();
        Some((row.tool, seconds?))
    };
    let rows: Vec<(&str, Vec<f64>)> = section.rows.iter().filter_map(measured).collect();
    let all = rows.iter().flat_map(|(_, seconds)| seconds);
    let longest = all.copied().fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - NAMES - FIGURES) / longest;
    let _ = writeln!(
        body,
        "<text class=\"head\" x=\"0\" y=\"{:.0}\">{}</text>",
        y + 26.0,
        escaped(&section.title)
    );
    for (at, (tool, seconds)) in rows.iter().enumerate() {
        bars(
            body,
            tool,
            y + HEAD + at as f64 * ROW,
            (figures, seconds),
            scale,
        );
    }
    y + HEAD + rows.len() as f64 * ROW
}

fn bars(
    body: &mut String,
    tool: &str,
    y: f64,
    (figures, seconds): (&[Figure], &[f64]),
    scale: f64,
) {
    let ours = tool.starts_with("respaldo");
    let whose = if ours { "ours" } else { "theirs" };
    let middle = y + BAR + 4.0;
    let _ = writeln!(
        body,
        "<text x=\"0\" y=\"{middle:.0}\">{}</text>",
        escaped(tool)
    );
    let mut top = y;
    for ((class, _), seconds) in figures.iter().zip(seconds) {
        let width = seconds * scale;
        let _ = writeln!(
            body,
            "<rect class=\"{whose} {class}\" x=\"{NAMES}\" y=\"{top:.0}\" width=\"{width:.1}\" height=\"{BAR}\"/>"
        );
        top += BAR + 1.0;
    }
    let end = NAMES + seconds.iter().copied().fold(0.0, f64::max) * scale + 8.0;
    let texts: Vec<String> = seconds.iter().map(|s| format!("{s:.2}")).collect();
    let _ = writeln!(
        body,
        "<text class=\"small\" x=\"{end:.0}\" y=\"{middle:.0}\">{}</text>",
        texts.join(" · ")
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(others: f64) -> String {
        let cost = Cost {
            wall_s: 2.0,
            others,
            ..Cost::default()
        };
        let mut results = Results::default();
        results.section("full", "Full & whole".to_owned(), None);
        results.record("respaldo", Ok(cost));
        svg(&results, &Options::from_environment())
    }

    #[test]
    fn wall_times_of_a_busy_machine_are_not_drawn() {
        assert!(drawn(0.0).contains("class=\"ours wall\""));
        assert!(!drawn(0.5).contains("class=\"ours wall\""));
    }

    #[test]
    fn titles_cannot_break_the_drawing() {
        assert!(drawn(0.0).contains("Full &amp; whole"));
    }
}
