//! Which operators an element has, read off the type of its pipe.

/// The operators before and behind the function, in the order in which items pass them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OperatorNames {
    pub(super) before: Vec<String>,
    pub(super) behind: Vec<String>,
}

/// Where the elements' own parts of a pipe are: its function, its ends.
const OWN: &str = "mape::element::";

impl OperatorNames {
    /// Of a type such as `Debounce<Each<Map<InPort<u8>, …>, …>>`: what comes first is innermost, and the first type that
    /// each one is made of is what it takes its items from. A stream in a box hides what is in it.
    pub(super) fn of(pipe: &str) -> Self {
        let (mut names, mut rest, mut is_behind) = (Self::default(), pipe, true);
        while !rest.is_empty() {
            let (path, inner) = rest.split_once('<').unwrap_or((rest, ""));
            let path = path.split([',', '>']).next().unwrap_or_default().trim();
            let name = path.rsplit("::").next().unwrap_or_default();
            match name {
                "InPort" => break,
                "Pin" | "Box" => {
                    names.on(is_behind).push("boxed".to_owned());
                    break;
                }
                // What pours out of operators is no function yet.
                "Pour" => {}
                _ if path.starts_with(OWN) => is_behind = false,
                "" => break,
                _ => names.on(is_behind).push(snake(name)),
            }
            rest = inner;
        }
        names.before.reverse();
        names.behind.reverse();
        names
    }

    fn on(&mut self, is_behind: bool) -> &mut Vec<String> {
        if is_behind { &mut self.behind } else { &mut self.before }
    }
}

/// `DistinctUntilChanged` as `distinct_until_changed`.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (i, character) in name.chars().enumerate() {
        if character.is_uppercase() && i > 0 {
            text.push('_');
        }
        text.extend(character.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::OperatorNames;

    #[test]
    fn operators_are_read_from_the_inside_out() {
        let pipe = "mape::element::function::Pour<mape::stream::ops::moving::Moving<mape::element::function::Each<\
                    futures_util::stream::stream::skip::Skip<mape::stream::ops::debounce::Debounce<\
                    mape::element::in_port::InPort<f64>>>, f::{{closure}}, f64>, mape::stream::ops::aggregate::Average>>";
        let names = OperatorNames::of(pipe);
        assert_eq!(names.before, ["debounce", "skip"]);
        assert_eq!(names.behind, ["moving"]);
        let bare = "mape::element::function::Each<mape::element::in_port::InPort<bool>, f::{{closure}}, ()>";
        assert_eq!(OperatorNames::of(bare), OperatorNames::default());
        let boxed =
            "mape::element::function::Each<core::pin::Pin<alloc::boxed::Box<dyn Stream<Item = u8>>>, f, u8>";
        assert_eq!(OperatorNames::of(boxed).before, ["boxed"]);
    }
}
