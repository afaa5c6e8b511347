//! The console: pages for people.
//!
//! Pages are made here, complete, and can be read without any script. The script in `assets/` listens to the streams of
//! the API, asks for the page again when something has changed, and puts what is new where the old was; what a person
//! does becomes a request to the API. So a page shows and does nothing that a program could not. Texts get into a page
//! by the templates, which escape them, or by `textContent`.

mod approvals;
mod assets;
mod channels;
mod element_page;
mod front;
mod goals;
mod health;
mod knowledge;
mod login;
mod loops_page;
mod map;
mod overview;
mod page;
mod query;
mod queue_page;
mod queues;
mod routes;
mod run_page;
mod run_picture;
mod run_rows;
mod runs;
mod shell;
mod start;
mod timeline;
mod words;

pub(super) use routes::routes;
