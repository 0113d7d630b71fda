//! A held counter: both values, and how to count the energy in between.

use leptos::prelude::*;

use super::parts::wide_field;
use crate::i18n::counter::{choice, texts};
use crate::i18n::room::quality;
use crate::i18n::{lang, operator};
use crate::ports::allowed;
use crate::ui::time::At;
use model::console::{CaseLine, Gap, HeldCounter};
use model::energy::Energy;
use model::time::Timestamp;

/// The form that resolves it.
pub fn settle(line: &CaseLine) -> impl IntoView + use<> {
    let (t, c) = (texts(lang()), operator::texts(lang()));
    let field = |name: &str| format!("{name}-{}", line.id);
    let number = |name: &'static str, label: &'static str| {
        view! {
            <label class="filter-field" for=field(name)>
                <span>{label}</span>
                <input id=field(name) name=name inputmode="decimal" autocomplete="off" maxlength="13"
                    pattern="[0-9０-９]{1,8}([.．][0-9０-９]{1,3})?" />
            </label>
        }
    };
    view! {
        {line.counter.map(values)}
        {allowed("/api/operator/settle-counter").then(|| view! {
            <form class="stack-tight" method="post" action="/api/operator/settle-counter">
                <input type="hidden" name="case" value=line.id.to_string() />
                {super::case::seen(line)}
                <fieldset class="choices single">
                    <legend>{t.decide}</legend>
                    {line.counter.map(choices)}
                </fieldset>
                <div class="filter">
                    {number("end", t.end)} {number("start", t.start)}
                    <span class="hint">{t.replaced_hint}</span>
                </div>
                <div class="filter">
                    {wide_field("resolution", field("resolution"), c.resolution, c.resolution_hint, 500)}
                    <button>{t.settle}</button>
                </div>
            </form>
        })}
    }
}

/// The last counted value, and the current value that is held.
fn values(held: HeldCounter) -> impl IntoView {
    let t = texts(lang());
    let value = |name: &'static str, (at, total): (Timestamp, Energy)| {
        view! { <dt>{name}</dt><dd class="num">{total.to_string()}" kWh "<span class="muted"><At at /></span></dd> }
    };
    view! {
        <dl class="said">
            {held.last.map(|last| value(t.last, last))}
            {value(t.now, held.now)}
            <dt>{operator::texts(lang()).state}</dt>
            <dd>{quality(held.quality, lang())}</dd>
        </dl>
    }
}

fn choices(held: HeldCounter) -> impl IntoView {
    let difference = held.difference();
    let replaced = Gap::Replaced { end: Energy::ZERO, start: Energy::ZERO };
    let offered = [Some(Gap::Accept), difference.map(|_| Gap::Count), held.last.map(|_| replaced)];
    let one = |gap: Gap| {
        view! {
            <label class="choice">
                <input type="radio" name="choice" value=gap.as_str() required />
                <span class="face">{choice(gap, difference, held.split, lang())}</span>
            </label>
        }
    };
    offered.into_iter().flatten().map(one).collect_view()
}
