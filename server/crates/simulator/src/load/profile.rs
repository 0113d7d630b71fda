//! A recorded load: a CSV file of `hour,kwh,kvarh,volt`.

use std::path::{Path, PathBuf};

use model::time::{Civil, DAY, HOUR, Timestamp};

use super::{Flow, Shape};

const HEADER: &str = "hour,kwh,kvarh,volt";
const DAY_HOURS: usize = 24;

/// Whole days of hourly means, starting at midnight.
#[derive(Debug)]
pub struct Profile {
    hours: Vec<Flow>,
}

/// Why a load profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("load profile {}: cannot be read", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    #[error("load profile {}, line {line}: {what}", .file.display())]
    Line { file: PathBuf, line: usize, what: &'static str },
    #[error("load profile {}: holds no whole day from 00:00 to 23:00", .0.display())]
    NoDay(PathBuf),
}

impl Profile {
    /// Reads a profile from a file.
    ///
    /// # Errors
    /// [`ProfileError`] with the file and the line.
    pub fn read(file: &Path) -> Result<Self, ProfileError> {
        let text = std::fs::read_to_string(file).map_err(|error| ProfileError::Read(file.to_owned(), error))?;
        Self::parse(file, &text)
    }

    /// Parses the text of a file. A missing hour repeats the same hour of the previous day.
    ///
    /// # Errors
    /// As [`Profile::read`].
    pub fn parse(file: &Path, text: &str) -> Result<Self, ProfileError> {
        let fail = |line: usize, what| ProfileError::Line { file: file.to_owned(), line, what };
        let mut lines = text.lines().enumerate();
        if lines.next().map(|(_, line)| line.trim_end()) != Some(HEADER) {
            return Err(fail(1, "expected the header hour,kwh,kvarh,volt"));
        }
        let mut hours: Vec<Flow> = Vec::new();
        let mut next: Option<i64> = None;
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let (hour, flow) = row(line).map_err(|what| fail(index + 1, what))?;
            let midnight = Timestamp(hour * HOUR).civil().hour == 0;
            let Some(expected) = next.or(midnight.then_some(hour)) else { continue };
            if hour < expected {
                return Err(fail(index + 1, "hours must ascend"));
            }
            // A longer gap is an error in the file.
            if hour - expected > 366 * DAY / HOUR {
                return Err(fail(index + 1, "a gap of more than a year"));
            }
            for _ in expected..hour {
                hours.push(hours.get(hours.len().wrapping_sub(DAY_HOURS)).or(hours.last()).copied().unwrap_or(flow));
            }
            hours.push(flow);
            next = Some(hour + 1);
        }
        hours.truncate(hours.len() / DAY_HOURS * DAY_HOURS);
        if hours.is_empty() { Err(ProfileError::NoDay(file.to_owned())) } else { Ok(Self { hours }) }
    }

    /// Number of days.
    #[must_use]
    pub const fn days(&self) -> usize {
        self.hours.len() / DAY_HOURS
    }

    /// The value for a time, starting at the room's offset; repeats after the last day.
    pub(super) fn hour(&self, shape: &Shape, at: Timestamp) -> Flow {
        let day = (at.date().0 + i64::from(shape.offset_days)).rem_euclid(self.days().max(1) as i64);
        let index = day as usize * DAY_HOURS + usize::from(at.civil().hour);
        self.hours.get(index).copied().unwrap_or_default()
    }
}

fn row(line: &str) -> Result<(i64, Flow), &'static str> {
    let mut cells = line.trim_end().split(',');
    let (Some(hour), Some(kwh), Some(kvarh), Some(volt), None) =
        (cells.next(), cells.next(), cells.next(), cells.next(), cells.next())
    else {
        return Err("expected four fields: hour,kwh,kvarh,volt");
    };
    let at = time(hour).ok_or("expected an hour such as 2006-12-16 18:00")?;
    let number = |text: &str, most: f64| text.parse::<f64>().ok().filter(|value| (0.0..=most).contains(value));
    let watts = number(kwh, 30.0).ok_or("kwh must be a number from 0 to 30")? * 1_000.0;
    let vars = number(kvarh, 30.0).ok_or("kvarh must be a number from 0 to 30")? * 1_000.0;
    let decivolts = number(volt, 500.0).ok_or("volt must be a number from 0 to 500")? * 10.0;
    Ok((at.hour(), Flow { watts: watts.round() as u32, vars: vars.round() as i32, decivolts: decivolts.round() as u16 }))
}

fn time(text: &str) -> Option<Timestamp> {
    let (date, clock) = text.split_once(' ')?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let hour = clock.strip_suffix(":00").filter(|hour| hour.len() == 2)?.parse().ok()?;
    Civil { year, month, day, hour, minute: 0, second: 0 }.timestamp().filter(|_| parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> &'static Path {
        Path::new("some/load.csv")
    }

    /// Two days, the second without 03:00; the first row is an evening hour before the first midnight.
    fn sample() -> String {
        let mut text = format!("{HEADER}\n2026-01-01 23:00,9.000,0,230.0\n");
        for hour in 0..24 {
            text.push_str(&format!("2026-01-02 {hour:02}:00,0.{hour:03},0.080,234.6\n"));
        }
        for hour in (0..24).filter(|&hour| hour != 3) {
            text.push_str(&format!("2026-01-03 {hour:02}:00,1.{hour:03},0,220.0\n"));
        }
        text
    }

    #[test]
    fn days_keep_their_hours_and_gaps_repeat_the_day_before() {
        let profile = Profile::parse(file(), &sample()).unwrap();
        assert_eq!(profile.days(), 2);
        let day = model::time::Date::from_ymd(2026, 11, 24).unwrap();
        let at = |days: u32, hour: i64| {
            let shape = Shape { seed: 0, offset_days: days, scale_permille: 1_000 };
            profile.hour(&shape, day.start().plus(hour * HOUR)).watts
        };
        let first = u32::from(at(0, 5) != 5);
        assert_eq!((at(first, 5), at(first + 1, 5), at(first + 2, 5)), (5, 1_005, 5));
        assert_eq!(at(first + 1, 3), 3, "the missing hour");
        assert_eq!(profile.hours[0], Flow { watts: 0, vars: 80, decivolts: 2_346 });
    }

    #[test]
    fn invalid_rows_name_file_and_line() {
        for (row, what) in [
            ("2026-01-02 00:00,x,0,230", "kwh must be a number from 0 to 30"),
            ("2026-01-02 00:00,-1,0,230", "kwh must be a number from 0 to 30"),
            ("2026-01-02 00:00,NaN,0,230", "kwh must be a number from 0 to 30"),
            ("2026-01-02 00:00,1,0,1e9", "volt must be a number from 0 to 500"),
            ("2026-01-02 00:30,1,0,230", "expected an hour such as 2006-12-16 18:00"),
            ("2026-02-30 00:00,1,0,230", "expected an hour such as 2006-12-16 18:00"),
            ("2026-01-02 00:00,1,0", "expected four fields: hour,kwh,kvarh,volt"),
        ] {
            let error = Profile::parse(file(), &format!("{HEADER}\n2026-01-01 00:00,1,0,230\n{row}\n")).unwrap_err();
            assert_eq!(error.to_string(), format!("load profile some/load.csv, line 3: {what}"));
        }
        let falling = format!("{HEADER}\n2026-01-02 00:00,1,0,230\n2026-01-01 00:00,1,0,230\n");
        assert!(Profile::parse(file(), &falling).unwrap_err().to_string().ends_with("line 3: hours must ascend"));
        assert!(Profile::parse(file(), "a,b\n").unwrap_err().to_string().contains("line 1"));
        assert!(matches!(Profile::parse(file(), HEADER), Err(ProfileError::NoDay(_))));
        assert!(matches!(Profile::read(Path::new("no/such/file")), Err(ProfileError::Read(..))));
    }

    #[test]
    fn recorded_household_load() {
        let Some(path) = std::env::var_os("DORMWATT_LOAD_PROFILE") else {
            println!("skipped: DORMWATT_LOAD_PROFILE names no file");
            return;
        };
        let profile = Profile::read(Path::new(&path)).unwrap();
        assert!(profile.days() > 1_000);
        let mean = profile.hours.iter().map(|flow| f64::from(flow.watts)).sum::<f64>() / profile.hours.len() as f64;
        assert!((800.0..1_500.0).contains(&mean), "{mean}");
    }
}
