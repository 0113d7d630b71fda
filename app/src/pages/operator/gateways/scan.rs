//! The scan of a gateway: its progress, what was found, and the form that places it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use crate::api::discovery::ScanView;
use crate::api::form::parse;
use crate::i18n::gateways::{placed, scan_progress, standing, texts};
use crate::i18n::{lang, operator, site_workbook};
use crate::ports::{may, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::error::AppError;
use model::gateway::scan::{Discovered, Scan, ScanMatch, ScanState};
use model::ids::GatewayId;
use model::permission::Permission;
use model::site_workbook::{Column, Fault};

/// The page: `/gateways/:id/scan`.
#[component]
pub fn ScanPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.discovery.scan(&who, parse::<GatewayId>(&id).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |view| body(&view).into_any())
}

fn body(shown: &ScanView) -> impl IntoView + use<> {
    let t = texts(lang());
    let title = format!("{}: {}", t.scan, shown.name);
    let is_running = shown.scan.as_ref().is_some_and(|scan| scan.state == ScanState::Running);
    let done = param("placed").parse::<u32>().ok().map(|count| {
        view! {
            <Callout tone=Tone::Good><p>{placed(count, lang())}</p></Callout>
        }
    });
    let fault = serde_json::from_str::<Fault>(&param("fault").chars().take(400).collect::<String>()).ok().map(|fault| {
        let serial: String = param("serial").chars().filter(char::is_ascii_digit).take(12).collect();
        let column = Column::parse(&param("column"));
        let said = site_workbook::placement_fault(&fault, column, lang());
        view! { <p class="notice bad" role="alert">{serial}": "{said}</p> }
    });
    let action = if is_running { "/api/operator/gateways/stop-scan" } else { "/api/operator/gateways/scan" };
    let word = if is_running { t.stop_scan } else { t.start_scan };
    let progress = shown.scan.as_ref().map(progress);
    let found = shown.scan.as_ref().map(|scan| found(scan, shown));
    let gateway = shown.gateway.to_string();
    let back = format!("/gateways/{gateway}");
    view! {
        <Frame title=title.clone() section=Section::Gateways>
            <nav class="small"><a href=back>{t.back}</a></nav>
            <h1>{title}</h1>
            <Notice />
            {done}
            {fault}
            <section class="card stack-tight">
                <p>{t.scan_what}</p>
                <p class="hint">{t.scan_memory}</p>
                <form method="post" action=action>
                    <input type="hidden" name="gateway" value=gateway />
                    <button class=(!is_running).then_some("primary")>{word}</button>
                </form>
            </section>
            <Live id="scan" again=is_running.then_some(BUSY)>{progress}{found}</Live>
            {without_script(!is_running)}
        </Frame>
    }
}

fn progress(scan: &Scan) -> impl IntoView + use<> {
    let t = texts(lang()).scan_state;
    let state = match scan.state {
        ScanState::Running => t.running,
        ScanState::Done => t.done,
        ScanState::Stopped => t.stopped,
        ScanState::Lost => t.lost,
    };
    view! {
        <p role="status">{state}" "{scan_progress(scan.tried, scan.total, scan.found.len(), lang())}</p>
        <progress max=scan.total.to_string() value=scan.tried.to_string() aria-label=texts(lang()).scan></progress>
    }
}

/// What was found; what is new can be placed, once the scan is over.
fn found(scan: &Scan, shown: &ScanView) -> impl IntoView + use<> {
    let (o, t) = (operator::texts(lang()), texts(lang()));
    if scan.found.is_empty() {
        return ().into_any();
    }
    let may_place = shown.may_place();
    let mut new = 0;
    let rows: Vec<AnyView> = scan
        .found
        .iter()
        .map(|one| {
            let place = (may_place && one.standing == ScanMatch::New).then(|| {
                new += 1;
                place_fields(new - 1, one, &shown.profiles)
            });
            let has_form = place.is_some();
            let unit = one.unit.map_or_else(|| "DL/T 645".to_owned(), |unit| unit.to_string());
            view! {
                <tr>
                    <td data-label=o.unit class="number">{unit}</td>
                    <td data-label=o.serial class="num">{one.serial.clone().unwrap_or_else(|| "—".to_owned())}</td>
                    <td data-label=o.state>{standing(one.standing, lang())}</td>
                    {place}
                    {(!has_form).then(|| view! {
                        <td data-label=o.profile>{one.profile.clone().unwrap_or_else(|| "—".to_owned())}</td><td></td>
                    })}
                </tr>
            }
            .into_any()
        })
        .collect();
    let rooms = shown.rooms.iter().map(|room| view! { <option value=room.clone()></option> }).collect_view();
    // Many are quicker filled in with a spreadsheet.
    let workbook = (new > 0 && may(Permission::Site)).then(|| {
        let path = format!("/found-meters.xlsx?gateway={}", shown.gateway);
        view! { <a class="button" href=path rel="external" download>{t.found_workbook}</a> }
    });
    let submit = (new > 0).then(|| view! { <button class="primary">{t.place}</button> });
    view! {
        <form class="stack-tight" method="post" action="/api/operator/gateways/place">
            <input type="hidden" name="gateway" value=shown.gateway.to_string() />
            <TableScroll label=t.found>
                <table class="table stacked">
                    <caption>{t.found}</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="number">{o.unit}</th>
                            <th scope="col">{o.serial}</th>
                            <th scope="col">{o.state}</th>
                            <th scope="col">{o.profile}</th>
                            <th scope="col">{o.room}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {may_place.then(|| view! { <datalist id="rooms">{rooms}</datalist> })}
            {(new > 0).then(|| view! { <p class="hint">{t.place_hint}</p> })}
            <div class="buttons">{submit}{workbook}</div>
        </form>
    }
    .into_any()
}

fn place_fields(number: usize, one: &Discovered, profiles: &[String]) -> impl IntoView + use<> {
    let o = operator::texts(lang());
    let field = |name: &str| format!("meters[{number}][{name}]");
    let serial = one.serial.clone().unwrap_or_default();
    let serial_field = if one.serial.is_some() {
        view! { <input type="hidden" name=field("serial") value=serial.clone() /> }.into_any()
    } else {
        view! {
            <input name=field("serial") inputmode="numeric" maxlength="12" placeholder=o.serial autocomplete="off"
                aria-label=format!("{} {}", o.serial, one.unit.unwrap_or_default()) />
        }
        .into_any()
    };
    // A meter of DL/T 645 answers to its serial number and has no unit number.
    let unit = one.unit.map(|unit| unit.to_string()).unwrap_or_default();
    let options = profiles.iter().map(|profile| {
        let is_found = one.profile.as_ref() == Some(profile);
        view! { <option value=profile.clone() selected=is_found>{profile.clone()}</option> }
    });
    let options = options.collect_view();
    let label = format!("{} {serial}", o.room);
    view! {
        <td data-label=o.profile>
            {serial_field}
            {one.unit.is_some().then(|| view! { <input type="hidden" name=field("unit") value=unit /> })}
            <select name=field("profile") aria-label=format!("{} {serial}", o.profile)>{options}</select>
        </td>
        <td data-label=o.room>
            <input name=field("room") list="rooms" maxlength="140" autocomplete="off" aria-label=label />
        </td>
    }
}
