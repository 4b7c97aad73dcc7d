# Whether a quorum is whole, as its members say (stacks/whole.yaml). Sourced by deploy.

# Where members answer, and on which network.
declare -A asked_port=([kafka]=9092 [etcd]=2379 [patroni]=8008 [aerospike]=3000)
declare -A asked_network=([kafka]=kafka [etcd]=patroni [patroni]=patroni [aerospike]=aerospike)

# Waits until the members of a kind are whole; leaves in `leader` which one leads, where they say so. A kind without a
# program, as the proxy, has no quorum.
await_whole() {  # KIND
  local program=$here/whole/$1.py members
  leader=
  [[ -f $program ]] || return 0
  members=$(members_of "$1" | sed "s/\$/:${asked_port[$1]}/" | paste -sd' ')
  forget_asking                # and with it what others said
  RELEASE=${application_release:?names the release whose image asks them} \
    PROGRAM=$(<"$program") MEMBERS=$members NETWORK=${asked_network[$1]} \
    render "$here/whole.yaml" | stack_deploy allezone-whole >/dev/null
  await_job allezone-whole_asked "$MEMBER_TIMEOUT" || refuse_broken "$1"
  leader=$(docker service logs --raw allezone-whole_asked 2>/dev/null | sed -n 's/^leader //p' | tail -n 1)
  echo "$1: whole${leader:+, $leader leads}"
}

refuse_broken() {  # KIND
  echo "deploy: what the members of $1 said:" >&2
  docker service logs --raw --tail 3 allezone-whole_asked >&2 || true
  refuse "$1 is not whole after $MEMBER_TIMEOUT s, so no further member was touched. Mend it (docs/operations/machines.md), and \
deploy again"
}

forget_asking() {
  docker service rm allezone-whole_asked >/dev/null 2>&1 || true
}
