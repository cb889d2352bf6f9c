//! The order in which Helm creates the objects of a release and runs the hooks of one event.

/// The kinds Helm knows, first created first.
///
/// Source: Helm 4.2.4 `pkg/release/v1/util/kind_sorter.go`, `InstallOrder`. Helm 3 lacks the last two.
const INSTALL_ORDER: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The place of `kind` in Helm's order of creation; all kinds that Helm does not know share the last place. Case counts.
#[must_use]
pub fn install_rank(kind: &str) -> usize {
    INSTALL_ORDER.iter().position(|known| *known == kind).unwrap_or(INSTALL_ORDER.len())
}

/// Sorts by kind; kinds that Helm does not know come last, by name. Items of one kind keep their order.
///
/// Source: Helm 4.2.4 `pkg/release/v1/util/kind_sorter.go`, `lessByKind`.
pub fn by_kind<T>(items: &mut [T], kind: impl Fn(&T) -> &str) {
    items.sort_by(|left, right| {
        let (left, right) = (kind(left), kind(right));
        (install_rank(left), left).cmp(&(install_rank(right), right))
    });
}

/// Sorts the hooks of one event by weight, then by the bytes of the name. Equal ones keep their order.
///
/// Source: Helm 4.2.4 `pkg/action/hooks.go`, `hookByWeight`.
pub fn by_weight<T>(items: &mut [T], key: impl Fn(&T) -> (i64, &str)) {
    items.sort_by(|left, right| key(left).cmp(&key(right)));
}

/// Sorts the hooks of one event as Helm runs them: weight, name, kind, path of the template, number of the document in it.
///
/// `source` is path and document, `key` is weight and name. The kind decides only between hooks of equal weight and name.
pub fn execution<T>(
    items: &mut [T],
    source: impl Fn(&T) -> (&str, usize),
    kind: impl Fn(&T) -> &str,
    key: impl Fn(&T) -> (i64, &str),
) {
    items.sort_by(|left, right| source(left).cmp(&source(right)));
    by_kind(items, kind);
    by_weight(items, key);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_kinds_come_in_helms_order_and_unknown_ones_last_by_name() {
        let mut kinds =
            ["Zebra", "Job", "Apple", "job", "ServiceAccount", "ValidatingWebhookConfiguration", ""];
        by_kind(&mut kinds, |kind| kind);
        assert_eq!(
            kinds,
            ["ServiceAccount", "Job", "ValidatingWebhookConfiguration", "", "Apple", "Zebra", "job"]
        );
    }

    #[test]
    fn every_known_kind_has_its_own_rank() {
        for (rank, kind) in INSTALL_ORDER.iter().enumerate() {
            assert_eq!(install_rank(kind), rank);
        }
        assert_eq!(install_rank("Widget"), INSTALL_ORDER.len());
    }

    #[test]
    fn weight_beats_name_and_name_beats_kind() {
        // (path, document, kind, weight, name)
        let mut hooks = [
            ("b.yaml", 0, "Job", 0, "a"),
            ("a.yaml", 1, "ServiceAccount", 0, "b"),
            ("a.yaml", 0, "Job", -1, "z"),
            ("c.yaml", 0, "ConfigMap", 0, "a"),
            ("a.yaml", 0, "Job", 0, "B"),
        ];
        execution(&mut hooks, |hook| (hook.0, hook.1), |hook| hook.2, |hook| (hook.3, hook.4));
        assert_eq!(
            hooks.map(|hook| (hook.2, hook.4)),
            [("Job", "z"), ("Job", "B"), ("ConfigMap", "a"), ("Job", "a"), ("ServiceAccount", "b")]
        );
    }

    #[test]
    fn what_is_equal_goes_by_path_and_document() {
        let mut hooks = [("b.yaml", 0), ("a.yaml", 10), ("a.yaml", 9), ("B.yaml", 1)];
        execution(&mut hooks, |hook| *hook, |_| "Job", |_| (0, "same"));
        assert_eq!(hooks, [("B.yaml", 1), ("a.yaml", 9), ("a.yaml", 10), ("b.yaml", 0)]);
    }

    type Item = (String, usize, String, i64, String);

    fn items() -> impl Strategy<Value = Vec<Item>> {
        let kind = prop_oneof![Just("Job"), Just("Secret"), Just("Widget"), Just("Gadget")];
        let item = ("[ab]", 0_usize..3, kind.prop_map(str::to_owned), -1_i64..2, "[xy]");
        prop::collection::vec(item, 0..24)
    }

    fn sort(items: &mut [Item]) {
        execution(items, |item| (&item.0, item.1), |item| &item.2, |item| (item.3, &item.4));
    }

    proptest! {
        #[test]
        fn any_permutation_ends_in_the_same_order((left, mut right) in items().prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle()))) {
            let mut left = left;
            sort(&mut left);
            sort(&mut right);
            prop_assert_eq!(left, right);
        }

        #[test]
        fn equal_items_keep_their_order(items in items()) {
            let mut numbered: Vec<_> = items.into_iter().enumerate().collect();
            by_weight(&mut numbered, |(_, item)| (item.3, &item.4));
            for pair in numbered.windows(2) {
                let [(first, left), (second, right)] = pair else { continue };
                let (left, right) = ((left.3, &left.4), (right.3, &right.4));
                prop_assert!(left < right || (left == right && first < second));
            }
            by_kind(&mut numbered, |(_, item)| &item.2);
            for pair in numbered.windows(2) {
                prop_assert!(install_rank(&pair[0].1.2) <= install_rank(&pair[1].1.2));
            }
        }
    }
}
