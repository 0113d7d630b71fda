//! The control interface.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use simulator::{Simulator, start};

use super::line::{Line, read};
use super::{config, monday};

struct Control {
    simulator: Simulator,
    client: Client,
}

impl Control {
    async fn start() -> Self {
        let (mut config, _) = config();
        config.control = Some("127.0.0.1:0".parse().unwrap());
        Self { simulator: start(config).await.unwrap(), client: Client::new() }
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("http://{}{path}", self.simulator.control.unwrap());
        let answer = self.client.request(method, url).json(&body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn meter_views_show_the_true_contents() {
    let control = Control::start().await;
    let (status, meters) = control.ask(Method::GET, "/meters", Value::Null).await;
    assert_eq!((status, meters.as_array().unwrap().len()), (StatusCode::OK, 3));
    let (_, meter) = control.ask(Method::GET, "/gateways/0/meters/2", Value::Null).await;
    assert_eq!(meter, meters[1]);
    assert_eq!(
        (&meter["remaining"], &meter["account"], &meter["serial"]),
        (&json!(10_000), &json!("1000000000000002"), &json!("260700000002"))
    );
}

#[tokio::test]
async fn faults_defects_incidents_and_loads_are_set_at_run_time() {
    let control = Control::start().await;
    let mut line = Line::to(control.simulator.addresses()[0]).await;
    let done = (StatusCode::NO_CONTENT, Value::Null);
    let meter = "/gateways/0/meters/2";
    assert_eq!(control.ask(Method::PUT, &format!("{meter}/faults"), json!({"fault": "busy"})).await, done);
    assert_eq!(line.ask(2, &read(0, 1)).await, [0x83, 6]);
    let (_, shown) = control.ask(Method::GET, meter, Value::Null).await;
    assert_eq!(shown["faults"], json!([[{"fault": "busy"}, 1.0]]));
    assert_eq!(control.ask(Method::DELETE, &format!("{meter}/faults"), Value::Null).await, done);
    assert_eq!(control.ask(Method::PUT, &format!("{meter}/load"), json!({"watts": 1_234})).await, done);
    assert_eq!(line.read(2, 0x000d, 1).await, [1_234]);
    assert_eq!(control.ask(Method::PUT, &format!("{meter}/defects"), json!({"defect": "relay_stuck", "on": true})).await, done);
    assert_eq!(line.read(2, 0x000d, 1).await, [0]);
    assert_eq!(
        control.ask(Method::POST, &format!("{meter}/one-time-faults"), json!({"fault": "clock_off", "seconds": 60})).await,
        done
    );
    assert_eq!(line.read(2, 0x010f, 1).await, [0x0100]);
}

#[tokio::test]
async fn gateway_faults_shares_and_time_are_set_at_run_time() {
    let control = Control::start().await;
    let mut line = Line::to(control.simulator.addresses()[0]).await;
    assert_eq!(control.ask(Method::PUT, "/faults", json!({"share": 0.34, "fault": "no_answer"})).await.1, json!(1));
    let mut dead = 0;
    for unit in 1..=3 {
        dead += usize::from(line.ask(unit, &read(0, 1)).await == [0x83, 0x0b]);
    }
    assert_eq!(dead, 1);
    control.ask(Method::PUT, "/gateways/0/faults", json!({"fault": "busy", "probability": 1.0})).await;
    assert_eq!(line.ask(1, &read(0, 1)).await, [0x83, 6]);
    assert_eq!(control.ask(Method::DELETE, "/faults", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(line.read(1, 0, 2).await, [0, 0]);

    let (_, time) = control.ask(Method::POST, "/time", json!({"advance_s": 3_600})).await;
    assert_eq!(time, json!({"epoch_ms": monday().0 + 3_600_000, "shanghai": "2026-11-23 01:00:00"}));
    assert_eq!(line.read(1, 0, 2).await, [0, 100]);

    assert_eq!(control.ask(Method::PUT, "/gateways/0/refused", json!({"on": true})).await.0, StatusCode::NO_CONTENT);
    assert!(line.rest().await.1);
}

#[tokio::test]
async fn invalid_control_requests_are_rejected_with_a_reason() {
    let control = Control::start().await;
    let (status, error) = control.ask(Method::GET, "/gateways/0/meters/99", Value::Null).await;
    assert_eq!((status, error), (StatusCode::NOT_FOUND, json!({"error": "no such gateway or meter"})));
    let (status, _) = control.ask(Method::PUT, "/gateways/5/refused", json!({"on": true})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = control.ask(Method::POST, "/time", json!({"advance_s": u32::MAX})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = control.ask(Method::PUT, "/gateways/0/faults", json!({"fault": "sulking"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // A page of another site, and one whose name leads here.
    let url = format!("http://{}/meters", control.simulator.control.unwrap());
    for (name, value) in [("origin", "http://elsewhere.example"), ("host", "elsewhere.example")] {
        let answer = control.client.get(&url).header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}");
    }
}
