//! Making the files that wait: a few at the same time, each watched once a second for what ends it.

use std::sync::Arc;
use std::time::Duration;

use model::error::AppError;
use model::export::ExportTrouble;
use model::person::Who;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::directory::Directory;
use super::gauge::Gauge;
use super::write::Target;
use super::{ExportsService, id_of};
use ::reports::exports::runs::{self, ExportJob, MadeExport};
use domain::wall_layout::Scope;
use store::users;

/// How often it is looked at what ends a file, and written down how far it is.
const LOOK: Duration = Duration::from_millis(700);
/// Longer than any file takes.
const LONGEST: Duration = Duration::from_secs(2 * 3_600);

/// How the making of a file ended.
enum Ended {
    Made(Result<u64, ExportTrouble>),
    Cancelled,
    /// The process ends. The next one begins again.
    Interrupted,
}

impl ExportsService {
    /// At the start of the process: what it was making waits again.
    pub async fn resume(&self) -> Result<(), AppError> {
        let Some(directory) = self.directory() else { return Ok(()) };
        Ok(runs::resume(&self.context.db, self.context.now(), directory.id).await?)
    }

    /// Makes what waits, one after the other, until nothing waits or `stop` is cancelled; gives how many were begun.
    pub async fn make_waiting(&self, stop: &CancellationToken) -> Result<usize, AppError> {
        let Some(directory) = self.directory() else { return Ok(0) };
        let mut begun = 0;
        while !stop.is_cancelled()
            && let Some(job) = runs::claim(&self.context.db, self.context.now(), directory.id).await?
        {
            self.make(&job, &directory, stop).await?;
            begun += 1;
        }
        Ok(begun)
    }

    /// Says what became of files that nobody makes, ends what was offered for a day, and removes the files that nobody has.
    pub async fn tend(&self) -> Result<usize, AppError> {
        let (db, directory) = (&self.context.db, self.directory());
        runs::tend(db, self.context.now(), id_of(directory.as_deref())).await?;
        let Some(directory) = directory else { return Ok(0) };
        // Looked at before the rows: a file that is begun meanwhile has its row already.
        let there = directory.list().map_err(|error| not_done(&error))?;
        let kept = runs::files(db, directory.id).await?;
        let mut removed = 0;
        for id in there.difference(&kept) {
            directory.remove(*id).map_err(|error| not_done(&error))?;
            removed += 1;
        }
        Ok(removed)
    }

    async fn make(&self, job: &ExportJob, directory: &Arc<Directory>, stop: &CancellationToken) -> Result<(), AppError> {
        let db = &self.context.db;
        let Some((who, scope)) = self.rights(job).await? else {
            return Ok(runs::fail(db, self.context.now(), job.id, ExportTrouble::NotAllowed).await?);
        };
        let gauge = Arc::new(Gauge::default());
        let ended = match directory.create(job.id) {
            Ok(file) => {
                let target = Target { file, directory: directory.path().to_owned(), gauge: gauge.clone() };
                tokio::select! {
                    written = self.write(job, &who, target) => Ended::Made(written),
                    ended = self.watch(job, &gauge, &scope) => ended,
                    () = sleep(LONGEST) => Ended::Made(Err(ExportTrouble::TooSlow)),
                    () = stop.cancelled() => Ended::Interrupted,
                }
            }
            Err(error) => {
                not_done(&error);
                Ended::Made(Err(if super::gauge::is_of_space(&error) { ExportTrouble::NoSpace } else { ExportTrouble::Failed }))
            }
        };
        // What still writes, ends.
        gauge.stop();
        let at = self.context.now();
        let is_offered = match ended {
            Ended::Made(Ok(bytes)) => {
                // What was read may be of buildings of both, where they changed at the end.
                if self.rights(job).await?.is_none_or(|(_, now)| now != scope) {
                    runs::fail(db, at, job.id, ExportTrouble::NotAllowed).await?;
                    false
                } else {
                    runs::finish(db, at, &MadeExport { id: job.id, rows: gauge.rows(), bytes, scope: &scope }).await?
                }
            }
            Ended::Made(Err(trouble)) => {
                tracing::warn!(export = %job.id, trouble = trouble.as_str(), "exports.not_made");
                runs::fail(db, at, job.id, trouble).await?;
                false
            }
            Ended::Cancelled | Ended::Interrupted => false,
        };
        if !is_offered {
            directory.remove(job.id).map_err(|error| not_done(&error))?;
        }
        Ok(())
    }

    /// Ends where the file is cancelled, or its owner may not have it any more as they could at its beginning.
    async fn watch(&self, job: &ExportJob, gauge: &Gauge, begun: &Scope) -> Ended {
        loop {
            sleep(LOOK).await;
            // Where the database does not answer, the file cannot go on either, which ends it.
            match runs::progress(&self.context.db, self.context.now(), job.id, gauge.rows()).await {
                Ok(false) => return Ended::Cancelled,
                Ok(true) => {}
                Err(error) => tracing::warn!(export = %job.id, error = &error as &dyn std::error::Error, "exports.not_watched"),
            }
            if let Ok(now) = self.rights(job).await
                && now.is_none_or(|(_, scope)| scope != *begun)
            {
                return Ended::Made(Err(ExportTrouble::NotAllowed));
            }
        }
    }

    /// The owner with the buildings that they see now; `None` where they may not have the file.
    async fn rights(&self, job: &ExportJob) -> Result<Option<(Who, Scope)>, AppError> {
        let db = &self.context.db;
        let owner = users::operator(db, job.owner).await?.filter(|owner| owner.may(job.source.permission()));
        let Some(owner) = owner else { return Ok(None) };
        let scope = queries::scope(db, owner.user).await?;
        Ok(Some((owner, scope)))
    }
}

fn not_done(error: &std::io::Error) -> AppError {
    tracing::error!(error = error as &dyn std::error::Error, "exports.directory_failed");
    AppError::Unavailable
}
