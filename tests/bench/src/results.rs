//! The figures of a run: per kind of work and tool a series of costs, or why there is none.

use crate::meter::{Cost, Failed};

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Results {
    sections: Vec<Section>,
}

/// One kind of work, done by several tools.
#[derive(Debug)]
pub struct Section {
    /// Short name, by which bounds find it.
    pub key: &'static str,
    /// What was done, for readers.
    pub title: String,
    /// What `beyond_s` of its costs is, if they have one.
    pub beyond: Option<&'static str>,
    /// The tools, in the order of their first run; the first is what the others are compared to.
    pub rows: Vec<Row>,
}

/// A tool with its costs.
#[derive(Debug)]
pub struct Row {
    /// Name of the tool, with the settings that matter.
    pub tool: &'static str,
    /// A cost per round.
    pub costs: Vec<Cost>,
    /// Why there are no more of them.
    pub failed: Option<Failed>,
}

/// The middle, the least and the most of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Half are less, half are more.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// How many there are.
    pub rounds: usize,
}

/// A tool and how it takes its turn.
pub type Turn<'a> = (&'static str, Box<dyn Fn() -> Result<Cost, Failed> + 'a>);

impl Results {
    /// Opens a section; what is recorded next belongs to it.
    pub fn section(&mut self, key: &'static str, title: String, beyond: Option<&'static str>) {
        eprintln!("== {title}");
        self.sections.push(Section {
            key,
            title,
            beyond,
            rows: Vec::new(),
        });
    }

    /// Lets every tool have its turn, each round beginning with another one.
    pub fn round(&mut self, round: usize, turns: &[Turn<'_>]) {
        let section = self.sections.last_mut().unwrap();
        for (tool, _) in turns {
            section.row(tool);
        }
        for at in 0..turns.len() {
            let (tool, turn) = &turns[(round + at) % turns.len()];
            self.record(tool, turn());
        }
    }

    /// Records what a tool did in the section opened last.
    pub fn record(&mut self, tool: &'static str, cost: Result<Cost, Failed>) {
        self.sections.last_mut().unwrap().record(tool, cost);
    }

    /// All sections.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The costs of a tool at some work.
    pub fn find(&self, key: &str, tool: &str) -> Option<&Row> {
        let section = self.sections.iter().find(|section| section.key == key)?;
        section.rows.iter().find(|row| row.tool == tool)
    }
}

impl Section {
    fn record(&mut self, tool: &'static str, cost: Result<Cost, Failed>) {
        match &cost {
            Ok(cost) => eprintln!(
                "   {tool}: {:.2} s, CPU {:.2} + {:.2} s, others {:.0} %",
                cost.wall_s,
                cost.client_s,
                cost.server_s,
                cost.others * 100.0
            ),
            Err(failed) => eprintln!("   {tool}: {failed}"),
        }
        let row = self.row(tool);
        match cost {
            Ok(cost) => row.costs.push(cost),
            Err(failed) => row.failed = Some(failed),
        }
    }

    fn row(&mut self, tool: &'static str) -> &mut Row {
        let known = self.rows.iter().position(|row| row.tool == tool);
        let at = known.unwrap_or_else(|| {
            self.rows.push(Row {
                tool,
                costs: Vec::new(),
                failed: None,
            });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }
}

impl Row {
    /// The spread of one figure of the costs; none where no round has it.
    pub fn spread(&self, figure: impl Fn(&Cost) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.costs.iter().filter_map(figure).collect())
    }
}

impl Spread {
    /// The spread of a series.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (least, most) = (*figures.first()?, *figures.last()?);
        let upper = figures[figures.len() / 2];
        let lower = figures[(figures.len() - 1) / 2];
        Some(Self {
            median: lower.midpoint(upper),
            least,
            most,
            rounds: figures.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]).unwrap();
        let all = [spread.least, spread.median, spread.most];
        assert!(
            all.iter()
                .zip([1.0, 2.5, 4.0])
                .all(|(a, b)| (a - b).abs() < 1e-9)
        );
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_tool_that_failed_keeps_its_row_and_its_reason() {
        let mut results = Results::default();
        results.section("work", "some work".to_owned(), None);
        results.record("tool", Err(Failed("not installed".to_owned())));
        let row = results.find("work", "tool").unwrap();
        assert_eq!(row.failed, Some(Failed("not installed".to_owned())));
        assert_eq!(row.spread(|cost| Some(cost.wall_s)), None);
    }

    #[test]
    fn every_round_begins_with_another_tool_and_the_order_of_the_rows_stays() {
        let order = std::cell::RefCell::new(String::new());
        let turn = |name: &'static str| -> Turn<'_> {
            let order = &order;
            let go = move || {
                order.borrow_mut().push_str(name);
                Ok(Cost::default())
            };
            (name, Box::new(go))
        };
        let mut results = Results::default();
        results.section("work", String::new(), None);
        let turns = [turn("a"), turn("b"), turn("c")];
        (1..4).for_each(|round| results.round(round, &turns));
        assert_eq!(*order.borrow(), "bcacababc");
        let rows = &results.sections()[0].rows;
        assert!(rows.iter().map(|row| row.tool).eq(["a", "b", "c"]));
    }
}
