//! The scheme of account numbers, on both databases.

use app::api::account_numbers::AccountNumbersPort;
use domain::clock::Clock;
use domain::order::Limits;
use model::error::AppError;
use model::ids::MeterId;
use services::auth::Passwords;
use services::console::ConsoleService;
use store::StoreError;
use store::accounts::{self, NewResident, OpenAccount};
use story_support::closings::{proved, who};
use story_support::{World, both};

async fn open(w: &World, by: &model::person::Who, meter: MeterId, number: Option<&str>) -> Result<String, StoreError> {
    let login = w.rng.id(w.clock.now()).to_string();
    let new = OpenAccount {
        meter,
        also: Vec::new(),
        number: number.map(str::to_owned),
        resident: NewResident { name: "张三".into(), login, password_hash: String::new() },
        housemates: Vec::new(),
        first: None,
        by: by.user,
        ip: String::new(),
    };
    accounts::open(&w.db, &w.rng, w.clock.now(), &Limits::default(), &new).await?;
    Ok(w.word("SELECT number FROM accounts ORDER BY id DESC LIMIT 1").await)
}

fn refused(result: Result<String, StoreError>) -> AppError {
    match result.unwrap_err() {
        StoreError::Refused(error) => error,
        other => panic!("{other}"),
    }
}

both!(numbers_follow_the_scheme_of_the_site, |w: World| async move {
    let mut meters = Vec::new();
    for unit in 1..=6 {
        meters.push(w.meter(unit).await);
    }
    let boss = who(w.clerk().await);
    let passwords = Passwords::new(w.rng.clone()).unwrap();
    let console = ConsoleService::new(w.context().await, passwords, Limits::default(), domain::returns::Rules::default());
    // Without a scheme nobody knows the next number, and a person may give any that is free.
    assert_eq!(console.number_scheme().await.unwrap().proposed, None);
    let first = open(&w, &boss, meters[0], None).await.unwrap();
    assert!(first.len() == 16 && first.starts_with("2611"), "{first}");
    assert_eq!(open(&w, &boss, meters[1], Some("7700000000000002")).await.unwrap(), "7700000000000002");
    assert_eq!(refused(open(&w, &boss, meters[2], Some("7700000000000002")).await), AppError::NumberTaken);
    assert_eq!(refused(open(&w, &boss, meters[2], Some("0000000000000000")).await), AppError::NumberNotOfScheme);

    assert_eq!(console.set_number_scheme(&boss, Some(("77", false)), 0).await.unwrap_err(), AppError::Invalid);
    assert_eq!(console.set_number_scheme(&boss, Some(("1234567890", false)), 1).await.unwrap_err(), AppError::Invalid);
    console.set_number_scheme(&boss, Some(("77", false)), 1).await.unwrap();
    assert_eq!(console.number_scheme().await.unwrap().proposed.as_deref(), Some("7700000000000001"));
    assert_eq!(open(&w, &boss, meters[2], None).await.unwrap(), "7700000000000001");
    assert_eq!(open(&w, &boss, meters[3], None).await.unwrap(), "7700000000000003", "a number that is taken is skipped");
    assert_eq!(refused(open(&w, &boss, meters[4], Some("7800000000000001")).await), AppError::NumberNotOfScheme);
    // The last number of the scheme, and none after it.
    console.set_number_scheme(&boss, Some(("777777777", false)), 9_999_999).await.unwrap();
    assert_eq!(open(&w, &boss, meters[4], None).await.unwrap(), "7777777779999999");
    assert_eq!(console.number_scheme().await.unwrap().proposed, None);
    assert_eq!(refused(open(&w, &boss, meters[5], None).await), AppError::NoMoreNumbers);
    console.set_number_scheme(&boss, None, 1).await.unwrap();
    open(&w, &boss, meters[5], None).await.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'account.numbers'").await, 3);
    proved(&w).await;
});
