//! What is said about a report: why there is none, and what a reader must know of it.

use super::*;
use model::report::{Note, RangeProblem};

/// Why there is no report, and what to do.
#[must_use]
pub fn problem(problem: RangeProblem, lang: Lang) -> String {
    let t = texts(lang);
    match problem {
        RangeProblem::NotADay => t.not_a_day.to_owned(),
        RangeProblem::Reversed => t.reversed.to_owned(),
        RangeProblem::TooLong(days) => TooLong { days }.text(lang),
        RangeProblem::UnknownPlace => t.unknown_place.to_owned(),
        RangeProblem::UnknownRoom => t.unknown_room.to_owned(),
        RangeProblem::SeveralRooms => t.several_rooms.to_owned(),
        RangeProblem::NoSuchRows => t.no_such_rows.to_owned(),
        RangeProblem::RoomMissing => t.room_missing.to_owned(),
        RangeProblem::NotAnAge => t.not_an_age.to_owned(),
        RangeProblem::TooManyMeters { meters, days: 0 } => TooManyMeters { meters }.text(lang),
        RangeProblem::TooManyMeters { meters, days } => TooManyMeterDays { meters, days }.text(lang),
        RangeProblem::TooSlow => t.too_slow.to_owned(),
        RangeProblem::OthersBeingMade => t.others_being_made.to_owned(),
    }
}

#[must_use]
pub fn note(note: Note, lang: Lang) -> String {
    let t = texts(lang);
    match note {
        Note::AsOf(at) => AsOf { time: at.to_string() }.text(lang),
        Note::LedgerAgrees => t.ledger_agrees.to_owned(),
        Note::LedgerDiffers(count) => LedgerDiffers { count }.text(lang),
        Note::FeesNotCompared => t.fees_not_compared.to_owned(),
        Note::StatementOfNewest => t.statement_of_newest.to_owned(),
        Note::EnergyOfWholeDays => t.energy_of_whole_days.to_owned(),
        Note::DeductedByMeters => t.deducted_by_meters.to_owned(),
        Note::UsedAsCompared => t.used_as_compared.to_owned(),
        Note::AccountsTooMany(most) => AccountsTooMany { most }.text(lang),
        Note::BooksAndDisplays => t.books_and_displays.to_owned(),
        Note::SubsidiesByMonth => t.subsidies_by_month.to_owned(),
        Note::MetersOnlyNow => t.meters_only_now.to_owned(),
        Note::DaysCompared(days) => DaysCompared { days }.text(lang),
        Note::AtLeastOld(days) => AtLeastOld { days }.text(lang),
        Note::EnergyUntil(at) => EnergyUntil { time: at.to_string() }.text(lang),
        Note::Revised { rows, at } => Revised { count: rows, time: at.to_string() }.text(lang),
        Note::KnownSince(day) => KnownSince { day }.text(lang),
        Note::TodayIsRunning => t.today_is_running.to_owned(),
        Note::Co2(factor) => Co2Counted { factor }.text(lang),
        Note::HoursPartlyKnown(count) => HoursPartlyKnown { count }.text(lang),
        Note::PeakOfAll { power, at, of_parts } => {
            PeakOfAll { power: kilo(power), time: minute(at), sum: kilo(of_parts) }.text(lang)
        }
        Note::PowerByHour => t.power_by_hour.to_owned(),
        Note::WeekendsByCalendar => t.weekends_by_calendar.to_owned(),
        Note::TransformerAsGroup => t.transformer_as_group.to_owned(),
        Note::AbnormalRules => t.abnormal_rules.to_owned(),
        Note::DaysUnknown(count) => DaysUnknown { count }.text(lang),
        Note::IntervalsAsNow => t.intervals_as_now.to_owned(),
        Note::ContinuousDue => t.continuous_due.to_owned(),
        Note::RowsLeftOut { shown, total } => RowsLeftOut { shown, total }.text(lang),
        Note::PlacesAsNow => t.places_as_now.to_owned(),
        Note::LossesBehindGateways => t.losses_behind_gateways.to_owned(),
        Note::LossesByRules => t.losses_by_rules.to_owned(),
        Note::RowsTooMany { shown, total } => RowsTooMany { shown, total }.text(lang),
        Note::LineLossReadings => t.line_loss_readings.to_owned(),
        Note::HoursTooMany(days) => HoursTooMany { days }.text(lang),
    }
}
