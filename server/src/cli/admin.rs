//! `dormwatt admin`: manages operators.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use app::i18n::{Lang, errors};
use clap::{Subcommand, ValueEnum};
use model::error::AppError;
use model::person::Role;

use super::Outcome;
use crate::config::Config;
use crate::services::auth::{Passwords, is_weak};
use crate::startup::open_database;
use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use domain::wall_layout::Scope;
use store::StoreError;
use store::users::{self, Approver, NewUser};

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
        #[arg(long, value_enum, default_value = "operator")]
        role: RoleArg,
    },
    /// Give somebody another password, read from standard input, and end their sessions
    ResetPassword {
        /// What they log in as
        #[arg(long)]
        login: String,
    },
    /// Let an operator approve what others ask for above the limit (returns, corrections), or take that away
    Approver {
        /// What they log in as
        #[arg(long)]
        login: String,
        /// Take it away
        #[arg(long)]
        revoke: bool,
    },
}

/// Residents are created when their account is opened.
#[derive(Clone, Copy, ValueEnum)]
pub enum RoleArg {
    /// Sells, switches, reads
    Operator,
    /// Also keeps operators and settings
    Admin,
}

pub async fn run(config: &Config, command: Admin) -> Outcome {
    let (login, name, role) = match command {
        Admin::CreateUser { login, name, role } => (login, name, role),
        Admin::ResetPassword { login } => return reset_password(config, login.trim()).await,
        Admin::Approver { login, revoke } => return approver(config, login.trim(), !revoke).await,
    };
    let rng = Rng::from_system();
    let password_hash = new_password(&rng).await?;
    let db = open_database(config).await?;
    let role = match role {
        RoleArg::Operator => Role::Operator,
        RoleArg::Admin => Role::Admin,
    };
    let (login, name) = (login.trim(), name.as_deref().unwrap_or(&login));
    let user = NewUser { role, login, name, password_hash: &password_hash, buildings: &Scope::All };
    let created = users::create(&db, &rng, SystemClock.now(), &user, "command line").await;
    db.close().await;
    match created {
        Ok(_) => {
            println!("{login} can log in now.");
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::Refused(problem)) => Err(errors::message(problem, Lang::En).into()),
        Err(error) => Err(error.into()),
    }
}

/// The hash of a password from standard input.
async fn new_password(rng: &Rng) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let password = password()?;
    if is_weak(&password) {
        return Err(errors::message(AppError::WeakPassword, Lang::En).into());
    }
    Ok(Passwords::new(rng.clone())?.hash(&password).await?)
}

async fn reset_password(config: &Config, login: &str) -> Outcome {
    let password_hash = new_password(&Rng::from_system()).await?;
    let db = open_database(config).await?;
    let reset = users::reset_password(&db, SystemClock.now(), login, &password_hash, "command line").await;
    db.close().await;
    match reset {
        Ok(()) => {
            println!("{login} can log in with the new password; earlier sessions are ended.");
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::Refused(_)) => Err(format!("nobody logs in as {login}").into()),
        Err(error) => Err(error.into()),
    }
}

async fn approver(config: &Config, login: &str, may: bool) -> Outcome {
    let db = open_database(config).await?;
    let set = users::set_approver(&db, SystemClock.now(), login, may, "command line").await;
    db.close().await;
    match set {
        Ok(Approver::Set) => {
            println!("{login} {} approve.", if may { "may" } else { "may no longer" });
            Ok(ExitCode::SUCCESS)
        }
        Ok(Approver::Always) if may => {
            println!("{login} is an administrator and may approve anyway. Nothing was changed.");
            Ok(ExitCode::SUCCESS)
        }
        Ok(Approver::Always) => Err(format!("{login} is an administrator, who may always approve").into()),
        Err(StoreError::Refused(_)) => Err(format!("no operator logs in as {login}").into()),
        Err(error) => Err(error.into()),
    }
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
