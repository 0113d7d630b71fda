//! One figure: what was measured, and what it must not exceed or fall below.

use std::path::Path;

use serde_json::{Value, json};

use crate::Outcome;

/// Whether the limit is from above or from below.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// The value may be at most the limit.
    Max,
    /// The value may be no less than the limit.
    Min,
}

/// What was measured.
pub struct Figure {
    /// Its name in the list of figures.
    pub name: String,
    /// Of the value and the limit.
    pub unit: &'static str,
    pub limit: f64,
    pub sense: Sense,
    /// The comparison, or the conditions of the measurement.
    pub against: String,
    /// One per run, or one per window of a run.
    pub samples: Vec<f64>,
}

impl Figure {
    /// A figure that may be at most `limit`.
    pub fn at_most(name: &str, limit: f64, unit: &'static str, against: impl Into<String>, samples: Vec<f64>) -> Self {
        Self { name: name.into(), unit, limit, sense: Sense::Max, against: against.into(), samples }
    }

    /// A figure that may be no less than `limit`.
    pub fn at_least(name: &str, limit: f64, unit: &'static str, against: impl Into<String>, samples: Vec<f64>) -> Self {
        Self { sense: Sense::Min, ..Self::at_most(name, limit, unit, against, samples) }
    }

    /// The median of the samples.
    pub fn value(&self) -> f64 {
        quantile(&self.samples, 0.5)
    }

    fn is_met(&self) -> bool {
        match self.sense {
            Sense::Max => self.value() <= self.limit,
            Sense::Min => self.value() >= self.limit,
        }
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name, "value": self.value(), "unit": self.unit, "limit": self.limit,
            "sense": match self.sense { Sense::Max => "max", Sense::Min => "min" },
            "against": self.against, "low": quantile(&self.samples, 0.0), "high": quantile(&self.samples, 1.0),
            "samples": self.samples.len(),
        })
    }
}

/// The sample below which that share of all lies; not a number where there is none.
pub fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// Prints one line per figure.
pub fn print(figures: &[Figure]) {
    for figure in figures {
        let (low, high) = (quantile(&figure.samples, 0.0), quantile(&figure.samples, 1.0));
        println!(
            "{:28} {:>10.3} {:8} limit {:>8} {:7} {:>9.3} to {:.3} of {:3}  {}",
            figure.name,
            figure.value(),
            figure.unit,
            figure.limit,
            if figure.is_met() { "met" } else { "MISSED" },
            low,
            high,
            figure.samples.len(),
            figure.against
        );
    }
}

/// Replaces earlier figures of the same names.
pub fn store(path: &Path, figures: &[Figure]) -> Outcome<()> {
    let mut all: Vec<Value> = match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    all.retain(|one| figures.iter().all(|figure| one.get("name").and_then(Value::as_str) != Some(&figure.name)));
    all.extend(figures.iter().map(Figure::json));
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    Ok(std::fs::write(path, serde_json::to_string_pretty(&all)?)?)
}
