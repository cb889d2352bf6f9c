//! The chart: what it renders, what it refuses, and that each value is told, used and checked.

mod alerts;
mod cert_manager;
mod goldens;
mod install_rights;
mod notes;
mod objects;
mod refusals;
mod render;
mod replicas;
mod values;
mod webhooks;
