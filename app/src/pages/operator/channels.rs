//! The payment channels: whether each works, and how it answers.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::tasks::tasks_link;
use crate::api::channels::{ChannelState, ChannelStatus};
use crate::i18n::channels::{Counts, FormerOf, OffKey, Seconds, failure, state, texts};
use crate::i18n::{common, lang};
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::time::Timestamp;

/// The page: `/channels`.
#[component]
pub fn ChannelsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.channels.channels(&who).await
    };
    load(read, move |channels: Vec<ChannelStatus>| view! { <List channels /> }.into_any())
}

#[component]
fn List(channels: Vec<ChannelStatus>) -> impl IntoView {
    let t = texts(lang());
    let rows = channels.iter().map(row).collect_view();
    view! {
        <Frame title=t.title section=Section::Reconcile>
            <h1>{t.title}</h1>
            <p class="muted">{t.hint}</p>
            {tasks_link()}
            <TableScroll label=t.title>
                <table class="table stacked">
                    <caption class="visually-hidden">{t.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.channel}</th>
                            <th scope="col">{t.merchant}</th>
                            <th scope="col">{t.state_head}</th>
                            <th scope="col">{t.succeeded}</th>
                            <th scope="col">{t.failed}</th>
                            <th scope="col">{t.skew}</th>
                            <th scope="col">{t.notified}</th>
                            <th scope="col">{t.refused}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {channels.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
        </Frame>
    }
}

fn row(status: &ChannelStatus) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let state_class = match status.state {
        ChannelState::Working => "state good",
        ChannelState::Unknown => "state quiet",
        ChannelState::ClockSkewed | ChannelState::Failing | ChannelState::Off => "state warn",
    };
    let fault = status.fault.as_ref().map(|(key, problem)| {
        view! { <br /><span class="muted">{OffKey { key }.text(lang)}" "<code>{problem.clone()}</code></span> }
    });
    let failed = status.failed.as_ref().map(|(at, kind, detail)| {
        let detail = (!detail.is_empty()).then(|| view! { " "<code>{detail.clone()}</code> });
        view! { <At at=*at /><br /><span class="muted">{failure(*kind, lang)}{detail}</span> }
    });
    let skew = status.skew_s.map(|seconds| Seconds { seconds: format!("{seconds:+}") }.text(lang));
    let (forged, probes, invalid, unread) = (status.forged, status.probes, status.invalid, status.unread);
    view! {
        <tr>
            <th scope="row">{common::tender(status.channel, lang)}</th>
            <td class="num" data-label=t.merchant>
                {status.merchant.clone()}
                {(!status.current).then(|| view! { <br /><span class="muted">{t.former}</span> })}
            </td>
            <td class="long"><span class=state_class>{state(status.state, lang)}</span>{fault}</td>
            <td data-label=t.succeeded>{moment(status.succeeded_at)}</td>
            <td class="long" data-label=t.failed>{failed}</td>
            <td class="num" data-label=t.skew>{skew}</td>
            <td data-label=t.notified>{moment(status.notified_at)}</td>
            <td data-label=t.refused>{Counts { forged, probes, invalid, unread }.text(lang)}</td>
        </tr>
    }
}

fn moment(at: Option<Timestamp>) -> AnyView {
    match at {
        Some(at) => view! { <At at /> }.into_any(),
        None => view! { <span class="muted">{texts(lang()).never}</span> }.into_any(),
    }
}

/// Names the channels and former merchants that are switched off; nothing where all work.
pub fn banner(channels: &[ChannelStatus]) -> impl IntoView + use<> {
    let t = texts(lang());
    let name = |status: &ChannelStatus| match (common::tender(status.channel, lang()), status.current) {
        (channel, true) => channel.to_owned(),
        (channel, false) => FormerOf { channel }.text(lang()),
    };
    let mut off: Vec<String> = channels.iter().filter(|status| status.state == ChannelState::Off).map(name).collect();
    off.dedup();
    (!off.is_empty()).then(|| {
        view! {
            <p class="notice bad" role="alert">
                <strong>{t.banner}": "{off.join(", ")}</strong>" "{t.banner_hint}" "<a href="/channels">{t.details}</a>
            </p>
        }
    })
}
