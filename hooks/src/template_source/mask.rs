//! Template actions that would be mistaken for YAML.

/// The same text with comments, and all but the beginning of actions over several lines, turned into spaces: every byte that is
/// left, and every line break, keeps its place.
pub(super) fn actions(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, action) = rest.split_at(start);
        masked.push_str(before);
        let is_comment = inside(action).starts_with("/*");
        let end = if is_comment {
            action.find("*/").and_then(|end| action[end..].find("}}").map(|close| end + close))
        } else {
            action.find("}}")
        };
        let (action, after) = action.split_at(end.map_or(action.len(), |end| end + 2));
        if is_comment {
            blank(action, &mut masked);
        } else if action.contains('\n') {
            masked.push_str("{{");
            blank(&action[2..], &mut masked);
        } else {
            masked.push_str(action);
        }
        rest = after;
    }
    masked + rest
}

/// Whether the line begins a named template, or a block that stands for one.
pub(super) fn begins_definition(content: &str) -> bool {
    content.starts_with("{{") && ["define", "block"].iter().any(|word| inside(content).starts_with(word))
}

/// What follows the opening of an action and its trim marker.
fn inside(action: &str) -> &str {
    action.trim_start_matches("{{").trim_start_matches('-').trim_start()
}

fn blank(text: &str, masked: &mut String) {
    masked.extend(text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
}
