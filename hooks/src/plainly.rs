//! What serde says of a value, in words for whoever wrote it: which field, what is wanted there, and how that is written.

/// What serde says, what is wanted then, and an example.
pub type Wanted = (&'static str, &'static str, &'static str);

/// What goes for one kind of file besides what goes for all.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Sentences that are said in another way altogether.
    pub own: fn(&str) -> Option<String>,
    /// What is said of a whole number that is wanted, and an example: from whether it must not be below 0, and its field.
    pub number: fn(bool, Option<&str>) -> (&'static str, &'static str),
    /// What else is wanted.
    pub wanted: Wanted,
    /// Words of programmers, and those that stand for them.
    pub instead: &'static [(&'static str, &'static str)],
}

impl Words {
    /// The sentence without the place, which stands elsewhere, and without the words of programmers; `field` is whose value it is.
    #[must_use]
    pub fn plainly(&self, said: &str, field: Option<&str>) -> String {
        const INSTEAD: [(&str, &str); 4] = [
            (", set DuplicateKeyPolicy in Options if acceptable", ""),
            ("duplicate mapping key: ", "written twice: "),
            ("invalid boolean", "true or false is wanted here"),
            ("missing field", "there is no"),
        ];
        const WANTED: [Wanted; 3] = [
            ("expected string scalar", "a text", "TEXT"),
            ("expected sequence start", "a list", "[…]"),
            ("expected mapping start", "a map", "{…}"),
        ];
        let said = said.rfind(" at line ").map_or(said, |end| &said[..end]);
        let like =
            |example: &str| field.map_or_else(String::new, |field| format!(": write {field}: {example}"));
        let integer = said.strip_prefix("invalid ").filter(|kind| kind.len() <= 5);
        if let Some(kind) = integer.filter(|kind| kind.starts_with(['i', 'u'])) {
            let (which, example) = (self.number)(kind.starts_with('u'), field);
            return format!("a whole number is wanted here{which}{}", like(example));
        }
        if let Some(own) = (self.own)(said) {
            return own;
        }
        let mut wanted = WANTED.iter().chain([&self.wanted]);
        if let Some((_, what, example)) = wanted.find(|(word, ..)| said.contains(word)) {
            return format!("{what} is wanted here{}", like(example));
        }
        let instead = INSTEAD.iter().chain(self.instead);
        instead.fold(said.to_owned(), |said, (word, plain)| said.replace(word, plain))
    }
}
