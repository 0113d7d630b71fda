//! A TCP stream that does not wait for ever for a peer that reads nothing, or hardly anything, of an answer.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::registry::Activity;

/// The answer that a connection sends. Shared by its stream, which knows what has been sent, and its service,
/// which knows what is an answer.
#[derive(Clone, Default)]
pub struct AnswerInProgress(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Until when all of it must have been sent.
    deadline: Option<Instant>,
    /// Whether more will be added to it.
    is_growing: bool,
    /// Of a request whose answer is complete and not yet sent.
    unsent: Option<Activity>,
}

impl AnswerInProgress {
    /// An answer begins; `None` for one that has no end.
    pub fn begin(&self, deadline: Option<Instant>) {
        let mut state = self.state();
        (state.deadline, state.is_growing) = (deadline, true);
    }

    /// Nothing more will be added to the answer. Its request is over when all of it has been sent.
    pub fn complete(&self, activity: Activity) {
        let before = {
            let mut state = self.state();
            state.is_growing = false;
            state.unsent.replace(activity)
        };
        // Without the lock: it takes another one.
        drop(before);
    }

    fn deadline(&self) -> Option<Instant> {
        self.state().deadline
    }

    /// All that was written has been sent.
    fn flushed(&self) {
        let sent = {
            let mut state = self.state();
            // Of requests that were sent at once the next answer may have begun.
            if !state.is_growing {
                state.deadline = None;
            }
            state.unsent.take()
        };
        drop(sent);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct TimedStream<S> {
    stream: S,
    /// How long a peer may take nothing of an answer.
    longest_pause: Duration,
    answer: AnswerInProgress,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedStream<S> {
    pub const fn new(stream: S, longest_pause: Duration, answer: AnswerInProgress) -> Self {
        Self { stream, longest_pause, answer, waiting: None }
    }

    /// The result of a write; [`ErrorKind::TimedOut`] where none succeeded in time, or the whole answer takes too long.
    fn in_time<T>(&mut self, written: Poll<Result<T>>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let deadline = self.answer.deadline();
        if written.is_ready() {
            self.waiting = None;
            // A peer that reads a byte now and then never lets a write wait for long.
            let is_late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            return if is_late { Poll::Ready(Err(Error::from(ErrorKind::TimedOut))) } else { written };
        }
        let until = Instant::now() + self.longest_pause;
        let until = deadline.map_or(until, |deadline| deadline.min(until));
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep_until(until)));
        waiting.as_mut().poll(context).map(|()| Err(Error::from(ErrorKind::TimedOut)))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(written, context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.in_time(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.answer.flushed();
        }
        self.in_time(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.in_time(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::sleep;

    use super::*;

    const LONGEST_PAUSE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_peer_that_reads_nothing_is_given_up() {
        let (near, _far) = duplex(8);
        let mut stream = TimedStream::new(near, LONGEST_PAUSE, AnswerInProgress::default());
        let started = Instant::now();
        let error = stream.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(started.elapsed() >= LONGEST_PAUSE, "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_slow_reader_receives_everything() {
        let (near, mut far) = duplex(8);
        let mut stream = TimedStream::new(near, LONGEST_PAUSE, AnswerInProgress::default());
        let reading = async {
            let mut bytes = [0; 8];
            for _ in 0..8 {
                sleep(LONGEST_PAUSE / 4).await;
                far.read_exact(&mut bytes).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(async { stream.write_all(&[0; 64]).await }, reading);
        written.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_takes_too_long_is_given_up() {
        let (near, mut far) = duplex(8);
        let answer = AnswerInProgress::default();
        let mut stream = TimedStream::new(near, LONGEST_PAUSE, answer.clone());
        let begun = Instant::now();
        answer.begin(Some(begun + 3 * LONGEST_PAUSE));
        let reading = async {
            // Something is read before each pause is too long.
            while far.read_u8().await.is_ok() {
                sleep(LONGEST_PAUSE / 4).await;
            }
        };
        let writing = async {
            let error = stream.write_all(&[0; 64]).await.unwrap_err();
            (error.kind(), begun.elapsed())
        };
        let (kind, after) = tokio::select! {
            () = reading => unreachable!("the stream is open"),
            written = writing => written,
        };
        assert_eq!(kind, ErrorKind::TimedOut);
        assert!((3 * LONGEST_PAUSE..4 * LONGEST_PAUSE).contains(&after), "{after:?}");
    }
}
