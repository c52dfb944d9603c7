//! The report as readable text.

use std::fmt;

use super::report::{Check, CheckVerdict, ConformanceReport, Failure, Identity, Usage};

impl fmt::Display for ConformanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity { name, bytes, version, contract, hash } = &self.plugin;
        write!(f, "{name} {}", version.as_deref().unwrap_or("(not loaded)"))?;
        if let (Some(contract), Some(hash)) = (contract, hash) {
            write!(f, ", contract {contract}, {bytes} bytes, sha256 {}", hash.get(..12).unwrap_or_default())?;
        }
        writeln!(f)?;
        let mut group = "";
        for check in &self.checks {
            let first = check.name.split('.').next().unwrap_or_default();
            if first != group {
                writeln!(f)?;
                group = first;
            }
            self.check(f, check)?;
        }
        if !self.usage.is_empty() {
            writeln!(f, "\nused of its limits:")?;
        }
        for Usage { sample, figures } in &self.usage {
            let figures: Vec<String> =
                figures.iter().map(|x| format!("{} {}/{} {}", x.name, x.used, x.limit, x.unit)).collect();
            writeln!(f, "  {sample}: {}", figures.join(", "))?;
        }
        let [passed, failed, nothing, unfinished] =
            [CheckVerdict::Passed, CheckVerdict::Failed, CheckVerdict::NotApplicable, CheckVerdict::Unfinished]
                .map(|verdict| self.named(verdict).len());
        let unfinished = if unfinished > 0 { format!(", {unfinished} unfinished") } else { String::new() };
        let (seconds, tenths) = (self.millis / 1000, self.millis % 1000 / 100);
        writeln!(
            f,
            "\n{passed} passed, {failed} failed{unfinished}, {nothing} not applicable; {} calls in {seconds}.{tenths} s",
            self.calls
        )
    }
}

impl ConformanceReport {
    fn check(&self, f: &mut fmt::Formatter<'_>, check: &Check) -> fmt::Result {
        let word = match check.verdict() {
            CheckVerdict::Passed => "passed",
            CheckVerdict::Failed => "FAILED",
            CheckVerdict::Unfinished => "unfinished",
            CheckVerdict::NotApplicable => "-",
        };
        write!(f, "{word:<7} {:<24} {}", check.name, check.question)?;
        match (&check.reason, check.cases) {
            (Some(reason), 0) => writeln!(f, " Not applicable: {reason}.")?,
            (_, 0 | 1) => writeln!(f)?,
            (_, cases) => writeln!(f, " ({cases} cases)")?,
        }
        for note in &check.notes {
            writeln!(f, "          {note}")?;
        }
        for warning in &check.warnings {
            writeln!(f, "          warning: {warning}")?;
        }
        if check.not_begun > 0 {
            writeln!(f, "          warning: out of time with {} cases left", check.not_begun)?;
        }
        for (number, Failure { sent, came_back, expected }) in check.failures.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            for (title, text) in [("sent", sent), ("came back", came_back), ("expected", expected)] {
                writeln!(f, "          {title:<10} {}", text.replace('\n', "\n                     "))?;
            }
        }
        if check.more_failures > 0 {
            writeln!(f, "\n          and {} more", check.more_failures)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_need_cases_and_fail_on_one_failure() {
        let mut check = Check::new("some.thing", "Is it so?");
        assert_eq!(check.clone().nothing("there is none").verdict(), CheckVerdict::NotApplicable);
        check.case(Ok(()));
        assert_eq!(check.verdict(), CheckVerdict::Passed);
        for number in 0..7 {
            check.case(Err(Failure::new(format!("case {number}"), "a\nb", "c")));
        }
        assert_eq!((check.verdict(), check.failures.len(), check.more_failures), (CheckVerdict::Failed, 3, 4));
        let report = ConformanceReport {
            plugin: Identity { name: "acme".to_owned(), ..Identity::default() },
            checks: vec![check],
            usage: Vec::new(),
            calls: 8,
            millis: 1234,
        };
        let text = report.to_string();
        assert!(text.contains("FAILED  some.thing") && text.contains("and 4 more"), "{text}");
        assert!(text.contains("0 passed, 1 failed, 0 not applicable; 8 calls in 1.2 s"), "{text}");
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(
            (&json["checks"][0]["verdict"], &json["checks"][0]["failures"][0]["cameBack"]),
            (&"failed".into(), &"a\nb".into())
        );
    }
}
