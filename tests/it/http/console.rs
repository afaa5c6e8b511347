//! The console, in a real browser.

mod demo;
mod goals;
mod keyboard;
mod live;
mod login;
mod look;
mod pages;
mod queues;
mod safety;
mod smooth;
mod steering;

use super::site::Site;
use crate::server::Tab;

/// What no page may do: complain, or ask anybody but its own service.
fn is_clean(tab: &Tab, site: &Site) {
    let complaints = tab.complaints();
    assert!(complaints.is_empty(), "{complaints:#?}");
    let home = site.url("/");
    let outside: Vec<_> = tab
        .requests()
        .into_iter()
        .filter(|url| !url.starts_with(&home) && !url.starts_with("data:") && url != "about:blank")
        .collect();
    assert!(outside.is_empty(), "{outside:#?}");
}
