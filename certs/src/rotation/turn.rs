//! One look of a replica at what is shared: what it serves, and what it writes.

use std::time::Duration;

use time::OffsetDateTime;

use super::{Knobs, Settling, State, Step, healing::Verdict, plan, state};

/// A handful of steps follow each other at once; what is left over is for the next turn.
const MOST_STEPS: usize = 8;

/// A reading of both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The calendar.
    pub now: OffsetDateTime,
    /// The time since this process began to look; never steps.
    pub steady: Duration,
}

/// What a replica makes of what it has found.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether what was found is served.
    pub verdict: Verdict,
    /// What should be shared from now on.
    pub state: State,
    /// The steps that have led to it, beside what was written back.
    pub steps: Vec<Step>,
    /// Whether it is to be written.
    pub is_to_write: bool,
    /// How long nothing becomes due, once it is written.
    pub wait: Duration,
}

/// Judges what is `found`, and plans on from there or from what is remembered. Nothing is written yet.
///
/// # Errors
/// When a certificate cannot be made.
pub fn look(
    settling: &mut Settling,
    found: &State,
    registered: Option<&str>,
    moment: Moment,
    knobs: &Knobs,
) -> Result<Outcome, state::Error> {
    let Moment { now, steady } = moment;
    settling.observe_registered(steady, registered);
    let verdict = settling.judge(now, steady, found, knobs);
    let mut state = match (verdict, settling.served()) {
        (Verdict::WriteBack, Some(served)) => served.clone(),
        _ => found.clone(),
    };
    let left_alone = settling.left_alone(steady, found, knobs);
    if verdict == Verdict::WriteBack && !left_alone.is_zero() {
        return Ok(Outcome { verdict, state, steps: Vec::new(), is_to_write: false, wait: left_alone });
    }
    if verdict == Verdict::Follow {
        settling.serve(found);
    }
    let mut view = settling.observe(now, steady, &state, registered);
    let kept = settling.served().and_then(State::leaf).filter(|_| verdict == Verdict::Later);
    let kept_until = kept.map(|leaf| knobs.leaf_ends_at_once(leaf));
    // Nobody else's change need settle before what is kept has another one to follow it.
    view.is_first |= kept_until.is_some_and(|end| end <= now);
    let (mut steps, mut wait) = (Vec::new(), knobs.overlap);
    for _ in 0..MOST_STEPS {
        let step = plan(&view, &state, knobs);
        if let Step::Wait { at_most, .. } = step {
            wait = at_most;
            break;
        }
        state.take(step, now, knobs)?;
        view = Settling::foresee(&view);
        steps.push(step);
    }
    if let Some(end) = kept_until {
        let left = Duration::try_from(end - now).ok().map(|left| left + Duration::from_secs(1));
        wait = wait.min(knobs.overlap / 3).min(left.unwrap_or(wait));
    }
    let is_to_write = !steps.is_empty() || verdict == Verdict::WriteBack;
    Ok(Outcome { verdict, state, steps, is_to_write, wait })
}

/// What came of a look was written; returns whether it is served.
pub fn written(
    settling: &mut Settling,
    outcome: &Outcome,
    registered: Option<&str>,
    moment: Moment,
    knobs: &Knobs,
) -> bool {
    if outcome.verdict == Verdict::WriteBack {
        settling.wrote_back(moment.steady);
    }
    let _ = settling.observe(moment.now, moment.steady, &outcome.state, registered);
    let is_served = settling.judge(moment.now, moment.steady, &outcome.state, knobs) == Verdict::Follow;
    if is_served {
        settling.serve(&outcome.state);
    }
    is_served
}
