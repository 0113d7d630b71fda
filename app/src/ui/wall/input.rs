//! Pointer, wheel and keyboard input of the wall.

use std::cell::Cell;

use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventTarget, KeyboardEvent, MouseEvent, PointerEvent, WheelEvent};

use super::layout::{Step, Zoom};
use super::scene::Scene;
use model::ids::MeterId;

/// The wheel distance of one zoom step.
const NOTCH: f64 = 60.0;

/// Listens for as long as the page lives. `zoom` is the page's zoom signal.
pub fn listen(scene: &Scene, zoom: RwSignal<Zoom>) {
    let view: &EventTarget = scene.view();
    on(view, "scroll", scene, |scene, _: JsValue| scene.repaint());
    on(view, "pointermove", scene, |scene, event: PointerEvent| scene.hover(at(scene, &event)));
    on(view, "pointerleave", scene, |scene, _: JsValue| scene.hover(None));
    on(view, "click", scene, |scene, event: MouseEvent| {
        let hit = at(scene, &event);
        scene.focus(hit);
        if event.ctrl_key() || event.meta_key() || event.shift_key() {
            scene.toggle(hit);
        }
    });
    on(view, "dblclick", scene, |scene, _: MouseEvent| go(scene.focused()));
    on(view, "keydown", scene, move |scene, event: KeyboardEvent| {
        if !event.alt_key() && !event.ctrl_key() && !event.meta_key() && key(scene, &event.key(), zoom) {
            event.prevent_default();
        }
    });
    let turned = Cell::new(0.0);
    on(view, "wheel", scene, move |_, event: WheelEvent| {
        if !event.ctrl_key() {
            return;
        }
        event.prevent_default();
        turned.set(turned.get() + event.delta_y());
        if turned.get().abs() >= NOTCH {
            let nearer = turned.replace(0.0) < 0.0;
            zoom.update(|zoom| *zoom = zoom.step(nearer));
        }
    });
    on(window().as_ref(), "resize", scene, |scene, _: JsValue| scene.resize());
    if let Ok(Some(dark)) = window().match_media("(prefers-color-scheme: dark)") {
        on(dark.as_ref(), "change", scene, |scene, _: JsValue| scene.retheme());
    }
}

/// Handles a key and returns whether it had a meaning.
fn key(scene: &Scene, key: &str, zoom: RwSignal<Zoom>) -> bool {
    match key {
        "ArrowLeft" => scene.step(Step::Left),
        "ArrowRight" => scene.step(Step::Right),
        "ArrowUp" => scene.step(Step::Up),
        "ArrowDown" => scene.step(Step::Down),
        "Home" => scene.step(Step::First),
        "End" => scene.step(Step::Last),
        "Enter" => go(scene.focused()),
        " " => scene.toggle(None),
        "Escape" => scene.clear_selection(),
        "+" | "=" => zoom.update(|zoom| *zoom = zoom.step(true)),
        "-" => zoom.update(|zoom| *zoom = zoom.step(false)),
        _ => return false,
    }
    true
}

fn go(meter: Option<MeterId>) {
    if let Some(meter) = meter {
        let _ = window().location().assign(&format!("/rooms/{meter}"));
    }
}

/// The tile under the pointer.
fn at(scene: &Scene, event: &MouseEvent) -> Option<usize> {
    let corner = scene.view().get_bounding_client_rect();
    scene.hit(f64::from(event.client_x()) - corner.left(), f64::from(event.client_y()) - corner.top())
}

fn on<E: FromWasmAbi + 'static>(target: &EventTarget, event: &str, scene: &Scene, handle: impl Fn(&Scene, E) + 'static) {
    let scene = scene.clone();
    let callback = Closure::<dyn FnMut(E)>::new(move |event| handle(&scene, event));
    if target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref()).is_ok() {
        callback.forget();
    }
}
