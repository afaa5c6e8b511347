use super::drive::*;
use mape::stream::{Notification, Operators};
use proptest::prelude::*;

proptest! {
    #[test]
    fn materialize_ends_with_completed(bursts in bursts()) {
        let mut model: Vec<_> = bursts.concat().into_iter().map(Notification::Next).collect();
        model.push(Notification::Completed);
        prop_assert_eq!(through(&bursts, Operators::materialize), model);
    }
}
