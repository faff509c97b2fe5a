//! A Rust file as the rules look at it: its head, its length, its words, and the paths it names.

/// One file.
pub struct Source {
    /// Path below the package, with slashes.
    pub name: String,
    /// Its inner documentation.
    pub head: String,
    pub lines: usize,
    /// Words and signs, without comments, texts and characters.
    pub tokens: Vec<String>,
}

impl Source {
    pub fn new(name: &str, text: &str) -> Self {
        let head: Vec<_> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        Self {
            name: name.to_owned(),
            head: head.join("\n"),
            lines: text.lines().count(),
            tokens: tokens(text),
        }
    }

    /// The modules from the crate down to this file: `src/signups/routes.rs` is `signups`, `routes`.
    pub fn module(&self) -> Vec<&str> {
        let path = self.name.strip_prefix("src/").and_then(|name| name.strip_suffix(".rs")).unwrap_or("");
        path.split('/').filter(|part| !matches!(*part, "" | "mod" | "lib" | "main")).collect()
    }

    /// Every path that begins at the crate (also by way of `super`), or with one of `names`, without its start.
    pub fn paths(&self, names: &[&str]) -> Vec<Vec<String>> {
        let module = self.module();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            let begins = at == 0 || self.token(at - 1) != "::";
            let mut prefix = Vec::new();
            let mut next = at + 1;
            let is_path = match token.as_str() {
                "crate" => true,
                "super" => {
                    let mut ups = 1;
                    while self.token(next) == "::" && self.token(next + 1) == "super" {
                        (ups, next) = (ups + 1, next + 2);
                    }
                    // One level more may come from a module inside the file; then it is found one level lower.
                    prefix = module
                        .iter()
                        .take(module.len().saturating_sub(ups))
                        .map(|part| (*part).to_owned())
                        .collect();
                    prefix.is_empty()
                }
                name if names.contains(&name) => {
                    prefix = vec![name.to_owned()];
                    self.token(next) == "::"
                }
                _ => false,
            };
            if begins && is_path && self.token(next) == "::" {
                self.tree(next + 1, prefix, &mut found);
            }
            at += 1;
        }
        found
    }

    fn token(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", String::as_str)
    }

    /// Collects the paths of a use tree that begins at `at`; returns where it ends.
    fn tree(&self, mut at: usize, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
        loop {
            match self.token(at) {
                "{" => {
                    at += 1;
                    while !matches!(self.token(at), "}" | "") {
                        at = self.tree(at, path.clone(), found);
                        // `as name`
                        while !matches!(self.token(at), "," | "}" | "") {
                            at += 1;
                        }
                        at += usize::from(self.token(at) == ",");
                    }
                    return at + 1;
                }
                word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                    if word != "self" {
                        path.push(word.to_owned());
                    }
                    at += 1;
                    if self.token(at) != "::" {
                        found.push(path);
                        return at;
                    }
                    at += 1;
                }
                _ => {
                    found.push(path);
                    return at;
                }
            }
        }
    }
}

/// Words and signs of `text`; `::` is one sign.
fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let get = |at: usize| letters.get(at).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        match (get(at), get(at + 1)) {
            ('/', '/') => at = skip_until(&letters, at, |rest| rest.starts_with(&['\n'])),
            ('/', '*') => at = skip_block_comment(&letters, at),
            ('"', _) => at = skip_text(&letters, at + 1),
            ('r', '"' | '#') if raw_hashes(&letters, at).is_some() => {
                let hashes = raw_hashes(&letters, at).unwrap_or(0);
                let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                at = skip_until(&letters, at + hashes + 2, |rest| rest.starts_with(&end)) + end.len();
            }
            ('\'', '\\') => at = skip_until(&letters, at + 3, |rest| rest.starts_with(&['\''])) + 1,
            ('\'', _) if get(at + 2) == '\'' => at += 3,
            (':', ':') => {
                tokens.push("::".to_owned());
                at += 2;
            }
            (first, _) if first.is_alphanumeric() || first == '_' => {
                let word: String =
                    letters[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                at += word.chars().count();
                tokens.push(word);
            }
            (sign, _) => {
                if !sign.is_whitespace() {
                    tokens.push(sign.to_string());
                }
                at += 1;
            }
        }
    }
    tokens
}

fn skip_until(letters: &[char], mut at: usize, found: impl Fn(&[char]) -> bool) -> usize {
    while at < letters.len() && !found(&letters[at..]) {
        at += 1;
    }
    at
}

/// Block comments nest.
fn skip_block_comment(letters: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < letters.len() {
        let rest = &letters[at..];
        if rest.starts_with(&['/', '*']) {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(&['*', '/']) {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn skip_text(letters: &[char], mut at: usize) -> usize {
    while at < letters.len() && letters[at] != '"' {
        at += if letters[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Of a raw text that begins at `at`, how many `#` it has; nothing if it is none.
fn raw_hashes(letters: &[char], at: usize) -> Option<usize> {
    let after_word =
        at > 0 && (letters[at - 1].is_alphanumeric() && letters[at - 1] != 'b' || letters[at - 1] == '_');
    let hashes = letters[at + 1..].iter().take_while(|c| **c == '#').count();
    (!after_word && letters.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}
