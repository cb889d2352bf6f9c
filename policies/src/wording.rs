//! Words that several rules share: lists in quotes, nearest words, pointers to annotations.

use hooks::node::escape;

/// JSON pointer to an annotation.
pub(crate) fn annotation(name: &str) -> String {
    format!("/metadata/annotations/{}", escape(name))
}

/// The longest text that a message repeats, in characters.
const LONGEST: usize = 60;
/// The most words that a message repeats, or guesses the meaning of.
pub(crate) const MOST: usize = 3;

/// `"a", "b" and "c"`; the first few, if there are many.
pub(crate) fn quoted<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let mut words = words.into_iter();
    let mut shown: Vec<String> = words.by_ref().take(MOST).map(one).collect();
    match words.count() {
        0 => {}
        more => shown.push(format!("{more} more")),
    }
    listed(shown)
}

/// `"a"`, cut if it is long.
pub(crate) fn one(word: &str) -> String {
    match word.char_indices().nth(LONGEST) {
        None => format!("{word:?}"),
        Some((end, _)) => format!("{:?}", format!("{}…", &word[..end])),
    }
}

/// `a, b and c`.
pub(crate) fn listed(words: impl IntoIterator<Item = impl ToString>) -> String {
    let mut words: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) }
}

/// The candidate that one of `words` was most likely meant to be; only the first few are looked at.
pub(crate) fn suggestion<'c, const N: usize>(words: &[&str], candidates: [&'c str; N]) -> Option<&'c str> {
    words.iter().take(MOST).find_map(|word| nearest(word, candidates))
}

/// The candidate that `word` was most likely meant to be: few letters differ, and fewer than half of them.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let best = candidates.into_iter().map(|candidate| (distance(word, candidate), candidate)).min()?;
    (best.0 <= 4 && best.0 * 2 < word.chars().count()).then_some(best.1)
}

/// How many letters are to be added, removed, replaced, or swapped with their neighbour, to make `right` of `left`.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) =
        (left.chars().take(64).collect(), right.chars().take(64).collect());
    let mut before = vec![0; right.len() + 1];
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != other);
            let mut least = replaced.min(above[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && *letter == right[column - 1] && left[row - 1] == *other {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_near() {
        let events = ["pre-install", "post-install", "test"];
        for slip in ["pre-instal", "preinstall", "pre-isntall", "pre_install"] {
            assert_eq!(nearest(slip, events), Some("pre-install"), "{slip}");
        }
        for far in ["", "x", "deploy", "tes!ing-things"] {
            assert_eq!(nearest(far, events), None, "{far:?}");
        }
    }

    #[test]
    fn distances_count_letters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("weight", "wieght"), 1);
        assert_eq!(distance("hooks", "hook"), 1);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn lists_read_like_prose() {
        assert_eq!(quoted(["a"]), "\"a\"");
        assert_eq!(quoted(["a", "b", ""]), "\"a\", \"b\" and \"\"");
        assert_eq!(quoted(["a", "b", "c", "d", "e"]), "\"a\", \"b\", \"c\" and 2 more");
        assert_eq!(one(&"ä".repeat(100)).chars().count(), LONGEST + 3);
        assert_eq!(annotation("helm.sh/hook"), "/metadata/annotations/helm.sh~1hook");
    }
}
