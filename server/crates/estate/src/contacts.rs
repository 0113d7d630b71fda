//! The number that residents are told to call, and who signs text messages, as people set them for places and groups. What
//! applies to a message is found by the crate of messages.

use model::audit::AuditAction;
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{PlaceGroupId, PlaceId};
use model::notification::Contact;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::AssertSqlSafe;

use domain::site_plan::PlaceContact;
use store::audit;
use store::{Db, Result, Tx, on};

/// Sets what a place or group has of its own.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is no such place or group.
pub async fn set(db: &Db, at: Timestamp, who: &Who, of: DefaultsOf, contact: &PlaceContact) -> Result<()> {
    let mut tx = db.begin().await?;
    set_within(&mut tx, at, who, of, contact).await?;
    tx.commit().await
}

/// The same in the caller's transaction.
///
/// # Errors
/// As [`set`].
pub(super) async fn set_within(tx: &mut Tx, at: Timestamp, who: &Who, of: DefaultsOf, contact: &PlaceContact) -> Result<()> {
    let (table, named, key, id, subject) = match of {
        DefaultsOf::Place(place) => ("place_contacts", "places", "place_id", place.0, format!("place:{place}")),
        DefaultsOf::Group(group) => ("group_contacts", "place_groups", "group_id", group.0, format!("group:{group}")),
    };
    let sql = format!(
        "INSERT INTO {table} ({key}, phone, signature) SELECT id, $2, $3 FROM {named} WHERE id = $1
         ON CONFLICT ({key}) DO UPDATE SET phone = excluded.phone, signature = excluded.signature"
    );
    let phone = contact.phone.as_ref().map(Contact::as_str);
    let stored =
        on!(tx, |c| sqlx::query(AssertSqlSafe(sql.clone())).bind(id).bind(phone).bind(&contact.signature).execute(c).await)?;
    if stored == 0 {
        return Err(AppError::NotFound.into());
    }
    let detail = json!({ "contact": phone, "signature": contact.signature });
    audit::record(tx, at, who, (AuditAction::SiteContact, &subject), &detail).await
}

/// What places and groups have of their own, as the transaction has left it.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<(DefaultsOf, PlaceContact)>> {
    let places: Vec<(PlaceId, Option<String>, Option<String>)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id, phone, signature FROM place_contacts").fetch_all(c).await)?;
    let groups: Vec<(PlaceGroupId, Option<String>, Option<String>)> =
        on!(tx, |c| sqlx::query_as("SELECT group_id, phone, signature FROM group_contacts").fetch_all(c).await)?;
    let places = places.into_iter().map(|(place, phone, signature)| (DefaultsOf::Place(place), phone, signature));
    let groups = groups.into_iter().map(|(group, phone, signature)| (DefaultsOf::Group(group), phone, signature));
    let contact = |(of, phone, signature): (DefaultsOf, Option<String>, Option<String>)| {
        (of, PlaceContact { phone: phone.and_then(|phone| phone.parse().ok()), signature })
    };
    Ok(places.chain(groups).map(contact).filter(|(_, contact)| *contact != PlaceContact::default()).collect())
}
