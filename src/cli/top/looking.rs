//! What the person at the terminal has chosen to see.

use super::keys::Action;
use super::model::Model;
use super::rows::{Row, Sort, rows};

/// A tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tab {
    #[default]
    Loops,
    Workflows,
    Queues,
    Goals,
}

impl Tab {
    pub(super) const ALL: [Self; 4] = [Self::Loops, Self::Workflows, Self::Queues, Self::Goals];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Loops => "Loops",
            Self::Workflows => "Workflows",
            Self::Queues => "Queues",
            Self::Goals => "Goals",
        }
    }

    fn number(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or_default()
    }

    fn of(number: usize) -> Self {
        Self::ALL.get(number % Self::ALL.len()).copied().unwrap_or_default()
    }
}

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Looking {
    pub(super) tab: Tab,
    /// What is selected in each tab: the path, id or name.
    selected: [Option<String>; 4],
    /// The first line that is shown of each tab.
    pub(super) first: [usize; 4],
    /// What is selected is looked at more closely, from this line on.
    pub(super) open: Option<usize>,
    pub(super) filter: String,
    pub(super) is_typing: bool,
    pub(super) sort: Sort,
    /// The picture stands still.
    pub(super) is_paused: bool,
    pub(super) help: bool,
}

/// What is to be asked for besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Closer {
    Element(String),
    Run(String),
}

impl Looking {
    /// Does what is wanted; whether it goes on.
    pub(super) fn act(&mut self, action: Action, model: &Model) -> bool {
        // Help goes with any key.
        if std::mem::take(&mut self.help) && action != Action::Quit {
            return true;
        }
        match action {
            Action::Quit => return false,
            Action::Move(lines) => self.go(model, |at, last| at.saturating_add_signed(lines).min(last)),
            Action::First => self.go(model, |_, _| 0),
            Action::Last => self.go(model, |_, last| last),
            Action::NextTab => self.show(Tab::of(self.tab.number() + 1)),
            Action::PreviousTab => self.show(Tab::of(self.tab.number() + Tab::ALL.len() - 1)),
            Action::Tab(number) => self.show(Tab::of(number)),
            Action::Open => self.open = self.selection(model).map(|_| 0),
            Action::Back if self.is_typing => {
                self.is_typing = false;
                self.filter.clear();
            }
            Action::Back if self.open.is_some() => self.open = None,
            Action::Back => self.filter.clear(),
            Action::Filter => {
                self.is_typing = true;
                self.open = None;
            }
            Action::Sort => self.sort = self.sort.next(),
            Action::Pause => self.is_paused = !self.is_paused,
            Action::Help => self.help = true,
            Action::Type(letter) => self.filter.push(letter),
            Action::Erase => drop(self.filter.pop()),
            Action::Enter => self.is_typing = false,
        }
        true
    }

    fn show(&mut self, tab: Tab) {
        (self.tab, self.open) = (tab, None);
    }

    /// Moves what is selected, or what is shown of it.
    fn go(&mut self, model: &Model, to: impl Fn(usize, usize) -> usize) {
        if let Some(first) = &mut self.open {
            // Drawing brings it back to where there is something.
            *first = to(*first, usize::from(u16::MAX));
            return;
        }
        let names = self.names(model);
        let at = self.position(&names).unwrap_or_default();
        let number = self.tab.number();
        if let Some(name) = names.get(to(at, names.len().saturating_sub(1)))
            && let Some(selected) = self.selected.get_mut(number)
        {
            *selected = Some(name.clone());
        }
    }

    /// What can be selected, in order.
    fn names(&self, model: &Model) -> Vec<String> {
        match self.tab {
            Tab::Loops => {
                let elements = rows(model, &self.filter, self.sort).into_iter().filter_map(|row| match row {
                    Row::Element(shown) => Some(shown.is.path.clone()),
                    Row::Loop { .. } => None,
                });
                elements.collect()
            }
            Tab::Workflows => self.runs(model).iter().map(|run| run.id.clone()).collect(),
            Tab::Queues => self.queues(model).iter().map(|queue| queue.name.clone()).collect(),
            Tab::Goals => self.goals(model).iter().map(|goal| goal.name().to_owned()).collect(),
        }
    }

    fn position(&self, names: &[String]) -> Option<usize> {
        let selected = self.selected.get(self.tab.number())?.as_ref()?;
        names.iter().position(|name| name == selected)
    }

    /// What is selected; the first, if nothing is or it is not there any more.
    pub(super) fn selection(&self, model: &Model) -> Option<String> {
        let names = self.names(model);
        names.get(self.position(&names).unwrap_or_default()).cloned()
    }

    /// What has to be known of what is looked at more closely.
    pub(super) fn closer(&self, model: &Model) -> Option<Closer> {
        match self.tab {
            // A wide screen shows the selected element beside the list.
            Tab::Loops => self.selection(model).map(Closer::Element),
            Tab::Workflows if self.open.is_some() => self.selection(model).map(Closer::Run),
            Tab::Workflows | Tab::Queues | Tab::Goals => None,
        }
    }

    /// The runs that are listed.
    pub(super) fn runs<'a>(&self, model: &'a Model) -> Vec<&'a super::answers::ListedRun> {
        let runs = model.runs.as_ref().and_then(|runs| runs.as_ref().ok());
        let filter = self.filter.to_lowercase();
        let has = |text: Option<&str>| text.is_some_and(|text| text.to_lowercase().contains(&filter));
        let runs = runs.map(|runs| runs.runs.as_slice()).unwrap_or_default().iter();
        runs.filter(|run| has(Some(&run.id)) || has(run.flow.as_deref()) || has(run.state.as_deref()))
            .collect()
    }

    /// The task queues that are listed: those whose jobs wait for a worker first.
    pub(super) fn queues<'a>(&self, model: &'a Model) -> Vec<&'a super::answers::TaskQueue> {
        let queues = model.queues.as_ref().and_then(|queues| queues.as_ref().ok());
        let filter = self.filter.to_lowercase();
        let queues = queues.map(Vec::as_slice).unwrap_or_default().iter();
        let mut listed: Vec<_> = queues.filter(|queue| queue.name.to_lowercase().contains(&filter)).collect();
        listed.sort_by_key(|queue| !queue.is_left_alone());
        listed
    }

    /// The goals that are listed: those that are violated first.
    pub(super) fn goals<'a>(&self, model: &'a Model) -> Vec<&'a super::answers::Goal> {
        let goals = model.goals.as_ref().and_then(|goals| goals.as_ref().ok());
        let filter = self.filter.to_lowercase();
        let goals = goals.map(Vec::as_slice).unwrap_or_default().iter();
        let mut listed: Vec<_> = goals.filter(|goal| goal.name().to_lowercase().contains(&filter)).collect();
        listed.sort_by_key(|goal| match goal.state() {
            "violated" => 0,
            "met" => 2,
            _ => 1,
        });
        listed
    }

    /// The first line of the list to be shown in so many lines, so that the one selected is among them.
    pub(super) fn scroll(&mut self, selected: Option<usize>, height: usize) -> usize {
        let Some(first) = self.first.get_mut(self.tab.number()) else { return 0 };
        let at = selected.unwrap_or_default();
        *first = (*first).min(at).max((at + 1).saturating_sub(height));
        // The heading above the first one is seen, too.
        if at <= 1 {
            *first = 0;
        }
        *first
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::{element, topology};
    use super::*;
    use serde_json::json;
    use tokio::time::Instant;

    fn model() -> Model {
        let mut model = Model::new("here");
        let elements = ["car.a", "car.b", "car.c"].map(|path| element(path, json!({}))).to_vec();
        model.hear(topology(&[("car", elements)]), Instant::now());
        model
    }

    #[test]
    fn what_is_selected_stays_so_and_moves_stop_at_the_ends() {
        let (mut looking, mut model) = (Looking::default(), model());
        assert_eq!(looking.selection(&model).as_deref(), Some("car.a"));
        looking.act(Action::Move(-1), &model);
        assert_eq!(looking.selection(&model).as_deref(), Some("car.a"));
        looking.act(Action::Move(10), &model);
        assert_eq!(looking.selection(&model).as_deref(), Some("car.c"));
        looking.act(Action::Move(-1), &model);
        model.elements.reverse();
        assert_eq!(looking.selection(&model).as_deref(), Some("car.b"), "wherever it is now");
        model.elements.retain(|shown| shown.is.path != "car.b");
        assert_eq!(looking.selection(&model).as_deref(), Some("car.c"), "the first one, if it is gone");
        looking.act(Action::Last, &Model::new("empty"));
        assert_eq!(looking.selection(&Model::new("empty")), None);
    }

    #[test]
    fn a_filter_is_typed_kept_and_given_up() {
        let (mut looking, model) = (Looking::default(), model());
        for action in [Action::Filter, Action::Type('C'), Action::Type('x'), Action::Erase, Action::Type('a')]
        {
            assert!(looking.act(action, &model));
        }
        assert_eq!((looking.filter.as_str(), looking.is_typing), ("Ca", true));
        looking.act(Action::Enter, &model);
        assert_eq!((looking.filter.as_str(), looking.is_typing), ("Ca", false));
        looking.act(Action::Back, &model);
        assert_eq!(looking.filter, "");
    }

    #[test]
    fn tabs_come_round_and_close_what_was_open() {
        let (mut looking, model) = (Looking::default(), model());
        looking.act(Action::Open, &model);
        assert_eq!(looking.closer(&model), Some(Closer::Element("car.a".to_owned())));
        looking.act(Action::PreviousTab, &model);
        assert_eq!((looking.tab, looking.open), (Tab::Goals, None));
        looking.act(Action::NextTab, &model);
        assert_eq!(looking.tab, Tab::Loops);
        looking.act(Action::Help, &model);
        assert!(looking.help);
        assert!(looking.act(Action::Move(1), &model));
        assert!(!looking.help);
        assert!(!looking.act(Action::Quit, &model));
    }

    #[test]
    fn the_selected_line_is_always_shown() {
        let mut looking = Looking::default();
        assert_eq!(looking.scroll(Some(30), 10), 21);
        assert_eq!(looking.scroll(Some(25), 10), 21);
        assert_eq!(looking.scroll(Some(20), 10), 20);
        assert_eq!(looking.scroll(Some(1), 10), 0);
        assert_eq!(looking.scroll(Some(5), 0), 6);
    }
}
