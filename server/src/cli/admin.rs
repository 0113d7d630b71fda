//! `dormwatt admin`: manages operators.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use app::i18n::{Lang, errors};
use clap::{Subcommand, ValueEnum};
use model::person::Role;

use super::Outcome;
use super::operators::{self, Operators};
use crate::config::Config;
use crate::startup::open_database;
use domain::clock::{Clock, SystemClock};
use domain::password::{Owner, check};
use domain::rng::Rng;
use domain::wall_layout::Scope;
use estate::places;
use people::second_factors;
use services::auth::Passwords;
use store::users::{self, NewUser};
use store::{Db, StoreError};

#[derive(Subcommand)]
pub enum Admin {
    /// Add somebody who logs in; the password is read from standard input
    CreateUser {
        /// What they log in as
        #[arg(long)]
        login: String,
        /// What to call them; the login name if not given
        #[arg(long)]
        name: Option<String>,
        /// What they may do
        #[arg(long, value_enum)]
        role: RoleArg,
        /// A building that they see; may be given more than once
        #[arg(long)]
        building: Vec<String>,
        /// They see every building, as administrators always do
        #[arg(long)]
        all_buildings: bool,
    },
    #[command(flatten)]
    Operators(Operators),
    /// Give somebody another password, read from standard input, and end their sessions
    ResetPassword {
        /// What they log in as
        #[arg(long)]
        login: String,
    },
    /// Remove the second factor of somebody who lost it, and end their sessions
    RemoveSecondFactor {
        /// What they log in as
        #[arg(long)]
        login: String,
    },
}

/// Residents are created when their account is opened.
#[derive(Clone, Copy, ValueEnum)]
pub enum RoleArg {
    /// May do everything, and manages operators and the site
    Admin,
    /// Runs the site from day to day, and approves
    Manager,
    /// Sells, and opens and closes accounts
    Cashier,
    /// Looks after meters and gateways
    Technician,
    /// Reads money and the operation log, and changes nothing
    Auditor,
    /// Looks, and changes nothing
    ReadOnly,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Admin => Self::Admin,
            RoleArg::Manager => Self::Manager,
            RoleArg::Cashier => Self::Cashier,
            RoleArg::Technician => Self::Technician,
            RoleArg::Auditor => Self::Auditor,
            RoleArg::ReadOnly => Self::ReadOnly,
        }
    }
}

pub async fn run(config: &Config, command: Admin) -> Outcome {
    match command {
        Admin::CreateUser { login, name, role, building, all_buildings } => {
            let role = Role::from(role);
            let all = all_buildings || role == Role::Admin;
            create(config, &login, name.as_deref(), role, if all { None } else { Some(building) }).await
        }
        Admin::Operators(command) => operators::run(config, command).await,
        Admin::ResetPassword { login } => reset_password(config, login.trim()).await,
        Admin::RemoveSecondFactor { login } => remove_second_factor(config, login.trim()).await,
    }
}

/// `buildings`: the names of those that the person sees; `None` for all.
async fn create(config: &Config, login: &str, name: Option<&str>, role: Role, buildings: Option<Vec<String>>) -> Outcome {
    let (rng, login) = (Rng::from_system(), login.trim());
    let name = operators::names(login, name)?;
    let password_hash = new_password(&rng, login).await?;
    let db = open_database(config).await?;
    let buildings = scope(&db, buildings).await?;
    let user = NewUser { role, login, name, password_hash: &password_hash, buildings: &buildings };
    let created = users::create(&db, &rng, SystemClock.now(), &user, "command line").await;
    db.close().await;
    match created {
        Ok(_) => {
            println!("{login} can log in now, and has to choose another password then.");
            if buildings == Scope::Buildings(BTreeSet::new()) {
                println!("No building is assigned to them, so they see no room.");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::Refused(problem)) => Err(errors::message(problem, Lang::En).into()),
        Err(error) => Err(error.into()),
    }
}

/// The hash of a password from standard input.
async fn new_password(rng: &Rng, login: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let password = password()?;
    // It is changed at the first log-in, where more is asked of an operator's own.
    let owner = Owner { login, ..Owner::default() };
    check(&password, &owner).map_err(|error| errors::message(error, Lang::En))?;
    Ok(Passwords::new(rng.clone())?.hash(&password).await?)
}

async fn reset_password(config: &Config, login: &str) -> Outcome {
    let password_hash = new_password(&Rng::from_system(), login).await?;
    let db = open_database(config).await?;
    let reset = users::reset_password(&db, SystemClock.now(), login, &password_hash, "command line").await;
    db.close().await;
    match reset {
        Ok(()) => {
            println!("{login} can log in with the new password, and has to choose another then;");
            println!("earlier sessions are ended, and so are a resident's API tokens and link to WeChat.");
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::Refused(_)) => Err(format!("nobody logs in as {login}").into()),
        Err(error) => Err(error.into()),
    }
}

async fn remove_second_factor(config: &Config, login: &str) -> Outcome {
    let db = open_database(config).await?;
    let removed = second_factors::remove(&db, SystemClock.now(), login, "command line").await;
    db.close().await;
    match removed {
        Ok(()) => {
            println!("{login} logs in with the password alone now; earlier sessions are ended.");
            println!("An operator has to choose another password then, of at least 15 characters.");
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::Refused(_)) => Err(format!("nobody logs in as {login} with a second factor").into()),
        Err(error) => Err(error.into()),
    }
}

/// The buildings of those names; `None` for all.
pub(super) async fn scope(db: &Db, names: Option<Vec<String>>) -> Result<Scope, Box<dyn std::error::Error + Send + Sync>> {
    let Some(names) = names else { return Ok(Scope::All) };
    let mut buildings = BTreeSet::new();
    let all = places::buildings(db).await?;
    for name in names {
        let found = all.iter().find(|(_, building)| *building == name.trim());
        let (id, _) = found.ok_or_else(|| format!("no building is called {name}"))?;
        buildings.insert(*id);
    }
    Ok(Scope::Buildings(buildings))
}

/// Reads one line from standard input: other users of the machine could read an argument.
fn password() -> std::io::Result<String> {
    let mut text = String::new();
    if std::io::stdin().is_terminal() {
        eprint!("Password (shown while typing): ");
        std::io::stdin().read_line(&mut text)?;
    } else {
        std::io::stdin().take(1024).read_to_string(&mut text)?;
    }
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
