//! The forms of a closing.

use leptos::prelude::*;

use super::super::room::account_lifecycle::{balance_target, device, reason};
use super::super::room::parameters::parameters;
use crate::i18n::account_lifecycle::{texts, withdrawal_refusal};
use crate::i18n::commands::{state, summary};
use crate::i18n::{common, lang};
use crate::ports::allowed;
use crate::ui::callout::{Callout, Tone};
use model::console::{Closing, ClosingKind, UndeliverableOrder};

/// A form for each meter that is not completed.
pub(super) fn counts(closing: &Closing) -> impl IntoView + use<> {
    let t = texts(lang());
    let (id, may) = (closing.id.to_string(), allowed("/api/operator/count-meter"));
    let forms = closing.meters.iter().filter(|meter| meter.final_at.is_none() && may).map(|meter| {
        let remaining = meter.own_wallet.then(|| {
            view! {
                <label class="field">
                    <span>{t.remaining}</span>
                    <input class="input" name="remaining" required inputmode="decimal"
                        pattern="[-－]?[0-9０-９]+([.．][0-9０-９]{1,2})?" autocomplete="off" />
                </label>
            }
        });
        let none = (!meter.own_wallet).then(|| view! { <input type="hidden" name="remaining" value="" /> });
        view! {
            <details class="card">
                <summary>{t.count_title}" "<span class="num">{meter.serial.clone()}</span></summary>
                <form class="stack-tight" method="post" action="/api/operator/count-meter">
                    <p class="hint">{t.count_hint}</p>
                    <input type="hidden" name="closing" value=id.clone() />
                    <input type="hidden" name="meter" value=meter.meter.to_string() />
                    {remaining}
                    {none}
                    <label class="field">
                        <span>{t.count_total}</span>
                        <input class="input" name="total" required=!meter.own_wallet inputmode="decimal"
                            pattern="[0-9０-９]+([.．][0-9０-９]{1,3})?" autocomplete="off" />
                    </label>
                    {reason()}
                    <button class="danger">{t.count}</button>
                </form>
            </details>
        }
    });
    forms.collect_view()
}

/// The form to install the new meter.
pub(super) fn install(closing: &Closing) -> impl IntoView + use<> {
    let t = texts(lang());
    let own = closing.own_wallet();
    let old = closing.meters.first().map(|meter| meter.meter);
    let set = old.filter(|_| own).map(|old| parameters(old, closing.parameters.as_ref(), false));
    let unknown = (own && closing.parameters.is_none()).then(|| view! { <p>{t.install_unknown}</p> });
    let tiers = closing.loses_tiers().then(|| view! { <p>{t.install_tiers}</p> });
    allowed("/api/operator/install-meter").then(|| {
        view! {
            <form class="card stack-tight" method="post" action="/api/operator/install-meter">
                <h2>{t.install}</h2>
                <p class="hint">{if own { t.install_hint } else { t.install_hint_ledger }}</p>
                {(unknown.is_some() || tiers.is_some()).then(|| view! { <Callout tone=Tone::Warn>{unknown}{tiers}</Callout> })}
                <input type="hidden" name="closing" value=closing.id.to_string() />
                {device(&closing.gateways)}
                <button class="primary">{t.install}</button>
            </form>
            {set}
        }
    })
}

/// The commands to the new meter, with links to their progress.
pub(super) fn settings(closing: &Closing) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let rows = closing.settings.iter().map(|one| {
        view! {
            <li><a href=format!("/commands/{}", one.batch)>{summary(&one.issue, lang)}</a>" "<span
                class="muted">{state(one.state, lang)}</span></li>
        }
    });
    (!closing.settings.is_empty()).then(|| {
        view! {
            <section class="card stack-tight">
                <h2>{t.settings}</h2>
                <ul class="plain-list">{rows.collect_view()}</ul>
            </section>
        }
    })
}

/// The form to withdraw it, or why that is no longer possible.
pub(super) fn withdraw(closing: &Closing) -> impl IntoView + use<> {
    let t = texts(lang());
    if closing.ended_at.is_some() || !allowed("/api/operator/withdraw-closing") {
        return ().into_any();
    }
    if let Some(kept) = closing.kept() {
        return view! { <p class="muted">{withdrawal_refusal(kept, lang())}</p> }.into_any();
    }
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/withdraw-closing">
            <h2>{t.withdraw}</h2>
            <p class="hint">{t.withdraw_hint}</p>
            <input type="hidden" name="closing" value=closing.id.to_string() />
            <button>{t.withdraw}</button>
        </form>
    }
    .into_any()
}

/// The form to change the target of the balance.
pub(super) fn decide(closing: &Closing) -> impl IntoView + use<> {
    let t = texts(lang());
    let title = if closing.kind == ClosingKind::Replace { t.not_replaced } else { t.decide_title };
    allowed("/api/operator/decide-closing").then(|| {
        view! {
            <details class="card">
                <summary>{title}</summary>
                <form class="stack-tight" method="post" action="/api/operator/decide-closing">
                    <input type="hidden" name="closing" value=closing.id.to_string() />
                    {balance_target()}
                    <button>{t.decide}</button>
                </form>
            </details>
        }
    })
}

/// The undelivered sales that need a decision.
pub(super) fn undeliverable(closing: &Closing) -> impl IntoView + use<> {
    let t = texts(lang());
    let id = closing.id.to_string();
    let rows = closing.undeliverable.iter().map(|one| row(one, &id));
    (!closing.undeliverable.is_empty()).then(|| {
        view! {
            <section class="card stack-tight">
                <h2>{t.undeliverable}</h2>
                <p class="hint">{t.undeliverable_hint}</p>
                <ul class="plain-list">{rows.collect_view()}</ul>
            </section>
        }
    })
}

fn row(one: &UndeliverableOrder, closing: &str) -> impl IntoView + use<> {
    let t = texts(lang());
    let what = format!("{} · {} {} · {}", one.number, one.amount, common::yuan(lang()), common::tender(one.tender, lang()));
    let closing = closing.to_owned();
    let back = (!one.tender.is_channel() && allowed("/api/operator/correct"))
        .then(|| view! { <a class="button" href=format!("/corrections/{}", one.order)>{t.give_back}</a> });
    view! {
        <li class="stack-tight">
            <p class="num">{what}</p>
            {allowed("/api/operator/reassign-order").then(|| view! {
                <form class="filter" method="post" action="/api/operator/reassign-order">
                    <input type="hidden" name="closing" value=closing />
                    <input type="hidden" name="order" value=one.order.to_string() />
                    <label class="filter-field">
                        <span>{t.account}</span>
                        <input name="account" required inputmode="numeric" maxlength="16" pattern="[0-9０-９]{16}"
                            autocomplete="off" />
                    </label>
                    <button>{t.send_on}</button>
                    {back}
                </form>
            })}
        </li>
    }
}
