//! The service worker of the residents' site.

use crate::app::Site;

const SCRIPT: &str = include_str!("service-worker.js");

/// The script, with what it keeps: another build is another worker.
#[must_use]
pub fn service_worker(site: &Site) -> String {
    let files: Vec<&str> = site.stylesheet.as_deref().into_iter().collect();
    let build = [site.bundle.as_deref(), site.stylesheet.as_deref()].map(Option::unwrap_or_default).concat();
    format!("const BUILD = {build:?};\nconst FILES = {files:?};\n{SCRIPT}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_build_has_another_worker() {
        let of = |css: &str| {
            let site = Site { bundle: Some("/pkg/dormwatt-1".to_owned()), stylesheet: Some(css.to_owned()), is_trial: false };
            service_worker(&site)
        };
        let script = of("/pkg/dormwatt-2.css");
        assert!(
            script
                .starts_with("const BUILD = \"/pkg/dormwatt-1/pkg/dormwatt-2.css\";\nconst FILES = [\"/pkg/dormwatt-2.css\"];\n")
        );
        assert_ne!(script, of("/pkg/dormwatt-3.css"));
    }
}
