//! The report as Markdown: the machine, the bounds, and every figure.

use std::fmt::Write;

use crate::bounds::Bound;
use crate::machine::Machine;
use crate::meter::Cost;
use crate::options::Options;
use crate::results::{Results, Row, Section, Spread};

const READING: &str = "\
Throwaway servers on this machine with their defaults, but fsync off: the disk is not what is
compared, and what went before a dump, an export or a restore is on it. Tools in turns, medians, least and most in parentheses. *Client* and *server* are CPU
seconds of the programs called and of PostgreSQL. *Peak* is the memory of all programs called together.
*Others* is the share of the processors that was used by neither: **wall times mean something only
where it is near 0; ratios of CPU seconds hold on a busy machine, too.** *By CPU* is the ratio of the
CPU seconds of the same two runs. *Detection* is reading counters, comparing definitions and looking
for changed rows. Exports are made with --no-sync: cp does not wait for the disk either.

What WAL archiving costs and stores is not in the figures of pgBackRest, whose backups are of the whole
cluster, need the server's files, and restore faster than any logical one.
";

/// The whole report.
pub fn markdown(
    options: &Options,
    machine: &Machine,
    results: &Results,
    bounds: &[Bound],
) -> String {
    let mut text = String::from("# Benchmarks\n\nWritten by `make bench`.\n\n");
    let _ = writeln!(
        text,
        "{}: {}, {} GiB, Linux {}, load {} before the run. {}. Mixed database of {} MB, rounds: {}.\n",
        machine.date,
        machine.processors,
        machine.memory_gib,
        machine.kernel,
        machine.load,
        machine.programs.join(", "),
        options.megabytes,
        options.rounds
    );
    text.push_str(READING);
    text.push_str("\n![wall and CPU seconds](benchmarks.svg)\n");
    bounds_table(&mut text, bounds);
    for section in results.sections() {
        section_table(&mut text, section);
    }
    text
}

fn bounds_table(text: &mut String, bounds: &[Bound]) {
    text.push_str("\n## What was to be reached\n\n");
    text.push_str(
        "*Measured*: the median of the ratios of each round, where both were measured in it.\n\n",
    );
    text.push_str("| figure | against | at most | measured | by CPU | |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for bound in bounds {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            bound.what,
            bound.against,
            bound.at_most,
            optional(bound.measured, 3),
            optional(bound.by_cpu, 3),
            bound.verdict()
        );
    }
}

fn section_table(text: &mut String, section: &Section) {
    let _ = write!(text, "\n## {}\n\n| | wall s |", section.title);
    let beyond = section.beyond.map(|beyond| format!(" {beyond} s |"));
    let beyond = beyond.unwrap_or_default();
    let _ = writeln!(
        text,
        "{beyond} client s | server s | MB | peak MiB | others | wall ratio | CPU ratio |"
    );
    let columns = 9 + usize::from(section.beyond.is_some());
    let _ = writeln!(text, "|{}", " --- |".repeat(columns));
    for row in &section.rows {
        section_row(text, section, row);
    }
}

fn section_row(text: &mut String, section: &Section, row: &Row) {
    let _ = write!(text, "| {} |", row.tool);
    if row.costs.is_empty() {
        let why = row.failed.as_ref().map(ToString::to_string);
        let _ = writeln!(text, " {} |", cell(&why.unwrap_or_default()));
        return;
    }
    let _ = write!(
        text,
        " {} |",
        spread(row.spread(|cost| Some(cost.wall_s)), 2)
    );
    if section.beyond.is_some() {
        let _ = write!(text, " {} |", spread(row.spread(|cost| cost.beyond_s), 2));
    }
    let median = |figure: &dyn Fn(&Cost) -> Option<f64>, places| {
        optional(row.spread(figure).map(|spread| spread.median), places)
    };
    let first = &section.rows[0];
    let _ = writeln!(
        text,
        " {} | {} | {} | {} | {} % | {} | {} |",
        spread(row.spread(|cost| Some(cost.client_s)), 2),
        spread(row.spread(|cost| Some(cost.server_s)), 2),
        median(&|cost| Some(cost.stored_bytes? as f64 / 1e6), 1),
        median(&|cost| Some(cost.peak_kib as f64 / 1024.0), 0),
        median(&|cost| Some(cost.others * 100.0), 0),
        ratio(row, first, |cost| cost.wall_s),
        ratio(row, first, Cost::cpu_s),
    );
}

fn ratio(of: &Row, to: &Row, figure: fn(&Cost) -> f64) -> String {
    let median = |row: &Row| Some(row.spread(|cost| Some(figure(cost)))?.median);
    optional(median(of).zip(median(to)).map(|(of, to)| of / to), 3)
}

fn spread(spread: Option<Spread>, places: usize) -> String {
    let Some(spread) = spread else {
        return String::new();
    };
    let median = format!("{:.places$}", spread.median);
    if spread.rounds == 1 {
        return median;
    }
    format!(
        "{median} ({:.places$}-{:.places$})",
        spread.least, spread.most
    )
}

fn optional(number: Option<f64>, places: usize) -> String {
    number.map_or(String::new(), |number| format!("{number:.places$}"))
}

/// Text that breaks no table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Failed;

    #[test]
    fn a_tool_that_is_missing_is_told_in_its_row() {
        let mut results = Results::default();
        results.section("day", "One day".to_owned(), None);
        results.record("restic", Err(Failed("restic is not installed".to_owned())));
        let mut text = String::new();
        section_table(&mut text, &results.sections()[0]);
        assert!(
            text.contains("| restic | restic is not installed |"),
            "{text}"
        );
    }
}
