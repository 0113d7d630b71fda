use std::collections::BTreeMap;
use std::fs;

use super::*;

const TODAY: Date = Date(20_783);

/// The days before today, the newest first.
fn days(wh: &[i64]) -> Vec<(Date, Energy)> {
    (1..).zip(wh).map(|(before, wh)| (TODAY.plus(-before), Energy(*wh))).collect()
}

fn lasts(recorded: &[(Date, Energy)], credit: i64) -> Option<(i64, i64, i64)> {
    let found = UsePattern::learn(recorded, TODAY)?.lasts(Energy(credit), TODAY.start())?;
    Some((found.earliest, found.days, found.latest))
}

#[test]
fn a_room_that_always_uses_the_same_has_no_range() {
    let steady = days(&[2_000; 40]);
    assert_eq!(lasts(&steady, 12_100), Some((6, 6, 6)));
    assert_eq!(lasts(&steady, 1_999), Some((0, 0, 0)));
    assert_eq!(lasts(&steady, 0), None, "nothing is left");
    assert_eq!(lasts(&days(&[0; 40]), 5_000), None, "nothing was used");
    assert_eq!(lasts(&days(&[2_000]), 5_000), None, "recording began on the only day");
    assert_eq!(lasts(&[], 5_000), None);
}

#[test]
fn days_without_a_record_share_the_next_one() {
    // Three days' use came with one reading.
    let mut recorded = days(&[2_000; 40]);
    recorded.retain(|(day, _)| ![TODAY.plus(-9), TODAY.plus(-8)].contains(day));
    for (day, energy) in &mut recorded {
        if *day == TODAY.plus(-7) {
            *energy = Energy(6_000);
        }
    }
    assert_eq!(lasts(&recorded, 12_100), Some((6, 6, 6)));
    assert_eq!(full_days(&recorded, TODAY).len(), 39);
}

#[test]
fn weekends_are_told_from_working_days() {
    let weekend = |day: Date| day.weekday() > 4;
    let on = |day: Date| Energy(if weekend(day) { 6_000 } else { 1_000 });
    let recorded: Vec<_> = (1..=PATTERN_DAYS).map(|before| TODAY.plus(-before)).map(|day| (day, on(day))).collect();
    let pattern = UsePattern::learn(&recorded, TODAY).unwrap();
    let (working, free): (Vec<i64>, Vec<i64>) = (0..7).partition(|day| !weekend(TODAY.plus(*day)));
    let most = working.iter().map(|day| pattern.on(*day)).fold(0.0, f64::max);
    let least = free.iter().map(|day| pattern.on(*day)).fold(f64::MAX, f64::min);
    assert!(least > 2.0 * most, "{least} on a weekend, {most} on a working day");
}

#[test]
fn a_vacation_is_not_usual_but_goes_on_for_a_while() {
    let (home, away) = (2_000, 100);
    let back: Vec<i64> = [vec![home; 3], vec![away; 14], vec![home; 60]].concat();
    let gone: Vec<i64> = [vec![away; 14], vec![home; 60]].concat();
    let (_, back, _) = lasts(&days(&back), 14_100).unwrap();
    let (_, gone, _) = lasts(&days(&gone), 14_100).unwrap();
    assert!((6..=7).contains(&back), "as before the vacation: {back}");
    assert!(gone > back, "still away: {gone}");
}

#[test]
fn tonight_is_until_six_in_the_morning() {
    let pattern = UsePattern::learn(&days(&[2_400; 40]), TODAY).unwrap();
    let tonight = |credit, hour: i64| pattern.lasts(Energy(credit), TODAY.start().plus(hour * HOUR)).unwrap().tonight;
    assert!(tonight(700, 22), "eight hours at 100 W");
    assert!(!tonight(900, 22));
    assert!(tonight(300, 2), "this night");
    assert!(!tonight(500, 2));
}

/// A real household against the usual means (mean of seven or thirty days), with credit for 1 to 30 usual days on each day of two
/// and a half years.
#[test]
fn forecast_beats_the_means_on_a_real_load() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/load-profile/household-hourly.csv");
    let Ok(text) = fs::read_to_string(file) else {
        eprintln!("skipped: no load profile beside the project");
        return;
    };
    let load = daily(&text);
    let usual = load.values().sum::<i64>() / i64::try_from(load.len()).unwrap();
    let (first, last) = (load.keys().min().unwrap().0, load.keys().max().unwrap().0);
    let (mut errors, mut errors_of_7, mut errors_of_30) = (Vec::new(), Vec::new(), Vec::new());
    let (mut within, mut cases) = (0, 0);
    for today in (first + 400..last - 60).step_by(3).map(Date) {
        let recorded: Vec<_> = load.range(today.plus(-RECORDED_DAYS)..today).map(|(day, wh)| (*day, Energy(*wh))).collect();
        let pattern = UsePattern::learn(&recorded, today).unwrap();
        let mean_of = |days: i64| {
            let used: Vec<i64> = load.range(today.plus(-days)..today).map(|(_, wh)| *wh).collect();
            used.iter().sum::<i64>() as f64 / used.len() as f64
        };
        for credit in [1, 2, 3, 5, 7, 10, 14, 20, 30].map(|days| days * usual) {
            let Some(really) = lasted(&load, today, credit) else { continue };
            let exact = pattern.days_until_used(credit as f64, today.start(), |_| 1.0);
            errors.push((exact - really).abs());
            errors_of_7.push((credit as f64 / mean_of(7) - really).abs());
            errors_of_30.push((credit as f64 / mean_of(30) - really).abs());
            let range = pattern.lasts(Energy(credit), today.start()).unwrap();
            within += u32::from((range.earliest as f64..range.latest as f64 + 1.0).contains(&really));
            cases += 1;
        }
    }
    let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
    let (ours, of_7, of_30) = (mean(&errors), mean(&errors_of_7), mean(&errors_of_30));
    let share = f64::from(within) / f64::from(cases);
    println!(
        "mean error in days: {ours:.2}, mean of 7 days {of_7:.2}, of 30 days {of_30:.2}; within the range {share:.2} of {cases}"
    );
    assert!(cases > 2_000, "{cases}");
    assert!(ours < 0.60 * of_7 && ours < 0.90 * of_30, "{ours} against {of_7} and {of_30}");
    assert!((0.75..0.92).contains(&share), "{share}");
}

/// Wh by day; days that lack hours are left out.
fn daily(text: &str) -> BTreeMap<Date, i64> {
    let mut days: BTreeMap<Date, Vec<f64>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let (hour, kwh) = (fields.next().unwrap(), fields.next().unwrap());
        days.entry(hour[..10].parse().unwrap()).or_default().push(kwh.parse().unwrap());
    }
    let whole = days.into_iter().filter(|(_, hours)| hours.len() >= 20);
    whole.map(|(day, hours)| (day, (hours.iter().sum::<f64>() * 24_000.0 / hours.len() as f64) as i64)).collect()
}

/// Days until `wh` were used; `None` where a day of them lacks hours.
fn lasted(load: &BTreeMap<Date, i64>, today: Date, mut wh: i64) -> Option<f64> {
    for days in 0.. {
        let used = *load.get(&today.plus(days))?;
        if wh <= used {
            return Some(days as f64 + wh as f64 / used as f64);
        }
        wh -= used;
    }
    None
}
