//! The body of a switch command's page, rendered by the server and again in the browser when it changes.

use leptos::prelude::*;

use crate::api::resident::CommandView;
use crate::i18n::Lang;
use crate::i18n::resident::{sentences, texts};
use crate::ui::steps::{Step, StepState, steps};
use model::order::CommandState;

/// The headline, what is waiting and why, the steps, and the link back.
pub fn switch_body(command: &CommandView, lang: Lang) -> impl IntoView + use<> {
    let t = texts(lang);
    let (class, head) = match (command.state, command.on) {
        (CommandState::Done, true) => ("open", t.head_switched_on),
        (CommandState::Done, false) => ("quiet", t.head_switched_off),
        (CommandState::Failed | CommandState::Superseded, _) => ("alarm1", t.head_not_switched),
        (CommandState::Case, _) => ("alarm1", t.step_case),
        (CommandState::Queued | CommandState::Sending, true) => ("accent", t.head_switching_on),
        (CommandState::Queued | CommandState::Sending, false) => ("accent", t.head_switching_off),
    };
    let waits =
        command.lost_since.filter(|_| !command.state.is_final()).map(|since| sentences::switch_waits(since, command.now, lang));
    view! {
        <header><h1 class=format!("state big {class}")>{head}</h1></header>
        {waits.map(|words| view! { <div class="notice lost"><p>{words}</p></div> })}
        <section class="card">{steps(switch_steps(command, lang), command.now, lang)}</section>
        <a class="button wide" href="/home">{t.done}</a>
    }
}

/// Decided, sent, read back: done only after the read-back.
#[must_use]
pub fn switch_steps(command: &CommandView, lang: Lang) -> Vec<Step> {
    let t = texts(lang);
    let mut list = vec![Step::new(StepState::Done, t.step_decided, Some(command.decided_at))];
    list.extend(command.sent_at.map(|at| Step::new(StepState::Done, t.step_sent, Some(at))));
    let seen = if command.on { t.step_on } else { t.step_off };
    match command.state {
        CommandState::Queued => {
            list.push(Step::new(StepState::Now, t.step_sending, None));
            list.push(Step::new(StepState::Ahead, seen, None));
        }
        CommandState::Sending => list.push(Step::new(StepState::Now, t.step_read_back, None)),
        CommandState::Done => list.push(Step::new(StepState::Done, seen, command.finished_at)),
        CommandState::Failed => list.push(Step::new(StepState::Bad, t.step_failed, command.finished_at).note(t.note_failed)),
        CommandState::Superseded => list.push(Step::new(StepState::Bad, t.step_superseded, command.finished_at)),
        CommandState::Case => list.push(Step::new(StepState::Bad, t.step_case, command.finished_at).note(t.note_failed)),
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::Timestamp;

    #[test]
    fn a_command_is_done_only_after_read_back() {
        use StepState::{Ahead, Bad, Done, Now};
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
            let reaches: Vec<StepState> = switch_steps(&command, Lang::Zh).iter().map(|step| step.state).collect();
            assert_eq!(reaches, expected, "{state:?}");
        }
    }
}
