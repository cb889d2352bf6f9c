//! Tables for people: aligned for a terminal, with bars for Markdown.

/// Rows of texts below a head.
#[derive(Debug, Clone)]
pub(super) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table; a head that begins with `>` stands above numbers.
    pub(super) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds one row, as wide as the head.
    pub(super) fn row<const COUNT: usize>(&mut self, cells: [String; COUNT]) {
        self.rows.push(cells.into());
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.head.len()).map(|column| self.width(column)).collect();
        let line = |cells: Vec<&str>| {
            let cells = cells.iter().zip(&widths).zip(&self.head).map(|((cell, width), head)| {
                if head.starts_with('>') { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        let head = line(self.titles());
        let rows = self.rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
        std::iter::once(head).chain(rows).collect()
    }

    /// For Markdown.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
        let rules: Vec<_> =
            self.head.iter().map(|head| if head.starts_with('>') { "---:" } else { "---" }).collect();
        let rows = self.rows.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
        [line(&self.titles()), line(&rules)].into_iter().chain(rows).collect()
    }

    fn titles(&self) -> Vec<&str> {
        self.head.iter().map(|head| head.trim_start_matches('>')).collect()
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
        cells.chain(self.titles().get(column).copied()).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["what", ">ms"]);
        table.row(["µ".to_owned(), "1.5".to_owned()]);
        table.row(["long name".to_owned(), "10".to_owned()]);
        table
    }

    #[test]
    fn numbers_stand_to_the_right() {
        assert_eq!(table().text(), "what        ms\nµ          1.5\nlong name   10\n");
    }

    #[test]
    fn markdown_says_so_too() {
        assert_eq!(table().markdown(), "| what | ms |\n| --- | ---: |\n| µ | 1.5 |\n| long name | 10 |\n");
    }
}
