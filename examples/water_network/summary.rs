//! What the run came to.

use std::time::Duration;

use serde::Serialize;

use crate::detect::{Kind, Spell};
use crate::expect::Expectation;
use crate::goals;
use crate::hour::Hour;
use crate::network::Outcome;
use crate::plan::Plan;

/// Everything that became of the rows, kept while they pass.
#[derive(Debug, Default)]
pub struct Summary {
    /// Data rows sent into the loop.
    pub sent: usize,
    /// Hours between the first and the last observation without a usable row.
    pub missing: i64,
    /// Hours and their flows, of the rows that went through the whole loop.
    pub flows: Vec<(Hour, f64)>,
    /// Why the other rows were kept out.
    pub refused: Vec<String>,
    pub spells: Vec<Spell>,
    pub rebounds: Vec<Spell>,
    pub plans: Vec<Plan>,
    /// How many of the plans the network carried out.
    pub executed: usize,
    /// What the loop knows at the end.
    pub learnt: Option<Expectation>,
    /// What was wanted, and whether it was so.
    pub goals: Vec<goals::Result>,
    /// What the last hour came to.
    pub last: Option<Outcome>,
}

/// The summary for programs.
#[derive(Debug, Serialize)]
struct Line<'a> {
    readings: usize,
    missing: i64,
    anomalies: Vec<Span>,
    plans: usize,
    executed: usize,
    lost: usize,
    goals: &'a [goals::Result],
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Span {
    from: String,
    to: String,
}

impl Summary {
    /// Takes in what one hour came to.
    pub fn record(&mut self, outcome: Outcome) {
        let assessment = outcome.decision.assessment;
        self.missing += assessment.observation.missing;
        self.flows.push((assessment.observation.hour, assessment.observation.flow));
        self.plans.extend(&outcome.decision.plans);
        self.executed += outcome.carried_out.iter().filter(|done| done.is_ok()).count();
        if let Some(spell) = assessment.judgement.ended {
            self.keep(spell);
        }
        self.last = Some(outcome);
    }

    /// Takes in a row that was kept out.
    pub fn refuse(&mut self, why: String) {
        self.refused.push(why);
    }

    /// Closes the books over `sent` rows: a spell that still goes on is one, too.
    pub fn end(mut self, sent: usize) -> Self {
        self.sent = sent;
        let current = self.last.as_ref().and_then(|last| last.decision.assessment.judgement.current);
        if let Some(spell) = current {
            self.keep(spell);
        }
        self
    }

    /// Rows that neither went through nor were refused; anything but 0 is a fault of the program.
    pub fn lost(&self) -> usize {
        self.sent.saturating_sub(self.flows.len() + self.refused.len())
    }

    /// One line of JSON.
    pub fn json(&self, elapsed: Duration) -> serde_json::Result<String> {
        let span = |spell: &Spell| Span { from: spell.from.to_string(), to: spell.to.to_string() };
        serde_json::to_string(&Line {
            readings: self.sent,
            missing: self.missing,
            anomalies: self.spells.iter().map(span).collect(),
            plans: self.plans.len(),
            executed: self.executed,
            lost: self.lost(),
            goals: &self.goals,
            seconds: (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        })
    }

    fn keep(&mut self, spell: Spell) {
        match spell.kind {
            Kind::Loss | Kind::Surge => self.spells.push(spell),
            Kind::Rebound => self.rebounds.push(spell),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_nobody_accounts_for_is_lost() {
        let mut summary = Summary::default();
        summary.refuse("line 2: no".to_owned());
        let summary = summary.end(3);
        assert_eq!(summary.lost(), 2);
    }

    #[test]
    fn the_line_for_programs_has_its_fields_in_order() {
        let line = Summary::default().json(Duration::from_micros(1234)).unwrap();
        assert_eq!(
            line,
            r#"{"readings":0,"missing":0,"anomalies":[],"plans":0,"executed":0,"lost":0,"goals":[],"seconds":0.001}"#
        );
    }
}
