//! Flows at random, the same for the same seed.

/// Numbers at random.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % end as u64).unwrap()
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }

    /// Once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A flow that compiles, in any layout, with comments between everything, and with everything that the language has.
pub(super) fn flow(seed: u64) -> String {
    let mut generator =
        Generator { random: Random::new(seed), text: String::new(), labels: 0, tasks: Vec::new() };
    generator.whole();
    generator.text
}

struct Generator {
    random: Random,
    text: String,
    labels: usize,
    /// Tasks that are declared, as far as they can be invoked.
    tasks: Vec<String>,
}

const NAMES: [&str; 8] = ["A", "load", "clean-up", "ns:sub:op", "_tmp", "x9", "Mühle", "step_2-"];
const PARAMETERS: [&str; 9] = [
    "()",
    "(  )",
    "({\"a\": {\"b\": [1, 2, \"}) #\"]}})",
    "({\n  \"text\": \"é → ; { }\"\n})",
    "([1,\n 2])",
    "(- a: 1 -)",
    "(-\n  list:\n  - 1\n  - two # a remark of YAML\n-)",
    "(- {from: 1, to: 9} -)",
    "(--)",
];
const SOURCES: [&str; 6] =
    ["<>", "< >", "<{\"a\": [1]}>", "<- a: 1 ->", "<-\n- i: 0\n- i: 1\n->", "<data/input.json>"];
const GUARDS: [&str; 4] =
    ["`$.a`", "`$[?(@.status=0 or\n @.retry)]`", "`$[?@.n > 1 && @.kind == 'x']`", "`rfc:$.*`"];

impl Generator {
    fn whole(&mut self) {
        if self.random.once_in(3) {
            self.text += self.random.pick(&["# first\n", "\n\n", "  ", "# a\n\n# b → c\n"]);
        }
        if self.random.once_in(3) {
            self.put("@flow");
            self.put("made");
            self.documentation();
            // Else a subflow that follows would be its own.
            self.put(";");
        }
        for index in 0..self.random.below(3) {
            self.declaration(index);
        }
        self.statements(3);
        if self.random.once_in(3) {
            self.text += self.random.pick(&["# last", "\n# last\n", "   \n\n"]);
        }
    }

    fn declaration(&mut self, index: usize) {
        let name = format!("declared-{index}");
        self.put("@task");
        self.put(&name);
        let kind = self.random.below(4);
        match kind {
            0 => {
                self.put("=");
                let task = self.random.pick(&NAMES).to_owned();
                self.put(&task);
            }
            1 => {
                let parameters = self.random.pick(&["(- a: 1 -)", "({\"b\":\n 2})", "()"]).to_owned();
                self.put(&parameters);
            }
            2 => self.documentation(),
            _ => {
                self.documentation();
                self.subflow(1);
            }
        }
        if kind < 3 || self.random.once_in(2) {
            self.put(";");
        }
        self.tasks.push(name);
    }

    fn documentation(&mut self) {
        if self.random.once_in(2) {
            let text = self.random.pick(&[
                "'''what it does'''",
                "\"\"\"\nseveral\n  lines # no comment\n\"\"\"",
                "''''''",
            ]);
            self.put(text);
        }
    }

    /// Statements, and what the labels in them need.
    fn statements(&mut self, depth: usize) {
        let mut needed: Vec<String> = Vec::new();
        for _ in 0..=self.random.below(3) {
            self.statement(depth, &mut needed);
        }
        for statement in needed {
            for word in statement.split(' ') {
                self.put(word);
            }
            self.put(";");
        }
    }

    fn statement(&mut self, depth: usize, needed: &mut Vec<String>) {
        match self.random.below(8) {
            0 => {
                let source = self.random.pick(&SOURCES).to_owned();
                self.put(&source);
                self.arrow();
            }
            1 => {
                self.put(":start");
                self.arrow();
            }
            _ => {}
        }
        for index in 0..=self.random.below(4) {
            if index > 0 {
                self.arrow();
            }
            self.step(depth, needed);
        }
        match self.random.below(8) {
            0 => {
                self.arrow();
                self.merge();
                self.put(":end");
            }
            1 => {
                self.arrow();
                self.merge();
                let sink = self.random.pick(&["<out.json>", "<out.yaml>(- a: 1 -)"]).to_owned();
                self.put(&sink);
            }
            2 => {
                let label = self.label();
                self.arrow();
                self.merge();
                self.put(&label);
                needed.push(format!("{label} → A"));
            }
            3 => {
                self.arrow();
                self.put(":start");
            }
            _ => {}
        }
        // Without it, a label that begins the next statement would belong to the last task of this one.
        self.put(";");
    }

    fn merge(&mut self) {
        if self.random.once_in(3) {
            self.put(">");
        }
    }

    fn step(&mut self, depth: usize, needed: &mut Vec<String>) {
        if self.random.once_in(6) {
            let label = self.label();
            self.put(&label);
            needed.push(format!("B → {label}"));
        }
        match self.random.below(6) {
            0 => self.put("*"),
            1 => self.put(">"),
            _ => {}
        }
        if self.random.once_in(5) {
            self.put("?");
            let guard = self.random.pick(&GUARDS).to_owned();
            self.put(&guard);
        }
        match self.random.below(5) {
            0 if depth > 0 => self.subflow(depth - 1),
            1 => {
                self.task();
                for _ in 0..=self.random.below(2) {
                    self.put("|");
                    self.task();
                }
            }
            _ => self.task(),
        }
        if self.random.once_in(6) {
            let label = self.label();
            self.put(&label);
            needed.push(format!("{label} → C | D"));
        }
    }

    fn task(&mut self) {
        if !self.tasks.is_empty() && self.random.once_in(3) {
            let at = self.random.below(self.tasks.len());
            let name = self.tasks[at].clone();
            return self.put(&name);
        }
        let name = self.random.pick(&NAMES).to_owned();
        self.put(&name);
        if self.random.once_in(3) {
            let parameters = self.random.pick(&PARAMETERS).to_owned();
            if self.random.once_in(2) {
                self.text.truncate(self.text.trim_end_matches(' ').len());
            }
            self.put(&parameters);
        }
    }

    fn subflow(&mut self, depth: usize) {
        self.put("{");
        self.statements(depth);
        self.put("}");
    }

    fn label(&mut self) -> String {
        self.labels += 1;
        format!(":l{}", self.labels)
    }

    fn arrow(&mut self) {
        let arrow = self.random.pick(&["→", "->"]).to_owned();
        self.put(&arrow);
    }

    /// A token, and something behind it.
    fn put(&mut self, token: &str) {
        self.text += token;
        self.text += match self.random.below(24) {
            0 => "\n",
            1 => "\n\n\n",
            2 => "\t",
            3 => "  \r\n  ",
            4 => " # why\n",
            5 => "\n# own line → ; }\n",
            6 => "\n\n   # apart   \n\n",
            7 => "      ",
            _ => " ",
        };
    }
}
