//! The server wallet of a room: its balance, its charges and its limits.

use leptos::prelude::*;

use crate::i18n::prices::texts;
use crate::i18n::{common, lang};
use crate::ui::data_table::{Column, DataTable};
use crate::ui::field::Field;
use crate::ui::time::At;
use model::console::{DayCharge, Room, WalletLimits, WalletView};
use model::energy::Energy;
use model::ids::MeterId;
use model::money::Fen;

/// Balance, relay and position.
pub fn wallet(room: &Room, wallet: &WalletView) -> impl IntoView + use<> {
    let t = texts(lang());
    let latest = &room.progress.latest;
    let word = |closed: bool| if closed { t.closed } else { t.open };
    let observed = latest.observed_at.map(|_| word(latest.status.relay_closed()));
    let counted = match wallet.counted_at {
        Some(at) => view! { <At at /> }.into_any(),
        None => t.not_yet.into_any(),
    };
    let waiting = (wallet.uncharged > Energy::ZERO)
        .then(|| view! { <dt>{t.uncharged}</dt><dd><span class="num">{wallet.uncharged.to_string()}</span>" kWh"</dd> });
    view! {
        <section class="card stack-tight">
            <h2>{t.wallet}</h2>
            <p class="hint">{t.wallet_hint}</p>
            <dl class="facts">
                <dt>{t.balance}</dt>
                <dd class="num">{latest.remaining.to_string()}</dd>
                <dt>{t.relay}</dt>
                <dd>{t.should_be}" "{word(wallet.closed)}", "{t.observed}" "{observed.unwrap_or("—")}</dd>
                <dt>{t.charged_to}</dt>
                <dd>{counted}</dd>
                <dt>{t.tier_use}</dt>
                <dd class="num">{wallet.tier.to_string()}</dd>
                {waiting}
            </dl>
        </section>
    }
}

/// The charges of the last days by price.
pub fn charges(meter: MeterId, charges: &[DayCharge]) -> impl IntoView + use<> {
    let t = texts(lang());
    if charges.is_empty() {
        return view! { <section class="card"><h2>{t.charges}</h2><p class="empty">{t.no_charges}</p></section> }.into_any();
    }
    let energy = charges.iter().fold(Energy::ZERO, |sum, charge| sum + charge.energy);
    let cost = charges.iter().map(|charge| charge.cost).sum::<model::money::Money>();
    let rows = charges.iter().map(|charge| row(meter, charge)).collect_view();
    let columns = [
        Column::text(t.day),
        Column::text(t.plan),
        Column::text(t.rate),
        Column::number(t.tier),
        Column::number(t.price),
        Column::number(t.kwh),
        Column::number(t.cost),
    ];
    let foot = view! {
        <tr>
            <th scope="row" colspan="5">{crate::i18n::operator::texts(lang()).total}</th>
            <td class="number">{energy.to_string()}</td>
            <td class="number">{cost.to_string()}</td>
        </tr>
    }
    .into_any();
    view! {
        <section class="card stack-tight">
            <h2>{t.charges}</h2>
            <DataTable label=t.charges columns foot>{rows}</DataTable>
        </section>
    }
    .into_any()
}

fn row(meter: MeterId, charge: &DayCharge) -> impl IntoView + use<> {
    let rate = usize::try_from(charge.rate - 1).ok().and_then(|n| common::texts(lang()).rates.get(n).copied());
    view! {
        <tr>
            <th scope="row" class="num"><a href=format!("/rooms/{meter}/days/{}", charge.day)>{charge.day.to_string()}</a></th>
            <td>{charge.plan.clone()}</td>
            <td>{rate}</td>
            <td class="number">{charge.tier}</td>
            <td class="number">{charge.price.to_string()}</td>
            <td class="number">{charge.energy.to_string()}</td>
            <td class="number">{charge.cost.to_string()}</td>
        </tr>
    }
}

/// Changing the limits.
pub fn limits(meter: MeterId, limits: WalletLimits) -> impl IntoView {
    let t = texts(lang());
    let or_empty = |fen: Fen| if fen == Fen::ZERO { String::new() } else { fen.to_string() };
    let watts = |watts: u16| if watts == 0 { String::new() } else { watts.to_string() };
    let (overload, malignant) = (watts(limits.overload_w), watts(limits.malignant_w));
    view! {
        <details class="card">
            <summary>{t.limits}</summary>
            <form class="stack-tight" method="post" action="/api/operator/limits">
                <input type="hidden" name="meter" value=meter.to_string() />
                <div class="pair">
                    <Field name="alarm1" label=t.alarm1 inputmode="decimal" value=limits.alarm1.to_string() />
                    <Field name="alarm2" label=t.alarm2 inputmode="decimal" value=limits.alarm2.to_string() />
                    <Field name="overdraft" label=t.overdraft inputmode="decimal" value=limits.overdraft.to_string() />
                    <Field
                        name="hoarding"
                        label=t.hoarding
                        inputmode="decimal"
                        value=or_empty(limits.hoarding)
                        hint=t.hoarding_hint
                        optional=true
                    />
                    <Field name="overload_w" label=t.overload inputmode="numeric" value=overload hint=t.overload_hint
                        optional=true />
                    <Field
                        name="malignant_w"
                        label=t.malignant
                        inputmode="numeric"
                        value=malignant
                        hint=t.malignant_hint
                        optional=true
                    />
                </div>
                <button>{t.save}</button>
            </form>
        </details>
    }
}
