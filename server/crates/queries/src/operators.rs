//! Operators as lists show them.

use std::collections::HashMap;

use model::console::Page;
use model::ids::{PlaceId, RoleId, UserId};
use model::operator::{OperatorLine, RoleChoice};
use model::permission::Permissions;
use model::person::Role;
use model::time::Timestamp;
use sqlx::FromRow;

use store::operators::ChangedBy;
use store::{Db, Result, read, roles};

#[derive(FromRow)]
struct OperatorRow {
    id: UserId,
    login: String,
    name: String,
    role: Role,
    own_role_id: Option<RoleId>,
    own_role: Option<String>,
    all_buildings: bool,
    disabled_at: Option<Timestamp>,
    is_accepted: bool,
    logged_in_at: Option<Timestamp>,
    sessions: i64,
    link_until: Option<Timestamp>,
    total: i64,
}

macro_rules! operators {
    ($($rest:expr),+) => {
        concat!(
            "SELECT u.id, u.login, u.name, u.role, u.own_role_id, r.name AS own_role, u.all_buildings, u.disabled_at,
                    u.password_hash <> '' AS is_accepted, u.logged_in_at,
                    (SELECT COUNT(*) FROM sessions s WHERE s.user_id = u.id AND s.expires_at > $1) AS sessions,
                    (SELECT MAX(i.expires_at) FROM invitations i WHERE i.user_id = u.id AND i.used_at IS NULL
                        AND i.withdrawn_at IS NULL AND i.expires_at > $1) AS link_until,
                    COUNT(*) OVER () AS total
             FROM users u LEFT JOIN roles r ON r.id = u.own_role_id WHERE u.role <> 'resident' ",
            $($rest),+
        )
    };
}

/// Whoever works in a building of the operator `$2`, in all or in none; NULL: everybody.
macro_rules! colleagues {
    () => {
        "AND ($2 IS NULL OR u.id = $2 OR u.all_buildings OR (SELECT v.all_buildings FROM users v WHERE v.id = $2)
              OR NOT EXISTS (SELECT 1 FROM operator_buildings o WHERE o.user_id = u.id)
              OR EXISTS (SELECT 1 FROM operator_buildings o JOIN operator_buildings v ON v.place_id = o.place_id
                         WHERE o.user_id = u.id AND v.user_id = $2)) "
    };
}

/// A page of the operators whom somebody sees, by name; those who cannot log in come last. Whoever is limited to buildings does
/// not see those who work only in others.
pub async fn operators(db: &Db, at: Timestamp, by: ChangedBy<'_>, page: i64) -> Result<Page<OperatorLine>> {
    let rows: Vec<OperatorRow> = read!(db, |pool| sqlx::query_as(operators!(
        colleagues!(),
        "ORDER BY (u.disabled_at IS NOT NULL), u.name, u.login LIMIT $3 OFFSET $4"
    ))
    .bind(at)
    .bind(by.user())
    .bind(Page::<OperatorLine>::SIZE)
    .bind(page * Page::<OperatorLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: lines(db, rows).await?, total })
}

/// One operator, as in the list.
pub async fn operator(db: &Db, at: Timestamp, by: ChangedBy<'_>, user: UserId) -> Result<Option<OperatorLine>> {
    let rows: Vec<OperatorRow> = read!(db, |pool| sqlx::query_as(operators!(colleagues!(), "AND u.id = $3"))
        .bind(at)
        .bind(by.user())
        .bind(user)
        .fetch_all(pool)
        .await)?;
    Ok(lines(db, rows).await?.pop())
}

/// The operator who logs in by that name, whether they can or not.
pub async fn operator_by_login(db: &Db, at: Timestamp, login: &str) -> Result<Option<OperatorLine>> {
    let rows: Vec<OperatorRow> =
        read!(db, |pool| sqlx::query_as(operators!("AND u.login = $2")).bind(at).bind(login).fetch_all(pool).await)?;
    Ok(lines(db, rows).await?.pop())
}

async fn lines(db: &Db, rows: Vec<OperatorRow>) -> Result<Vec<OperatorLine>> {
    let own = roles::own_permissions(db).await?;
    let assigned: Vec<(UserId, PlaceId, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT o.user_id, p.id, p.name FROM operator_buildings o JOIN places p ON p.id = o.place_id ORDER BY p.sort, p.name"
    )
    .fetch_all(pool)
    .await)?;
    let mut buildings: HashMap<UserId, Vec<(PlaceId, String)>> = HashMap::new();
    for (user, place, name) in assigned {
        buildings.entry(user).or_default().push((place, name));
    }
    Ok(rows.into_iter().map(|row| row.line(&own, &mut buildings)).collect())
}

impl OperatorRow {
    fn line(self, own: &HashMap<RoleId, Permissions>, buildings: &mut HashMap<UserId, Vec<(PlaceId, String)>>) -> OperatorLine {
        let role = self.own_role_id.map_or(RoleChoice::Ready(self.role), RoleChoice::Own);
        let permissions = match role {
            RoleChoice::Ready(role) => Permissions::of(role),
            RoleChoice::Own(id) => own.get(&id).copied().unwrap_or_default(),
        };
        let assigned = buildings.remove(&self.id).unwrap_or_default();
        OperatorLine {
            id: self.id,
            login: self.login,
            name: self.name,
            role,
            own_role: self.own_role,
            permissions,
            buildings: if self.all_buildings { None } else { Some(assigned) },
            disabled_at: self.disabled_at,
            is_accepted: self.is_accepted,
            logged_in_at: self.logged_in_at,
            sessions: self.sessions,
            link_until: self.link_until,
        }
    }
}
