//! The files that the parts of a node are set up with; JSON is YAML, and containerd reads TOML.

use std::{fs, io, path::Path};

use serde_json::{Value, json};

use super::images::PAUSE;

/// Pods have their addresses here.
const PODS: &str = "10.244.0.0/16";

/// Writes them into `folder`, with the CNI plugins from `plugins`.
pub(super) fn write(folder: &Path, plugins: &Path) -> io::Result<()> {
    for name in ["cni", "covers", "images", "pods"] {
        fs::create_dir_all(folder.join(name))?;
    }
    fs::write(folder.join("containerd.toml"), containerd(folder, plugins))?;
    fs::write(folder.join("cni/10-node.conflist"), network(folder).to_string())?;
    fs::write(folder.join("kubelet.yaml"), kubelet(folder).to_string())?;
    fs::write(folder.join("kube-proxy.yaml"), proxy(folder).to_string())
}

/// Where containerd listens.
pub(super) const SOCKET: &str = "containerd.sock";

/// `restrict_oom_score_adj`: a container's score may not go below our own where that needs a capability we have not.
fn containerd(folder: &Path, plugins: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{folder}/{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"#,
        plugins.display()
    )
}

fn network(folder: &Path) -> Value {
    json!({
        "cniVersion": "0.4.0", "name": "node",
        "plugins": [
            {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
             "ipam": {"type": "host-local", "dataDir": folder.join("cni/addresses"),
                      "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}},
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}

/// Evictions want a limit above zero; images are never thrown away, for they could not be had again.
fn kubelet(folder: &Path) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": false}, "webhook": {"enabled": false},
            "x509": {"clientCAFile": folder.join("pki/ca.crt")},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": format!("unix://{}", folder.join(SOCKET).display()),
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": false,
        "failSwapOn": false,
        "oomScoreAdj": 0,
        "enforceNodeAllocatable": ["pods"],
        "resolvConf": "",
        "evictionHard": {
            "memory.available": "100Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "maxPods": 250,
        "podLogsDir": folder.join("pods"),
        "clusterDNS": ["10.0.0.10"],
        "clusterDomain": "cluster.local",
    })
}

/// The limits of connection tracking stay the machine's; a change of a Service is in force within 50 ms.
fn proxy(folder: &Path) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": PODS,
        "clientConnection": {"kubeconfig": folder.join("kubeconfig")},
        "conntrack": {
            "maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s",
        },
        "metricsBindAddress": "127.0.0.1:10249",
        "healthzBindAddress": "127.0.0.1:10256",
        "nftables": {"minSyncPeriod": "50ms", "syncPeriod": "30s"},
    })
}
