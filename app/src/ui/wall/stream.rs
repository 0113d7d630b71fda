//! The live stream in the browser: shared by all tabs that show the same meters where the browser can, closed while nobody looks,
//! and it comes back by itself.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use serde::de::DeserializeOwned;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventSource, MessageEvent, MessagePort, SharedWorker};

use super::worker;

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
/// How often a tab tells the worker that it is there.
const PRESENT: Duration = Duration::from_secs(10);

/// What arrives, from the worker or from a stream of this tab's own.
#[derive(Clone)]
struct Receiver {
    link: RwSignal<Link>,
    consumer: Rc<dyn StreamConsumer>,
}

impl Receiver {
    fn snapshot(&self, data: &str) {
        if let Some(snapshot) = parse(data) {
            self.consumer.snapshot(snapshot);
            self.link.set(Link::Live);
        }
    }

    fn delta(&self, data: &str) {
        if let Some(delta) = parse(data) {
            self.consumer.delta(&delta);
        }
    }

    /// What is shown is no longer live. Without a picture, or refused, it was not before.
    fn cut(&self) {
        if self.link.get_untracked() == Link::Live {
            self.link.set(Link::Cut);
        }
    }

    /// A message of the worker: a word, a line end and the data.
    fn message(&self, text: &str) {
        match text.split_once('\n') {
            Some(("snapshot", data)) => self.snapshot(data),
            Some(("delta", data)) => self.delta(data),
            Some(("cut", _)) => self.cut(),
            Some(("refused", _)) => self.link.set(Link::Refused),
            _ => {}
        }
    }
}

/// Opens the stream and says in `link` how it is doing.
pub fn open(link: RwSignal<Link>, consumer: Rc<dyn StreamConsumer>) {
    let receiver = Receiver { link, consumer };
    match SharedWorker::new(&worker::address()) {
        Ok(worker) => share(&worker, receiver),
        // Some phones have no shared workers, and few tabs.
        Err(_) => OwnStream::start(receiver),
    }
}

/// Takes part in the stream of the worker.
fn share(worker: &SharedWorker, receiver: Receiver) {
    let port = worker.port();
    let own = receiver.clone();
    on_message(&port, move |data| receiver.message(&data));
    let say = move || {
        let word = if is_visible() { "visible" } else { "hidden" };
        drop(port.post_message(&JsValue::from_str(&format!("{word}{}", query()))));
    };
    let gone = worker.port();
    listen_window("pagehide", move || drop(gone.post_message(&JsValue::from_str("gone"))));
    listen_window("pageshow", say.clone());
    on_visibility(say.clone());
    say();
    let _ = set_interval_with_handle(say, PRESENT);
    // Where the script cannot be loaded. A browser may say so more than once.
    let own = Cell::new(Some(own));
    let failed = Closure::<dyn FnMut()>::new(move || {
        if let Some(receiver) = own.take() {
            OwnStream::start(receiver);
        }
    });
    worker.set_onerror(Some(failed.as_ref().unchecked_ref()));
    failed.forget();
}

/// A stream of this tab alone, open while the tab is visible.
struct OwnStream {
    open: RefCell<Option<OpenStream>>,
    receiver: Receiver,
}

/// An open stream with its callbacks, which end with it.
struct OpenStream {
    source: EventSource,
    _on_message: [Closure<dyn FnMut(MessageEvent)>; 2],
    _on_error: Closure<dyn FnMut()>,
}

impl OwnStream {
    fn start(receiver: Receiver) {
        let stream = Rc::new(Self { open: RefCell::default(), receiver });
        let one = stream.clone();
        on_visibility(move || one.settle());
        stream.settle();
    }

    /// Opens or closes the stream as the tab is visible or not.
    fn settle(self: &Rc<Self>) {
        let is_open = self.open.borrow().as_ref().is_some_and(|open| open.source.ready_state() != EventSource::CLOSED);
        if is_visible() && !is_open {
            self.open();
        } else if !is_visible() {
            self.close();
        }
    }

    fn close(&self) {
        if let Some(open) = self.open.borrow_mut().take() {
            open.source.close();
            self.receiver.cut();
        }
    }

    fn open(self: &Rc<Self>) {
        self.close();
        let Ok(source) = EventSource::new(&format!("/live{}", query())) else { return };
        let receiver = self.receiver.clone();
        let snapshot = listen(&source, "snapshot", move |data| receiver.snapshot(&data));
        let receiver = self.receiver.clone();
        let delta = listen(&source, "delta", move |data| receiver.delta(&data));
        let (stream, failed) = (Rc::downgrade(self), source.clone());
        let on_error = Closure::<dyn FnMut()>::new(move || {
            let Some(stream) = stream.upgrade() else { return };
            // The browser tries again after a cut; after an answer that is no stream it gives up, and we do not.
            if failed.ready_state() == EventSource::CLOSED {
                stream.receiver.link.set(Link::Refused);
                set_timeout(move || stream.settle(), AGAIN);
            } else {
                stream.receiver.cut();
            }
        });
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        *self.open.borrow_mut() = Some(OpenStream { source, _on_message: [snapshot, delta], _on_error: on_error });
    }
}

/// The query of the page, which says whose wall it is: the stream has the meters of the same profile.
fn query() -> String {
    window().location().search().unwrap_or_default()
}

fn is_visible() -> bool {
    !document().hidden()
}

fn on_message(port: &MessagePort, take: impl Fn(String) + 'static) {
    let callback = message_callback(take);
    // Setting it also starts the port.
    port.set_onmessage(Some(callback.as_ref().unchecked_ref()));
    // There is one port a page, and it ends with the page; so do the listeners below.
    callback.forget();
}

fn on_visibility(act: impl Fn() + 'static) {
    let callback = Closure::<dyn FnMut()>::new(act);
    if document().add_event_listener_with_callback("visibilitychange", callback.as_ref().unchecked_ref()).is_ok() {
        callback.forget();
    }
}

fn listen_window(event: &str, act: impl Fn() + 'static) {
    let callback = Closure::<dyn FnMut()>::new(act);
    if window().add_event_listener_with_callback(event, callback.as_ref().unchecked_ref()).is_ok() {
        callback.forget();
    }
}

/// The callback is removed when it is dropped.
fn listen(source: &EventSource, event: &str, take: impl Fn(String) + 'static) -> Closure<dyn FnMut(MessageEvent)> {
    let callback = message_callback(take);
    let _ = source.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref());
    callback
}

fn message_callback(take: impl Fn(String) + 'static) -> Closure<dyn FnMut(MessageEvent)> {
    Closure::new(move |event: MessageEvent| {
        if let Some(data) = event.data().as_string() {
            take(data);
        }
    })
}

fn parse<T: DeserializeOwned>(data: &str) -> Option<T> {
    serde_json::from_str(data).inspect_err(|error| leptos::logging::error!("wall: {error}")).ok()
}
