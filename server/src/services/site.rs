//! The site workbook: import, dry run, export and template.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use app::api::site_import::ImportPhase;
use app::i18n::{Lang, site_workbook};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::error::AppError;
use model::person::Who;
use model::site_workbook::{Column, Fault, Preview, Problem, Sheet};

use super::Context;
use super::auth::{Passwords, is_weak};
use domain::order::Limits;
use domain::site_plan::{Conflict, MeterRow, Row, SitePlan, SiteRows};
use estate::site_import::{self, Import, ImportWay};
use meters::profile::{Profile, Profiles};
use workbook::{Contents, FileReader, Model};

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

    /// What importing this file on the command line would do.
    pub async fn dry_run(&self, who: &Who, name: &str, bytes: &[u8]) -> Result<Preview, AppError> {
        self.dry_run_of((ImportWay::CommandLine, who), &self.read(name, bytes)).await
    }

    /// What importing these files would do.
    pub async fn dry_run_of(&self, (way, who): (ImportWay, &Who), contents: &Contents) -> Result<Preview, AppError> {
        let planned = site_import::dry_run(&self.context.db, self.context.now(), &contents.rows, (way, who.user)).await?;
        Ok(preview(contents, planned))
    }

    /// Imports the file on the command line, or nothing of it where it has a problem. `site` names the site where there is
    /// none yet.
    pub async fn import(&self, who: &Who, site: &str, name: &str, bytes: &[u8]) -> Result<Preview, AppError> {
        self.import_contents((ImportWay::CommandLine, who), site, &self.read(name, bytes), &|_| ()).await
    }

    /// The same of what was read; `progress` hears what is being done.
    pub async fn import_contents(
        &self,
        (way, who): (ImportWay, &Who),
        site: &str,
        contents: &Contents,
        progress: &(dyn Fn(ImportPhase) + Sync),
    ) -> Result<Preview, AppError> {
        if !contents.problems.is_empty() {
            return self.dry_run_of((way, who), contents).await;
        }
        let password_hashes = self.password_hashes(contents, progress).await?;
        let stored = |sheet| progress(ImportPhase::Storing(sheet));
        let import = Import {
            rows: &contents.rows,
            site,
            password_hashes: &password_hashes,
            who,
            way,
            limits: &self.limits,
            progress: &stored,
        };
        let done = site_import::apply(&self.context.db, &self.context.rng, self.context.now(), &import).await?;
        if done.is_ok() {
            self.context.meters_changed().await?;
        }
        Ok(preview(contents, done))
    }

    /// Reads several files as one workbook, one after the other.
    ///
    /// # Errors
    /// That of the first file that cannot be read from the disk.
    pub fn contents<'a, E>(&self, files: impl Iterator<Item = Result<(&'a str, Vec<u8>), E>>) -> Result<Contents, E> {
        let mut reader = FileReader::default();
        for file in files {
            let (name, bytes) = file?;
            reader.add(name, &bytes);
        }
        Ok(self.checked(reader.finish(&self.models)))
    }

    /// The workbook of the site as it is: XLSX.
    pub async fn export(&self, lang: Lang) -> Result<Vec<u8>, AppError> {
        let state = site_import::read(&self.context.db).await?;
        workbook::workbook(lang, &self.models, &site_import::rows(&state)).map_err(|error| unwritable(&error))
    }

    /// The site's rooms and gateways with other meters than it has: XLSX.
    pub async fn meters_workbook(&self, lang: Lang, meters: Vec<MeterRow>) -> Result<Vec<u8>, AppError> {
        let all = site_import::rows(&site_import::read(&self.context.db).await?);
        let meters = (2..).zip(meters).map(|(number, value)| Row { number, value }).collect();
        let rows = SiteRows { rooms: all.rooms, gateways: all.gateways, meters, ..SiteRows::default() };
        workbook::workbook(lang, &self.models, &rows).map_err(|error| unwritable(&error))
    }

    /// A workbook to fill in: XLSX.
    pub fn template(&self, lang: Lang) -> Result<Vec<u8>, AppError> {
        let notes = site_workbook::notes(lang).map(str::to_owned);
        workbook::template(lang, &self.models, &notes).map_err(|error| unwritable(&error))
    }

    fn read(&self, name: &str, bytes: &[u8]) -> Contents {
        self.checked(workbook::read(name, bytes, &self.models))
    }

    /// With what only the server knows.
    fn checked(&self, mut contents: Contents) -> Contents {
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

    async fn password_hashes(
        &self,
        contents: &Contents,
        progress: &(dyn Fn(ImportPhase) + Sync),
    ) -> Result<HashMap<String, String>, AppError> {
        let given = contents.rows.accounts.iter().filter_map(|row| Some((&row.value.login, row.value.password.as_ref()?)));
        let given: Vec<_> = given.collect();
        let (done, total) = (AtomicU32::new(0), u32::try_from(given.len()).unwrap_or(u32::MAX));
        let hash = |(login, password): (&String, &String)| {
            let (login, password) = (login.clone(), password.clone());
            let done = &done;
            async move {
                let hash = self.passwords.hash(&password).await?;
                progress(ImportPhase::Passwords(done.fetch_add(1, Ordering::Relaxed) + 1, total));
                Ok::<_, AppError>((login, hash))
            }
        };
        stream::iter(given.into_iter().map(hash).collect::<Vec<_>>()).buffer_unordered(HASHES).try_collect().await
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
