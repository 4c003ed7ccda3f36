//! The plot: wall and CPU seconds of each tool, for readers in light and in dark.

use std::fmt::Write;

use crate::meter::Cost;
use crate::options::Options;
use crate::results::{Results, Row, Section};

/// Sections that are drawn.
const DRAWN: [&str; 3] = ["full", "day", "restore"];

const WIDTH: f64 = 760.0;
const NAMES: f64 = 230.0;
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

/// The plot as SVG.
pub fn svg(results: &Results, options: &Options) -> String {
    let drawn = |section: &&Section| DRAWN.contains(&section.key);
    let sections: Vec<&Section> = results.sections().iter().filter(drawn).collect();
    let mut body = String::new();
    let mut y = 0.0;
    for section in sections {
        y = draw(&mut body, section, y);
    }
    let _ = writeln!(
        body,
        "<text class=\"small\" x=\"0\" y=\"{:.0}\">Seconds, medians; above: wall, below, paler: CPU of clients and \
         server. Mixed database of {} MB.</text>",
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
fn draw(body: &mut String, section: &Section, y: f64) -> f64 {
    let rows: Vec<(&Row, f64, f64)> = section
        .rows
        .iter()
        .filter_map(|row| {
            let wall = row.spread(|cost: &Cost| Some(cost.wall_s))?.median;
            let cpu = row.spread(|cost: &Cost| Some(cost.cpu_s()))?.median;
            Some((row, wall, cpu))
        })
        .collect();
    let longest = rows.iter().map(|(_, wall, cpu)| wall.max(*cpu));
    let scale = (WIDTH - NAMES - FIGURES) / longest.fold(f64::MIN_POSITIVE, f64::max);
    let _ = writeln!(
        body,
        "<text class=\"head\" x=\"0\" y=\"{:.0}\">{}</text>",
        y + 26.0,
        escaped(&section.title)
    );
    let mut y = y + HEAD;
    for (row, wall, cpu) in rows {
        bars(body, row.tool, y, (wall, cpu), scale);
        y += ROW;
    }
    y
}

fn bars(body: &mut String, tool: &str, y: f64, (wall, cpu): (f64, f64), scale: f64) {
    let whose = if tool.starts_with("respaldo") {
        "ours"
    } else {
        "theirs"
    };
    let middle = y + BAR + 4.0;
    let _ = writeln!(
        body,
        "<text x=\"0\" y=\"{middle:.0}\">{}</text>",
        escaped(tool)
    );
    for (class, seconds, top) in [("wall", wall, y), ("cpu", cpu, y + BAR + 1.0)] {
        let _ = writeln!(
            body,
            "<rect class=\"{whose} {class}\" x=\"{NAMES}\" y=\"{top:.0}\" width=\"{:.1}\" height=\"{BAR}\"/>",
            seconds * scale
        );
    }
    let end = NAMES + wall.max(cpu) * scale + 8.0;
    let _ = writeln!(
        body,
        "<text class=\"small\" x=\"{end:.0}\" y=\"{middle:.0}\">{wall:.2} · {cpu:.2}</text>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
