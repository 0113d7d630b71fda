//! Reports that somebody waits for, while others are made.

use std::time::Duration;

use app::api::reports::ReportsPort;
use domain::clock::Clock;
use model::report::{RangeProblem, ReportKind, ReportQuery};
use services::reports::ReportsService;
use store::REPORTS_AT_ONCE;
use story_support::{World, both};
use tokio::time::sleep;

use super::usual_interval;

both!(a_report_is_told_to_wait_while_three_are_made, |w: World| async move {
    w.room(1).await;
    let who = w.admin("boss").await;
    let service = ReportsService::new(w.context().await, usual_interval(), false);
    let query = ReportQuery::parse(ReportKind::Sales, |_| String::new(), w.clock.now().date()).unwrap();
    let report = || async { service.report(&who, ReportKind::Sales, &query).await.unwrap() };

    let (connections, mut held) = (w.db.for_reports(), Vec::new());
    for _ in 0..REPORTS_AT_ONCE {
        held.push(connections.begin_reading().await.unwrap());
    }
    let fourth = async {
        // The others have begun, and wait for a connection.
        sleep(Duration::from_millis(500)).await;
        let told = report().await;
        held.clear();
        told
    };
    let (one, two, three, told) = tokio::join!(report(), report(), report(), fourth);
    assert_eq!(told.unwrap_err(), RangeProblem::OthersBeingMade);
    assert!(one.is_ok() && two.is_ok() && three.is_ok(), "{one:?} {two:?} {three:?}");
    assert!(report().await.is_ok(), "later it is made");
});
