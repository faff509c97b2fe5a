//! What is asked for on the command line: sizes and the parts to measure.

/// The sizes, and which parts; each has a default that keeps a whole run within a few minutes.
pub struct Arguments {
    given: Vec<String>,
}

impl Arguments {
    pub fn read() -> Self {
        Self { given: std::env::args().skip(1).collect() }
    }

    /// What follows `name`.
    pub fn after(&self, name: &str) -> Option<&str> {
        let at = self.given.iter().position(|argument| argument == name)?;
        self.given.get(at + 1).map(String::as_str)
    }

    /// Numbers with commas between them.
    pub fn numbers(&self, name: &str, default: &[usize]) -> Vec<usize> {
        let given = self.after(name).map(|text| text.split(',').filter_map(|n| n.parse().ok()).collect());
        given.filter(|numbers: &Vec<usize>| !numbers.is_empty()).unwrap_or_else(|| default.to_vec())
    }

    pub fn number(&self, name: &str, default: usize) -> usize {
        self.numbers(name, &[default])[0]
    }

    /// Rounds of each measuring: at least one.
    pub fn rounds(&self, default: usize) -> usize {
        self.number("--rounds", default).max(1)
    }

    /// Whether this part is asked for: all are, unless `--only` names some.
    pub fn wants(&self, part: &str) -> bool {
        self.after("--only").is_none_or(|only| only.split(',').any(|name| name == part))
    }

    /// The same for an engine, by `--on`.
    pub fn wants_on(&self, engine: &str) -> bool {
        self.after("--on").is_none_or(|on| on.split(',').any(|name| name.eq_ignore_ascii_case(engine)))
    }
}
