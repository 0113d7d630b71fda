//! The built-in daily curve of a dormitory room.

use model::time::Timestamp;

use super::{Flow, Shape, mix};

/// Mean power of each hour from midnight, W: 4.2 kWh a day.
const WATTS: [u32; 24] =
    [110, 70, 60, 60, 60, 70, 120, 190, 160, 110, 110, 160, 210, 160, 110, 110, 120, 190, 310, 380, 410, 420, 360, 240];

pub(super) fn hour(shape: &Shape, at: Timestamp) -> Flow {
    let mean = WATTS.get(usize::from(at.civil().hour)).copied().unwrap_or(100);
    // Days differ by up to 30 % in either direction.
    let day = (mix(shape.seed ^ mix(at.date().0 as u64)) % 601) as u32;
    let watts = mean * (700 + day) / 1_000;
    let volts = (mix(at.hour() as u64 ^ shape.seed) % 60) as u16;
    Flow { watts, vars: (watts / 5) as i32, decivolts: 2_180 + volts }
}

#[cfg(test)]
mod tests {
    use model::time::{DAY, HOUR};

    use super::*;

    #[test]
    fn a_day_is_about_four_kilowatt_hours() {
        let total: u32 = WATTS.iter().sum();
        assert!((4_000..4_500).contains(&total), "{total}");
        let shape = Shape { seed: 3, offset_days: 0, scale_permille: 1_000 };
        for day in 0..30 {
            let sum: u32 = (0..24).map(|h| hour(&shape, Timestamp(day * DAY + h * HOUR)).watts).sum();
            assert!((2_500..6_000).contains(&sum), "{sum}");
        }
    }
}
