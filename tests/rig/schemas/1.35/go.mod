module hookward.dev/rig/schemas

go 1.24

require k8s.io/kubernetes v1.35.4
