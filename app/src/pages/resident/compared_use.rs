//! What the room's use is compared with: other months, similar rooms, and its own weeks before.

use leptos::prelude::*;

use crate::api::resident::UnusualDay;
use crate::i18n::resident_usage::{
    AsBefore, Jump, LessThanBefore, MonthName, MonthsLabel, MoreThanBefore, Night, SimilarLead, texts,
};
use crate::i18n::{Lang, common, lang, resident};
use crate::ports::now;
use crate::ui::bars::{Bar, Bars};
use model::abnormal_use::AbnormalKind;
use model::energy::Energy;
use model::usage::{MonthUse, MonthsCompared, SimilarRooms};

/// The months beside each other; nothing before there are two.
#[component]
pub fn Months(months: MonthsCompared) -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let this = months.months.last().map_or(Energy::ZERO, |month| month.energy);
    let label = MonthsLabel { kwh: this.to_string() }.text(lang);
    let count = months.months.len();
    let bars = months.months.iter().enumerate().map(|(n, month)| Bar {
        label: common::month(month.month, lang).to_owned(),
        figure: ((month.energy.0 + 500) / 1_000).to_string(),
        value: Some(month.energy.0),
        strong: n + 1 == count,
    });
    let bars = bars.collect();
    let rows = months.months.iter().rev().map(|month| {
        view! { <tr><td>{name(*month, lang)}</td><td class="number">{month.energy.to_string()}</td></tr> }
    });
    let rows = rows.collect_view();
    let r = resident::texts(lang);
    let same = months.same_days.map(|(now, before)| view! { <p>{beside(now, before, lang)}</p> });
    (count > 1).then(|| {
        view! {
            <section class="card stack-tight" aria-labelledby="months">
                <h2 id="months">{t.months}<span class="unit">"kWh"</span></h2>
                <Bars bars label />
                {same}
                <details>
                    <summary>{t.months_table}</summary>
                    <table class="table">
                        <thead><tr><th scope="col">{t.month}</th><th scope="col" class="number">{r.kwh}</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </details>
            </section>
        }
    })
}

fn name(month: MonthUse, lang: Lang) -> String {
    MonthName { month: common::month(month.month, lang), year: month.year }.text(lang)
}

/// This month up to yesterday beside the same days of the month before.
fn beside(now: Energy, before: Energy, lang: Lang) -> String {
    let percent = if before.0 > 0 { ((now.0 - before.0).abs() * 100 + before.0 / 2) / before.0 } else { 0 };
    let (this, then) = (now.to_string(), before.to_string());
    match percent {
        0 => AsBefore { now: this }.text(lang),
        _ if now > before => MoreThanBefore { now: this, percent, before: then }.text(lang),
        _ => LessThanBefore { now: this, percent, before: then }.text(lang),
    }
}

/// Similar rooms, of which nobody sees which is which.
#[component]
pub fn Similar(rooms: SimilarRooms) -> impl IntoView {
    let (t, lang, today) = (texts(lang()), lang(), now().date());
    let (from, until) = (common::day(rooms.days.0, today, lang), common::day(rooms.days.1, today, lang));
    let lead = SimilarLead { rooms: rooms.rooms, from, until }.text(lang);
    let stands = if rooms.own <= rooms.lower {
        t.in_first
    } else if rooms.own <= rooms.median {
        t.in_second
    } else if rooms.own <= rooms.upper {
        t.in_third
    } else {
        t.in_last
    };
    let facts = [(t.your_room, rooms.own), (t.lower, rooms.lower), (t.median, rooms.median), (t.upper, rooms.upper)];
    let facts = facts.map(|(name, energy)| view! { <dt>{name}</dt><dd class="num">{format!("{energy} kWh")}</dd> });
    view! {
        <section class="card stack-tight" aria-labelledby="similar">
            <h2 id="similar">{t.similar}</h2>
            <p>{stands}</p>
            <dl class="facts">{facts.collect_view()}</dl>
            <p class="hint">{lead}</p>
        </section>
    }
}

/// Days on which much more was used than is usual here.
#[component]
pub fn Unusual(days: Vec<UnusualDay>) -> impl IntoView {
    let (t, lang, today) = (texts(lang()), lang(), now().date());
    let lines = days.iter().map(|one| {
        let (used, expected) = (one.used.to_string(), one.expected.to_string());
        let day = common::day(one.day, today, lang);
        let words = match one.kind {
            AbnormalKind::Night => Night { day, used, expected }.text(lang),
            AbnormalKind::Jump | AbnormalKind::Zero | AbnormalKind::AboveFloor => Jump { day, used, expected }.text(lang),
        };
        view! { <li><a href=format!("/usage?to={0}&day={0}", one.day)>{words}</a></li> }
    });
    let lines = lines.collect_view();
    (!days.is_empty()).then(|| {
        view! {
            <section class="card stack-tight" aria-labelledby="unusual">
                <h2 id="unusual">{t.unusual}</h2>
                <ul class="links">{lines}</ul>
                <p class="hint">{t.unusual_hint}</p>
            </section>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_compared_in_whole_percent() {
        let text = |now, before| beside(Energy(now), Energy(before), Lang::En);
        assert_eq!(
            text(11_500, 10_000),
            "11.50 kWh this month up to yesterday, 15 % more than in the same days of last month (10.00 kWh)."
        );
        assert_eq!(
            text(5_000, 10_000),
            "5.00 kWh this month up to yesterday, 50 % less than in the same days of last month (10.00 kWh)."
        );
        for (now, before) in [(10_000, 10_010), (10, 0)] {
            assert!(text(now, before).ends_with("as much as in the same days of last month."), "{now} {before}");
        }
    }
}
