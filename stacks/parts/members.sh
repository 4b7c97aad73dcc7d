# The members of a quorum, one after the other. Sourced by deploy. Reads `rendered`, `namespace`.
#
# Each member is a service of one task with a volume and a name of its own, so Swarm's update_config orders nothing among
# them: deployed together, all of Kafka's nodes would restart at the same time.

# kafka of kafka1, kafka2, kafka3.
kinds() { present_services | sed 's/[0-9]*$//' | sort -u; }

members_of() { present_services | grep -E "^$1[0-9]*\$"; }  # KIND

# What does not exist yet, all at once: the members of a quorum need each other to begin. Leaves in `made` who they are.
create_missing() {
  local present missing
  made=
  present=$(deployed_services)
  missing=$(comm -23 <(services | sort) <(sed "s/^${namespace}_//" <<<"$present" | sort))
  [[ -n $missing ]] || return 0
  made=$missing
  echo "made: "$missing
  # shellcheck disable=SC2086  # a word a service
  deploy_services $missing
}

# One kind. Those that do not run first and together: nobody can lose them. Then, once all members are whole again, the
# others one by one, the leader last, so that the leadership moves once.
roll() {  # KIND
  local kind=$1 member down=() up=()
  for member in $(members_of "$kind"); do
    if ! grep -qxF "$member" <<<"$made" && is_up "$member"; then up+=("$member"); else down+=("$member"); fi
  done
  deploy_services "${down[@]}"
  for member in "${down[@]}"; do await_member "$member"; done
  await_whole "$kind"
  for member in $(leader_last "${up[@]}"); do replace "$kind" "$member"; done
}

# While the managers elect a leader they say nothing of any member: taken for down, all of them would be replaced together.
is_up() {  # MEMBER
  local tasks
  until_true "$ANSWER_TIMEOUT" ask_states "$1" ||
    refuse "the swarm does not say whether $1 runs, so no further member was touched"
  if grep -qxE 'assigned|accepted|ready|preparing|starting' <<<"$tasks"; then
    # Its Docker has just come back, it may be: with others that start it would be replaced together.
    await_service "${namespace}_$1" "$STARTING_TIMEOUT"
  else
    grep -qx running <<<"$tasks"
  fi
}

# Leaves them in `tasks`; false when there is no answer.
ask_states() {  # MEMBER
  tasks=$(inspect_tasks '{{.Status.State}}' --filter desired-state=running "${namespace}_$1")
}

replace() {  # KIND MEMBER
  local before after
  before=$(tasks_of "$2")
  deploy_services "$2"
  await_member "$2"
  after=$(tasks_of "$2")
  [[ $before == "$after" ]] || await_whole "$1"
}

tasks_of() { docker service ps --quiet --no-trunc --filter desired-state=running "${namespace}_$1"; }  # MEMBER

await_member() {  # MEMBER
  if await_service "${namespace}_$1" "$MEMBER_TIMEOUT"; then echo "$1: runs"; return; fi
  tell_unready "${namespace}_$1"
  refuse "$1 $(outcome). The members behind it are untouched. \
See \`docker service ps --no-trunc ${namespace}_$1\` and \`docker service logs ${namespace}_$1\`. \
Then deploy again, with what it lacks, or with the STATEFUL_RELEASE from before"
}

leader_last() {  # MEMBER...
  local member
  for member in "$@"; do [[ $member == "$leader" ]] || echo "$member"; done
  for member in "$@"; do [[ $member != "$leader" ]] || echo "$member"; done
}
