//! Lost meters, gateways and alarms against events that are stored here one by one.

use domain::clock::Clock;
use domain::rng::Rng;
use model::event::EventKind;
use model::ids::{GatewayId, MeterId};
use model::report::{Cell, Heading, Note, ReportKind};
use model::time::{DAY, HOUR, MINUTE, Timestamp};
use store::events::{self, Change, Subject, Turn};
use story_support::{World, both};

use super::{column, operator, past, report, rows, section, total};

/// Something that began, and ended after that many minutes; `None`: it goes on.
async fn happened(w: &World, rng: &Rng, kind: EventKind, subject: Subject, since: Timestamp, minutes: Option<i64>) {
    let mut tx = w.db.begin().await.unwrap();
    let change = |at, turn| Change { kind, subject, at, turn };
    events::apply(&mut tx, rng, &change(since, Turn::Raised("{}".into()))).await.unwrap();
    if let Some(minutes) = minutes {
        events::apply(&mut tx, rng, &change(since.plus(minutes * MINUTE), Turn::Over)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

both!(losses_are_counted_within_the_range, |w: World| async move {
    let meters = [w.meter(1).await, w.meter(2).await, w.meter(3).await];
    let gateway: Vec<(model::ids::Uuid,)> = rows(&w, "SELECT id FROM gateways").await;
    let gateway = Subject::Gateway(GatewayId(gateway[0].0));
    let who = w.clerk().await;
    w.execute("UPDATE gateways SET created_at = 0").await;
    let (now, rng) = (w.clock.now(), &w.rng);
    let first = now.date().plus(-9).start();
    let of = |meter: MeterId| Subject::Meter(meter);
    for meter in meters {
        w.shows(meter, 1, 5_000, 4_200).await;
    }
    // Half of it before the range, one inside, and one that goes on.
    happened(&w, rng, EventKind::MeterLost, of(meters[0]), first.plus(-HOUR), Some(120)).await;
    happened(&w, rng, EventKind::MeterLost, of(meters[0]), first.plus(2 * DAY), Some(30)).await;
    happened(&w, rng, EventKind::MeterLost, of(meters[1]), now.plus(-HOUR), None).await;
    // Over before the range, the last when it begins, and another kind.
    happened(&w, rng, EventKind::MeterLost, of(meters[2]), first.plus(-3 * HOUR), Some(60)).await;
    happened(&w, rng, EventKind::MeterLost, of(meters[2]), first.plus(-HOUR), Some(60)).await;
    happened(&w, rng, EventKind::Overload, of(meters[2]), first.plus(DAY), Some(7)).await;
    happened(&w, rng, EventKind::GatewayLost, gateway, first.plus(DAY), Some(24 * 60)).await;
    let lost = "UPDATE meter_latest SET lost_since = observed_at - 3600000
                WHERE meter_id = (SELECT meter_id FROM events WHERE until_at IS NULL)";
    w.execute(lost).await;

    let from = first.date().to_string();
    let made = async |kind| report(&w, who, kind, &[("from", &from)]).await.unwrap();
    let lost = made(ReportKind::LostMeters).await;
    let lost = section(&lost, Heading::LostMeters);
    assert_eq!(lost.rows.len(), 2, "the third was not lost in the range: {:?}", lost.rows);
    assert_eq!((total(lost, Heading::TimesLost), total(lost, Heading::MinutesLost)), (3, 60 + 30 + 60));
    let [now_lost, earlier] = &lost.rows[..] else { panic!("{lost:?}") };
    assert_eq!(
        (&now_lost[1], &now_lost[3]),
        (&Cell::Text("2".into()), &Cell::Time(now.plus(-HOUR))),
        "whoever is lost comes first"
    );
    assert_eq!((&earlier[1], &earlier[3], &earlier[7]), (&Cell::Text("1".into()), &Cell::Empty, &Cell::Count(2)));
    assert_eq!(earlier[6], Cell::Money(model::money::Fen(4_200).money()));

    let gateways = made(ReportKind::LostGateways).await;
    let gateways = section(&gateways, Heading::LostGateways);
    let whole = now.since(first);
    let created = w.number("SELECT created_at FROM gateways").await;
    let since = now.since(Timestamp(created).max(first));
    assert_eq!(column(gateways, Heading::MinutesLost)[0].1, 24 * 60);
    let share = Cell::share((since - DAY).max(0), since);
    assert!(gateways.rows[0].last() == Some(&share) && whole >= since, "{:?}", gateways.rows);

    // Where a rule switches the alarm off, its report says that it does not know all.
    let notes = async || made(ReportKind::LostGateways).await.notes;
    assert!(!notes().await.contains(&Note::LossesByRules));
    let off = "INSERT INTO place_alarm_rules (place_id, kind, is_on)
               SELECT place_id, 'gateway-lost', FALSE FROM meters ORDER BY place_id LIMIT 1";
    w.execute(off).await;
    assert!(notes().await.contains(&Note::LossesByRules));

    let alarms = made(ReportKind::Alarms).await;
    let kinds = section(&alarms, Heading::ByKind);
    let of_kind = |heading| column(kinds, heading).into_iter().collect::<Vec<_>>();
    assert!(of_kind(Heading::Times).contains(&(Cell::Event(EventKind::MeterLost), 3)));
    assert!(of_kind(Heading::Minutes).contains(&(Cell::Event(EventKind::Overload), 7)));
    assert_eq!((total(kinds, Heading::Times), total(kinds, Heading::StillOpen)), (5, 1));
    assert_eq!(section(&alarms, Heading::Alarms).rows.len(), 5);

    // What happened in one instant counts, and what ended after the range was open at its end.
    happened(&w, rng, EventKind::Overload, of(meters[1]), first, Some(0)).await;
    let days = [("from", &*from), ("until", &*first.date().plus(1).to_string())];
    let alarms = report(&w, who, ReportKind::Alarms, &days).await.unwrap();
    let kinds = section(&alarms, Heading::ByKind);
    assert_eq!((total(kinds, Heading::Times), total(kinds, Heading::StillOpen)), (4, 0));
    let days = [days[0], ("until", &*from)];
    let alarms = report(&w, who, ReportKind::Alarms, &days).await.unwrap();
    assert_eq!(total(section(&alarms, Heading::ByKind), Heading::Times), 2);
    happened(&w, rng, EventKind::Overload, of(meters[0]), first.plus(23 * HOUR), Some(120)).await;
    let alarms = report(&w, who, ReportKind::Alarms, &days).await.unwrap();
    let kinds = section(&alarms, Heading::ByKind);
    assert_eq!((total(kinds, Heading::StillOpen), total(kinds, Heading::Minutes)), (1, 60 + 60));
});

both!(alarms_of_three_months_equal_raw_events, past, |w: World| async move {
    let who = operator(&w, "operator").await;
    let today = w.clock.now().date();
    let (from, until) = (today.plus(-60), today.plus(-10));
    let fields = [("from", &*from.to_string()), ("until", &*until.to_string())];
    let made = report(&w, who, ReportKind::Alarms, &fields).await.unwrap();
    let raw: Vec<(EventKind, i64, Option<i64>)> = rows(&w, "SELECT kind, since, until_at FROM events").await;
    let (start, end) = (from.start().0, until.plus(1).start().0);
    let lasts = |since: i64, until: Option<i64>| until.is_none_or(|until| until > start || until == since && since >= start);
    let seen = raw.into_iter().filter(|(_, since, until)| *since < end && lasts(*since, *until));
    let minutes = |since: i64, until: Option<i64>| (until.unwrap_or(end).min(end) - since.max(start)).max(0) / MINUTE;
    let (mut times, mut open, mut sum) = (0, 0, 0);
    for (_, since, until) in seen {
        times += 1;
        open += i64::from(until.is_none_or(|until| until > end));
        sum += minutes(since, until);
    }
    assert!(times > 0);
    for title in [Heading::ByKind, Heading::ByBuilding] {
        assert_eq!(total(section(&made, title), Heading::Times), times, "{title:?}");
        assert_eq!(total(section(&made, title), Heading::StillOpen), open, "{title:?}");
        assert_eq!(total(section(&made, title), Heading::Minutes), sum, "{title:?}");
    }
});
