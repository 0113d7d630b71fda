//! Messages to people, with a provider that fails in every way; on both databases.

mod devices;
mod modem;
mod operators;
mod pages;
mod phone;
mod sending;
mod wechat_log_in;
mod words;

use domain::clock::Clock;
use model::event::EventKind;
use model::ids::{GatewayId, MeterId, UserId};
use model::language::Lang;
use model::notification::NotificationChannel;
use model::permission::Permissions;
use model::person::{Role, Who};
use notify::{Channels, NotifyConfig, PushConfig, SmsConfig, WebhookConfig, WechatConfig, WechatTemplateConfig};
use services::notifications::{NotificationsService, SendResult};
use simulator::notify_provider::SimulatedProvider;
use store::Db;
use store::events::{self, Subject};
use store::notifications::{self as alerts, CodeOutcome, NewCode};
use story_support::World;
use story_support::rooms::Room;

const SMS: NotificationChannel = NotificationChannel::Sms;
const SECRET: &str = "webhook secret";
const CONTACT: &str = "mailto:power@example.edu.cn";

fn config(provider: &SimulatedProvider) -> NotifyConfig {
    let sms = SmsConfig {
        url: provider.url("sms"),
        body: r#"{"mobile":"{phone}","content":"{text}","id":"{id}","kind":"{kind}"}"#.to_owned(),
        success_pointer: "/code".to_owned(),
        success_value: "0".to_owned(),
        price: "0.045".to_owned(),
        per_minute: 600,
        ..SmsConfig::default()
    };
    let webhook = WebhookConfig { url: provider.url("webhook"), secret: SECRET.into(), per_minute: 600 };
    let fields = [("thing1", "{room}"), ("amount2", "{balance}")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let template = WechatTemplateConfig { id: "T1".to_owned(), fields: fields.into() };
    let wechat = WechatConfig {
        app_id: "wx1".to_owned(),
        app_secret: SECRET.into(),
        api: provider.url(""),
        sign_in: provider.url(""),
        templates: ["alarm-2", "arrears"].map(|kind| (kind.to_owned(), template.clone())).into(),
        per_minute: 600,
    };
    let push = PushConfig {
        key_file: std::env::temp_dir().join("dormwatt-stories-push.key"),
        contact: CONTACT.to_owned(),
        allow_private: true,
        ..PushConfig::default()
    };
    NotifyConfig {
        sms: Some(sms),
        webhook: Some(webhook),
        wechat: Some(wechat),
        push: Some(push),
        public_url: "https://dorm.example".to_owned(),
        ..NotifyConfig::default()
    }
}

/// A process of its own, on the world's database.
async fn process(w: &World, provider: &SimulatedProvider) -> NotificationsService {
    let (channels, wrong) = Channels::new(&config(provider), None);
    assert_eq!(wrong, []);
    NotificationsService::new(w.context().await, channels, Lang::Zh)
}

async fn send(service: &NotificationsService, channel: NotificationChannel) -> SendResult {
    let one = service.channels().iter().find(|one| one.channel() == channel).unwrap();
    service.send_due(one).await.unwrap()
}

fn resident(user: UserId) -> Who {
    Who { user, role: Role::Resident, permissions: Permissions::NONE, name: String::new(), ip: String::new() }
}

/// A room whose resident has confirmed a phone number; the code was sent.
async fn enrolled(w: &World, unit: u8, service: &NotificationsService) -> Room {
    let room = w.room(unit).await;
    let (who, now) = (resident(room.resident), w.clock.now());
    let address = format!("138001380{unit:02}");
    let new = NewCode { channel: SMS, address: &address, code: "1", hash: b"hash", password_hash: None, language: Lang::Zh };
    alerts::ask_code(&w.db, &w.rng, now, &who, &new).await.unwrap();
    let outcome = alerts::confirm_code(&w.db, now, &who, SMS, b"hash", Lang::Zh).await.unwrap();
    assert_eq!(outcome, CodeOutcome::Confirmed);
    send(service, SMS).await;
    room
}

async fn raise(w: &World, kind: EventKind, meter: MeterId) {
    let mut tx = w.db.begin().await.unwrap();
    let detail = r#"{"remaining_fen":321,"limit_fen":500}"#;
    events::raise(&mut tx, &w.rng, kind, Subject::Meter(meter), w.clock.now(), detail).await.unwrap();
    tx.commit().await.unwrap();
}

async fn clear(w: &World, kind: EventKind, meter: MeterId) {
    let mut tx = w.db.begin().await.unwrap();
    events::clear(&mut tx, &w.rng, kind, Subject::Meter(meter), w.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn lose(w: &World, gateway: GatewayId) {
    let mut tx = w.db.begin().await.unwrap();
    events::raise(&mut tx, &w.rng, EventKind::GatewayLost, Subject::Gateway(gateway), w.clock.now(), "{}").await.unwrap();
    tx.commit().await.unwrap();
}

/// The only resident of the site.
async fn resident_of(w: &World) -> UserId {
    let sql = "SELECT user_id FROM account_residents";
    UserId(match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    })
}

/// What the provider took of text messages, without codes: kind and text.
fn texts(provider: &SimulatedProvider) -> Vec<(String, String)> {
    let of = |key: &str, json: &serde_json::Value| json[key].as_str().unwrap().to_owned();
    let taken = provider.taken("sms").into_iter().map(|request| request.json());
    taken.map(|json| (of("kind", &json), of("content", &json))).filter(|(kind, _)| !kind.ends_with("-code")).collect()
}

fn kinds(provider: &SimulatedProvider) -> Vec<String> {
    texts(provider).into_iter().map(|(kind, _)| kind).collect()
}
