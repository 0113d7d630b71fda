//! What one looks at, in words, beside the wall; read aloud as one moves.

use leptos::prelude::*;

use super::scene::{FocusedTile, Signals};
use crate::i18n::{Lang, common, wall};
use crate::ui::state::class;
use model::meter::SupplyState;
use model::money::Fen;
use model::time::Timestamp;

pub fn card(signals: Signals, lang: Lang) -> impl IntoView {
    let words = wall::texts(lang);
    let body = move || match signals.focus.get() {
        Some(seen) => of(&seen, signals.now_s.get(), lang).into_any(),
        None => {
            let (rooms, credit, power) = signals.totals.get();
            view! {
                <h2>{words.overview}</h2>
                {sums(rooms, credit, power, lang)}
                <p class="muted">{words.hint}</p>
            }
            .into_any()
        }
    };
    let selection = move || {
        signals.selected.get().map(|(count, credit, power)| {
            view! {
                <div class="wall-selection">
                    <h2>{words.selected}</h2>
                    {sums(count, credit, power, lang)}
                </div>
            }
        })
    };
    view! {
        <aside class="wall-card" aria-label=words.observed>
            <div aria-live="polite">{body}</div>
            {selection}
        </aside>
    }
}

/// How many rooms, what is in their meters, and what they draw.
pub fn sums(rooms: usize, credit: i64, power: i64, lang: Lang) -> impl IntoView {
    let words = wall::texts(lang);
    let power = if power < 10_000 { format!("{power} W") } else { format!("{}.{} kW", power / 1_000, power % 1_000 / 100) };
    view! {
        <dl class="facts">
            <dt>{words.room_count}</dt>
            <dd class="num">{rooms}</dd>
            <dt>{words.remaining}</dt>
            <dd class="num">{format!("{} {}", Fen(credit), common::yuan(lang))}</dd>
            <dt>{words.power}</dt>
            <dd class="num">{power}</dd>
        </dl>
    }
}

fn of(seen: &FocusedTile, now_s: i64, lang: Lang) -> impl IntoView + use<> {
    let (words, tile) = (wall::texts(lang), seen.tile);
    let state = tile.flags.state();
    let at = |seconds: u32| {
        let said = common::at_seconds(Timestamp(i64::from(seconds) * 1_000), Timestamp(now_s * 1_000), lang);
        format!("{said} ({})", wall::age(now_s - i64::from(seconds), &words))
    };
    let observed = if tile.observed_s == 0 { words.never.to_owned() } else { at(tile.observed_s) };
    let lost = (tile.lost_s != 0).then(|| at(tile.lost_s));
    let relay = (!tile.flags.relay_unseen()).then(|| {
        let stands = if tile.flags.relay_open() { words.relay_is_open } else { words.relay_is_closed };
        view! { <dt>{words.relay}</dt><dd>{stands}</dd> }
    });
    let marks = super::marks(tile, &words, lang);
    let known = tile.observed_s != 0;
    let credit = known && state != SupplyState::NotOpen;
    view! {
        <h2>{seen.place.clone()}</h2>
        <p class=format!("wall-state {}", class(state))>{common::supply_of(state, known, lang)}</p>
        {(!marks.is_empty()).then(|| view! { <p class="small">{marks.join(" · ")}</p> })}
        <dl class="facts">
            {credit.then(|| view! {
                <dt>{words.remaining}</dt>
                <dd class="num">{format!("{} {}", Fen(tile.remaining.into()), common::yuan(lang))}</dd>
            })}
            {known.then(|| view! {
                <dt>{words.power}</dt>
                <dd class="num">{format!("{} W", tile.power_w)}</dd>
                {relay}
            })}
            <dt>{words.observed}</dt>
            <dd>{observed}</dd>
            {lost.map(|lost| {
                let word = if state == SupplyState::Unreadable { words.unreadable_since } else { words.lost_since };
                view! { <dt>{word}</dt><dd>{lost}</dd> }
            })}
        </dl>
        <p><a class="button" href=format!("/rooms/{}", seen.meter)>{words.open_room}</a></p>
    }
}
