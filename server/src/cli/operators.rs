//! `dormwatt admin list`, `invite` and the like: operators, as on the page `/operators`.

use std::process::ExitCode;

use app::i18n::{Lang, errors, operators as words};
use clap::{Args, Subcommand};
use model::operator::{LinkKind, OperatorLine, RoleChoice};
use model::person::{MAX_NAME, Role, is_login_name, is_name};

use super::Outcome;
use super::admin::scope;
use crate::config::Config;
use crate::startup::open_database;
use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use domain::wall_layout::Scope;
use services::auth::{hash, new_token};
use services::console::link_until;
use store::operators::{self, Access, ChangedBy, NewLink, NewOperator};
use store::{Db, StoreError, roles};

#[derive(Subcommand)]
pub enum Operators {
    /// List the operators: role, buildings, state and last login
    List,
    /// Add an operator who chooses a password through a one-time link
    Invite {
        #[command(flatten)]
        whom: Whom,
        /// What to call them; the login name if not given
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        access: AccessArgs,
    },
    /// Give an operator another role and other buildings
    SetRole {
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        access: AccessArgs,
    },
    /// Let an operator log in no longer, and end their sessions
    Disable(Whom),
    /// Let an operator log in again
    Enable(Whom),
    /// Log an operator out everywhere
    EndSessions(Whom),
    /// Make a one-time link with which an operator chooses another password
    Reset(Whom),
}

#[derive(Args)]
pub struct Whom {
    /// What they log in as
    #[arg(long)]
    login: String,
}

#[derive(Args)]
pub struct AccessArgs {
    /// admin, manager, cashier, technician, auditor, read-only, or the name of a role of the site
    #[arg(long)]
    role: String,
    /// A building that they see; may be given more than once
    #[arg(long)]
    building: Vec<String>,
    /// They see every building, as administrators always do
    #[arg(long)]
    all_buildings: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

pub async fn run(config: &Config, command: Operators) -> Outcome {
    let db = open_database(config).await?;
    let done = carry_out(config, &db, command).await;
    db.close().await;
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(match error.downcast::<StoreError>() {
            Ok(refused) => match *refused {
                StoreError::Refused(problem) => errors::message(problem, Lang::En).into(),
                other => other.into(),
            },
            Err(other) => other,
        }),
    }
}

async fn carry_out(config: &Config, db: &Db, command: Operators) -> Result<(), Failure> {
    let (now, by, rng) = (SystemClock.now(), ChangedBy::CommandLine, Rng::from_system());
    match command {
        Operators::List => {
            for page in 0.. {
                let found = queries::operators(db, now, by, page).await?;
                found.lines.iter().for_each(|line| println!("{}", in_words(line)));
                if found.lines.is_empty() {
                    break;
                }
            }
        }
        Operators::Invite { whom, name, access } => {
            let login = whom.login.trim();
            let name = names(login, name.as_deref())?;
            let (role, buildings) = access_of(db, access).await?;
            let code = new_token(&rng);
            let link = NewLink { hash: hash(&code), expires_at: link_until(LinkKind::Invite, now) };
            let new = NewOperator { login, name, role, buildings: &buildings };
            operators::invite(db, &rng, now, by, &new, link).await?;
            print_link(config, login, &code);
        }
        Operators::SetRole { whom, access } => {
            let (role, buildings) = access_of(db, access).await?;
            let line = person(db, &whom).await?;
            operators::set_access(db, &rng, now, by, line.id, Access { role, buildings: &buildings }).await?;
            println!("{}", in_words(&person(db, &whom).await?));
        }
        Operators::Disable(whom) => {
            operators::set_disabled(db, &rng, now, by, person(db, &whom).await?.id, true).await?;
            println!("{} can no longer log in.", whom.login);
        }
        Operators::Enable(whom) => {
            operators::set_disabled(db, &rng, now, by, person(db, &whom).await?.id, false).await?;
            println!("{} can log in again.", whom.login);
        }
        Operators::EndSessions(whom) => {
            let ended = operators::end_sessions(db, now, by, person(db, &whom).await?.id).await?;
            println!("{} is logged out everywhere ({ended} sessions).", whom.login);
        }
        Operators::Reset(whom) => {
            let (line, code) = (person(db, &whom).await?, new_token(&rng));
            let link = |kind| NewLink { hash: hash(&code), expires_at: link_until(kind, now) };
            operators::renew(db, now, by, line.id, link).await?;
            print_link(config, &whom.login, &code);
        }
    }
    Ok(())
}

/// The name of somebody new: what was given, or the login name.
///
/// # Errors
/// Where one of the two is none.
pub(super) fn names<'a>(login: &'a str, name: Option<&'a str>) -> Result<&'a str, Failure> {
    if !is_login_name(login) {
        return Err(format!("{login} cannot be a login name").into());
    }
    match name.map(str::trim) {
        None => Ok(login),
        Some(name) if is_name(name) => Ok(name),
        Some(name) => Err(format!("{name} cannot be a name: 1 to {MAX_NAME} characters").into()),
    }
}

async fn person(db: &Db, whom: &Whom) -> Result<OperatorLine, Failure> {
    let found = queries::operator_by_login(db, SystemClock.now(), whom.login.trim()).await?;
    found.ok_or_else(|| format!("no operator logs in as {}", whom.login).into())
}

async fn access_of(db: &Db, access: AccessArgs) -> Result<(RoleChoice, Scope), Failure> {
    let word = access.role.trim().replace('-', "_");
    let ready = Role::parse(&word).filter(|role| Role::READY.contains(role)).map(RoleChoice::Ready);
    let role = match ready {
        Some(role) => role,
        None => {
            let own = roles::list(db).await?.into_iter().find(|role| role.name == access.role.trim());
            own.map(|role| RoleChoice::Own(role.id)).ok_or_else(|| format!("no role is called {}", access.role))?
        }
    };
    Ok((role, scope(db, if access.all_buildings { None } else { Some(access.building) }).await?))
}

fn print_link(config: &Config, login: &str, code: &str) {
    println!("Give this link to {login}; it is shown only now:");
    println!("{}/invitations/{code}", config.server.public_url.trim_end_matches('/'));
}

/// `wang: Wang Wei, Cashier, all buildings, active, last login 2026-11-29 09:00`
fn in_words(line: &OperatorLine) -> String {
    let t = words::texts(Lang::En);
    let buildings = match &line.buildings {
        None => "all buildings".to_owned(),
        Some(none) if none.is_empty() => "no building".to_owned(),
        Some(some) => some.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" + "),
    };
    let last = line.logged_in_at.map_or_else(|| t.never.to_lowercase(), |at| at.to_string());
    let state = words::state(line.state(), Lang::En).to_lowercase();
    format!("{}: {}, {}, {buildings}, {state}, last login {last}", line.login, line.name, words::role_of(line, Lang::En))
}
