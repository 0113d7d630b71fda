//! The resident's home from the database: requests a second, against a bare page with the same queries.

use std::time::Duration;

use reqwest::header::COOKIE;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::demo_site::DemoSite;
use crate::figure::{Figure, quantile};
use crate::process::Process;
use crate::site::{PORT, answered};
use crate::{Length, Outcome};

const BARE_PORT: u16 = PORT + 5;
/// Requests at the same time.
const TOGETHER: usize = 8;
const ROUNDS: usize = 5;

/// What one server did in one round.
struct Rate {
    /// Requests a second.
    requests: f64,
    /// CPU of the server for one request, ms.
    cpu: f64,
}

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let site = DemoSite::start().await?;
    let task = ["--page".to_owned(), format!("{BARE_PORT},{}", site.database())];
    let bare = Process::start_program(&std::env::current_exe()?, &site.directory.path().join("bare.log"), &task)?;
    ready(&site, &bare).await?;
    // Both on the same processor, so that the other one is left for the requests.
    for server in [&site.server, &bare] {
        server.confine(0)?;
    }
    let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let during = length.seconds(6);
        let one = rate(&site, &site.server, PORT, during).await?;
        let other = rate(&site, &bare, BARE_PORT, during).await?;
        // The first round fills caches.
        if round > 0 {
            ratios.push(one.requests / other.requests);
            ours.push(one);
            theirs.push(other);
        }
    }
    let median = |rates: &[Rate], of: fn(&Rate) -> f64| quantile(&rates.iter().map(of).collect::<Vec<_>>(), 0.5);
    let (own_cpu, bare_cpu) = (median(&ours, |rate| rate.cpu), median(&theirs, |rate| rate.cpu));
    let against = format!(
        "{:.0}/s against {:.0}/s of axum and maud with the same queries, each on one processor; CPU of a request {own_cpu:.2} \
         against {bare_cpu:.2} ms ({:.2})",
        median(&ours, |rate| rate.requests),
        median(&theirs, |rate| rate.requests),
        bare_cpu / own_cpu
    );
    Ok(vec![Figure::at_least("web.ssr_ratio", 0.5, "ratio", against, ratios)])
}

/// Waits until the bare page is the resident's.
async fn ready(site: &DemoSite, bare: &Process) -> Outcome<()> {
    for _ in 0..100 {
        let request = site.client.get(format!("http://127.0.0.1:{BARE_PORT}/home")).header(COOKIE, &site.cookie);
        if let Ok(answer) = request.send().await
            && answer.status().is_success()
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    answered(&site.client, PORT, "health/ready", &site.server).await?;
    Err(format!("the bare page does not answer:\n{}", bare.last_words()).into())
}

async fn rate(site: &DemoSite, server: &Process, port: u16, during: Duration) -> Outcome<Rate> {
    let (cpu, begun) = (server.cpu()?, Instant::now());
    let mut asking = JoinSet::new();
    for _ in 0..TOGETHER {
        let (client, cookie) = (site.client.clone(), site.cookie.clone());
        asking.spawn(async move {
            let mut answers = 0_u32;
            while begun.elapsed() < during {
                let request =
                    client.get(format!("http://127.0.0.1:{port}/home")).header(COOKIE, &cookie).header("accept", "text/html");
                request.send().await?.error_for_status()?.bytes().await?;
                answers += 1;
            }
            Ok::<_, reqwest::Error>(answers)
        });
    }
    let mut all = 0;
    while let Some(answers) = asking.join_next().await {
        all += answers??;
    }
    let (took, all) = (begun.elapsed().as_secs_f64(), f64::from(all));
    Ok(Rate { requests: all / took, cpu: (server.cpu()? - cpu) / all * 1_000.0 })
}
