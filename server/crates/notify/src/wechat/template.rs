//! A template of the service account, and what its fields are filled with.

use model::notification::NotificationValues;
use model::template::Template;
use serde_json::{Map, Value, json};

use crate::channel::Message;
use crate::config::{NotifyConfigError, WechatTemplateConfig, required};

/// Characters that WeChat takes in fields of each type, which the field's name begins with; a message with a longer value is
/// refused as a whole.
const LIMITS: [(&str, usize); 7] =
    [("thing", 20), ("short_thing", 5), ("const", 20), ("phrase", 5), ("name", 10), ("character_string", 32), ("symbol", 5)];

pub(super) struct MessageTemplate {
    id: String,
    /// Names of WeChat, and their contents.
    fields: Vec<(String, Template)>,
}

impl MessageTemplate {
    /// `word` is the kind of message, as the configuration names it.
    pub fn new(word: &str, config: &WechatTemplateConfig) -> Result<Self, NotifyConfigError> {
        let key = |name: &str| format!("wechat.templates.{word}.{name}");
        required(&key("id"), &config.id)?;
        if config.fields.is_empty() {
            return Err(NotifyConfigError::new(&key("fields"), "names no field of the template"));
        }
        let names: Vec<&'static str> = ["text"].into_iter().chain(NotificationValues::NAMES).collect();
        let mut fields = Vec::new();
        for (name, text) in &config.fields {
            let template = Template::parse(text, &names)
                .map_err(|error| NotifyConfigError::new(&key(&format!("fields.{name}")), format!("is wrong: {error}")))?;
            fields.push((name.clone(), template));
        }
        Ok(Self { id: config.id.clone(), fields })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// The fields of a message, none longer than WeChat takes.
    pub fn data(&self, message: &Message) -> Map<String, Value> {
        let values = message.values.named();
        let value = |name: &str| match name {
            "text" => message.text.clone(),
            name => values.iter().find(|(of, _)| *of == name).map(|(_, value)| value.clone()).unwrap_or_default(),
        };
        let field = |(name, template): &(String, Template)| {
            let text = template.render(value);
            (name.clone(), json!({ "value": cut(name, &text) }))
        };
        self.fields.iter().map(field).collect()
    }
}

/// The value in the length of its field. A room ends with its number, so the beginning of its name is left out.
fn cut(field: &str, text: &str) -> String {
    let kind = field.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let Some((_, most)) = LIMITS.iter().find(|(of, _)| *of == kind) else { return text.to_owned() };
    let count = text.chars().count();
    if count <= *most { text.to_owned() } else { text.chars().skip(count - most).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{NotificationId, Uuid};
    use model::language::Lang;
    use model::money::Fen;
    use model::notification::NotificationKind;
    use model::time::Timestamp;

    fn config(field: &str, text: &str) -> WechatTemplateConfig {
        WechatTemplateConfig { id: "T1".to_owned(), fields: [(field.to_owned(), text.to_owned())].into() }
    }

    #[test]
    fn values_are_shortened_to_what_a_field_takes() {
        let message = Message {
            id: NotificationId(Uuid::nil()),
            kind: NotificationKind::Alarm2,
            address: "o1".to_owned(),
            language: Lang::Zh,
            subject: String::new(),
            text: "很".repeat(30),
            values: NotificationValues {
                room: "某某大学西校区学生公寓三号楼三单元 301".to_owned(),
                balance: Some(Fen(321)),
                ..NotificationValues::default()
            },
            asked_at: Timestamp(0),
        };
        let data = |field: &str, text: &str| {
            let template = MessageTemplate::new("alarm-2", &config(field, text)).unwrap();
            template.data(&message)[field]["value"].as_str().unwrap().to_owned()
        };
        assert_eq!(data("amount2", "{balance}元"), "3.21元");
        assert_eq!(data("thing1", "{room}"), "某大学西校区学生公寓三号楼三单元 301");
        assert_eq!(data("thing1", "{room}").chars().count(), 20);
        assert_eq!(data("thing4", "{text}").chars().count(), 20);
        assert_eq!(data("phrase5", "余额不足"), "余额不足");
    }

    #[test]
    fn wrong_fields_are_named() {
        let key = |config: &WechatTemplateConfig| MessageTemplate::new("alarm-2", config).err().unwrap().key;
        assert_eq!(key(&config("thing1", "{rom}")), "wechat.templates.alarm-2.fields.thing1");
        assert_eq!(key(&WechatTemplateConfig::default()), "wechat.templates.alarm-2.id");
        let bare = WechatTemplateConfig { id: "T1".to_owned(), ..WechatTemplateConfig::default() };
        assert_eq!(key(&bare), "wechat.templates.alarm-2.fields");
    }
}
