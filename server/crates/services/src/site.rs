//! The site workbook: import, dry run, export and template.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use app::api::site_import::ImportPhase;
use app::i18n::{Lang, import, site_workbook};
use aws_lc_rs::digest::{SHA256, digest};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::error::AppError;
use model::person::Who;
use model::site_workbook::{CellChange, CellValue, Column, Fault, Preview, Problem, RowChange, Sheet};

use super::Context;
use super::auth::{Passwords, is_weak};
use domain::order::Limits;
use domain::site_plan::{Conflict, MeterRow, Outcome, Row, SiteRows};
use estate::site_import::{self, DryRun, Import, ImportWay, SourceFile};
use meters::instruments::InstrumentProfile;
use meters::profile::{Profile, Profiles, Protocol};
use workbook::{Cell, Contents, FileReader, InstrumentModel, Model, Models};

/// Passwords that are hashed at once.
const HASHES: usize = 2;

/// Characters of a file's name that the audit chain keeps.
const MAX_SOURCE_NAME: usize = 100;

/// What was read from files.
pub struct SiteFiles {
    pub contents: Contents,
    sources: Vec<SourceFile>,
}

pub struct SiteService {
    context: Context,
    passwords: Passwords,
    models: Models,
    limits: Limits,
}

/// The models that a file may name.
fn models(profiles: &Profiles) -> Models {
    let meter = |profile: &Arc<Profile>| {
        (profile.name.clone(), Model { wallet: profile.abilities.wallet, relay: profile.abilities.relay })
    };
    let instrument = |profile: &Arc<InstrumentProfile>| {
        let last_start = (0..=u16::MAX).rev().find(|start| profile.fits(*start)).unwrap_or(0);
        let by_number = profile.protocol() == Protocol::Dlt645;
        (profile.name.clone(), InstrumentModel { circuits: profile.circuits, last_start, by_number })
    };
    Models { meters: profiles.iter().map(meter).collect(), instruments: profiles.instruments().iter().map(instrument).collect() }
}

impl SiteService {
    #[must_use]
    pub fn new(context: Context, passwords: Passwords, profiles: &Profiles, limits: Limits) -> Self {
        Self { context, passwords, models: models(profiles), limits }
    }

    /// What importing this file on the command line would do.
    pub async fn dry_run(&self, who: &Who, name: &str, bytes: &[u8]) -> Result<Preview, AppError> {
        self.dry_run_of((ImportWay::CommandLine, who), &self.read(name, bytes)).await
    }

    /// The same with what becomes of each row, as XLSX; `None` where there are problems.
    pub async fn dry_run_with_list(
        &self,
        who: &Who,
        name: &str,
        bytes: &[u8],
        lang: Lang,
    ) -> Result<(Preview, Option<Vec<u8>>), AppError> {
        let (by, files) = ((ImportWay::CommandLine, who), self.read(name, bytes));
        let preview = self.dry_run_of(by, &files).await?;
        let list = if preview.problem_count == 0 { Some(self.changes(by, &files, lang).await?) } else { None };
        Ok((preview, list))
    }

    /// What importing these files would do.
    pub async fn dry_run_of(&self, by: (ImportWay, &Who), files: &SiteFiles) -> Result<Preview, AppError> {
        Ok(preview(&files.contents, self.planned(by, files, Preview::LISTED).await?))
    }

    /// What becomes of each row, as XLSX; nothing where there are problems.
    pub async fn changes(&self, by: (ImportWay, &Who), files: &SiteFiles, lang: Lang) -> Result<Vec<u8>, AppError> {
        let outcome = self.planned(by, files, usize::MAX).await?.map_err(|_| AppError::Conflict)?;
        let t = import::texts(lang);
        let head = [t.sheet, t.row, t.effect, t.subject, t.column, t.before, t.after];
        let lines = outcome.rows.into_iter().flat_map(|row| change_lines(&row, lang));
        workbook::listing(t.changes, &head, lines).map_err(|error| unwritable(&error))
    }

    async fn planned(
        &self,
        (way, who): (ImportWay, &Who),
        SiteFiles { contents, .. }: &SiteFiles,
        listed: usize,
    ) -> Result<Result<Outcome, Vec<Conflict>>, AppError> {
        let (rows, partial, limits) = (&contents.rows, &contents.partial, &self.limits);
        let run = DryRun { rows, partial, who: who.user, way, limits, listed };
        Ok(site_import::dry_run(&self.context.db, self.context.now(), &run).await?)
    }

    /// Imports the file of a command line, or nothing of it if it has a problem. `site` becomes the name of the site if there is
    /// no site yet.
    pub async fn import(&self, who: &Who, site: &str, name: &str, bytes: &[u8]) -> Result<Preview, AppError> {
        self.import_files((ImportWay::CommandLine, who), site, self.read(name, bytes), &|_| ()).await
    }

    /// Registers meters from the rows of a CSV file that a page made.
    pub async fn add_meters(&self, who: &Who, rows: &str) -> Result<Preview, AppError> {
        let contents = self.read(&format!("{}.csv", Sheet::Meters.as_str()), rows.as_bytes()).contents;
        let made = SiteFiles { contents, sources: Vec::new() };
        self.import_files((ImportWay::CommandLine, who), "", made, &|_| ()).await
    }

    /// The same of what was read; `progress` hears what is being done.
    pub async fn import_files(
        &self,
        (way, who): (ImportWay, &Who),
        site: &str,
        files: SiteFiles,
        progress: &(dyn Fn(ImportPhase) + Sync),
    ) -> Result<Preview, AppError> {
        let contents = &files.contents;
        if !contents.problems.is_empty() {
            return self.dry_run_of((way, who), &files).await;
        }
        let password_hashes = self.password_hashes(contents, progress).await?;
        let stored = |sheet| progress(ImportPhase::Storing(sheet));
        let import = Import {
            rows: &contents.rows,
            files: &files.sources,
            site,
            password_hashes: &password_hashes,
            who,
            way,
            limits: &self.limits,
            progress: &stored,
        };
        let done = site_import::apply(&self.context.db, &self.context.rng, self.context.now(), &import).await?;
        let preview = preview(contents, done);
        // What was read is no longer in memory while the meters are.
        drop(files);
        if preview.problem_count == 0 {
            self.context.meters_changed().await?;
        }
        Ok(preview)
    }

    /// Reads several files as one workbook, one after the other.
    ///
    /// # Errors
    /// That of the first file that cannot be read from the disk.
    pub fn files<'a, E>(&self, files: impl Iterator<Item = Result<(&'a str, Vec<u8>), E>>) -> Result<SiteFiles, E> {
        let (mut reader, mut sources) = (FileReader::new(&self.models), Vec::new());
        for file in files {
            let (name, bytes) = file?;
            reader.add(name, &bytes);
            sources.push(source(name, &bytes));
        }
        Ok(SiteFiles { contents: self.checked(reader.finish()), sources })
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

    fn read(&self, name: &str, bytes: &[u8]) -> SiteFiles {
        SiteFiles { contents: self.checked(workbook::read(name, bytes, &self.models)), sources: vec![source(name, bytes)] }
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

fn source(name: &str, bytes: &[u8]) -> SourceFile {
    let name: String = name.rsplit(['/', '\\']).next().unwrap_or(name).chars().take(MAX_SOURCE_NAME).collect();
    let digest = digest(&SHA256, bytes);
    SourceFile { name, sha256: digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect() }
}

/// A row of the list of changes for each cell that differs, and one for a row without.
fn change_lines(row: &RowChange, lang: Lang) -> Vec<Vec<Cell>> {
    let line = |change: Option<&CellChange>| {
        let value = |value: &CellValue| match value {
            CellValue::Blank => Cell::Empty,
            value => Cell::text(site_workbook::value(value, lang)),
        };
        vec![
            Cell::text(site_workbook::sheet(row.sheet, lang)),
            Cell::number(row.row),
            Cell::text(site_workbook::effect(row.effect, lang)),
            Cell::text(&*row.subject),
            change.map_or(Cell::Empty, |change| Cell::text(change.column.title(lang))),
            change.map_or(Cell::Empty, |change| value(&change.before)),
            change.map_or(Cell::Empty, |change| value(&change.after)),
        ]
    };
    if row.changes.is_empty() { vec![line(None)] } else { row.changes.iter().map(|change| line(Some(change))).collect() }
}

fn preview(contents: &Contents, planned: Result<Outcome, Vec<Conflict>>) -> Preview {
    let (mut problems, mut outcome) = (contents.problems.clone(), Outcome::default());
    match planned {
        Ok(planned) => outcome = planned,
        Err(conflicts) => {
            let located = conflicts.into_iter().map(|found| contents.locate(found.sheet, found.row, found.column, found.fault));
            problems.extend(located);
        }
    }
    if !problems.is_empty() {
        outcome = Outcome::default();
    }
    // As people go through a file: sheet by sheet, from above.
    let sheet = |problem: &Problem| contents.titles.iter().position(|(_, title)| *title == problem.sheet);
    problems.sort_by_key(|problem| (sheet(problem), problem.row, problem.column));
    let problem_count = u32::try_from(problems.len()).unwrap_or(u32::MAX);
    problems.truncate(Preview::SHOWN);
    outcome.rows.sort_by_key(|row| (row.sheet, row.effect, row.row));
    Preview { counts: outcome.counts, rows: outcome.rows, problems, problem_count }
}
