//! What the site lets its residents do or see.

use model::audit::AuditAction;
use model::person::Who;
use model::site_option::SiteOption;
use model::time::Timestamp;

use store::audit;
use store::{Db, Result, on, read};

/// The statements that read and set an option.
const fn statements(option: SiteOption) -> (&'static str, &'static str) {
    macro_rules! of_column {
        ($column:literal) => {
            (
                concat!("SELECT ", $column, " FROM site_settings WHERE one = 1"),
                concat!("UPDATE site_settings SET ", $column, " = $1 WHERE one = 1 AND ", $column, " <> $1"),
            )
        };
    }
    match option {
        SiteOption::RoommateLinks => of_column!("roommate_links"),
        SiteOption::CompareRooms => of_column!("compare_rooms"),
        SiteOption::PayForOthers => of_column!("pay_for_others"),
    }
}

pub async fn is_on(db: &Db, option: SiteOption) -> Result<bool> {
    let (select, _) = statements(option);
    let row: Option<(bool,)> = read!(db, |pool| sqlx::query_as(select).fetch_optional(pool).await)?;
    Ok(row.is_some_and(|(on,)| on))
}

/// Sets an option, with its audit line in one transaction; nothing happens where it is set so already. The caller has
/// checked the permission.
pub async fn set(db: &Db, at: Timestamp, who: &Who, option: SiteOption, on: bool) -> Result<()> {
    let (_, update) = statements(option);
    let mut tx = db.begin().await?;
    let changed = on!(&mut tx, |c| sqlx::query(update).bind(on).execute(c).await)?;
    if changed == 0 {
        return Ok(());
    }
    let action = match option {
        SiteOption::RoommateLinks => AuditAction::SiteRoommates,
        SiteOption::CompareRooms => AuditAction::SiteCompareRooms,
        SiteOption::PayForOthers => AuditAction::SitePayForOthers,
    };
    audit::record(&mut tx, at, who, (action, "site"), &serde_json::json!({ "on": on })).await?;
    tx.commit().await
}
