//! Texts of messages: all of them, and the editor of one with its preview. Without scripts a preview is a form that leads back.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Section};
use super::parts::param;
use super::printing::{language, values_table};
use crate::api::message_texts::{EditedText, TextLine, TextVersionLine, text_page};
use crate::i18n::notifications::{example, kind as kind_name, length, mistake, texts};
use crate::i18n::{Lang, lang};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::error::AppError;
use model::notification::{NotificationKind, TEXT_MAX, TextCoding, TextLength, TextMistake};

/// The page: `/messages/texts`.
#[component]
pub fn MessageTextsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.message_texts.message_texts(&who).await
    };
    load(read, |lines| view! { <List lines /> }.into_any())
}

#[component]
fn List(lines: Vec<TextLine>) -> impl IntoView {
    let (all, t) = (texts(lang()), texts(lang()).texts);
    let rows = lines.into_iter().map(move |line| {
        let written = if line.is_own { t.of_site } else { t.of_product };
        view! {
            <tr>
                <th scope="row">{kind_name(line.kind, lang())}</th>
                <td data-label=t.language>{language(line.lang)}</td>
                <td data-label=t.text>{line.text}</td>
                <td data-label=all.state>{written}</td>
                <td><a class="button" href=text_page(line.kind, line.lang)>{t.edit}</a></td>
            </tr>
        }
    });
    view! {
        <Frame title=t.title section=Section::Messages>
            <nav><ol class="crumbs"><li><a href="/messages">{all.title}</a></li></ol></nav>
            <h1>{t.title}</h1>
            <p class="hint">{t.lead}</p>
            <TableScroll label=t.title>
                <table class="table stacked">
                    <thead>
                        <tr>
                            <th scope="col">{all.kind}</th>
                            <th scope="col">{t.language}</th>
                            <th scope="col">{t.text}</th>
                            <th scope="col">{all.state}</th>
                            <th scope="col">{all.action}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </TableScroll>
        </Frame>
    }
}

struct Shown {
    edited: EditedText,
    /// What the field has: the text in use, or one that is not stored.
    text: String,
    preview: Result<String, TextMistake>,
}

/// The page: `/messages/texts/:kind?language=...`, with a text that is not stored behind `text`.
#[component]
pub fn MessageTextPage() -> impl IntoView {
    let kind = use_params_map().with_untracked(|params| params.get("kind")).unwrap_or_default();
    let (kind, of, typed) = (NotificationKind::parse(&kind), Lang::choose(&param("language")), param("text"));
    let read = async move {
        let (kind, of) = kind.zip(of).ok_or(AppError::NotFound)?;
        let (ports, who) = (ports()?, operator()?);
        let edited = ports.message_texts.message_text(&who, kind, of).await?;
        let text = if typed.is_empty() { edited.line.text.clone() } else { typed };
        let preview = ports.message_texts.preview_text(&who, (kind, of), &text).await?;
        Ok(Shown { edited, text, preview })
    };
    load(read, |shown| view! { <Editor shown /> }.into_any())
}

#[component]
fn Editor(shown: Shown) -> impl IntoView {
    let (all, t) = (texts(lang()), texts(lang()).texts);
    let Shown { edited: EditedText { line, version, versions }, text, preview } = shown;
    let title = format!("{} · {}", kind_name(line.kind, lang()), language(line.lang));
    let done = (param("done") == "saved").then(|| view! { <Callout tone=Tone::Good><p>{t.saved}</p></Callout> });
    let of = move || {
        view! {
            <input type="hidden" name="kind" value=line.kind.as_str() />
            <input type="hidden" name="language" value=line.lang.tag() />
            <input type="hidden" name="version" value=version.to_string() />
        }
    };
    let values = example(line.kind, line.lang).named().into_iter();
    let values = values.filter(|(name, _)| line.kind.values().contains(name)).map(|(name, value)| (format!("{{{name}}}"), value));
    let values = values_table(values);
    let reset = line.is_own.then(|| {
        view! {
            <form method="post" action="/api/operator/message-texts/reset">
                {of()}
                <button>{t.reset}</button>
            </form>
        }
    });
    view! {
        <Frame title=title.clone() section=Section::Messages>
            <nav>
                <ol class="crumbs">
                    <li><a href="/messages">{all.title}</a></li>
                    <li><a href="/messages/texts">{t.title}</a></li>
                </ol>
            </nav>
            <h1>{title}</h1>
            <Notice />
            {done}
            <div class="halves">
                <div class="stack">
                    <form class="card stack-tight" method="post" action="/api/operator/message-texts/set">
                        {of()}
                        <div class="field">
                            <label for="text">{t.text}</label>
                            <textarea class="input" id="text" name="text" rows="6" required maxlength=TEXT_MAX.to_string()
                                aria-describedby="text-hint">
                                {format!("\n{text}")}
                            </textarea>
                            <p class="hint" id="text-hint">{t.text_hint}</p>
                        </div>
                        <div class="buttons">
                            <button class="primary">{t.save}</button>
                            <button formaction="/api/operator/message-texts/preview">{t.show_preview}</button>
                        </div>
                    </form>
                    {reset}
                    {values}
                </div>
                <div class="stack">
                    {preview_card(&preview)}
                    {versions_card((line.kind, line.lang), &versions)}
                </div>
            </div>
        </Frame>
    }
}

fn preview_card(preview: &Result<String, TextMistake>) -> impl IntoView + use<> {
    let t = texts(lang()).texts;
    let body = match preview {
        Ok(text) => {
            let limits = match TextLength::of(text).coding {
                TextCoding::Gsm7 => t.limits_gsm7,
                TextCoding::Ucs2 => t.limits_ucs2,
            };
            let lines = text.lines().map(|line| view! { <p>{line.to_owned()}</p> }).collect_view();
            view! {
                <blockquote class="stack-tight">{lines}</blockquote>
                <p class="line">{t.length}": "{length(text, lang())}</p>
                <p class="hint">{limits}</p>
            }
            .into_any()
        }
        Err(found) => {
            let words = mistake(found, lang());
            view! { <Callout tone=Tone::Bad><p>{words}</p></Callout> }.into_any()
        }
    };
    view! {
        <section class="card stack-tight" aria-labelledby="preview">
            <h2 id="preview">{t.preview}</h2>
            <p class="hint">{t.preview_hint}</p>
            {body}
        </section>
    }
}

fn versions_card((kind, of): (NotificationKind, Lang), versions: &[TextVersionLine]) -> impl IntoView + use<> {
    let t = texts(lang()).texts;
    let rows = versions.iter().cloned().map(move |one| {
        let again = one.text.clone().map(|text| {
            let text = view! { <input type="hidden" name="text" value=text /> };
            view! {
                <form method="post" action="/api/operator/message-texts/preview">
                    <input type="hidden" name="kind" value=kind.as_str() />
                    <input type="hidden" name="language" value=of.tag() />
                    {text}
                    <button>{t.use_again}</button>
                </form>
            }
        });
        view! {
            <tr>
                <th scope="row"><At at=one.changed_at /></th>
                <td data-label=t.changed_by>{one.changed_by}</td>
                <td data-label=t.text>{one.text.unwrap_or_else(|| t.of_product.to_owned())}</td>
                <td>{again}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let body = if versions.is_empty() {
        view! { <p class="empty">{t.none}</p> }.into_any()
    } else {
        view! { <table class="table stacked"><tbody>{rows}</tbody></table> }.into_any()
    };
    view! {
        <section class="card stack-tight">
            <h2>{t.versions}</h2>
            {body}
        </section>
    }
}
