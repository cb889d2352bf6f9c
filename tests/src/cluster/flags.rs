//! Flags of the servers that every cluster of the tests has in common; paths are relative to their folder.

/// Nothing has to survive a power cut.
pub(crate) fn etcd(client: u16, peer: u16) -> Vec<String> {
    vec![
        "--data-dir=etcd".to_owned(),
        "--unsafe-no-fsync".to_owned(),
        format!("--listen-client-urls=http://127.0.0.1:{client}"),
        format!("--advertise-client-urls=http://127.0.0.1:{client}"),
        format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-advertise-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-cluster=default=http://127.0.0.1:{peer}"),
    ]
}

/// The audit log is written before a request counts as answered, and never rotated.
pub(crate) const API_SERVER: &[&str] = &[
    "--service-cluster-ip-range=10.0.0.0/24",
    "--tls-cert-file=pki/apiserver.crt",
    "--tls-private-key-file=pki/apiserver.key",
    "--client-ca-file=pki/ca.crt",
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-account-key-file=pki/sa.pub",
    "--service-account-signing-key-file=pki/sa.key",
    "--authorization-mode=Node,RBAC",
    "--allow-privileged=true",
    "--audit-policy-file=audit-policy.yaml",
    "--audit-log-path=audit.log",
    "--audit-log-mode=blocking",
    "--audit-log-maxsize=100000",
];

/// Each controller may ask as often as it likes.
pub(crate) const CONTROLLER_MANAGER: &[&str] = &[
    "--kubeconfig=kubeconfig",
    "--service-account-private-key-file=pki/sa.key",
    "--root-ca-file=pki/ca.crt",
    "--use-service-account-credentials=false",
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
];

/// The same for the scheduler.
pub(crate) const SCHEDULER: &[&str] = &[
    "--kubeconfig=kubeconfig",
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
];

/// What is common, and what is not.
pub(crate) fn all(common: &[&str], own: impl IntoIterator<Item = String>) -> Vec<String> {
    common.iter().map(|flag| (*flag).to_owned()).chain(own).collect()
}
