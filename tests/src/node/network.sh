# Joins the namespace of a process to the machine by a pair of interfaces.
# usage: network.sh PROCESS LINK MACHINE_ADDRESS NODE_ADDRESS SERVICE_RANGE
set -eu
ip link add "$2" type veth peer name eth0 netns "$1"
ip address add "$3/30" dev "$2"
ip link set "$2" up
# There is no way out, so that a missing image is known at once; services need a way to be caught on.
nsenter --target "$1" --net sh -eu -c '
  ip address add "$1/30" dev eth0
  ip link set eth0 up
  ip route add "$2" dev eth0
' network "$4" "$5"
