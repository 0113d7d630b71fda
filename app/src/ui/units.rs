//! Measured values with their units; a dash for what a meter does not measure.

const NONE: &str = "—";

/// A whole number of units.
#[must_use]
pub fn whole(value: Option<impl Into<i64>>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.into().to_string())
}

/// Tenths of a unit, with one decimal.
#[must_use]
pub fn tenths(value: Option<impl Into<i64>>) -> String {
    decimal(value, 10, 1)
}

/// Hundredths of a unit, with two decimals.
#[must_use]
pub fn hundredths(value: Option<impl Into<i64>>) -> String {
    decimal(value, 100, 2)
}

fn decimal(value: Option<impl Into<i64>>, unit: u64, digits: usize) -> String {
    value.map_or_else(
        || NONE.to_owned(),
        |value| {
            let value: i64 = value.into();
            let sign = if value < 0 { "-" } else { "" };
            format!("{sign}{}.{:0digits$}", value.unsigned_abs() / unit, value.unsigned_abs() % unit)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmeasured_values_are_a_dash() {
        assert_eq!((whole(None::<i32>), tenths(None::<u16>)), ("—".to_owned(), "—".to_owned()));
        assert_eq!((tenths(Some(2_301_u16)), hundredths(Some(-5_i64))), ("230.1".to_owned(), "-0.05".to_owned()));
        assert_eq!(whole(Some(-7)), "-7");
    }
}
