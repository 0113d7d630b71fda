//! The preview of a command: its meters and its consequence.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::new::{IssueForm, all, target};
use crate::i18n::commands::{consequence, left_out, many, summary, texts};
use crate::i18n::lang;
use crate::link;
use crate::ports::{form_key, now, operator, ports, visit};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::console::{Building, PlaceGroupLine, Preview};
use model::error::AppError;
use model::ids::Uuid;
use model::issue::{Issue, Kind, Problem};
use model::meter::ControlMode;

/// The number of rooms that are listed by name; further rooms are only counted.
const NAMED: usize = 400;

/// The first names, and how many there are beside them.
fn listed<T: ToString>(names: impl ExactSizeIterator<Item = T>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let list = names.take(NAMED).map(|name| name.to_string()).collect::<Vec<_>>().join(" · ");
    if more > 0 { format!("{list} … +{more}") } else { list }
}

/// What the page shows.
enum Shown {
    /// The form again, with its error.
    Wrong(Kind, (Vec<Building>, Vec<PlaceGroupLine>), Problem),
    /// The command and its meters.
    Would(Issue, Box<Preview>, Uuid),
}

/// The page: `/commands/preview?kind=limits&alarm1=20&...&place=...`.
#[component]
pub fn PreviewPage() -> impl IntoView {
    let which = Kind::parse(&param("kind")).ok_or(AppError::NotFound);
    let target = target();
    let named = |issue| if target.is_empty() { Err(Problem::Nobody) } else { Ok(issue) };
    let issue = which.map(|kind| (kind, Issue::from_form(kind, &param, now()).and_then(named)));
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        Ok(match issue? {
            (kind, Err(problem)) => {
                let choices = (ports.batches.buildings(&who).await?, ports.places.groups(&who).await?);
                Shown::Wrong(kind, choices, problem)
            }
            (kind, Ok(issue)) => {
                let preview = ports.batches.preview(&who, kind, &target).await?;
                Shown::Would(issue, Box::new(preview), form_key()?)
            }
        })
    };
    load(read, |shown| match shown {
        Shown::Wrong(kind, choices, problem) => view! { <IssueForm kind choices wrong=Some(problem) selected=None /> }.into_any(),
        Shown::Would(issue, preview, key) => view! { <Would issue preview=*preview key /> }.into_any(),
    })
}

#[component]
fn Would(issue: Issue, preview: Preview, key: Uuid) -> impl IntoView {
    let t = texts(lang());
    let meters = preview.meters.len();
    let grave = issue == Issue::Mode(ControlMode::ForcedOff) || issue == Issue::Switch(false);
    let hidden = [
        ("kind", issue.kind().as_str().to_owned()),
        ("issue", serde_json::to_string(&issue).unwrap_or_default()),
        ("meter", param("meter")),
        ("places", all("place").join(",")),
        ("state", param("state")),
        ("rooms", param("rooms")),
        ("lost", param("lost")),
        ("differs", param("differs")),
        ("seal", preview.seal.clone()),
        ("key", key.to_string()),
        ("back", link::without_error(&visit().here)),
    ];
    let hidden = hidden.map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    // The same query leads back to the form with all values.
    let back = visit().here.replacen("/commands/preview", "/commands/new", 1);
    let act = if meters == 0 {
        view! { <p class="empty">{t.nobody}</p> }.into_any()
    } else {
        let class = if grave { "danger" } else { "primary" };
        view! { <button class=class>{t.confirm}" · "{many(meters, lang())}</button> }.into_any()
    };
    let says = consequence(&issue, meters, lang());
    view! {
        <Frame title=t.preview section=Section::Commands>
            <h1>{summary(&issue, lang())}</h1>
            <Notice />
            <form class="card confirm" method="post" action="/api/operator/issue">
                <p><strong>{t.will_reach}" "{many(meters, lang())}</strong></p>
                <p>{says}</p>
                {hidden}
                <div class="buttons">{act} <a class="button" href=back>{t.back}</a></div>
            </form>
            {unknown(&preview)}
            {out(&preview)}
            {rooms(&preview)}
        </Frame>
    }
}

fn unknown(preview: &Preview) -> impl IntoView + use<> {
    let t = texts(lang());
    (!preview.unknown.is_empty()).then(|| {
        view! { <section class="card stack-tight"><h2>{t.unknown_rooms}</h2><p
        class="rooms-listed">{listed(preview.unknown.iter())}</p></section> }
    })
}

fn out(preview: &Preview) -> impl IntoView + use<> {
    let t = texts(lang());
    let groups = preview.left_out.chunk_by(|one, next| one.1 == next.1).map(|group| {
        let why = group.first().map_or("", |(_, why)| left_out(*why, lang()));
        let names = listed(group.iter().map(|(room, _)| room));
        view! { <dt>{why}" · "{many(group.len(), lang())}</dt><dd class="rooms-listed">{names}</dd> }
    });
    let groups = groups.collect_view();
    (!preview.left_out.is_empty()).then(|| {
        view! { <section class="card stack-tight"><h2>{t.left_out}</h2><dl class="said">{groups}</dl></section> }
    })
}

fn rooms(preview: &Preview) -> impl IntoView + use<> {
    let t = texts(lang());
    let names = listed(preview.meters.iter().map(|(_, room)| room));
    (!preview.meters.is_empty()).then(|| {
        view! {
            <section class="card stack-tight">
                <h2>{t.will_reach}</h2>
                <p class="rooms-listed">{names}</p>
            </section>
        }
    })
}
