//! What has happened to the account, newest first, by kind and period.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::frame::{Frame, Tab, load};
use super::record_list::RecordList;
use crate::api::resident::{self as api, Records};
use crate::i18n::account_records::{kind as kind_name, texts};
use crate::i18n::{history, lang, resident};
use crate::link;
use crate::ui::callout::{Callout, Tone};
use crate::ui::notice::Notice;
use model::account_record::{AccountRecordKind, AccountRecordQuery};
use model::console::RangeProblem;

/// The filter as it stands in the address.
#[derive(Clone, Debug)]
struct TypedFilter {
    /// The word of a kind, or what somebody wrote in its place.
    word: String,
    from: String,
    until: String,
}

impl TypedFilter {
    /// The address of the list, of its first page.
    fn address(&self) -> String {
        let given = [("kind", &self.word), ("from", &self.from), ("until", &self.until)];
        let given = given.into_iter().filter(|(_, value)| !value.is_empty());
        given.fold("/records".to_owned(), |address, (name, value)| link::with(&address, name, value))
    }
}

/// The page: `/records?kind=recharge&from=2026-11-01&until=2026-11-30&page=2`.
#[component]
pub fn RecordsPage() -> impl IntoView {
    let param = |name: &str| use_query_map().with_untracked(|query| query.get(name)).unwrap_or_default();
    let typed = TypedFilter { word: param("kind"), from: param("from"), until: param("until") };
    let query = AccountRecordQuery::parse(&typed.word, &typed.from, &typed.until, &param("page"));
    // Whoever has no room is told so, whatever the period.
    let read = api::records(query.unwrap_or_default());
    load(Tab::Records, read, move |records| view! { <Page records typed query /> }.into_any())
}

#[component]
fn Page(records: Records, typed: TypedFilter, query: Result<AccountRecordQuery, RangeProblem>) -> impl IntoView {
    let (t, r, lang) = (texts(lang()), resident::texts(lang()), lang());
    let here = typed.address();
    let list = match query {
        Err(problem) => view! { <Callout tone=Tone::Bad><p>{history::problem(problem, lang)}</p></Callout> }.into_any(),
        Ok(query) => {
            let to = |page: u32| link::with(&here, "page", &page.to_string());
            let (newer, older) = (query.page.saturating_sub(1), query.page.saturating_add(1));
            let is_filtered = here != "/records";
            let list = if records.records.is_empty() {
                let words = if is_filtered { t.none_fit } else { t.none };
                view! { <p class="muted">{words}</p> }.into_any()
            } else {
                view! { <RecordList records=records.records /> }.into_any()
            };
            view! {
                <section class="card">{list}</section>
                <nav class="pager" aria-label=r.records>
                    <span>{(newer > 0).then(|| view! { <a class="button" rel="prev" href=to(newer)>{r.newer}</a> })}</span>
                    <span>{records.more.then(|| view! { <a class="button" rel="next" href=to(older)>{r.older}</a> })}</span>
                </nav>
            }
            .into_any()
        }
    };
    view! {
        <Frame title=r.records tab=Tab::Records>
            <Notice />
            <Filter typed />
            {list}
        </Frame>
    }
}

#[component]
fn Filter(typed: TypedFilter) -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let is_filtered = typed.address() != "/records";
    let options = AccountRecordKind::ALL.map(|kind| {
        let word = kind.as_str();
        view! { <option value=word selected=word == typed.word>{kind_name(kind, lang)}</option> }
    });
    view! {
        <form class="card record-filter" action="/records">
            <label class="field">
                <span>{t.kind}</span>
                <select class="input" name="kind"><option value="">{t.all}</option>{options.collect_view()}</select>
            </label>
            <label class="field">
                <span>{t.from}</span>
                <input class="input" type="date" name="from" value=typed.from />
            </label>
            <label class="field">
                <span>{t.until}</span>
                <input class="input" type="date" name="until" value=typed.until />
            </label>
            <button>{t.show}</button>
            {is_filtered.then(|| view! { <a class="button quiet" href="/records">{t.clear}</a> })}
        </form>
    }
}
