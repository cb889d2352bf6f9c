# The first process of a node's namespaces: covers what the machine would see of the node, and the node of the machine.
# usage: hold.sh FOLDER HIERARCHY… (hierarchies of control groups, as /proc/self/cgroup names them)
set -eu
folder=$1
shift
mount --make-rshared / # peers in this namespace only
mount -t tmpfs -o mode=755 hookward /sys/fs/cgroup
for hierarchy; do
  place=/sys/fs/cgroup/${hierarchy#name=}
  case $hierarchy in name=*) options=none,$hierarchy ;; *) options=$hierarchy ;; esac
  mkdir "$place"
  mount -t cgroup -o "$options" hookward "$place" # begins at our own group
  case $hierarchy in *,*) for one in $(echo "$hierarchy" | tr , ' '); do ln -s "$hierarchy" "/sys/fs/cgroup/$one"; done ;; esac
done
# The kubelet sets these for the whole machine; here it finds files that say already what it wants.
cover() {
  echo "$2" >"$folder/covers/${1##*/}"
  mount --bind "$folder/covers/${1##*/}" "/proc/sys/$1"
}
cover vm/overcommit_memory 1
cover vm/panic_on_oom 0
cover kernel/panic 10
cover kernel/panic_on_oops 1
# Those of the network belong to the namespace.
echo 1 >/proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi
ip link set lo up
for place in /run/containerd /run/netns /var/lib/cni /var/lib/kubelet /var/log/containers; do
  mkdir -p "$place"
  mount -t tmpfs -o mode=711 hookward "$place"
done
: >"$folder/namespaces"
# Waiting also buries what others leave behind.
while :; do
  sleep 1000 &
  wait
done
