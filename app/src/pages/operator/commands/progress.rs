//! The progress of a batch and its meters; updates without a reload.

use leptos::prelude::*;

use crate::i18n::commands::{reason, state, texts};
use crate::i18n::{Lang, common, lang, operator, room};
use crate::ports::allowed;
use crate::ui::table_scroll::TableScroll;
use model::command::CommandReason;
use model::console::{BatchCounts, BatchItem, BatchView};
use model::order::CommandState;
use model::time::Timestamp;

/// The counts and the table of one page of meters.
pub(super) fn progress(seen: &BatchView) -> impl IntoView + use<> {
    let lang = lang();
    (counts(&seen.batch.counts, lang), table(seen, lang))
}

fn counts(counts: &BatchCounts, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let facts = [
        (t.done, counts.done),
        (t.waiting, counts.waiting),
        (t.sending, counts.sending),
        (t.failed, counts.failed),
        (t.dropped, counts.dropped),
        (t.missed, counts.missed),
    ];
    let facts = facts.map(|(word, n)| view! { <div><dt>{word}</dt><dd class="num">{n}</dd></div> });
    let over = counts.meters - counts.waiting - counts.sending;
    view! {
        <section class="card stack-tight" aria-live="polite">
            <p class="batch-head"><strong class="num">{counts.done}" / "{counts.meters}</strong>" "{t.done}</p>
            <progress max=counts.meters.to_string() value=over.to_string()>{over}</progress>
            <dl class="counts">{facts}</dl>
        </section>
    }
}

fn table(seen: &BatchView, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let planned = seen.items.iter().any(|item| item.in_force.is_some());
    let rows = seen.items.iter().map(|item| row(item, seen, planned, lang)).collect_view();
    view! {
        <TableScroll label=t.meters>
            <table class="table sticky">
                <caption class="visually-hidden">{t.meters}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.meters}</th>
                        <th scope="col">{operator::texts(lang).state}</th>
                        <th scope="col">{t.why}</th>
                        {planned.then(|| view! { <th scope="col">{t.in_force}</th> })}
                        <th scope="col" class="number">{room::texts(lang).sent}</th>
                        <th scope="col" class="number">{t.done}</th>
                        <th scope="col" class="number">{t.times}</th>
                        <th scope="col"></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
        {seen.items.is_empty().then(|| view! { <p class="empty">{t.no_items}</p> })}
    }
}

fn row(item: &BatchItem, seen: &BatchView, planned: bool, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let at = |at: Option<Timestamp>| at.map(|at| common::at_seconds(at, seen.at, lang));
    let done = if item.state == CommandState::Done { item.finished_at } else { None };
    let again = (is_open_to_retry(item) && allowed("/api/operator/retry-batch")).then(|| {
        view! {
            <form method="post" action="/api/operator/retry-batch">
                <input type="hidden" name="batch" value=seen.batch.id.to_string() />
                <input type="hidden" name="meter" value=item.meter.to_string() />
                <button>{t.retry_one}</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row"><a href=format!("/rooms/{}", item.meter)>{item.room.to_string()}</a></th>
            <td>{state(item.state, lang)}</td>
            <td class="long">{why(item, seen.at, lang)}</td>
            {planned.then(|| view! { <td>{item.in_force.map(|state| in_force(state, lang))}</td> })}
            <td class="number">{at(item.sent_at)}</td>
            <td class="number">{at(done)}</td>
            <td class="number">{item.attempts}</td>
            <td>{again}</td>
        </tr>
    }
}

fn is_open_to_retry(item: &BatchItem) -> bool {
    let cancelled = item.state == CommandState::Superseded && item.reason == Some(CommandReason::Cancelled);
    let missed = item.in_force == Some(CommandState::Failed);
    cancelled || missed || matches!(item.state, CommandState::Failed | CommandState::Case)
}

/// The reason of the state, and the next attempt.
fn why(item: &BatchItem, now: Timestamp, lang: Lang) -> String {
    let t = texts(lang);
    let mut parts: Vec<String> = item.reason.iter().map(|why| reason(*why, lang)).collect();
    if !item.state.is_final() && item.next_at > now {
        parts.push(format!("{} {}", t.next_try, common::at_seconds(item.next_at, now, lang)));
    }
    parts.join(" · ")
}

fn in_force(state: CommandState, lang: Lang) -> &'static str {
    let t = texts(lang);
    match state {
        CommandState::Done => t.in_force_yes,
        CommandState::Failed | CommandState::Case => t.in_force_no,
        CommandState::Superseded => t.dropped,
        CommandState::Queued | CommandState::Sending => t.in_force_later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::console::RoomName;
    use model::ids::MeterId;

    fn item(state: CommandState, reason: Option<CommandReason>) -> BatchItem {
        BatchItem {
            meter: MeterId(uuid::Uuid::nil()),
            room: RoomName::default(),
            state,
            reason,
            decided_at: Timestamp(0),
            sent_at: None,
            finished_at: None,
            next_at: Timestamp(0),
            attempts: 0,
            in_force: None,
        }
    }

    #[test]
    fn what_is_ahead_is_not_called_done() {
        assert_eq!(state(CommandState::Queued, Lang::Zh), "待发送");
        assert_eq!(state(CommandState::Sending, Lang::Zh), "待读回");
        assert_eq!(state(CommandState::Done, Lang::Zh), "已读回");
    }

    #[test]
    fn only_what_did_not_work_is_tried_again() {
        assert!(is_open_to_retry(&item(CommandState::Failed, Some(CommandReason::Lost))));
        assert!(is_open_to_retry(&item(CommandState::Superseded, Some(CommandReason::Cancelled))));
        assert!(!is_open_to_retry(&item(CommandState::Superseded, Some(CommandReason::Superseded))));
        assert!(!is_open_to_retry(&item(CommandState::Done, None)));
        assert!(!is_open_to_retry(&item(CommandState::Queued, Some(CommandReason::Lost))));
    }
}
