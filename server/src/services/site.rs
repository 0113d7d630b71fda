//! The site workbook: import, dry run, export and template.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use app::i18n::{Lang, site_workbook};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::error::AppError;
use model::person::Who;
use model::site_workbook::{Column, Fault, Preview, Problem, Sheet};

use super::Context;
use super::auth::{Passwords, is_weak};
use domain::order::Limits;
use domain::site_plan::{Conflict, SitePlan, plan};
use meters::profile::{Profile, Profiles};
use store::site_import::{self, Import};
use workbook::{Contents, Model};

/// Passwords that are hashed at once.
const HASHES: usize = 2;

pub struct SiteService {
    context: Context,
    passwords: Passwords,
    models: BTreeMap<String, Model>,
    limits: Limits,
}

impl SiteService {
    #[must_use]
    pub fn new(context: Context, passwords: Passwords, profiles: &Profiles, limits: Limits) -> Self {
        let model = |profile: &Arc<Profile>| {
            (profile.name.clone(), Model { wallet: profile.abilities.wallet, relay: profile.abilities.relay })
        };
        Self { context, passwords, models: profiles.iter().map(model).collect(), limits }
    }

    /// What importing this file would do.
    pub async fn dry_run(&self, name: &str, bytes: &[u8]) -> Result<Preview, AppError> {
        let contents = self.read(name, bytes);
        let state = site_import::read(&self.context.db).await?;
        Ok(preview(&contents, plan(&contents.rows, &state)))
    }

    /// Imports the file, or nothing of it where it has a problem. `site` names the site where there is none yet.
    pub async fn import(&self, who: &Who, site: &str, name: &str, bytes: &[u8]) -> Result<Preview, AppError> {
        let contents = self.read(name, bytes);
        if !contents.problems.is_empty() {
            let state = site_import::read(&self.context.db).await?;
            return Ok(preview(&contents, plan(&contents.rows, &state)));
        }
        let password_hashes = self.password_hashes(&contents).await?;
        let import = Import { rows: &contents.rows, site, password_hashes: &password_hashes, who, limits: &self.limits };
        let done = site_import::apply(&self.context.db, &self.context.rng, self.context.now(), &import).await?;
        if done.is_ok() {
            self.context.gateway.wake();
        }
        Ok(preview(&contents, done))
    }

    /// The workbook of the site as it is: XLSX.
    pub async fn export(&self, lang: Lang) -> Result<Vec<u8>, AppError> {
        let state = site_import::read(&self.context.db).await?;
        workbook::workbook(lang, &self.models, &site_import::rows(&state)).map_err(|error| unwritable(&error))
    }

    /// A workbook to fill in: XLSX.
    pub fn template(&self, lang: Lang) -> Result<Vec<u8>, AppError> {
        let notes = site_workbook::notes(lang).map(str::to_owned);
        workbook::template(lang, &self.models, &notes).map_err(|error| unwritable(&error))
    }

    fn read(&self, name: &str, bytes: &[u8]) -> Contents {
        let mut contents = workbook::read(name, bytes, &self.models);
        let weak = |row: &domain::site_plan::Row<domain::site_plan::AccountRow>| {
            row.value.password.as_deref().is_some_and(is_weak).then_some(row.number)
        };
        let rows: Vec<u32> = contents.rows.accounts.iter().filter_map(weak).collect();
        for row in rows {
            let problem = contents.locate(Sheet::Accounts, row, Column::Password, Fault::WeakPassword);
            contents.problems.push(problem);
        }
        contents
    }

    async fn password_hashes(&self, contents: &Contents) -> Result<HashMap<String, String>, AppError> {
        let given = contents.rows.accounts.iter().filter_map(|row| Some((&row.value.login, row.value.password.as_ref()?)));
        let hash = |(login, password): (&String, &String)| {
            let (login, password) = (login.clone(), password.clone());
            async move { Ok::<_, AppError>((login, self.passwords.hash(&password).await?)) }
        };
        stream::iter(given.map(hash).collect::<Vec<_>>()).buffer_unordered(HASHES).try_collect().await
    }
}

fn unwritable(error: &workbook::WriteError) -> AppError {
    tracing::error!(error = error as &dyn std::error::Error, "site.workbook-not-written");
    AppError::Internal
}

fn preview(contents: &Contents, planned: Result<SitePlan, Vec<Conflict>>) -> Preview {
    let mut problems: Vec<Problem> = contents.problems.clone();
    let counts = match planned {
        Ok(planned) => planned.counts,
        Err(conflicts) => {
            let located = conflicts.into_iter().map(|found| contents.locate(found.sheet, found.row, found.column, found.fault));
            problems.extend(located);
            Default::default()
        }
    };
    let problem_count = u32::try_from(problems.len()).unwrap_or(u32::MAX);
    problems.truncate(Preview::SHOWN);
    Preview { counts, problems, problem_count }
}
