//! The reading interval of a gateway or meter, and the form that changes it.

use leptos::prelude::*;

use crate::i18n::gateways::{interval, texts};
use crate::i18n::lang;
use crate::ports::allowed;
use model::gateway::{Sweep, SweepInterval};

/// A select of intervals; `otherwise` names the default. `label` is for screen readers.
pub fn sweep_form(of: Sweep, set: Option<SweepInterval>, label: &'static str, otherwise: &'static str) -> AnyView {
    let t = texts(lang());
    if !allowed("/api/operator/sweep-interval") {
        return set.map_or_else(|| otherwise.to_owned(), |set| interval(set, lang())).into_any();
    }
    let (kind, id) = match of {
        Sweep::Gateway(id) => ("gateway", id.to_string()),
        Sweep::Meter(id) => ("meter", id.to_string()),
    };
    // An interval that was set elsewhere is listed with the usual ones.
    let others = set.filter(|set| !SweepInterval::CHOICES.contains(set));
    let options = SweepInterval::CHOICES.into_iter().chain(others).map(|one| {
        view! { <option value=one.seconds().to_string() selected=set == Some(one)>{interval(one, lang())}</option> }
    });
    view! {
        <form method="post" action="/api/operator/sweep-interval" class="inline-form">
            <input type="hidden" name="of" value=kind />
            <input type="hidden" name="id" value=id />
            <select name="seconds" aria-label=label>
                <option value="" selected=set.is_none()>{otherwise}</option>
                {options.collect_view()}
            </select>
            <button>{t.set}</button>
        </form>
    }
    .into_any()
}
