//! A part of a page that waits for its data; the page waits too, so that status and redirects are in time.

use leptos::prelude::*;

use crate::pages::error::ErrorPage;
use model::error::AppError;

/// Shows the result of `read`, or the error page.
pub fn load<T: 'static>(
    read: impl Future<Output = Result<T, AppError>> + Send + 'static,
    show: impl FnOnce(T) -> AnyView + Send + 'static,
) -> impl IntoView {
    Suspend::new(async move {
        match read.await {
            Ok(value) => show(value),
            Err(error) => view! { <ErrorPage error /> }.into_any(),
        }
    })
}
