//! Declarations in files that are followed.

use super::echoing;
use crate::suite::eventually;
use mape::live::{Live, Pipeline, Pipelines};
use mape::prelude::*;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A file of its own, which is gone with it.
struct Declared(PathBuf);

impl Declared {
    fn new(text: &str) -> Self {
        let name = format!("mape-pipelines-{}-{:016x}.yaml", std::process::id(), fastrand::u64(..));
        let file = Self(std::env::temp_dir().join(name));
        fs::write(&file.0, text).unwrap();
        file
    }

    /// As editors do it.
    fn replace(&self, text: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(&next, &self.0).unwrap();
    }
}

impl Drop for Declared {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn parallel(most: usize) -> (String, Pipelines) {
    let text = format!("jobs:\n  - names: [echo]\n    stages:\n      - parallel: {most}\n");
    (text, Pipelines::new().for_jobs(Pipeline::named(["echo"]).parallel(most)))
}

async fn in_force(live: &Live, pipelines: &Pipelines) {
    eventually("the file is in force", async || *live.pipelines() == *pipelines).await;
}

#[tokio::test]
async fn what_is_changed_in_a_file_holds_within_a_second() {
    let app = App::new();
    let live = echoing(&app);
    let (text, one) = parallel(1);
    let file = Declared::new(&text);
    live.follow_pipelines(&file.0).unwrap();
    assert_eq!(*live.pipelines(), one);
    for most in [2, 3] {
        let (text, wanted) = parallel(most);
        let since = Instant::now();
        if most == 2 {
            fs::write(&file.0, text).unwrap();
        } else {
            file.replace(&text);
        }
        in_force(&live, &wanted).await;
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    }
}

#[tokio::test]
async fn half_a_file_and_a_wrong_one_and_none_do_no_harm() {
    let app = App::new();
    let live = echoing(&app);
    let (text, one) = parallel(1);
    let file = Declared::new(&text);
    live.follow_pipelines(&file.0).unwrap();
    // Written in two steps, of which the first is one that would hold, too.
    let (text, two) = parallel(2);
    for _ in 0..5 {
        let mut half = fs::File::create(&file.0).unwrap();
        half.write_all(b"jobs: []\n").unwrap();
        half.flush().unwrap();
        tokio::time::sleep(Duration::from_millis(40)).await;
        assert_eq!(*live.pipelines(), one);
        fs::write(&file.0, parallel(1).0).unwrap();
    }
    for wrong in ["jobs:\n  - stages:\n      - parallel: 0\n", "jobs: [", ""] {
        file.replace(wrong);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(*live.pipelines(), one);
    }
    fs::remove_file(&file.0).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*live.pipelines(), one);
    fs::write(&file.0, text).unwrap();
    in_force(&live, &two).await;
}

#[tokio::test]
async fn a_file_that_is_wrong_at_first_is_refused_with_the_place() {
    let app = App::new();
    let live = echoing(&app);
    let file = Declared::new("jobs:\n  - stages:\n      - parallel: 0\n");
    let error = live.follow_pipelines(&file.0).unwrap_err().to_string();
    let wanted = ":3:9: jobs[0].stages[0].parallel: must be 1 to 10000, not 0";
    assert_eq!(error, format!("{}{wanted}", file.0.display()));
    let error = live.follow_pipelines("/nowhere/pipelines.yaml").unwrap_err().to_string();
    assert!(error.starts_with("the pipelines in `/nowhere/pipelines.yaml` can't be read: "), "{error}");
}
