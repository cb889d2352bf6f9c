//! What a Helm hook is: annotations, events, weights, delete policies, order, release records, manifests as Helm reads them, how what they say may be shown, and words that Helm and Kubernetes read. Pure.

pub mod annotations;
pub mod delete_policy;
pub mod duration;
pub mod event;
pub mod interest;
pub mod json;
pub mod manifest;
pub mod mask;
pub mod name;
pub mod node;
pub mod object;
pub mod order;
pub mod plain;
pub mod plainly;
pub mod release;
pub mod room;
pub mod scope;
pub mod template_source;
pub mod weight;
pub mod yaml;

pub use annotations::{Hook, Written};
pub use delete_policy::{DeletePolicies, DeletePolicy};
pub use event::{Event, Events};
pub use interest::Interest;
pub use mask::Mask;
pub use node::{Member, Node, Span, Value};
pub use object::{Container, Object, Pods};
pub use room::Room;
pub use weight::Weight;
