//! What somebody who misspelt a word most likely meant.

/// The candidate that `word` was most likely meant to be: few letters differ, and fewer than half of them.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let best = candidates.into_iter().map(|candidate| (distance(word, candidate), candidate)).min()?;
    (best.0 <= 4 && best.0 * 2 < word.chars().count()).then_some(best.1)
}

/// `; did you mean "…"?` where there is a likely one.
#[must_use]
pub fn hint<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    nearest(word, candidates).map(|nearest| format!("; did you mean {nearest:?}?")).unwrap_or_default()
}

/// How many letters must be changed, added or taken away to make one word of the other; case does not count.
fn distance(left: &str, right: &str) -> usize {
    let letters = |word: &str| word.chars().take(100).flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (left, right) = (letters(left), letters(right));
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_another_word() {
        let fields = ["install", "upgrade", "uninstall", "waitForJobs"];
        assert_eq!(nearest("upgrad", fields), Some("upgrade"));
        assert_eq!(nearest("waitforjobs", fields), Some("waitForJobs"));
        assert_eq!(nearest("chart", fields), None);
        assert_eq!(nearest("", fields), None);
        assert_eq!(hint("instal", fields), "; did you mean \"install\"?");
    }
}
