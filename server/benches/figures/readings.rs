//! What the stored readings say about the sweeps.

use std::collections::HashMap;

use uuid::Uuid;

/// Meter and instant of each reading of an interval, ordered by both.
pub struct Readings {
    pub from: i64,
    pub until: i64,
    pub rows: Vec<(Uuid, i64)>,
}

impl Readings {
    /// Seconds between consecutive readings of each meter; a meter with fewer than two counts with the whole interval.
    pub fn gaps(&self, meters: &[Uuid]) -> Vec<f64> {
        let mut each: HashMap<Uuid, Vec<i64>> = meters.iter().map(|&id| (id, Vec::new())).collect();
        for (meter, at) in &self.rows {
            if let Some(instants) = each.get_mut(meter) {
                instants.push(*at);
            }
        }
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let whole = seconds(self.until - self.from);
        let gaps = |at: Vec<i64>| -> Vec<f64> {
            if at.len() < 2 { vec![whole] } else { at.iter().zip(at.iter().skip(1)).map(|(a, b)| seconds(b - a)).collect() }
        };
        each.into_values().flat_map(gaps).collect()
    }

    /// The mean time between two readings of a meter, s.
    pub fn sweep(&self) -> f64 {
        let mut ends: HashMap<Uuid, (i64, i64, f64)> = HashMap::new();
        for (meter, at) in &self.rows {
            let end = ends.entry(*meter).or_insert((*at, *at, 0.0));
            *end = (end.0, *at, end.2 + 1.0);
        }
        let (time, gaps) = ends.values().fold((0.0, 0.0), |(time, gaps), (first, last, count)| {
            (time + (last - first) as f64 / 1_000.0, gaps + (count - 1.0))
        });
        time / gaps
    }

    /// Seconds until each meter was first read.
    pub fn first(&self, meters: &[Uuid]) -> Vec<f64> {
        let mut first: HashMap<Uuid, i64> = HashMap::new();
        for (meter, at) in &self.rows {
            first.entry(*meter).or_insert(*at);
        }
        let seconds = |id| (first.get(id).copied().unwrap_or(self.until) - self.from) as f64 / 1_000.0;
        meters.iter().map(seconds).collect()
    }
}
