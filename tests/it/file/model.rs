//! Knowledge and logs in a directory beside the models, under random operations.

use super::{attached, owner};
use crate::event::model::{self as log_model, acts};
use crate::knowledge::model::{self, command};
use mape::knowledge::Scope;
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn knowledge_behaves_as_the_model(commands in prop::collection::vec((0..3_u8, command()), 0..80)) {
        runtime().block_on(async {
            model::behaves_as_the_model(owner().await.knowledge(Scope::App), commands.clone()).await;
            model::behaves_as_the_model(attached().await.knowledge(Scope::App), commands).await;
        });
    }

    #[test]
    fn logs_behave_as_the_model(acts in acts()) {
        runtime().block_on(async {
            log_model::behaves_as_the_model(owner().await, acts.clone()).await;
            log_model::behaves_as_the_model(attached().await, acts).await;
        });
    }
}
