//! Pointer, wheel and keyboard input of the wall, and the controls that the server renders into it: choices are `select` elements
//! named `by`, `sort` and `reason`; buttons say in `data-wish` what they do (`shown`, `clear`) or to which page they take the
//! selected rooms; `#wall-acts` is shown while there is a selection, `#wall-too-many` where it is too long to be taken along.
//! So they cost the browser no code of their own.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, EventTarget, KeyboardEvent, MouseEvent, PointerEvent, WheelEvent};

use super::arrange::{Sections, Sort};
use super::island::Chosen;
use super::layout::{Step, Zoom};
use super::scene::Scene;
use model::ids::MeterId;

/// The wheel distance of one zoom step.
const NOTCH: f64 = 60.0;

/// The longest address that every browser and proxy takes.
const ADDRESS_MAX: usize = 60_000;

/// Listens for as long as the page lives.
pub fn listen(scene: &Scene, chosen: Chosen) {
    let zoom = chosen.zoom;
    let view: &EventTarget = scene.view();
    on(view, "scroll", scene, |scene, _: JsValue| scene.repaint());
    // A finger scrolls; a mouse or pen draws a rectangle.
    on(view, "pointerdown", scene, |scene, event: PointerEvent| {
        let (x, y) = point(scene, &event);
        // Beyond the inner width lies the scrollbar.
        if event.button() == 0 && event.pointer_type() != "touch" && x < f64::from(scene.view().client_width()) {
            let _ = scene.view().set_pointer_capture(event.pointer_id());
            scene.begin_lasso(x, y);
        }
    });
    on(view, "pointermove", scene, |scene, event: PointerEvent| {
        let (x, y) = point(scene, &event);
        scene.draw_lasso(x, y);
        scene.hover(scene.hit(x, y));
    });
    let drawn = Rc::new(Cell::new(false));
    let ended = drawn.clone();
    on(view, "pointerup", scene, move |scene, event: PointerEvent| ended.set(scene.end_lasso(is_more(&event))));
    on(view, "pointercancel", scene, |scene, _: JsValue| scene.drop_lasso());
    on(view, "pointerleave", scene, |scene, _: JsValue| scene.hover(None));
    on(view, "click", scene, move |scene, event: MouseEvent| {
        let (x, y) = point(scene, &event);
        // The click that ends a rectangle means no tile.
        if drawn.take() || scene.toggle_named(x, y) {
            return;
        }
        let hit = scene.hit(x, y);
        scene.focus(hit);
        if is_more(&event) && hit.is_some() {
            scene.toggle(hit);
        }
    });
    // The right button; on a phone, a long touch.
    on(view, "contextmenu", scene, |scene, event: MouseEvent| {
        let (x, y) = point(scene, &event);
        if let Some(tile) = scene.hit(x, y) {
            event.prevent_default();
            scene.toggle(Some(tile));
        }
    });
    on(window().as_ref(), "click", scene, |scene, event: MouseEvent| {
        let button = target(&event).and_then(|element| element.closest("[data-wish]").ok().flatten());
        if let Some(wish) = button.and_then(|button| button.get_attribute("data-wish")) {
            fulfil(scene, &wish);
        }
    });
    on(window().as_ref(), "change", scene, move |_, event: Event| {
        let word = event_target_value(&event);
        match target(&event).and_then(|element| element.get_attribute("name")).as_deref() {
            Some("by") => chosen.order.update(|order| order.sections = Sections::parse(&word)),
            Some("sort") => chosen.order.update(|order| order.sort = Sort::parse(&word)),
            Some("reason") => chosen.filter.update(|filter| *filter = filter.clone().with_reason(&word)),
            _ => {}
        }
    });
    on(view, "dblclick", scene, |scene, _: MouseEvent| go(scene.focused()));
    on(view, "keydown", scene, move |scene, event: KeyboardEvent| {
        let (plain, key) = (!event.ctrl_key() && !event.meta_key(), event.key());
        let done = match &*key {
            _ if event.alt_key() => false,
            "a" if !plain => {
                scene.select_shown();
                true
            }
            key => plain && act(scene, key, zoom),
        };
        if done {
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
fn act(scene: &Scene, key: &str, zoom: RwSignal<Zoom>) -> bool {
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

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Does what a button says.
fn fulfil(scene: &Scene, wish: &str) {
    match wish {
        "shown" => scene.select_shown(),
        "clear" => scene.clear_selection(),
        path => {
            let address = scene.selection_address(path, ADDRESS_MAX);
            let too_long = address.is_none();
            if let Some(note) = document().get_element_by_id("wall-too-many") {
                let _ = note.toggle_attribute_with_force("hidden", !too_long);
            }
            if let Some(address) = address {
                scene.keep_selection();
                let _ = window().location().assign(&address);
            }
        }
    }
}

fn go(meter: Option<MeterId>) {
    if let Some(meter) = meter {
        let _ = window().location().assign(&format!("/rooms/{meter}"));
    }
}

/// Where the pointer is in the window.
fn point(scene: &Scene, event: &MouseEvent) -> (f64, f64) {
    let corner = scene.view().get_bounding_client_rect();
    (f64::from(event.client_x()) - corner.left(), f64::from(event.client_y()) - corner.top())
}

/// Whether the selection is to be extended.
fn is_more(event: &MouseEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.shift_key()
}

fn on<E: FromWasmAbi + 'static>(target: &EventTarget, event: &str, scene: &Scene, handle: impl Fn(&Scene, E) + 'static) {
    let scene = scene.clone();
    let callback = Closure::<dyn FnMut(E)>::new(move |event| handle(&scene, event));
    if target.add_event_listener_with_callback(event, callback.as_ref().unchecked_ref()).is_ok() {
        callback.forget();
    }
}
