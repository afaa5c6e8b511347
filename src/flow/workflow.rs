//! A flow as a person wrote it.

use super::diagnostic::Code;
use super::diagnostics::{Diagnostics, Sink};
use super::token::{Token, TokenKind};
use super::tree::Tree;
use super::{Error, Graph, compiler, lexer, lint, parser};

/// The longest text that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// A flow as a person wrote it: the text, what it means, and all that is wrong with it.
///
/// Every text can be parsed; what is wrong is said by [`diagnostics`](Self::diagnostics), all at once. Work and memory
/// grow with the length of the text only.
///
/// ```
/// use mape::flow::Workflow;
///
/// let workflow = Workflow::parse("A → :met;\nB → :meet C");
/// assert_eq!(
///     workflow.diagnostics().report("my.flow", workflow.text()),
///     "\
/// error[unknown-label]: nothing begins with `:met`, so nothing can go there
///   --> my.flow:1:5
///    |
///  1 | A → :met;
///    |     ^^^^
///    = help: did you mean the label `:meet`?
///
/// "
/// );
/// ```
#[derive(Debug)]
pub struct Workflow {
    text: String,
    tokens: Vec<Token>,
    tree: Tree,
    diagnostics: Diagnostics,
    graph: Option<Graph>,
    /// Whether all of the text is in the tree.
    readable: bool,
}

impl Workflow {
    /// Reads a text and compiles it. That never fails; whether there is a graph is another question.
    ///
    /// A text of more than 16 MiB is not looked at, which is an error in its diagnostics.
    #[must_use]
    pub fn parse(text: impl Into<String>) -> Self {
        let text = text.into();
        let mut sink = Sink::default();
        if text.len() > LONGEST {
            let message = format!("the text has {} bytes; at most {LONGEST} are read", text.len());
            sink.error(Code::Limit, (0, 0), (1, 1), message).help("make several flows of it");
            return Self::unread(text, sink);
        }
        let tokens = lexer::tokens(&text, &mut sink);
        let tree = parser::parse(&text, &tokens, &mut sink);
        let readable = !sink.has_errors();
        let compiled = compiler::compile(&text, &tokens, &tree, &mut sink);
        if let Some(compiled) = &compiled {
            lint::check(compiled, &tokens, &mut sink);
        }
        let graph = compiled.map(|compiled| compiled.graph);
        Self { text, tokens, tree, diagnostics: sink.finish(), graph, readable }
    }

    /// Reads the content of a file as [`parse`](Self::parse) reads a text. What is no UTF-8 is an error at the first
    /// byte that is none; in the text there are replacement characters then.
    ///
    /// ```
    /// use mape::flow::Workflow;
    ///
    /// let workflow = Workflow::from_bytes(b"A\n\xb0C");
    /// let first = workflow.diagnostics().iter().next().unwrap();
    /// assert_eq!((first.line(), first.column(), first.message()), (2, 1, "the text is no UTF-8 from here on"));
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => return Self::parse(text),
            Err(error) => bytes.get(..error.valid_up_to()).unwrap_or_default(),
        };
        let before = String::from_utf8_lossy(valid);
        let (line, column) = parser::place_behind(&before, (1, 1));
        let at = u32::try_from(valid.len()).unwrap_or(u32::MAX);
        let mut sink = Sink::default();
        let error = sink.error(
            Code::Encoding,
            (at, at.saturating_add(1)),
            (line, column),
            "the text is no UTF-8 from here on",
        );
        error.help("save it as UTF-8");
        Self::unread(String::from_utf8_lossy(bytes).into_owned(), sink)
    }

    /// A text that was not looked at.
    fn unread(text: String, sink: Sink) -> Self {
        Self {
            text,
            tokens: Vec::new(),
            tree: Tree::default(),
            diagnostics: sink.finish(),
            graph: None,
            readable: false,
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All that is wrong with the text, in its order.
    #[must_use]
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// The compiled flow; nothing if there is any error.
    #[must_use]
    pub fn graph(&self) -> Option<&Graph> {
        self.graph.as_ref()
    }

    /// The compiled flow by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with all that is wrong.
    pub fn into_graph(self) -> Result<Graph, Error> {
        self.graph.ok_or(Error::Invalid(self.diagnostics))
    }

    /// The pieces of the text, blanks and comments too: one after the other, they are the text.
    pub fn tokens(&self) -> impl ExactSizeIterator<Item = (TokenKind, &str)> {
        self.tokens.iter().map(|token| (token.kind(), token.text(&self.text)))
    }

    /// The text in the one layout that all flows have: see the [language](crate::guide::flow_language#comments-and-layout).
    ///
    /// It means the same, and no comment is lost. Doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the text cannot be read. Unknown labels and the like do no harm.
    pub fn format(&self) -> Result<String, Error> {
        if !self.readable {
            return Err(Error::Invalid(self.diagnostics.clone()));
        }
        Ok(super::format::format(&self.text, &self.tokens, &self.tree))
    }
}
