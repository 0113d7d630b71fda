//! What the page of a switching says: drawn by the server, and again in the browser as it goes on.

use leptos::prelude::*;

use crate::api::resident::CommandView;
use crate::i18n::Lang;
use crate::i18n::resident::{say, words};
use crate::ui::steps::{Reach, Step, steps};
use model::order::CommandState;

/// Headline, what waits and why, the steps, and the way back.
pub fn switch_body(command: &CommandView, lang: Lang) -> impl IntoView + use<> {
    let t = words(lang);
    let (class, head) = match (command.state, command.on) {
        (CommandState::Done, true) => ("open", t.head_switched_on),
        (CommandState::Done, false) => ("quiet", t.head_switched_off),
        (CommandState::Failed | CommandState::Superseded, _) => ("alarm1", t.head_not_switched),
        (CommandState::Case, _) => ("alarm1", t.step_case),
        (CommandState::Queued | CommandState::Sending, true) => ("accent", t.head_switching_on),
        (CommandState::Queued | CommandState::Sending, false) => ("accent", t.head_switching_off),
    };
    let waits = command.lost_since.filter(|_| !command.state.is_final()).map(|since| say::switch_waits(since, command.now, lang));
    view! {
        <header><h1 class=format!("state big {class}")>{head}</h1></header>
        {waits.map(|words| view! { <div class="notice lost"><p>{words}</p></div> })}
        <section class="card">{steps(switch_steps(command, lang), command.now, lang)}</section>
        <a class="button wide" href="/home">{t.done}</a>
    }
}

/// Decided, sent, read back: done only when the meter was seen to do it.
#[must_use]
pub fn switch_steps(command: &CommandView, lang: Lang) -> Vec<Step> {
    let t = words(lang);
    let mut list = vec![Step::new(Reach::Done, t.step_decided, Some(command.decided_at))];
    list.extend(command.sent_at.map(|at| Step::new(Reach::Done, t.step_sent, Some(at))));
    let seen = if command.on { t.step_on } else { t.step_off };
    match command.state {
        CommandState::Queued => {
            list.push(Step::new(Reach::Now, t.step_sending, None));
            list.push(Step::new(Reach::Ahead, seen, None));
        }
        CommandState::Sending => list.push(Step::new(Reach::Now, t.step_read_back, None)),
        CommandState::Done => list.push(Step::new(Reach::Done, seen, command.finished_at)),
        CommandState::Failed => list.push(Step::new(Reach::Bad, t.step_failed, command.finished_at).note(t.note_failed)),
        CommandState::Superseded => list.push(Step::new(Reach::Bad, t.step_superseded, command.finished_at)),
        CommandState::Case => list.push(Step::new(Reach::Bad, t.step_case, command.finished_at).note(t.note_failed)),
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::Timestamp;

    #[test]
    fn done_is_said_only_when_it_was_read_back() {
        use Reach::{Ahead, Bad, Done, Now};
        for (state, sent, expected) in [
            (CommandState::Queued, false, vec![Done, Now, Ahead]),
            (CommandState::Sending, true, vec![Done, Done, Now]),
            (CommandState::Done, true, vec![Done, Done, Done]),
            (CommandState::Failed, true, vec![Done, Done, Bad]),
            (CommandState::Superseded, false, vec![Done, Bad]),
        ] {
            let command = CommandView {
                on: false,
                state,
                decided_at: Timestamp(1),
                sent_at: sent.then_some(Timestamp(2)),
                finished_at: state.is_final().then_some(Timestamp(3)),
                lost_since: None,
                now: Timestamp(4),
            };
            let reaches: Vec<Reach> = switch_steps(&command, Lang::Zh).iter().map(|step| step.reach).collect();
            assert_eq!(reaches, expected, "{state:?}");
        }
    }
}
