//! How far consumer groups are behind.

use crate::app::App;
use crate::event::metered::{GROUP, LAG, PENDING};
use crate::stream::meter;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the backend may take to answer; then what is known is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// Asks the app's backend about the groups that this process reads for.
pub(super) async fn ask(app: &App) {
    let mut logs = BTreeMap::<String, Vec<_>>::new();
    for meter in meter::all().into_iter().filter(|meter| std::ptr::eq(meter.kind(), &raw const GROUP)) {
        if let Some((log, _)) = meter.name().rsplit_once('/') {
            logs.entry(log.to_owned()).or_default().push(meter);
        }
    }
    let asked = async {
        for (log, meters) in logs {
            let Ok(info) = app.logs().log(log.as_str()).info().await else { continue };
            for meter in meters {
                let name = meter.name().rsplit('/').next().unwrap_or_default();
                if let Some(group) = info.groups.iter().find(|group| group.name.as_str() == name) {
                    meter.set(LAG, group.lag as f64);
                    meter.set(PENDING, group.pending as f64);
                }
            }
        }
    };
    if tokio::time::timeout(PATIENCE, asked).await.is_err() {
        tracing::debug!("the backend did not say in time how far its consumer groups are behind");
    }
}
