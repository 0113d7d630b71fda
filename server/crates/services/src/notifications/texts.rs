//! Texts of messages that the site writes.

use app::api::message_texts::{EditedText, MessageTextsPort, TextLine, TextVersionLine};
use app::i18n::notifications::{example, standard, text};
use async_trait::async_trait;
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::language::Lang;
use model::notification::{MessageText, NotificationKind, NotificationValues, TextMistake};
use model::person::Who;
use notify::contacts::{self, ContactValues};
use notify::texts;

use super::NotificationsService;

fn line((kind, lang): (NotificationKind, Lang), own: Option<String>) -> TextLine {
    let is_own = own.is_some();
    TextLine { kind, lang, text: own.unwrap_or_else(|| standard(kind, lang)), is_own }
}

#[async_trait]
impl MessageTextsPort for NotificationsService {
    async fn message_texts(&self, who: &Who) -> Result<Vec<TextLine>, AppError> {
        self.context.require_whole_site(who).await?;
        let mut own = texts::own(&self.context.db).await?;
        let all = NotificationKind::ALL.into_iter().flat_map(|kind| Lang::ALL.map(|lang| (kind, lang)));
        Ok(all.map(|of| line(of, own.remove(&of))).collect())
    }

    async fn message_text(&self, who: &Who, kind: NotificationKind, lang: Lang) -> Result<EditedText, AppError> {
        self.context.require_whole_site(who).await?;
        let versions = texts::versions(&self.context.db, kind, lang).await?;
        let newest = versions.first();
        let own = newest.and_then(|newest| newest.text.clone());
        Ok(EditedText {
            line: line((kind, lang), own),
            version: newest.map_or(0, |newest| newest.version),
            versions: versions
                .into_iter()
                .map(|one| TextVersionLine { text: one.text, changed_at: one.changed_at, changed_by: one.name })
                .collect(),
        })
    }

    async fn preview_text(
        &self,
        who: &Who,
        (kind, lang): (NotificationKind, Lang),
        written: &str,
    ) -> Result<Result<String, TextMistake>, AppError> {
        self.context.require_whole_site(who).await?;
        let written = match MessageText::parse(kind, written) {
            Ok(written) => written,
            Err(mistake) => return Ok(Err(mistake)),
        };
        let site = estate::places::tree(&self.context.db).await?.site().map(|site| DefaultsOf::Place(site.id));
        let ContactValues { phone, signature } = match site {
            Some(site) => contacts::own(&self.context.db, site).await?,
            None => ContactValues::default(),
        };
        let values = NotificationValues { contact: phone.unwrap_or_default(), ..example(kind, lang) };
        Ok(Ok(text(kind, Some(written.as_str()), &values, signature.as_deref(), lang)))
    }

    async fn set_text(
        &self,
        who: &Who,
        of: (NotificationKind, Lang, i64),
        written: Option<&str>,
    ) -> Result<Result<(), TextMistake>, AppError> {
        self.context.require_whole_site(who).await?;
        let written = match written.map(|written| MessageText::parse(of.0, written)).transpose() {
            Ok(written) => written,
            Err(mistake) => return Ok(Err(mistake)),
        };
        texts::set(&self.context.db, self.context.now(), who, of, written.as_ref()).await?;
        Ok(Ok(()))
    }
}
