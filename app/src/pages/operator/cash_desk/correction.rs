//! The correction of a wrong sale or return.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::super::room::done_before;
use super::reason_field;
use crate::api::form::parse;
use crate::i18n::cash_desk::texts;
use crate::i18n::{common, lang};
use crate::link;
use crate::ports::{form_key, operator, ports, reply, visit};
use crate::ui::callout::Problem;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::console::{DoneBefore, Original};
use model::error::AppError;
use model::ids::Uuid;
use model::money::Fen;
use model::typed;

/// The page: `/corrections/:original?key=`. The key is in the address, so that the way back to it finds what was done.
#[component]
pub fn CorrectionPage() -> impl IntoView {
    let original = use_params_map().with_untracked(|params| params.get("original")).unwrap_or_default();
    let sent = param("key").parse::<Uuid>().ok();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let original = ports.sales.original(&who, parse::<Uuid>(&original).map_err(|_| AppError::NotFound)?).await?;
        let Some(key) = sent else {
            let here = link::without_error(&visit().here);
            reply()?.redirect(&link::with(&here, "key", &form_key()?.to_string()));
            return Ok(None);
        };
        let done = ports.sales.done_with(&who, key).await?;
        Ok(Some((original, key, done)))
    };
    load(read, |found| match found {
        Some((original, key, done)) => view! { <Body original key done /> }.into_any(),
        // On its way to the address with a key.
        None => ().into_any(),
    })
}

#[component]
fn Body(original: Original, key: Uuid, done: Option<DoneBefore>) -> impl IntoView {
    let t = texts(lang());
    let title = format!("{} {}", t.correct, original.room);
    // No more than the current balance can be debited.
    let held = original.held.filter(|_| original.is_delivered);
    let most = held.map_or(original.left, |held| original.left.min(held.max(Fen::ZERO)));
    // The amount that the list of parts links with.
    let most = typed::yuan(&param("amount")).map_or(most, |part| part.min(most));
    let amount = if original.is_delivered {
        view! {
            <label class="field">
                <span>{t.amount}</span>
                <input class="input" name="amount" inputmode="decimal" autocomplete="off" required
                    pattern="[0-9０-９]+([.．][0-9０-９]{1,2})?" value=most.to_string() />
            </label>
        }
        .into_any()
    } else {
        // A return, or a sale that never reached its meter.
        let whole = original.amount.to_string();
        let said = common::Labelled { label: t.whole, text: &whole }.text(lang());
        view! {
            <input type="hidden" name="amount" value=whole />
            <p class="num">{said}</p>
        }
        .into_any()
    };
    let form = if let Some(done) = done {
        done_before(original.meter, done)
    } else if original.left <= Fen::ZERO {
        view! { <Problem error=AppError::NotCorrectable /> }.into_any()
    } else {
        view! {
            <form class="card stack-tight" method="post" action="/api/operator/correct">
                <p>{if original.sale { t.correct_sale_hint } else { t.correct_return_hint }}</p>
                <input type="hidden" name="original" value=original.id.as_simple().to_string() />
                <input type="hidden" name="sale" value=original.sale.to_string() />
                <input type="hidden" name="key" value=key.to_string() />
                <input type="hidden" name="seen" value=original.money_operations.to_string() />
                {amount}
                {reason_field("reason", t.reason)}
                <p class="hint">{t.reason_hint}</p>
                <div class="buttons">
                    <button class="danger">{t.correct}</button>
                    <a class="button" href=format!("/rooms/{}", original.meter)>{t.back}</a>
                </div>
            </form>
        }
        .into_any()
    };
    let left = (original.left != original.amount)
        .then(|| view! { <dt>{t.left_to_correct}</dt><dd class="num">{original.left.to_string()}</dd> });
    view! {
        <Frame title=title.clone() section=Section::Sales>
            <h1>{title}</h1>
            <Notice />
            <section class="card">
                <dl class="facts">
                    <dt>{t.order_number}</dt>
                    <dd class="num">{original.number}</dd>
                    <dt>{t.sold_at}</dt>
                    <dd><At at=original.at /></dd>
                    <dt>{t.by}</dt>
                    <dd>{original.by}</dd>
                    <dt>{t.amount}</dt>
                    <dd class="num">{original.amount.to_string()}" · "{common::tender(original.tender, lang())}</dd>
                    {left}
                    {original.held.map(|held| view! { <dt>{t.held}</dt><dd class="num">{held.to_string()}</dd> })}
                </dl>
            </section>
            {form}
        </Frame>
    }
}
