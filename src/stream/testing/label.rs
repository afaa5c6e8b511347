//! How an item is written in a marble text.

use super::Failed;
use super::script::Mark;
use std::time::Duration;

/// How an item is written in a marble text.
///
/// A label of one character stands alone (`a`), a longer one in brackets (`[12]`); `None` is an error item (`#`).
/// Characters, texts, numbers and `bool` are their own labels; a `Vec` is its items' labels one after another (`[ab]`),
/// with commas if one of them is longer than a character (`[10,9]`); a pair is `[a:b]`; an `Err` is `#`. Spaces in a
/// label are ignored. Streams of other items are mapped to one of these.
pub trait Label {
    /// The label, or `None` for an error item.
    fn label(&self) -> Option<String>;
}

pub(super) fn mark(item: &impl Label) -> Mark {
    let without_spaces = |label: String| label.chars().filter(|c| !c.is_whitespace()).collect();
    item.label().map_or(Mark::Error, |label| Mark::Item(without_spaces(label)))
}

macro_rules! displayed {
    ($($kind:ty),*) => {$(
        impl Label for $kind {
            fn label(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}
displayed!(char, str, String, bool, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

impl Label for Failed {
    fn label(&self) -> Option<String> {
        None
    }
}

impl Label for () {
    fn label(&self) -> Option<String> {
        Some(String::new())
    }
}

impl Label for Duration {
    fn label(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

impl<T: Label + ?Sized> Label for &T {
    fn label(&self) -> Option<String> {
        (**self).label()
    }
}

impl<T: Label, E> Label for Result<T, E> {
    fn label(&self) -> Option<String> {
        self.as_ref().ok().and_then(Label::label)
    }
}

impl<A: Label, B: Label> Label for (A, B) {
    fn label(&self) -> Option<String> {
        let of = |label: Option<String>| label.unwrap_or_else(|| "#".into());
        Some(format!("{}:{}", of(self.0.label()), of(self.1.label())))
    }
}

impl<T: Label> Label for Option<T> {
    fn label(&self) -> Option<String> {
        self.as_ref().map_or_else(|| Some("none".into()), Label::label)
    }
}

impl<T: Label> Label for [T] {
    fn label(&self) -> Option<String> {
        let labels: Vec<_> = self.iter().map(|item| item.label().unwrap_or_else(|| "#".into())).collect();
        let short = labels.iter().all(|label| label.chars().count() == 1);
        Some(labels.join(if short { "" } else { "," }))
    }
}

impl<T: Label> Label for Vec<T> {
    fn label(&self) -> Option<String> {
        self.as_slice().label()
    }
}
