//! The field of one default parameter.

use leptos::prelude::*;

use crate::i18n::{defaults, gateways, lang, settings};
use model::defaults::DefaultKind;
use model::gateway::SweepInterval;

/// A field in yuan or watts, or a choice of intervals; empty where nothing is set. `hint` says what applies then.
pub fn default_field(kind: DefaultKind, own: Option<u32>, hint: String) -> AnyView {
    let id = format!("default-{}", kind.as_str());
    let described = format!("{id}-from");
    let label = view! { <label for=id.clone()>{defaults::kind(kind, lang())}</label> };
    let says = view! { <p class="hint" id=described.clone()>{hint}</p> };
    if kind == DefaultKind::Interval {
        let set = own.and_then(|seconds| SweepInterval::new(seconds.into()));
        // One that was set elsewhere is listed with the usual ones.
        let others = set.filter(|set| !SweepInterval::CHOICES.contains(set));
        let options = SweepInterval::CHOICES.into_iter().chain(others).map(|one| {
            let words = gateways::interval(one, lang());
            view! { <option value=one.seconds().to_string() selected=set == Some(one)>{words}</option> }
        });
        return view! {
            <div class="field">
                {label}
                <select class="input" id=id name=kind.as_str() aria-describedby=described>
                    <option value="" selected=set.is_none()>{settings::texts(lang()).not_set}</option>
                    {options.collect_view()}
                </select>
                {says}
            </div>
        }
        .into_any();
    }
    let pattern = if kind == DefaultKind::Overload { "[0-9０-９]{1,5}" } else { "[0-9０-９]{1,8}([.．][0-9０-９]{1,2})?" };
    view! {
        <div class="field">
            {label}
            <input
                class="input"
                id=id
                name=kind.as_str()
                inputmode="decimal"
                autocomplete="off"
                pattern=pattern
                value=own.map(|value| kind.text(value)).unwrap_or_default()
                aria-describedby=described
            />
            {says}
        </div>
    }
    .into_any()
}
