//! How much there is in task queues.

use crate::app::App;
use crate::queue::Queues;
use crate::queue::metered::{DEAD_LETTERS, DELAYED, QUEUE, WAITING};
use crate::stream::meter;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the backend may take to answer; then what is known is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// Asks the app's backend about the queues that this process adds to or works on.
pub(super) async fn ask(app: &App) {
    let mut names = BTreeMap::<String, Vec<_>>::new();
    for meter in meter::all().into_iter().filter(|meter| std::ptr::eq(meter.kind(), &raw const QUEUE)) {
        names.entry(meter.name().to_owned()).or_default().push(meter);
    }
    if names.is_empty() {
        return;
    }
    let asked = async {
        let queues = Queues::new(app);
        let Ok(all) = queues.list().await else { return };
        for queue in all {
            let Some(meters) = names.get(queue.name()) else { continue };
            let Ok(stats) = queue.stats().await else { continue };
            let [waiting, delayed, dead] = [stats.waiting.iter().sum(), stats.delayed, stats.dead];
            // Those of one name are shown as one, by their sum: the first has it all.
            for (at, meter) in meters.iter().enumerate() {
                for (gauge, count) in [(WAITING, waiting), (DELAYED, delayed), (DEAD_LETTERS, dead)] {
                    meter.set(gauge, if at == 0 { count as f64 } else { 0.0 });
                }
            }
        }
    };
    if tokio::time::timeout(PATIENCE, asked).await.is_err() {
        tracing::debug!("the backend did not say in time how much there is in its queues");
    }
}
