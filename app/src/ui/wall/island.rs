//! The island: chips, zoom, connection state, canvas and card.

use std::rc::Rc;
use std::time::Duration;

use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

use super::arrange::{Arrangement, Sections, Sort};
use super::chips::{chip_class, chip_word, mark};
use super::filter::{Chip, Counts, Filter};
use super::layout::Zoom;
use super::scene::{Scene, Signals};
use super::stream::{self, Link};
use super::{card, input};
use crate::i18n::{Lang, common, wall};
use crate::link;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The repaint interval of ages.
const TICK: Duration = Duration::from_secs(5);

/// What the address chooses, as words.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "[String; 5]", into = "[String; 5]")]
pub struct WallChoices {
    pub show: String,
    pub q: String,
    pub zoom: String,
    pub by: String,
    pub sort: String,
}

// A list instead of an object: less code in the browser.
impl From<[String; 5]> for WallChoices {
    fn from([show, q, zoom, by, sort]: [String; 5]) -> Self {
        Self { show, q, zoom, by, sort }
    }
}

impl From<WallChoices> for [String; 5] {
    fn from(choices: WallChoices) -> Self {
        [choices.show, choices.q, choices.zoom, choices.by, choices.sort]
    }
}

/// What is chosen on the page.
#[derive(Clone, Copy)]
pub struct Chosen {
    pub filter: RwSignal<Filter>,
    pub zoom: RwSignal<Zoom>,
    pub order: RwSignal<Arrangement>,
}

/// The wall. `counts` and `totals` (rooms, credit in fen, power in W) are those at rendering time, until the stream arrives.
/// `path` is the page's address without choices.
/// The children are rendered by the server only: see [`input`] for what they may hold.
#[island]
pub fn MeterWall(
    tag: String,
    counts: Counts,
    totals: (usize, i64, i64),
    path: String,
    choices: WallChoices,
    children: Children,
) -> impl IntoView {
    let WallChoices { show, q, zoom, by, sort } = choices;
    let lang = Lang::choose(&tag).unwrap_or_default();
    let words = wall::texts(lang);
    let filter = RwSignal::new(Filter::parse(&show, &q));
    let zoom = RwSignal::new(Zoom::parse(&zoom).unwrap_or_default());
    let order = RwSignal::new(Arrangement { sections: Sections::parse(&by), sort: Sort::parse(&sort) });
    let signals = Signals {
        counts: RwSignal::new(counts),
        shown: RwSignal::new(None),
        totals: RwSignal::new(totals),
        focus: RwSignal::new(None),
        selected: RwSignal::new(None),
        link: RwSignal::new(Link::Connecting),
        now_s: RwSignal::new(0),
    };
    let chosen = Chosen { filter, zoom, order };
    let (own_path, table) = (path.clone(), link::with(&path, "view", "table"));
    let (view_ref, spacer_ref, canvas_ref) = (NodeRef::<Div>::new(), NodeRef::<Div>::new(), NodeRef::<Canvas>::new());

    // Runs only in the browser, when the three elements exist.
    Effect::new(move |started: Option<bool>| {
        if started == Some(true) {
            return true;
        }
        let (Some(view), Some(spacer), Some(canvas)) = (view_ref.get(), spacer_ref.get(), canvas_ref.get()) else { return false };
        let (view, spacer) = (view.unchecked_into(), spacer.unchecked_into());
        let scene = Scene::new(view, spacer, canvas, signals, lang);
        bind(&scene, chosen);
        remember(&path, chosen);
        input::listen(&scene, chosen);
        stream::open(signals.link, Rc::new(scene.clone()));
        let _ = set_interval_with_handle(move || scene.tick(), TICK);
        true
    });

    let chips = Chip::ALL.into_iter().enumerate().map(|(n, chip)| {
        let count = move || signals.counts.with(|counts| counts.get(n).copied().unwrap_or(0));
        let path = own_path.clone();
        let address = move || filter.with(|filter| filter.toggled(chip).address(&path));
        let toggle = move |event: leptos::ev::MouseEvent| {
            event.prevent_default();
            filter.update(|filter| *filter = filter.toggled(chip));
        };
        view! {
            <li>
                <a class=chip_class(chip) href=address on:click=toggle
                    aria-current=move || filter.with(|filter| filter.has(chip)).then_some("true")>
                    {mark(chip)}
                    <span>{chip_word(chip, &words, lang)}</span>
                    <span class="num">{count}</span>
                </a>
            </li>
        }
    });
    let zooms = [(Zoom::Heat, words.heat), (Zoom::Tile, words.tiles), (Zoom::Card, words.cards)].map(|(one, word)| {
        view! {
            <button class="wall-zoom" aria-pressed=move || (zoom.get() == one).to_string()
                on:click=move |_| zoom.set(one)>{word}</button>
        }
    });
    let search = move |event: leptos::ev::Event| {
        let text = event_target_value(&event);
        filter.update(|filter| *filter = filter.clone().with_text(&text));
    };
    let nothing = move || signals.shown.get() == Some(0);

    view! {
        <div class="wall">
            <div class="wall-bar">
                <ul class="wall-chips">{chips.collect_view()}</ul>
                <div class="wall-tools">
                    <input
                        type="search"
                        name="q"
                        class="wall-search"
                        aria-label=words.search
                        placeholder=words.search
                        autocomplete="off"
                        list="wall-sets"
                        form="wall-filter"
                        prop:value=move || filter.with(|filter| filter.text().to_owned())
                        value=q
                        on:input=search
                    />
                    <div class="wall-zooms needs-script" role="group" aria-label=words.zoom>{zooms}</div>
                    <a href=move || filter.with(|filter| filter.address(&table))>{words.table}</a>
                    {move || link(signals, &words, lang)}
                </div>
            </div>
            {children()}
            <div class="wall-body">
                <div class="wall-view" node_ref=view_ref tabindex="0" role="application" aria-label=words.wall
                    aria-describedby="wall-keys">
                    <canvas node_ref=canvas_ref aria-hidden="true"></canvas>
                    <div class="wall-spacer" node_ref=spacer_ref></div>
                    <p class="wall-nothing" hidden=move || !nothing()>
                        {words.nothing}" "
                        <button class="quiet" on:click=move |_| filter.set(Filter::default())>{words.clear}</button>
                    </p>
                    <p class="wall-plain">{words.needs_script}</p>
                </div>
                {card::card(signals, lang)}
            </div>
            <p class="wall-keys needs-script" id="wall-keys">{words.keys}</p>
        </div>
    }
}

/// Applies the page's choices to the scene.
fn bind(scene: &Scene, Chosen { filter, zoom, order }: Chosen) {
    let one = scene.clone();
    Effect::new(move |_| one.set_filter(filter.get()));
    let one = scene.clone();
    Effect::new(move |_| one.set_arrangement(order.get()));
    let one = scene.clone();
    Effect::new(move |_| {
        if one.zoom() != zoom.get() {
            one.set_zoom(zoom.get());
        }
    });
}

/// Keeps the choices in the address.
fn remember(path: &str, Chosen { filter, zoom, order }: Chosen) {
    let path = path.to_owned();
    Effect::new(move |before: Option<String>| {
        let Arrangement { sections, sort } = order.get();
        let chosen = [
            ("zoom", zoom.get().word(), zoom.get() == Zoom::default()),
            ("by", sections.word(), sections == Sections::default()),
            ("sort", sort.word(), sort == Sort::default()),
        ];
        let chosen = chosen.into_iter().filter(|(_, _, default)| !default);
        let base = chosen.fold(path.clone(), |path, (key, word, _)| link::with(&path, key, word));
        let address = filter.with(|filter| filter.address(&base));
        if before.is_some_and(|before| before != address)
            && let Ok(history) = window().history()
        {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
        }
        address
    });
}

fn link(signals: Signals, words: &wall::WallTexts, lang: Lang) -> impl IntoView + use<> {
    let as_of = move || {
        let now = Timestamp(signals.now_s.get_untracked() * 1_000);
        common::at_seconds(now, now, lang)
    };
    let login = words.log_in;
    let (class, text) = match signals.link.get() {
        Link::Connecting => ("", words.connecting.to_owned()),
        Link::Live => ("live", words.live.to_owned()),
        Link::Cut => ("cut", format!("{} {}", words.cut, as_of())),
        Link::Refused => ("cut", words.ended.to_owned()),
    };
    let refused = signals.link.get() == Link::Refused;
    view! {
        <p class=format!("wall-link needs-script {class}") role="status">
            {text}
            {refused.then(|| view! { " "<a href="/login?next=/wall">{login}</a> })}
        </p>
    }
}
