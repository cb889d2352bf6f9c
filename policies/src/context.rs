//! What a rule may look at. Plain data: gathering it is someone else's work.

use std::any::Any;

use hooks::{Event, Hook, Object};

use crate::{release::Release, settings::Engine};

/// Everything about one hook.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The object; for a hook `List`, one of its items.
    pub object: Object<'a>,
    /// What its annotations say.
    pub hook: &'a Hook<'a>,
    /// The object as it was, on UPDATE.
    pub old: Option<Object<'a>>,
    /// Whether the object is an item of a hook `List`: Helm reads the annotations of the `List` alone. Never at admission.
    pub is_item: bool,
    /// Who filled in what the author left out.
    pub origin: Origin,
    /// What is being done to the object.
    pub operation: Operation,
    /// Who does it, as `metadata.managedFields` would say: `helm`, `helm-controller`, `kubectl`.
    pub field_manager: Option<&'a str>,
    /// The namespace of the release, or of the request.
    pub namespace: Option<&'a str>,
    /// The engine that runs the hooks.
    pub engine: &'a Engine,
    pub(crate) options: &'a (dyn Any + Send + Sync),
}

/// Everything about one release.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseContext<'a> {
    /// All its objects.
    pub release: &'a Release<'a>,
    /// The engine that runs the hooks.
    pub engine: &'a Engine,
    pub(crate) options: &'a (dyn Any + Send + Sync),
}

/// Where an object comes from, which decides what an absent field means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the API server, which fills its defaults in before it asks us.
    Admitted,
    /// From a chart: absent is absent.
    Rendered,
}

/// What is being done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is made.
    Create,
    /// It is changed.
    Update,
}

/// Which of Helm's actions is under way, as far as we know: it decides whether a recovery would be blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moment {
    /// Nobody told us.
    #[default]
    Unknown,
    /// `helm install`.
    Install,
    /// `helm upgrade`.
    Upgrade,
    /// `helm rollback`.
    Rollback,
    /// `helm uninstall`.
    Uninstall,
    /// `helm test`.
    Test,
}

impl Moment {
    /// Whether a hook with this event runs now; `None` when that is not known.
    #[must_use]
    pub const fn runs(self, event: Event) -> Option<bool> {
        Some(match self {
            Self::Unknown => return None,
            Self::Install => matches!(event, Event::PreInstall | Event::PostInstall),
            Self::Upgrade => matches!(event, Event::PreUpgrade | Event::PostUpgrade),
            Self::Rollback => matches!(event, Event::PreRollback | Event::PostRollback),
            Self::Uninstall => matches!(event, Event::PreDelete | Event::PostDelete),
            Self::Test => matches!(event, Event::Test),
        })
    }

    /// Whether the action is known to take something back.
    #[must_use]
    pub const fn is_recovery(self) -> bool {
        matches!(self, Self::Rollback | Self::Uninstall)
    }
}

impl Context<'_> {
    /// The options of the rule that is being run.
    ///
    /// # Panics
    ///
    /// When `T` is not the type that the rule declared, which its own first test would show.
    #[must_use]
    pub fn options<T: 'static>(&self) -> &T {
        self.options.downcast_ref().expect("a rule asks for the options that it declared")
    }
}

impl ReleaseContext<'_> {
    /// The options of the rule that is being run.
    ///
    /// # Panics
    ///
    /// When `T` is not the type that the rule declared, which its own first test would show.
    #[must_use]
    pub fn options<T: 'static>(&self) -> &T {
        self.options.downcast_ref().expect("a rule asks for the options that it declared")
    }
}
