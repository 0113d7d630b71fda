//! Messages to people: how each channel does, and what became of each message.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::modem::modem_card;
use super::parts::{address, choice, page_param, pager, param};
use crate::i18n::notifications::{Down, Next, Trouble, channel, kind, reason, receipt, state, texts};
use crate::i18n::{common, lang, operator as console};
use crate::ports::{allowed, now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::Page;
use model::notification::{
    ChannelLine, NotificationChannel, NotificationKind, NotificationLine, NotificationQuery, NotificationReceipt,
    NotificationState,
};
use model::text_request::ModemLine;

const TEST: &str = "/api/operator/messages/test";

/// The page: `/messages?state=failed&channel=sms&kind=arrears&page=2`.
#[component]
pub fn MessagesPage() -> impl IntoView {
    let query = NotificationQuery {
        state: NotificationState::parse(&param("state")),
        channel: NotificationChannel::parse(&param("channel")),
        kind: NotificationKind::parse(&param("kind")),
        page: page_param(),
    };
    let filter = query.clone();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let page = ports.notifications.notifications(&who, &query).await?;
        let channels = ports.notifications.notification_channels(&who).await?;
        Ok((page, channels, ports.notifications.modem(&who).await?))
    };
    load(read, move |(page, channels, modem)| view! { <Body page channels modem filter /> }.into_any())
}

#[component]
fn Body(
    page: Page<NotificationLine>,
    channels: Vec<ChannelLine>,
    modem: Option<ModemLine>,
    filter: NotificationQuery,
) -> impl IntoView {
    let (t, c, lang) = (texts(lang()), console::texts(lang()), lang());
    let chosen = (
        filter.state.map_or("", NotificationState::as_str),
        filter.channel.map_or("", NotificationChannel::as_str),
        filter.kind.map_or("", NotificationKind::as_str),
    );
    let here = address("/messages", &[("state", chosen.0), ("channel", chosen.1), ("kind", chosen.2)]);
    let states = NotificationState::ALL.map(|one| (one.as_str(), state(one, lang))).to_vec();
    let names = NotificationChannel::ALL.map(|one| (one.as_str(), channel(one, lang))).to_vec();
    let kinds = NotificationKind::ALL.map(|one| (one.as_str(), kind(one, lang))).to_vec();
    let done = match &*param("done") {
        "test" => Some(t.tested),
        "again" => Some(t.repeated),
        _ => None,
    };
    let rows = page.lines.iter().map(|line| row(line, &here)).collect_view();
    view! {
        <Frame title=t.title section=Section::Messages>
            <h1>{t.title}</h1>
            <p class="hint">{t.lead}</p>
            <div class="buttons">
                {allowed("/messages/texts").then(|| view! { <a class="button" href="/messages/texts">{t.texts.title}</a> })}
                <a class="button" href="/my-alerts">{t.texts.own_alerts}</a>
            </div>
            <Notice />
            {done.map(|text| view! { <Callout tone=Tone::Good><p>{text}</p></Callout> })}
            {channel_table(&channels)}
            {modem.as_ref().map(modem_card)}
            <form class="filter" action="/messages">
                {choice("state", t.state, chosen.0, states)}
                {choice("channel", t.channel, chosen.1, names)}
                {choice("kind", t.kind, chosen.2, kinds)}
                <button>{c.filter}</button>
                {(here != "/messages").then(|| view! { <a href="/messages">{c.clear}</a> })}
            </form>
            <TableScroll label=t.title>
                <table class="table sticky stacked">
                    <caption class="visually-hidden">{t.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.kind}</th>
                            <th scope="col">{t.about}</th>
                            <th scope="col">{t.recipient}</th>
                            <th scope="col">{t.channel}</th>
                            <th scope="col">{t.asked}</th>
                            <th scope="col">{t.state}</th>
                            <th scope="col" class="number">{t.tries}</th>
                            <th scope="col">{t.action}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
            {pager(&page, filter.page, &here)}
        </Frame>
    }
}

fn channel_table(channels: &[ChannelLine]) -> impl IntoView + use<> {
    let t = texts(lang());
    let may_test = allowed(TEST);
    let rows = channels.iter().map(|line| channel_row(line, may_test)).collect_view();
    view! {
        <section class="card stack-tight">
            <h2>{t.channels}</h2>
            <TableScroll label=t.channels>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{t.channel}</th>
                            <th scope="col">{t.state}</th>
                            <th scope="col" class="number">{t.waiting}</th>
                            <th scope="col" class="number">{t.sent_today}</th>
                            <th scope="col" class="number">{t.failed_today}</th>
                            <th scope="col" class="number">{t.cost_month}</th>
                            {may_test.then(|| view! { <th scope="col">{t.action}</th> })}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        </section>
    }
}

fn channel_row(line: &ChannelLine, may_test: bool) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let set_up = if line.is_set_up { t.set_up } else { t.not_set_up };
    let trouble = line.trouble.map(|why| format!(" · {}", Trouble { reason: reason(why, lang) }.text(lang)));
    let down = line.down_since.map(|since| {
        let words = Down { since: common::at(since, now(), lang) }.text(lang);
        let words = if allowed("/alarms") {
            view! { <a href="/alarms?kind=channel-down">{words}</a> }.into_any()
        } else {
            words.into_any()
        };
        view! { " · " {words} }
    });
    let bad = (line.trouble.is_some() || line.down_since.is_some()).then_some("bad-text");
    // A device gets a test message when its person adds it; nobody can type in the address of one.
    let is_tested_here = line.is_set_up && (line.channel.is_typed_in() || !line.channel.is_personal());
    view! {
        <tr>
            <th scope="row">{channel(line.channel, lang)}</th>
            <td class=bad>{set_up}{trouble}{down}</td>
            <td class="number">{line.waiting}</td>
            <td class="number">{line.sent_today}</td>
            <td class="number">{line.failed_today}</td>
            <td class="number">{line.cost_of_month.to_string()}</td>
            {may_test.then(|| view! { <td>{is_tested_here.then(|| test_form(line.channel))}</td> })}
        </tr>
    }
}

fn test_form(channel: NotificationChannel) -> impl IntoView {
    let t = texts(lang());
    let (label, kind) = if channel == NotificationChannel::Sms { (t.test_phone, "tel") } else { (t.test_mail, "email") };
    let id = format!("test-{}", channel.as_str());
    let field = channel.is_personal().then(|| {
        view! {
            <label class="visually-hidden" for=id.clone()>{label}</label>
            <input class="input" id=id type=kind name="address" placeholder=label maxlength="254" required />
        }
    });
    view! {
        <form method="post" action=TEST class="buttons">
            <input type="hidden" name="channel" value=channel.as_str() />
            {field}
            <button>{t.test}</button>
        </form>
    }
}

fn row(line: &NotificationLine, here: &str) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let about = line.room.as_ref().map(ToString::to_string).or_else(|| line.gateway.clone());
    // A code or an answer concerns only the person, and not the site.
    let site = if line.kind.is_of_person() { "—" } else { t.site };
    let recipient = match (&*line.person, line.channel) {
        ("", NotificationChannel::Webhook) => t.system.to_owned(),
        ("", channel) if !channel.is_personal() => t.group.to_owned(),
        (person, _) => format!("{person} {}", line.address).trim().to_owned(),
    };
    let arrived = line.receipt.map(|one| format!(" · {}", receipt(one, lang)));
    let why = line.reason.map(|why| format!(" · {}", reason(why, lang)));
    let next = (line.state == NotificationState::Waiting)
        .then(|| format!(" · {}", Next { at: common::at(line.next_at, now(), lang) }.text(lang)));
    let is_bad = line.state == NotificationState::Failed || line.receipt == Some(NotificationReceipt::Undelivered);
    let bad = is_bad.then_some("bad-text");
    let word = if line.state == NotificationState::Failed { t.again } else { t.replay };
    let again = (line.may_be_repeated() && allowed("/api/operator/messages/again")).then(|| {
        view! {
            <form method="post" action="/api/operator/messages/again">
                <input type="hidden" name="id" value=line.id.to_string() />
                <input type="hidden" name="back" value=here.to_owned() />
                <button>{word}</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row">{kind(line.kind, lang)}</th>
            <td data-label=t.about>{about.unwrap_or_else(|| site.to_owned())}</td>
            <td data-label=t.recipient>{recipient}</td>
            <td data-label=t.channel>{channel(line.channel, lang)}</td>
            <td data-label=t.asked><At at=line.asked_at /></td>
            <td class=bad data-label=t.state>{state(line.state, lang)}{arrived}{why}{next}</td>
            <td class="number" data-label=t.tries>{line.tries}</td>
            <td>{again}</td>
        </tr>
    }
}
