//! A batch: its progress, and each of its meters.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::{address, page_param, pager, param};
use super::progress::progress;
use crate::i18n::commands::{summary, texts};
use crate::i18n::lang;
use crate::ports::{allowed, operator, ports};
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::AtSeconds;
use model::console::{BatchFilter, BatchItem, BatchView, Page};
use model::error::AppError;
use model::ids::BatchId;

/// The page: `/commands/:batch?state=failed&page=2`.
#[component]
pub fn BatchPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("batch")).unwrap_or_default();
    let filter = BatchFilter::parse(&param("state"));
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id: BatchId = id.parse().map_err(|_| AppError::NotFound)?;
        ports.batches.batch(&who, id, filter, number).await
    };
    load(read, move |seen| view! { <Body seen filter number /> }.into_any())
}

#[component]
fn Body(seen: BatchView, filter: Option<BatchFilter>, number: i64) -> impl IntoView {
    let t = texts(lang());
    let (id, counts) = (seen.batch.id, seen.batch.counts);
    let path = format!("/commands/{id}");
    let at = |filter: Option<BatchFilter>| address(&path, &[("state", filter.map_or("", BatchFilter::as_str))]);
    let some = [(BatchFilter::Moving, t.moving), (BatchFilter::Failed, t.failed), (BatchFilter::Done, t.done)];
    let all = std::iter::once((None, t.all)).chain(some.map(|(one, word)| (Some(one), word)));
    let tabs = all.map(|(one, word)| view! { <a href=at(one) aria-current=(one == filter).then_some("page")>{word}</a> });
    let tabs = tabs.collect_view();
    let here = at(filter);
    let page: Page<BatchItem> = Page { lines: seen.items.clone(), total: seen.total };
    let moving = counts.is_moving();
    let live = progress(&seen);
    let again = counts.failed + counts.dropped + counts.missed;
    view! {
        <Frame title=t.commands section=Section::Commands>
            <div class="page-head">
                <h1>{summary(&seen.batch.issue, lang())}</h1>
                <p class="muted">{seen.batch.by.clone()}" · "<AtSeconds at=seen.batch.decided_at /></p>
            </div>
            <Notice />
            <nav class="tabs" aria-label=t.moving>{tabs}</nav>
            <Live id="batch" again=moving.then_some(BUSY)>
                <div class="buttons">
                    {(again > 0).then(|| act("/api/operator/retry-batch", id, t.retry, Some(again)))}
                    {(counts.waiting > 0).then(|| act("/api/operator/cancel-batch", id, t.cancel, None))}
                </div>
                {live}
            </Live>
            {pager(&page, number, &here)}
            {without_script(!moving)}
        </Frame>
    }
}

/// A button for the whole batch; `failed` is for how many commands it tries again.
fn act(action: &'static str, id: BatchId, word: &'static str, failed: Option<i64>) -> impl IntoView {
    allowed(action).then(|| {
        view! {
            <form method="post" action=action>
                <input type="hidden" name="batch" value=id.to_string() />
                {failed.map(|failed| view! {
                    <input type="hidden" name="meter" value="" />
                    <input type="hidden" name="seen" value=failed.to_string() />
                })}
                <button>{word}</button>
            </form>
        }
    })
}
