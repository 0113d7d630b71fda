//! The live stream in the browser: it comes back by itself, and says when it does not.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent};

use model::wall::{Delta, Snapshot};

/// The state of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Not yet there.
    #[default]
    Connecting,
    /// What is shown is live.
    Live,
    /// The browser tries to come back.
    Cut,
    /// The server refuses: most likely the session has ended.
    Refused,
}

/// Receives the messages of the stream.
pub trait StreamConsumer {
    /// The whole state, at first and after every reconnection.
    fn snapshot(&self, snapshot: Snapshot);
    fn delta(&self, delta: &Delta);
}

/// How soon a refused stream is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Opens the stream and says in `link` how it is doing.
pub fn open(link: RwSignal<Link>, taker: Rc<dyn StreamConsumer>) {
    let Ok(source) = EventSource::new("/live") else { return };
    listen(&source, "snapshot", {
        let taker = taker.clone();
        move |data| {
            if let Some(snapshot) = parse(&data) {
                taker.snapshot(snapshot);
                link.set(Link::Live);
            }
        }
    });
    listen(&source, "delta", {
        let taker = taker.clone();
        move |data| {
            if let Some(delta) = parse(&data) {
                taker.delta(&delta);
            }
        }
    });
    let failed = source.clone();
    let on_error = Closure::<dyn FnMut()>::new(move || {
        // The browser tries again after a cut; after an answer that is no stream it gives up, and we do not.
        if failed.ready_state() == EventSource::CLOSED {
            link.set(Link::Refused);
            let taker = taker.clone();
            set_timeout(move || open(link, taker), AGAIN);
        } else {
            link.set(Link::Cut);
        }
    });
    source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    // The stream lives as long as the page.
    on_error.forget();
}

fn listen(source: &EventSource, event: &str, take: impl Fn(String) + 'static) {
    let callback = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(data) = event.data().as_string() {
            take(data);
        }
    });
    if source.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref()).is_ok() {
        callback.forget();
    }
}

fn parse<T: DeserializeOwned>(data: &str) -> Option<T> {
    serde_json::from_str(data).inspect_err(|error| leptos::logging::error!("wall: {error}")).ok()
}
