//! How programs read a resident's figures.

use leptos::prelude::*;

use super::frame::{Frame, Tab};
use crate::i18n::lang;
use crate::i18n::personal::texts;
use crate::ports::reply;
use crate::ui::table_scroll::TableScroll;

/// The page: `/help/api`.
#[component]
pub fn ApiHelpPage() -> impl IntoView {
    let t = texts(lang());
    let site = reply().map(|reply| reply.own_address()).unwrap_or_default();
    let calls = [
        (
            "balance",
            "",
            t.api_balance,
            "{\"room\":\"…\",\"balance_yuan\":\"63.20\",\"power_on\":true,\"power_w\":45,\"read_at\":\"…\"}",
        ),
        (
            "use",
            "?from=2026-11-01&until=2026-11-30",
            t.api_use,
            "{\"days\":[{\"day\":\"2026-11-01\",\"energy_kwh\":\"3.21\",\"cost_yuan\":null,\"estimated\":false}]}",
        ),
        (
            "records",
            "?page=1",
            t.api_records,
            "{\"page\":1,\"more\":false,\"records\":[{\"number\":\"…\",\"amount_yuan\":\"50.00\",\"state\":\"credited\"}]}",
        ),
    ];
    let sections = calls.map(|(name, query, text, example)| {
        let path = format!("/api/v1/me/{name}");
        let command = format!("curl -H \"Authorization: Bearer $TOKEN\" \"{site}{path}{query}\"");
        view! {
            <section class="card stack-tight">
                <h2><code>{format!("GET {path}")}</code></h2>
                <p>{text}</p>
                <p><code class="secret-text">{command}</code></p>
                <p class="muted"><code class="secret-text">{example}</code></p>
            </section>
        }
    });
    let errors = [("401", t.api_401), ("403", t.api_403), ("409", t.api_409), ("422", t.api_422), ("429", t.api_429)];
    let errors = errors.map(|(code, text)| view! { <tr><th scope="row" class="num">{code}</th><td>{text}</td></tr> });
    view! {
        <Frame title=t.api tab=Tab::Me>
            <p>{t.api_lead}" "<a href="/me/tokens">{t.tokens}</a></p>
            {sections.collect_view()}
            <section class="stack-tight">
                <h2>{t.api_errors}</h2>
                <TableScroll label=t.api_errors>
                    <table class="table">
                        <caption class="visually-hidden">{t.api_errors}</caption>
                        <tbody>{errors.collect_view()}</tbody>
                    </table>
                </TableScroll>
                <p class="hint">{t.api_notes}</p>
            </section>
        </Frame>
    }
}
