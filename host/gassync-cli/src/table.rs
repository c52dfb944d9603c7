//! Lists for people: columns as wide as their widest cell, two spaces apart, and lines below a row.

use std::fmt::Display;

use comfy_table::{Table, presets};

use super::print;

/// A list, printed as a whole so that its columns are aligned.
pub struct List {
    table: Table,
    below: Vec<Vec<String>>,
}

impl List {
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
    pub fn print(mut self) {
        self.table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        for (row, below) in self.table.lines().zip(&self.below) {
            print(row.trim_end());
            below.iter().for_each(|line| print(line));
        }
    }
}

/// Prints one row.
pub fn print_row(cells: &[&dyn Display]) {
    let mut list = List::new();
    list.row(cells);
    list.print();
}
