//! Where a moment stands in the drawing: waits of minutes and steps of milliseconds both have to be seen.

use crate::output::lifecycle::story::{Row, span};

/// The least and the most that lies between two moments, before all is made to fit.
const GAPS: (f64, f64) = (14.0, 130.0);
/// What is short is stretched, by no more than this, until it fills this part of the width.
const STRETCH: f64 = 3.0;
const FILLED: f64 = 0.7;
/// Two labels need this much between them.
const LABELS: f64 = 46.0;

/// A scale on which later is further right, but not in proportion.
#[derive(Debug)]
pub(super) struct Scale {
    /// Each moment, and its place from 0.
    stops: Vec<(f64, f64)>,
}

impl Scale {
    /// A scale for what `rows` say, as wide as `width`.
    pub(super) fn new<'r>(rows: impl Iterator<Item = &'r Row<'r>>, width: f64) -> Self {
        let mut moments = vec![0.0];
        for row in rows {
            moments.extend([row.begins, row.ends]);
            moments.extend(row.outcome.as_ref().map(|outcome| outcome.at));
        }
        moments.sort_by(f64::total_cmp);
        moments.dedup_by(|later, earlier| *later - *earlier < 0.05);
        let mut stops = Vec::with_capacity(moments.len());
        let mut at = 0.0;
        let mut before = 0.0;
        for moment in moments {
            if moment > before {
                let (least, most) = GAPS;
                at += (least + 34.0 * (1.0 + moment - before).log10() * 1.6).min(most);
            }
            stops.push((moment, at));
            before = moment;
        }
        let factor = if at > width { width / at } else { (FILLED * width / at).clamp(1.0, STRETCH) };
        for (_, place) in &mut stops {
            *place *= factor;
        }
        Self { stops }
    }

    /// The place of a moment.
    pub(super) fn at(&self, moment: f64) -> f64 {
        let next = self.stops.partition_point(|(stop, _)| *stop < moment - 0.05);
        self.stops.get(next).or(self.stops.last()).map_or(0.0, |(_, place)| *place)
    }

    /// The places that bear a label, and the label.
    pub(super) fn labels(&self) -> Vec<(f64, String)> {
        let mut labels: Vec<(f64, String)> = Vec::new();
        let last = self.stops.last().copied();
        for (moment, place) in &self.stops {
            let is_far = |other: f64| (place - other).abs() >= LABELS;
            let ends = last.is_none_or(|(end, at)| end <= *moment || is_far(at));
            if labels.last().is_none_or(|(before, _)| is_far(*before)) && ends {
                labels.push((*place, span(*moment)));
            }
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::lifecycle::story::{Doing, Row};

    fn row(begins: f64, ends: f64) -> Row<'static> {
        Row {
            event: None,
            object: None,
            weight: None,
            doing: Doing::Hook,
            begins,
            ends,
            words: String::new(),
            outcome: None,
            replaces: false,
            waited: None,
            stays: false,
            loses: false,
        }
    }

    #[test]
    fn later_is_further_right_and_all_of_it_fits() {
        let rows: Vec<_> = (0..40).map(|index| row(f64::from(index), f64::from(index * index))).collect();
        let scale = Scale::new(rows.iter(), 500.0);
        let mut before = -1.0;
        for second in 0..40 {
            let place = scale.at(f64::from(second));
            assert!(place > before && place <= 500.0, "{second}: {place} after {before}");
            before = place;
        }
        assert!((scale.at(1521.0) - 500.0).abs() < 0.01);
    }

    #[test]
    fn labels_keep_their_distance_and_the_last_moment_has_one() {
        let rows: Vec<_> = (0..60).map(|index| row(f64::from(index), f64::from(index))).collect();
        let labels = Scale::new(rows.iter(), 500.0).labels();
        assert!(labels.windows(2).all(|pair| pair[1].0 - pair[0].0 >= LABELS), "{labels:?}");
        assert_eq!(labels.last().map(|(_, label)| label.as_str()), Some("59s"));
    }

    #[test]
    fn an_action_without_steps_has_a_beginning() {
        let scale = Scale::new(std::iter::empty(), 500.0);
        assert_eq!((scale.at(7.0), scale.labels()), (0.0, vec![(0.0, "0.0s".to_owned())]));
    }
}
