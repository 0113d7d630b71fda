//! The people who work at the demo's site besides those who try it.

use model::ids::PlaceId;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::Timestamp;

use domain::rng::Rng;
use domain::wall_layout::Scope;
use store::users::{self, NewUser};
use store::{Db, Result};

/// Operators who act in the past.
pub struct Staff {
    /// Administrator; approves.
    pub supervisor: Who,
    /// Runs one building.
    pub manager: Who,
    /// Sell in turn, day by day.
    pub cashiers: [Who; 2],
    pub technician: Who,
    /// Closes the days of the channels.
    pub accountant: Who,
}

/// Takes on everybody; `building` is the manager's.
pub async fn hire(db: &Db, rng: &Rng, at: Timestamp, supervisor: &str, hash: &str, building: PlaceId) -> Result<Staff> {
    let own = Scope::Buildings([building].into_iter().collect());
    let hire = async |login: &str, name: &str, role: Role, buildings: &Scope, host: u8| {
        let new = NewUser { role, login, name, password_hash: hash, buildings };
        let user = users::create(db, rng, at, &new, "demo").await?;
        let (permissions, ip) = (Permissions::of(role), format!("10.20.1.{host}"));
        Result::Ok(Who { user, role, permissions, name: name.to_owned(), ip })
    };
    // Reads, and does nothing.
    hire("sunmin", "孙敏", Role::Auditor, &Scope::All, 15).await?;
    Ok(Staff {
        supervisor: hire(supervisor, "班长", Role::Admin, &Scope::All, 10).await?,
        manager: hire("lihua", "李华", Role::Manager, &own, 11).await?,
        cashiers: [
            hire("wangli", "王丽", Role::Cashier, &Scope::All, 12).await?,
            hire("chenjing", "陈静", Role::Cashier, &Scope::All, 13).await?,
        ],
        technician: hire("zhaoqiang", "赵强", Role::Technician, &Scope::All, 14).await?,
        accountant: hire("zhoujie", "周洁", Role::Manager, &Scope::All, 16).await?,
    })
}
