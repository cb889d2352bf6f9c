//! What a release does to its hooks: planned, simulated in virtual time, and really run with real Helm.

pub mod answer;
pub mod chart;
pub mod command;
pub mod outcome;
pub mod profile;
pub mod run;
pub mod scenario;
pub mod simulate;
pub mod world;

pub use answer::{Answer, Played, Step};
pub use chart::Chart;
pub use command::Command;
pub use outcome::{Outcome, Outcomes};
pub use profile::Profile;
pub use scenario::Scenario;
pub use simulate::Simulation;
pub use world::World;
