//! The top-ups, newest first, with their states.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, Record, Records};
use crate::i18n::resident::{sentences, texts};
use crate::i18n::{common, lang};
use crate::ports::now;
use crate::ui::money::Yuan;
use model::order::OrderState;

/// The page; `?page=2` and so on.
#[component]
pub fn RecordsPage() -> impl IntoView {
    let page = use_query_map().with_untracked(|query| query.get_str("page").and_then(|page| page.parse().ok())).unwrap_or(1);
    load(Tab::Records, api::records(page), |records| view! { <Page records /> }.into_any())
}

#[component]
fn Page(records: Records) -> impl IntoView {
    let t = texts(lang());
    let Records { records, page, more } = records;
    view! {
        <Frame title=t.records tab=Tab::Records>
            <section class="card"><RecordList records /></section>
            <nav class="pager" aria-label=t.records>
                <span>{(page > 1).then(|| view! { <a class="button" href=format!("/records?page={}", page - 1)>{t.newer}</a>
                    })}</span>
                <span>{more.then(|| view! { <a class="button" href=format!("/records?page={}", page + 1)>{t.older}</a> })}</span>
            </nav>
        </Frame>
    }
}

/// The top-ups as rows that link to their order, with a hint if there are none.
#[component]
pub fn RecordList(records: Vec<Record>) -> impl IntoView {
    let (lang, now) = (lang(), now());
    let t = texts(lang);
    if records.is_empty() {
        return view! { <p class="muted">{t.no_records}</p> }.into_any();
    }
    let rows = records.into_iter().map(|record| {
        let detail = [
            Some(common::at(record.at, now, lang)),
            Some(common::tender(record.tender, lang).into()),
            sentences::in_meter(record.count, None, lang),
        ];
        let class = match record.state {
            OrderState::Credited => "state open",
            OrderState::Pending | OrderState::Paid => "state accent",
            OrderState::Case => "state alarm1",
            OrderState::Closed | OrderState::Refunding | OrderState::Refunded => "state quiet",
        };
        view! {
            <li>
                <a href=format!("/orders/{}", record.id)>
                    <span class="first"><Yuan amount=record.amount /></span>
                    <span class=class>{common::order(record.state, lang)}</span>
                    <span class="muted small">{detail.into_iter().flatten().collect::<Vec<_>>().join(" · ")}</span>
                </a>
            </li>
        }
    });
    view! { <ul class="records">{rows.collect_view()}</ul> }.into_any()
}
