//! [`Line`]: what the table says of one route.

use std::fmt;

/// Who a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody; what authority there is, is in the path (a link) or in the body (a login).
    Open,
    /// Everybody on the staff, by session: their own account. No token does.
    Own,
    /// Those whose role, and token, has this scope, and who are not bound to one group (`Capability` unbound).
    Needs(&'static str),
    /// The same, by session: no token does.
    Session(&'static str),
    /// As `Needs`, and those bound to one group, within it (`Capability` with `bound`).
    Bound(&'static str),
}

/// What stands in the path's first parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Nothing that exists.
    Nothing,
    /// A supporter: one who shares with group A, then one who shares with group B.
    Supporter,
    /// A group: A, then B.
    Group,
    /// An import, whose preview and refused rows hold all three people.
    Import,
}

/// One route.
#[derive(Clone, Copy)]
pub struct Line {
    pub method: &'static str,
    pub path: &'static str,
    pub who: Who,
    pub of: Of,
    pub query: &'static str,
    /// Asked once more with this query, if there is one.
    pub also: &'static str,
    pub body: Option<(&'static str, &'static str)>,
    pub shows_people: bool,
    pub ends_session: bool,
    pub names_groups: bool,
}

const fn line(method: &'static str, path: &'static str, who: Who) -> Line {
    Line {
        method,
        path,
        who,
        of: Of::Nothing,
        query: "",
        also: "",
        body: None,
        shows_people: false,
        ends_session: false,
        names_groups: false,
    }
}

pub const fn get(path: &'static str, who: Who) -> Line {
    line("GET", path, who)
}

pub const fn post(path: &'static str, who: Who) -> Line {
    line("POST", path, who).json("{}")
}

pub const fn patch(path: &'static str, who: Who) -> Line {
    line("PATCH", path, who).json("{}")
}

pub const fn put(path: &'static str, who: Who) -> Line {
    line("PUT", path, who).json("{}")
}

pub const fn delete(path: &'static str, who: Who) -> Line {
    line("DELETE", path, who)
}

impl Line {
    /// What the path's first parameter names.
    pub const fn of(self, of: Of) -> Self {
        Self { of, ..self }
    }

    /// The query it is asked with; it must hold, or the answer is about the query and not about who asks.
    pub const fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    /// Another query it is asked with, too.
    pub const fn also(self, also: &'static str) -> Self {
        Self { also, ..self }
    }

    /// The JSON it is asked with; it must hold as far as its types go.
    pub const fn json(self, body: &'static str) -> Self {
        self.body("application/json", body)
    }

    /// The body it is asked with, and its media type.
    pub const fn body(self, media_type: &'static str, body: &'static str) -> Self {
        Self { body: Some((media_type, body)), ..self }
    }

    /// Its answer must show all three seeded people to an owner, and to group A's manager exactly their own.
    pub const fn shows_people(self) -> Self {
        Self { shows_people: true, ..self }
    }

    /// Whoever asks must log in again.
    pub const fn ends_session(self) -> Self {
        Self { ends_session: true, ..self }
    }

    /// Its answer may name other groups than one's own, also to who is bound to one (a public directory).
    pub const fn names_groups(self) -> Self {
        Self { names_groups: true, ..self }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[test]
fn a_line_holds_what_it_was_built_of() {
    let line = put("/x/{id}", Who::Bound("groups")).of(Of::Group).query("a=b").names_groups();
    assert_eq!((line.method, line.who, line.of), ("PUT", Who::Bound("groups"), Of::Group));
    assert_eq!((line.query, line.body), ("a=b", Some(("application/json", "{}"))));
    assert!(line.names_groups && !line.shows_people && !line.ends_session);
    assert_eq!(get("/x", Who::Open).of(Of::Supporter).of, Of::Supporter);
}
