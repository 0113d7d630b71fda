//! Issuing a command: the command and its meters.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::super::frame::{Frame, Section};
use super::super::parts::{choice, param};
use super::fields::fields;
use crate::i18n::commands::{kind, many, problem, purpose, texts};
use crate::i18n::wall_controls::OnlyProfile;
use crate::i18n::{common, lang, places, price_meters, settings, wall};
use crate::link;
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::wall::chip_word;
use crate::ui::wall::filter::Filter;
use model::console::{Building, Differs, EVERYWHERE, PlaceGroupLine, ROOMS_MAX, ShownOnWall, Target};
use model::ids::MeterId;
use model::issue::{Kind, Problem};
use model::meter::{ControlMode, SupplyState};

/// All values of a repeated query parameter.
pub fn all(name: &str) -> Vec<String> {
    use_query_map().with_untracked(|query| query.get_all(name)).unwrap_or_default()
}

/// The meters that the query selects.
pub fn target() -> Target {
    let state = param("state").parse().ok().map(SupplyState::from_code);
    let of = Target::parse(&param("meter"), &all("place"), state, &param("rooms"), &param("lost"));
    Target { differs: param("differs").parse().ok(), ..of }
}

/// The page: `/commands/new`, then `/commands/new?kind=limits`; `meter` selects a single meter.
#[component]
pub fn NewCommandPage() -> impl IntoView {
    let which = Kind::parse(&param("kind"));
    // Whatever state it is in: lost meters count, too.
    let chosen = Target { lost: true, ..target() };
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let found = if chosen.is_empty() { None } else { Some(ports.batches.preview(&who, Kind::Read, &chosen).await?) };
        let choices = (ports.batches.buildings(&who).await?, ports.places.groups(&who).await?);
        Ok((choices, found.map(|preview| preview.meters.len())))
    };
    load(read, move |(choices, selected)| match which {
        Some(kind) => view! { <IssueForm kind choices wrong=None selected /> }.into_any(),
        None => view! { <Choose selected /> }.into_any(),
    })
}

/// How many meters were selected on the way here.
fn selection(selected: Option<usize>) -> impl IntoView {
    let says = move |meters| view! { <p><strong>{texts(lang()).selected}" "{many(meters, lang())}</strong></p> };
    selected.map(says)
}

#[component]
fn Choose(selected: Option<usize>) -> impl IntoView {
    let t = texts(lang());
    let (meter, rooms, places) = (param("meter"), param("rooms"), all("place"));
    // What was chosen on the way here goes along.
    let with_target = |href: String| {
        let places = places.iter().map(|place| ("place", place));
        let target = [("meter", &meter), ("rooms", &rooms)].into_iter().chain(places).filter(|(_, value)| !value.is_empty());
        target.fold(href, |href, (key, value)| link::with(&href, key, value))
    };
    let links = Kind::ALL.map(|one| {
        let href = with_target(link::with("/commands/new", "kind", one.as_str()));
        view! {
            <li>
                <a class="card kind" href=href>
                    <strong>{kind(one, lang())}</strong>
                    <span class="muted small">{purpose(one, lang())}</span>
                </a>
            </li>
        }
    });
    // What is done most often, with its choice made already.
    let ready = [
        (t.ready_guaranteed, Kind::Mode, "mode", ControlMode::Guaranteed.as_str()),
        (t.ready_prepaid, Kind::Mode, "mode", ControlMode::Prepaid.as_str()),
        (t.ready_off, Kind::Mode, "mode", ControlMode::ForcedOff.as_str()),
        (t.ready_close, Kind::Switch, "on", "1"),
        (t.ready_prices, Kind::Prices, "", ""),
        (t.ready_limits, Kind::Limits, "", ""),
    ];
    let ready = ready.map(|(name, kind, field, value)| {
        let pairs = [("kind", kind.as_str()), (field, value)];
        let href = pairs.iter().filter(|(_, value)| !value.is_empty());
        let href = with_target(href.fold("/commands/new".to_owned(), |link, (key, value)| link::with(&link, key, value)));
        view! { <li><a class="card kind" href=href><strong>{name}</strong></a></li> }
    });
    view! {
        <Frame title=t.new section=Section::Commands>
            <h1>{t.new}</h1>
            {selection(selected)}
            <section class="stack-tight">
                <h2>{t.ready}</h2>
                <ul class="kinds">{ready}</ul>
            </section>
            <section class="stack-tight">
                <h2>{t.all_kinds}</h2>
                <ul class="kinds">{links}</ul>
            </section>
        </Frame>
    }
}

/// The form; after an error with the submitted values and the error.
#[component]
pub fn IssueForm(
    kind: Kind,
    choices: (Vec<Building>, Vec<PlaceGroupLine>),
    wrong: Option<Problem>,
    /// How many meters were selected on the way here.
    selected: Option<usize>,
) -> impl IntoView {
    let t = texts(lang());
    let name = crate::i18n::commands::kind(kind, lang());
    let one: Option<MeterId> = param("meter").parse().ok();
    let wrong = wrong.map(|wrong| view! { <Callout tone=Tone::Warn><p>{problem(wrong, lang())}</p></Callout> });
    view! {
        <Frame title=name section=Section::Commands>
            <h1>{name}</h1>
            <Notice />
            {wrong}
            {selection(selected)}
            <form class="issue" action="/commands/preview">
                <input type="hidden" name="kind" value=kind.as_str() />
                <section class="card stack-tight">
                    <h2>{t.what}</h2>
                    <p class="hint">{purpose(kind, lang())}</p>
                    {fields(kind)}
                </section>
                {match one {
                    Some(meter) => view! { <input type="hidden" name="meter" value=meter.to_string() /> <input type="hidden"
                        name="lost" value="1" /> }.into_any(),
                    None if !param("differs").is_empty() => differing().into_any(),
                    None => whom(&choices.0, &choices.1).into_any(),
                }}
                <div class="buttons">
                    <button class="primary">{t.preview}</button>
                    <a class="button" href="/commands">{t.back}</a>
                </div>
            </form>
        </Frame>
    }
}

/// The meters that the default parameters of a place, or a price plan, are still to be issued to.
fn differing() -> impl IntoView {
    let t = settings::texts(lang());
    let whom = match param("differs").parse() {
        Ok(Differs::Prices { .. }) => price_meters::texts(lang()).target,
        _ => t.differs_target,
    };
    view! {
        <section class="card stack-tight">
            <h2>{texts(lang()).whom}</h2>
            <p>{whom}</p>
            <p class="hint">{t.differs_hint}</p>
            <input type="hidden" name="differs" value=param("differs") />
            <input type="hidden" name="lost" value="1" />
        </section>
    }
}

/// Chooses meters by places, groups, state and rooms.
fn whom(buildings: &[Building], groups: &[PlaceGroupLine]) -> impl IntoView + use<> {
    let t = texts(lang());
    let chosen = all("place");
    let meters = buildings.iter().flat_map(|building| &building.floors).map(|(_, meters)| meters).sum();
    let state = param("state");
    let states = SupplyState::ALL.into_iter().map(|one| {
        let code: &'static str = ["0", "1", "2", "3", "4", "5", "6"].get(one as usize).copied().unwrap_or_default();
        (code, common::supply(one, lang()))
    });
    view! {
        <section class="card stack-tight">
            <h2>{t.whom}</h2>
            <label class="check">
                <input type="checkbox" name="place" value=EVERYWHERE checked=chosen.iter().any(|value| value == EVERYWHERE) />
                <span>{t.everywhere}" "<span class="muted small">{many(meters, lang())}</span></span>
            </label>
            {place_choice(buildings, groups, &chosen)}
            {choice("state", t.only_state, &state, states.collect())}
            <label class="field">
                <span>{t.rooms}</span>
                <textarea class="input" name="rooms" rows="3" maxlength=ROOMS_MAX.to_string()>{param("rooms")}</textarea>
                <span class="hint">{t.rooms_hint}</span>
            </label>
            <label class="check">
                <input type="checkbox" name="lost" value="1" checked=param("lost") == "1" />
                <span>{t.lost_too}</span>
            </label>
        </section>
    }
}

/// The buildings with their floors, and the groups.
pub fn place_choice(buildings: &[Building], groups: &[PlaceGroupLine], chosen: &[String]) -> impl IntoView + use<> {
    let tree = buildings.iter().map(|building| place(building, chosen)).collect_view();
    let sets = groups.iter().map(|group| {
        let value = format!("group:{}", group.id);
        let checked = chosen.contains(&value);
        let meters = usize::try_from(group.meters).unwrap_or(0);
        view! {
            <label class="check">
                <input type="checkbox" name="place" value=value checked=checked />
                <span>{group.name.clone()}" "<span class="muted small">{many(meters, lang())}</span></span>
            </label>
        }
    });
    let sets = (!groups.is_empty()).then(|| {
        view! {
            <fieldset class="group">
                <legend>{places::texts(lang()).groups}</legend>
                <div class="place-tree">{sets.collect_view()}</div>
            </fieldset>
        }
    });
    let shown = chosen.iter().filter_map(|value| Some((value.clone(), value.parse::<ShownOnWall>().ok()?)));
    let shown = shown.map(|(value, shown)| (value, shown_on_wall(&shown)));
    let only = Target::parse("", chosen, None, "", "").profile;
    let only = only.map(|profile| (Target::place_of_profile(&profile), OnlyProfile { profile: &profile }.text(lang())));
    let shown = shown.chain(only).map(|(value, words)| {
        view! {
            <label class="check">
                <input type="checkbox" name="place" value=value checked />
                <span>{words}</span>
            </label>
        }
    });
    view! { {shown.collect_view()} <div class="place-tree">{tree}</div> {sets} }
}

/// What the wall shows, in words.
fn shown_on_wall(shown: &ShownOnWall) -> String {
    let (t, filter) = (texts(lang()), Filter::of(shown));
    let words = filter.chips().map(|chip| chip_word(chip, &wall::texts(lang()), lang()).to_owned());
    let words: Vec<String> = words.chain(Some(filter.text().to_owned()).filter(|text| !text.is_empty())).collect();
    if words.is_empty() { t.whole_wall.to_owned() } else { format!("{}: {}", t.shown_on_wall, words.join(" · ")) }
}

/// A building with its floors, folded.
fn place(building: &Building, chosen: &[String]) -> impl IntoView + use<> {
    let id = building.id.to_string();
    let meters: usize = building.floors.iter().map(|(_, meters)| meters).sum();
    let floors = building.floors.iter().filter(|(floor, _)| !floor.is_empty()).map(|(floor, meters)| {
        let value = format!("{id}:{floor}");
        let checked = chosen.contains(&value);
        view! {
            <label class="check">
                <input type="checkbox" name="place" value=value checked=checked />
                <span>{floor.clone()}" "<span class="muted small">{many(*meters, lang())}</span></span>
            </label>
        }
    });
    let floors: Vec<_> = floors.collect();
    let open = chosen.iter().any(|value| value.starts_with(&format!("{id}:")));
    let checked = chosen.contains(&id);
    let folded = (!floors.is_empty()).then(|| {
        let name = building.name.clone();
        view! {
            <details open=open>
                <summary>{texts(lang()).floors}<span class="visually-hidden">" "{name}</span></summary>
                <div class="floors">{floors}</div>
            </details>
        }
    });
    view! {
        <div>
            <label class="check">
                <input type="checkbox" name="place" value=id checked=checked />
                <span>{building.name.clone()}" "<span class="muted small">{many(meters, lang())}</span></span>
            </label>
            {folded}
        </div>
    }
}
