//! A receipt, as it is printed.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use crate::api::form::parse;
use crate::i18n::cash_desk::{receipt, texts};
use crate::i18n::{Lang, common, lang};
use crate::ports::{allowed, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::console::{Receipt, ReceiptNumber};
use model::error::AppError;

/// The page: `/receipts/:number`; with `?print=1` a print was just recorded.
#[component]
pub fn ReceiptPage() -> impl IntoView {
    let number = use_params_map().with_untracked(|params| params.get("number")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.receipts.receipt(&who, parse::<ReceiptNumber>(&number).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |shown| view! { <Body shown /> }.into_any())
}

#[component]
fn Body(shown: Receipt) -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let title = receipt(shown.of, lang);
    let number = shown.number.to_string();
    let may_print = allowed("/api/operator/print-receipt");
    // The first recorded print is the original; a print that was not recorded is marked as a copy.
    let copy = shown.prints > 1 || param("print").is_empty();
    let in_words = (lang == Lang::Zh).then(|| view! { <dt>{t.in_words}</dt><dd>{shown.amount.capitals()}</dd> });
    let count = shown.count.map_or_else(|| t.on_its_way.to_owned(), |count| count.to_string());
    view! {
        <Frame title=format!("{title} {number}") section=Section::Sales>
            <Notice />
            <form class="no-print stack-tight" method="post" action="/api/operator/print-receipt">
                <input type="hidden" name="number" value=number.clone() />
                <div class="buttons">
                    {may_print.then(|| view! { <button class="primary">{t.print}</button> })}
                    <a class="button" href=format!("/rooms/{}", shown.meter)>{t.back}</a>
                </div>
                {may_print.then(|| view! { <p class="hint">{t.print_hint}</p> })}
            </form>
            <article class="card sheet">
                <div class="page-head">
                    <h1>{title}</h1>
                    <span>{copy.then_some(t.copy)}</span>
                </div>
                <p>{shown.site}</p>
                <dl class="facts">
                    <dt>{t.receipt}</dt>
                    <dd class="num">{number}</dd>
                    <dt>{t.sold_at}</dt>
                    <dd class="num">{shown.at.to_string()}</dd>
                    <dt>{t.room}</dt>
                    <dd>{shown.room.to_string()}</dd>
                    <dt>{t.residents}</dt>
                    <dd>{shown.residents}</dd>
                    <dt>{t.account}</dt>
                    <dd class="num">{shown.account}</dd>
                    <dt>{t.meter}</dt>
                    <dd class="num">{shown.serial}</dd>
                    <dt>{t.order_number}</dt>
                    <dd class="num">{shown.order}</dd>
                    <dt>{t.amount}</dt>
                    <dd class="num"><strong>{shown.amount.to_string()}</strong>" · "{common::tender(shown.tender, lang)}</dd>
                    {in_words}
                    <dt>{t.count}</dt>
                    <dd class="num">{count}</dd>
                    {shown.remaining.map(|left| view! { <dt>{t.left}</dt><dd class="num">{left.to_string()}</dd> })}
                    {shown.corrects.map(|number| view! { <dt>{t.corrects_receipt}</dt><dd class="num">{number.to_string()}</dd>
                        })}
                    {shown.reason.map(|reason| view! { <dt>{t.reason}</dt><dd>{reason}</dd> })}
                    <dt>{t.by}</dt>
                    <dd>{shown.by}</dd>
                    <dt>{t.signature}</dt>
                    <dd class="sheet-line"></dd>
                </dl>
            </article>
        </Frame>
    }
}
