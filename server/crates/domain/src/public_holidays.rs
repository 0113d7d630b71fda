//! Public holidays from a file: CSV lines of day, kind and name, or an iCalendar with one event for each range of days.

use std::collections::BTreeMap;

use model::friendly::{CalendarDay, DayKind, HolidayFault, HolidayProblem};
use model::time::Date;

/// The largest file.
pub const MAX_BYTES: usize = 256 * 1_024;
/// Days of one file, and of one event.
const MAX_DAYS: usize = 2_000;
const MAX_RANGE: i64 = 60;
/// Characters of a name that are kept.
const MAX_NAME: usize = 40;

/// What the name of an event on which people work has, in small letters. "Work" alone is in names of holidays.
const WORKING: [&str; 6] = ["班", "工作日", "working day", "work day", "workday", "make-up"];

type Days = BTreeMap<Date, (DayKind, String)>;

/// Reads a file whole, or says what is wrong with it first.
///
/// # Errors
/// The first problem.
pub fn parse(bytes: &[u8]) -> Result<Vec<CalendarDay>, HolidayProblem> {
    let whole = |fault| HolidayProblem { line: 0, fault };
    let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.len() <= MAX_BYTES);
    let text = text.ok_or(whole(HolidayFault::Unreadable))?.trim_start_matches('\u{feff}');
    let is_calendar = text.trim_start().get(..15).is_some_and(|start| start.eq_ignore_ascii_case("BEGIN:VCALENDAR"));
    let days = if is_calendar { from_calendar(text)? } else { from_lines(text)? };
    if days.is_empty() || days.len() > MAX_DAYS {
        return Err(whole(HolidayFault::Count));
    }
    Ok(days.into_iter().map(|(day, (kind, name))| CalendarDay { day, kind, name }).collect())
}

fn add(days: &mut Days, line: usize, day: Date, kind: DayKind, name: &str) -> Result<(), HolidayProblem> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    match days.insert(day, (kind, name)) {
        Some((other, _)) if other != kind => Err(HolidayProblem { line, fault: HolidayFault::Twice }),
        _ if days.len() > MAX_DAYS => Err(HolidayProblem { line, fault: HolidayFault::Count }),
        _ => Ok(()),
    }
}

fn from_lines(text: &str) -> Result<Days, HolidayProblem> {
    let mut days = Days::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.splitn(3, [',', ';', '\t', '，']).map(|field| field.trim().trim_matches('"').trim());
        let (day, kind, name) = (fields.next().unwrap_or_default(), fields.next(), fields.next().unwrap_or_default());
        let Some(day) = day_of(day) else {
            // The titles of the columns.
            if number == 1 {
                continue;
            }
            return Err(HolidayProblem { line: number, fault: HolidayFault::Day });
        };
        let kind = kind.and_then(kind_of).ok_or(HolidayProblem { line: number, fault: HolidayFault::Kind })?;
        add(&mut days, number, day, kind, name)?;
    }
    Ok(days)
}

/// `2027-01-01`, `2027/1/1` or `20270101`.
fn day_of(text: &str) -> Option<Date> {
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{}-{}-{}", text.get(..4)?, text.get(4..6)?, text.get(6..)?).parse().ok();
    }
    text.replace('/', "-").parse().ok()
}

fn kind_of(text: &str) -> Option<DayKind> {
    match text.to_lowercase().as_str() {
        "day_off" | "day off" | "off" | "holiday" | "休" | "休息" | "放假" | "假" | "节假日" => Some(DayKind::DayOff),
        "working_day" | "working day" | "work" | "班" | "上班" | "补班" | "工作日" => Some(DayKind::WorkingDay),
        _ => None,
    }
}

#[derive(Default)]
struct Event<'a> {
    first: Option<Date>,
    /// The day after the last.
    end: Option<Date>,
    name: &'a str,
}

fn from_calendar(text: &str) -> Result<Days, HolidayProblem> {
    let mut days = Days::new();
    let mut event: Option<Event<'_>> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let (name, value) = line.trim_end().split_once(':').unwrap_or((line.trim_end(), ""));
        let property = name.split(';').next().unwrap_or_default().to_uppercase();
        match (property.as_str(), &mut event) {
            ("BEGIN", _) if value.eq_ignore_ascii_case("VEVENT") => event = Some(Event::default()),
            ("DTSTART", Some(event)) => event.first = value.get(..8).and_then(day_of),
            ("DTEND", Some(event)) => event.end = value.get(..8).and_then(day_of),
            ("SUMMARY", Some(event)) => event.name = value,
            ("RRULE" | "RDATE", Some(_)) => return Err(HolidayProblem { line: number, fault: HolidayFault::Event }),
            ("END", Some(ended)) if value.eq_ignore_ascii_case("VEVENT") => {
                let fault = HolidayProblem { line: number, fault: HolidayFault::Event };
                let first = ended.first.ok_or(fault)?;
                let end = ended.end.filter(|end| *end > first).unwrap_or(first.plus(1));
                if end.0 - first.0 > MAX_RANGE {
                    return Err(fault);
                }
                let works = WORKING.iter().any(|word| ended.name.to_lowercase().contains(word));
                let kind = if works { DayKind::WorkingDay } else { DayKind::DayOff };
                for day in first.0..end.0 {
                    add(&mut days, number, Date(day), kind, ended.name)?;
                }
                event = None;
            }
            _ => {}
        }
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<String> {
        let days = parse(text.as_bytes()).unwrap();
        days.iter().map(|one| format!("{} {} {}", one.day, one.kind.as_str(), one.name)).collect()
    }

    #[test]
    fn lines_of_spreadsheets_are_read() {
        let text = "\u{feff}日期,类型,名称\r\n2027-01-01,休,元旦\r\n2027/2/6;off;春节\n20270207\t班\t\n# 说明\n\
                    \"2027-02-08\",\"放假\",\"春节\"\n";
        assert_eq!(
            listed(text),
            ["2027-01-01 day_off 元旦", "2027-02-06 day_off 春节", "2027-02-07 working_day ", "2027-02-08 day_off 春节"]
        );
    }

    #[test]
    fn events_of_a_calendar_are_read() {
        let text = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            "DTSTART;VALUE=DATE:20271001",
            "DTEND;VALUE=DATE:20271003",
            "SUMMARY:国庆节 休",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "DTSTART;VALUE=DATE:20271009",
            "SUMMARY:国庆节 补班",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "DTSTART;VALUE=DATE:20270501",
            "SUMMARY:International Workers' Day",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "DTSTART;VALUE=DATE:20270508",
            "SUMMARY:Working Day",
            "END:VEVENT",
            "END:VCALENDAR",
        ]
        .join("\r\n");
        let days = [
            "2027-05-01 day_off International Workers' Day",
            "2027-05-08 working_day Working Day",
            "2027-10-01 day_off 国庆节 休",
            "2027-10-02 day_off 国庆节 休",
            "2027-10-09 working_day 国庆节 补班",
        ];
        assert_eq!(listed(&text), days);
    }

    #[test]
    fn faults_of_a_file_are_named_with_their_line() {
        for (text, line, fault) in [
            ("", 0, HolidayFault::Count),
            ("day,kind\n", 0, HolidayFault::Count),
            ("2027-01-01,休\n2027-02-30,休", 2, HolidayFault::Day),
            ("2027-01-01,maybe", 1, HolidayFault::Kind),
            ("2027-01-01", 1, HolidayFault::Kind),
            ("2027-01-01,休\n2027-01-01,班", 2, HolidayFault::Twice),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT", 4, HolidayFault::Event),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270101\nDTEND:20271231\nEND:VEVENT", 5, HolidayFault::Event),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20270101\nRRULE:FREQ=YEARLY\nEND:VEVENT", 4, HolidayFault::Event),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(HolidayProblem { line, fault }), "{text}");
        }
        assert_eq!(parse(&[0xff, 0xfe]), Err(HolidayProblem { line: 0, fault: HolidayFault::Unreadable }));
        let many: String = (0..2_001).map(|n| format!("{},休\n", Date(20_000 + n))).collect();
        assert_eq!(parse(many.as_bytes()).map_err(|problem| problem.fault), Err(HolidayFault::Count));
    }
}
