//! YAML texts with every style and oddity that a chart could hold, the same ones for the same seed.

use super::words::{BAD_NAMES, BROKEN, COMMENTS, NAMES, NOTED, PLAIN};

/// A source of documents.
#[derive(Debug)]
pub(crate) struct Generator {
    state: u64,
    anchors: Vec<(String, bool)>,
    /// Whether broken pieces may be put in.
    breaks: bool,
}

impl Generator {
    /// Every seed gives another text; one in four may hold broken pieces.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            anchors: Vec::new(),
            breaks: seed % 4 == 3,
        }
    }

    /// A number below `limit`, by xorshift.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let mixed = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(mixed).unwrap_or_default() % limit
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.below(list.len())]
    }

    /// One text, most often a map; sometimes with separators, other line ends, or no end of its last line.
    pub(crate) fn document(&mut self) -> String {
        let body = match self.below(12) {
            0 => self.list(0, 0),
            1 => format!("{}\n", self.flow(0)),
            2 => format!("{}\n", self.scalar()),
            _ => self.map(0, 0),
        };
        let mut text = match self.below(16) {
            0 => format!("---\n{body}"),
            1 => format!("# head\n\n---  # start\n{body}"),
            2 => format!("%YAML 1.1\n---\n{body}"),
            3 => format!("{body}...\n"),
            4 => format!("{body}---\nsecond: [\n"),
            5 => format!("\u{feff}{body}"),
            6 => format!("{body}\n\n  \n# tail"),
            _ => body,
        };
        if self.one_in(8) {
            text = text.replace('\n', "\r\n");
        }
        if self.one_in(4) {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        text
    }

    fn scalar(&mut self) -> String {
        if self.breaks && self.one_in(40) {
            return self.pick(BROKEN).to_owned();
        }
        match self.below(8) {
            0 | 1 => self.pick(NOTED).to_owned(),
            2 => format!("word{}", self.below(1000)),
            3 => self.number(),
            _ => self.pick(PLAIN).to_owned(),
        }
    }

    /// Something that looks like a number from afar.
    fn number(&mut self) -> String {
        let length = 1 + self.below(12);
        (0..length)
            .map(|_| self.pick(&["0", "1", "7", "8", "9", "3", "5", "_", ".", "e", "-1", "+", "x", "2"]))
            .collect()
    }

    fn name(&mut self) -> String {
        if self.breaks && self.one_in(60) {
            self.pick(BAD_NAMES).to_owned()
        } else {
            self.pick(NAMES).to_owned()
        }
    }

    fn comment(&mut self) -> &'static str {
        if self.one_in(8) { self.pick(COMMENTS) } else { "" }
    }

    fn anchor(&mut self, is_map: bool) -> String {
        if !self.one_in(6) {
            return String::new();
        }
        let name = format!("n{}", self.below(6));
        self.anchors.retain(|(other, _)| *other != name);
        self.anchors.push((name.clone(), is_map));
        format!("&{name} ")
    }

    fn alias(&mut self) -> Option<String> {
        if self.anchors.is_empty() {
            return None;
        }
        let chosen = self.below(self.anchors.len());
        Some(format!("*{}", self.anchors[chosen].0))
    }

    fn map(&mut self, indent: usize, depth: usize) -> String {
        let pad = " ".repeat(indent);
        let mut text = Vec::new();
        for _ in 0..=self.below(4) {
            if self.one_in(10) {
                text.push(["\n", "   \n", "# between\n", "      # deep\n"][self.below(4)].to_owned());
            }
            if self.one_in(10) {
                let merge = self.merge();
                text.push(format!("{pad}<<: {merge}\n"));
                continue;
            }
            let name = self.name();
            let value = self.value(indent, depth);
            let explicit = self.one_in(30);
            if explicit {
                text.push(format!("{pad}? {name}\n{pad}:{value}"));
            } else {
                text.push(format!("{pad}{name}:{value}"));
            }
        }
        text.concat()
    }

    /// What may stand after `<<:`.
    fn merge(&mut self) -> String {
        let maps: Vec<String> = self
            .anchors
            .iter()
            .filter(|(_, is_map)| *is_map || self.breaks)
            .map(|(name, _)| format!("*{name}"))
            .collect();
        if maps.is_empty() {
            return "{a: 1, b: {c: 2}}".to_owned();
        }
        let first = maps[self.below(maps.len())].clone();
        let second = maps[self.below(maps.len())].clone();
        match self.below(3) {
            0 => format!("[{first}, {second}]"),
            1 => format!("[{{a: 0, z: 1}}, {first}]"),
            _ => first,
        }
    }

    /// Everything after the colon, with its line break.
    fn value(&mut self, indent: usize, depth: usize) -> String {
        let deeper = indent + 1 + self.below(3);
        match if depth > 4 { 4 + self.below(5) } else { self.below(9) } {
            0 | 1 => {
                let (comment, map) = (self.comment(), self.map(deeper, depth + 1));
                // The name is free for aliases only after the map, which must not hold itself.
                let anchor = self.anchor(true);
                format!(" {anchor}{comment}\n{map}")
            }
            2 => {
                let indent = if self.one_in(2) { indent } else { deeper };
                let (comment, list) = (self.comment(), self.list(indent, depth + 1));
                let anchor = self.anchor(false);
                format!(" {anchor}{comment}\n{list}")
            }
            3 => self.block(indent),
            4 => format!(" {}{}\n", self.flow(depth), self.comment()),
            5 => match self.alias() {
                Some(alias) => format!(" {alias}{}\n", self.comment()),
                None => format!("{}\n", self.comment()),
            },
            6 => format!(" first\n{}  second{}\n", " ".repeat(deeper), self.comment()),
            _ => {
                let (scalar, comment) = (self.scalar(), self.comment());
                let margin = if self.one_in(3) { 0 } else { indent + 1 };
                let scalar = scalar.replace('\n', &format!("\n{}", " ".repeat(margin)));
                let anchor = self.anchor(false);
                let blanks = [" ", " ", " ", "  ", "\t", " \t"][self.below(6)];
                format!("{blanks}{anchor}{scalar}{comment}\n")
            }
        }
    }

    fn list(&mut self, indent: usize, depth: usize) -> String {
        let pad = " ".repeat(indent);
        let mut text = Vec::new();
        for _ in 0..=self.below(3) {
            match self.below(5) {
                0 if depth < 5 => {
                    let map = self.map(indent + 2, depth + 1);
                    // A map may begin on the line of its dash unless it begins with a comment or blank line.
                    if map.trim_start().starts_with('#') || map.trim_start_matches(' ').starts_with('\n') {
                        text.push(format!("{pad}-\n{map}"));
                    } else {
                        text.push(format!("{pad}- {}", map.trim_start_matches(' ')));
                    }
                }
                1 if depth < 5 => {
                    let list = self.list(indent + 2, depth + 1);
                    text.push(format!("{pad}- {}", list.trim_start_matches(' ')));
                }
                _ => {
                    let value = self.value(indent, depth);
                    text.push(format!("{pad}-{value}"));
                }
            }
        }
        text.concat()
    }

    fn flow(&mut self, depth: usize) -> String {
        let count = self.below(4);
        let tail = if self.one_in(6) && count > 0 { "," } else { "" };
        let space = ["", " ", "\n   "][self.below(12) % 3];
        if self.one_in(2) {
            let items: Vec<String> = (0..count).map(|_| self.flow_item(depth)).collect();
            return format!("[{}{tail}{space}]", items.join(&format!(",{space}")));
        }
        let separators = [": ", ": ", ": ", ":  ", " : "];
        let members: Vec<String> = (0..count)
            .map(|_| {
                let name = self.pick(&["a", "b", "c", "\"d\"", "'e'", "y", "1", "on"]);
                let separator =
                    if name.ends_with('"') && self.one_in(4) { ":" } else { separators[self.below(5)] };
                if self.one_in(12) {
                    name.to_owned()
                } else {
                    format!("{name}{separator}{}", self.flow_item(depth))
                }
            })
            .collect();
        format!("{{{}{tail}{space}}}", members.join(&format!(",{space}")))
    }

    fn flow_item(&mut self, depth: usize) -> String {
        match self.below(8) {
            0 | 1 if depth < 6 => self.flow(depth + 1),
            2 => self.alias().map_or_else(|| "x".to_owned(), |alias| format!("{alias} ")),
            3 => self
                .pick(&[
                    "'q'", "\"q\"", "\"a, b\"", "'{x}'", "!!str 1", "1.50", "-1", "a b", "x/y", "~", "no",
                    "http://x", "a-b", "0400",
                ])
                .to_owned(),
            4 => self.number(),
            _ => format!("w{}", self.below(100)),
        }
    }

    /// A block scalar.
    fn block(&mut self, indent: usize) -> String {
        let style = self.pick(&["|", ">", "|-", ">-", "|+", ">+"]);
        let deeper = 1 + self.below(3);
        let header = if self.one_in(6) { format!("{style}{deeper}") } else { style.to_owned() };
        let pad = " ".repeat(indent + deeper);
        let mut text = vec![format!(" {header}{}\n", self.comment())];
        for _ in 0..=self.below(5) {
            let line = self.pick(&[
                "line",
                "other # not a comment",
                "  more",
                "\ttab",
                "",
                " ",
                "a: b",
                "- x",
                "end  ",
                "'q",
                "#x",
                "---",
                "é",
            ]);
            if line.is_empty() {
                text.push("\n".to_owned());
            } else {
                text.push(format!("{pad}{line}\n"));
            }
        }
        if self.one_in(4) {
            text.push(["\n", "\n\n", "  \n"][self.below(3)].to_owned());
        }
        text.concat()
    }
}
