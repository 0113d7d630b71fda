//! What one person asks for and another approves.

use domain::clock::Clock;
use domain::meter_state::StateBlock;
use domain::returns::Rules;
use domain::wall_layout::Scope;
use model::approval::{Decision, Outcome};
use model::ids::{ApprovalId, UserId};
use model::permission::Permissions;
use model::person::{Role, Who};
use store::StoreError;
use store::approvals::{self, NewRequest};
use store::users::{self, NewUser};

use crate::World;

impl World {
    /// An administrator, whose login and name are the same.
    pub async fn admin(&self, login: &str) -> Who {
        let user = NewUser { role: Role::Admin, login, name: login, password_hash: "x", buildings: &Scope::All };
        let user = users::create(&self.db, &self.rng, self.clock.now(), &user, "test").await.unwrap();
        Who { user, role: Role::Admin, permissions: Permissions::of(Role::Admin), name: login.into(), ip: String::new() }
    }

    pub async fn request(
        &self,
        who: &Who,
        rules: &Rules,
        decision: &Decision,
        seen: Option<&StateBlock>,
    ) -> Result<Outcome, StoreError> {
        let new = NewRequest { decision: decision.clone(), reason: "found on site".into(), who: who.clone() };
        approvals::ask(&self.db, &self.rng, self.clock.now(), rules, &new, seen).await
    }

    /// The request for a decision that waits, as far as somebody sees it.
    pub async fn waits(&self, who: UserId, decision: &Decision) -> Option<ApprovalId> {
        let lines = queries::approval_requests(&self.db, who, self.clock.now()).await.unwrap();
        lines.into_iter().find(|line| line.decision == *decision).map(|line| line.id)
    }

    pub async fn approves(&self, who: &Who, id: ApprovalId) -> Result<(), StoreError> {
        approvals::approve(&self.db, &self.rng, self.clock.now(), who, id, None).await
    }

    /// Asks as one person and approves as another, where it needs two.
    pub async fn by_two(&self, asker: &Who, approver: &Who, decision: &Decision) -> Result<(), StoreError> {
        if self.request(asker, &Rules::default(), decision, None).await? == Outcome::Done {
            return Ok(());
        }
        match self.waits(approver.user, decision).await {
            Some(id) => self.approves(approver, id).await,
            // Somebody else approved it at this moment.
            None => Err(model::error::AppError::Conflict.into()),
        }
    }
}
