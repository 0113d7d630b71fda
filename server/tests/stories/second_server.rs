//! One server a database; on both databases.

use std::error::Error;

use domain::secret::Secret;
use server::config::{Config, Keys};
use server::startup::Application;
use store::Db;
use story_support::{World, both};

fn config(w: &World) -> Config {
    let mut config = Config::default();
    config.server.address.set_port(0);
    config.database.url = Secret::from(w.url.as_str());
    let key = |digit: char, length: usize| Secret::from(digit.to_string().repeat(length).as_str());
    config.keys = Keys { enc: key('1', 32), mac: key('2', 32), aes: key('3', 64) };
    config
}

/// The error and its causes of a server that does not start.
async fn refusal(w: &World) -> String {
    let Err(error) = Application::build(&config(w), w.clock.clone(), w.rng.clone()).await else { panic!("it starts") };
    let (mut said, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        said += &error.to_string();
        cause = error.source();
    }
    said
}

both!(a_second_server_on_one_database_is_refused, |w: World| async move {
    let first = Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
    let said = refusal(&w).await;
    assert!(said.contains("another server runs on this database"), "{said}");
    // What only looks at the database is not a server.
    Db::open(&w.url).await.unwrap().close().await;
    first.run_until(async {}).await;
    let next = Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
    drop(next);
    Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
});
