use crate::{Budget, LogLine};

/// Log lines of a call, kept within limits; lines over the limit are only counted.
#[derive(Debug)]
pub(crate) struct Log {
    lines_left: usize,
    bytes_left: usize,
    pub lines: Vec<LogLine>,
    pub dropped: usize,
}

impl Log {
    pub fn new(budget: &Budget) -> Self {
        Self { lines_left: budget.log_lines, bytes_left: budget.log_bytes, lines: Vec::new(), dropped: 0 }
    }

    pub fn write(&mut self, line: LogLine) {
        let size = line.message.len() + line.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if self.lines_left == 0 || size > self.bytes_left {
            self.dropped += 1;
            return;
        }
        self.lines_left -= 1;
        self.bytes_left -= size;
        self.lines.push(line);
    }
}
