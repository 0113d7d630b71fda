//! The part of the page that updates without a reload: the newest values and the progress of each command.

use leptos::prelude::*;

use super::super::cash_desk::order::address as order_page;
use crate::i18n::commands::reason;
use crate::i18n::room::{self, texts};
use crate::i18n::{Lang, common, lang};
use crate::ports::allowed;
use crate::ui::live::{BUSY, IDLE, Live};
use crate::ui::state::{mode_mark, state_mark};
use crate::ui::steps::{Step, StepState, steps};
use crate::ui::units;
use model::command::CommandReason;
use model::console::{CommandLine, Progress};
use model::meter::{Latest, Wallet};
use model::order::CommandState;
use model::time::Timestamp;

/// The values and the commands.
pub(super) fn now(progress: &Progress, kind: Wallet) -> impl IntoView + use<> {
    let lang = lang();
    let again = if progress.is_moving() { BUSY } else { IDLE };
    let (values, commands) = (values(&progress.latest, kind, progress.at, lang), commands(progress, lang));
    view! { <Live id="now" again=Some(again)>{values} {commands}</Live> }
}

fn values(latest: &Latest, kind: Wallet, now: Timestamp, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let status = latest.status;
    let known = latest.observed_at.is_some();
    let relay = (!status.relay_unseen()).then(|| {
        let stands = if status.relay_closed() { t.relay_closed } else { t.relay_open };
        let switched = status.user_switch_off().then(|| format!(" · {}", t.switched_off));
        view! { <dt>{t.relay}</dt><dd>{stands}{switched}</dd> }
    });
    // An instrument holds no credit and has no account state.
    let sells = kind != Wallet::None;
    let at = |at: Timestamp| format!("{} ({})", common::at_seconds(at, now, lang), common::ago(at, now, lang));
    let facts = known.then(|| {
        view! {
            <dt>{t.power}</dt>
            <dd class="num">{units::whole(latest.power_w)}" W"</dd>
            {relay}
            <dt>{t.voltage}" · "{t.current}</dt>
            <dd class="num">
                {units::tenths(latest.voltage_dv)}" V · "{units::hundredths(latest.current_ca)}" A"
            </dd>
            <dt>{t.total}</dt>
            <dd class="num">{latest.total.to_string()}" kWh"</dd>
            {sells.then(|| view! { <dt>{t.count}</dt><dd class="num">{latest.count}</dd> })}
        }
    });
    let credit = if known && status.account_open() { latest.remaining.to_string() } else { "—".to_owned() };
    let state = latest.state();
    let marks = (sells || state.is_unread()).then(|| {
        let mark = state_mark(state, latest.observed_at.is_some(), lang);
        view! { <p class="room-marks">{mark}" "{mode_mark(status.mode(), lang)}</p> }
    });
    view! {
        <section class="card stack-tight">
            {marks}
            {sells.then(|| view! { <p class="room-credit num">{credit}<span class="unit">{common::yuan(lang)}</span></p> })}
            <dl class="facts">
                {facts}
                <dt>{t.observed}</dt>
                <dd>{latest.observed_at.map_or_else(|| t.never.to_owned(), at)}</dd>
                {latest.lost_since.map(|since| {
                    let word = if latest.unreadable { t.unreadable_since } else { t.lost_since };
                    view! { <dt>{word}</dt><dd>{at(since)}</dd> }
                })}
            </dl>
        </section>
    }
}

fn commands(progress: &Progress, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let lost = progress.latest.lost_since.is_some();
    let list = progress.commands.iter().map(|line| {
        let name = room::command(&line.what, lang);
        let back = line.back.map(|id| format!("/returns/{id}")).filter(|page| allowed(page));
        let name = match line.order.and_then(order_page).or(back) {
            Some(page) => view! { <a href=page>{name}</a> }.into_any(),
            None => name.into_any(),
        };
        view! {
            <li>
                <div class="page-head">
                    <h3>{name}</h3>
                    <span class="muted small">{line.by.clone().unwrap_or_else(|| t.by_system.to_owned())}</span>
                </div>
                {steps(command_steps(line, lost, lang), progress.at, lang)}
            </li>
        }
    });
    let none = progress.commands.is_empty().then(|| view! { <p class="muted">{t.no_commands}</p> });
    view! {
        <section class="card stack-tight">
            <h2>{t.commands}</h2>
            <ul class="card-list command-list" aria-live="polite">{list.collect_view()}</ul>
            {none}
        </section>
    }
}

/// The steps of a command: decided, sent, read back, or how else it ended.
fn command_steps(line: &CommandLine, lost: bool, lang: Lang) -> Vec<Step> {
    let t = texts(lang);
    let mut way = vec![Step::new(StepState::Done, t.decided, Some(line.decided_at))];
    if line.state == CommandState::Superseded {
        let taken_back = line.reason == Some(CommandReason::Cancelled);
        way.push(Step::new(StepState::Bad, if taken_back { t.taken_back } else { t.replaced }, line.finished_at));
        return way;
    }
    way.push(match (line.sent_at, line.state) {
        (Some(at), _) if line.attempts > 1 => {
            Step::new(StepState::Done, t.sent, Some(at)).note(format!("{} {}", line.attempts, t.tries))
        }
        (Some(at), _) => Step::new(StepState::Done, t.sent, Some(at)),
        (None, CommandState::Queued | CommandState::Sending) => {
            Step::new(StepState::Now, if lost { t.waits_lost } else { t.waits }, None)
        }
        (None, _) => Step::new(StepState::Bad, t.not_sent, None),
    });
    way.push(match line.state {
        CommandState::Done => Step::new(StepState::Done, t.read_back, line.finished_at),
        CommandState::Failed => failed(line, lang),
        CommandState::Case => Step::new(StepState::Bad, t.settled, line.finished_at),
        _ if line.sent_at.is_some() => Step::new(StepState::Now, t.to_read_back, None),
        _ => Step::new(StepState::Ahead, t.to_read_back, None),
    });
    way
}

/// A failed step with its reason.
fn failed(line: &CommandLine, lang: Lang) -> Step {
    let step = Step::new(StepState::Bad, texts(lang).refused, line.finished_at);
    match line.reason {
        Some(why) => step.note(reason(why, lang)),
        None => step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::console::CommandContent;
    use model::ids::CommandId;

    fn line(state: CommandState, sent: Option<i64>) -> CommandLine {
        CommandLine {
            id: CommandId(uuid::Uuid::nil()),
            what: CommandContent::Open,
            state,
            order: None,
            back: None,
            by: None,
            decided_at: Timestamp(1),
            sent_at: sent.map(Timestamp),
            finished_at: None,
            attempts: 1,
            next_at: Timestamp(0),
            count: None,
            reason: None,
        }
    }

    #[test]
    fn a_command_is_done_only_when_read_back() {
        let reach = |line: &CommandLine| command_steps(line, false, Lang::Zh).iter().map(|step| step.state).collect::<Vec<_>>();
        assert_eq!(reach(&line(CommandState::Queued, None)), [StepState::Done, StepState::Now, StepState::Ahead]);
        assert_eq!(reach(&line(CommandState::Sending, Some(2))), [StepState::Done, StepState::Done, StepState::Now]);
        assert_eq!(reach(&line(CommandState::Done, Some(2))), [StepState::Done, StepState::Done, StepState::Done]);
        assert_eq!(reach(&line(CommandState::Superseded, None)), [StepState::Done, StepState::Bad]);
        let words_of =
            |line: &CommandLine| command_steps(line, false, Lang::Zh).iter().map(|step| step.text.clone()).collect::<Vec<_>>();
        let read_back = texts(Lang::Zh).read_back.to_owned();
        for ahead in [line(CommandState::Queued, None), line(CommandState::Sending, Some(2))] {
            assert!(!words_of(&ahead).contains(&read_back), "what is ahead does not carry the word of its end");
        }
        assert!(words_of(&line(CommandState::Done, Some(2))).contains(&read_back));
        assert_eq!(command_steps(&line(CommandState::Queued, None), true, Lang::En)[1].text, texts(Lang::En).waits_lost);
    }
}
