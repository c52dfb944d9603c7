//! Lists for people: columns as wide as their widest cell, two spaces apart, and lines below a row.

use std::fmt::Display;

use comfy_table::{Table, presets};

use super::print;

/// A list, printed as a whole so that its columns are aligned.
pub struct Listing {
    table: Table,
    below: Vec<Vec<String>>,
}

impl Listing {
    /// An empty list.
    pub fn new() -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        Self { table, below: Vec::new() }
    }

    /// Adds a row. A row is one line, whatever its cells contain.
    pub fn row(&mut self, cells: &[&dyn Display]) {
        self.table.add_row(cells.iter().map(|cell| cell.to_string().replace(['\n', '\r'], " ")));
        self.below.push(Vec::new());
    }

    /// Adds a line below the last row.
    pub fn below(&mut self, line: String) {
        if let Some(lines) = self.below.last_mut() {
            lines.push(line);
        }
    }

    /// Prints it.
    pub fn print(self) {
        self.lines().iter().for_each(|line| print(line));
    }

    fn lines(mut self) -> Vec<String> {
        self.table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        let mut lines = Vec::new();
        for (row, below) in self.table.lines().zip(self.below) {
            lines.push(row.trim_end().to_owned());
            lines.extend(below);
        }
        lines
    }
}

/// Prints one row.
pub fn print_row(cells: &[&dyn Display]) {
    let mut list = Listing::new();
    list.row(cells);
    list.print();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_stand_below_their_row() {
        let mut list = Listing::new();
        list.row(&[&7, &"Casa Azul", &""]);
        list.below("    maybe 12".to_owned());
        list.row(&[&1234, &"Nº 1", &"two\nlines"]);
        assert_eq!(list.lines(), ["7     Casa Azul", "    maybe 12", "1234  Nº 1       two lines"]);
        assert_eq!(Listing::new().lines(), Vec::<String>::new());
    }
}
