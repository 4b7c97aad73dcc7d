# Waiting, for a bounded time, until a job has completed or a service is what it was told to be.
# Sourced by deploy. Reads `namespace`, POLL and the timeouts.

# What a task was made from, as far as any of it is used here: the fields that Docker gives back the same of a service and
# of its tasks (DNSConfig and StopGracePeriod, which it fills in, it does not), and nothing of placement, for which no task
# is moved.
task_template='{{.ForceUpdate}}{{json .Resources}}{{json .Networks}}'
for field in Image Command Args Env Hostname User Mounts Secrets Configs Healthcheck StopSignal ReadOnly \
  CapabilityAdd CapabilityDrop Ulimits; do
  task_template+="{{json .ContainerSpec.$field}}"
done

# Calls a command until it answers; false after so many seconds.
until_true() {  # SECONDS COMMAND...
  local deadline=$((SECONDS + $1))
  while ! "${@:2}"; do
    [[ $SECONDS -lt $deadline ]] || return 1
    sleep "$POLL"
  done
}

# One word: settled, unsure, waiting, or how the update ended that did not succeed.
#
# `UpdateStatus` alone would not do: right after a deployment it is empty, as it is where nothing had to be done. So the tasks
# that run must be as many as wanted, and made from what the service is now. A task with a healthcheck is `running` once it
# is healthy, and an update `completed` once its tasks have been watched for the time that `monitor` says.
state_of() {  # SERVICE, with its namespace
  local found update wanted template tasks task current=0 running=0 started=0
  # A manager that has no answer right now is asked again.
  found=$(docker service inspect "$1" --format "{{with .UpdateStatus}}{{.State}}{{else}}none{{end}} \
{{with .Spec.Mode.Replicated}}{{.Replicas}}{{else}}global{{end}} {{with .Spec.TaskTemplate}}$task_template{{end}}") || { echo waiting; return; }
  read -r update wanted template <<<"$found"
  case $update in
    updating | rollback_started) echo waiting; return ;;
    paused | rollback_paused | rollback_completed) echo "$update"; return ;;
  esac
  # `ready` is one that waits for its start: of a global service, how many are wanted is how many there are.
  tasks=$(inspect_tasks "{{.Status.State}} {{with .Spec}}$task_template{{end}}" \
    --filter desired-state=running --filter desired-state=ready "$1") || { echo waiting; return; }
  while read -r task; do
    [[ -z $task ]] || started=$((started + 1))
    [[ $task != "running "* ]] || running=$((running + 1))
    [[ $task != "running $template" ]] || current=$((current + 1))
  done <<<"$tasks"
  [[ $wanted != global || $started == 0 ]] || wanted=$started
  if [[ $current == "$wanted" || ($update == completed && $running == "$wanted") ]]; then
    echo settled
  elif [[ $running == "$wanted" ]]; then
    echo unsure
  else
    echo waiting
  fi
}

# A line a task, by a template; the rest says which, as `docker service ps` takes it.
inspect_tasks() {  # FORMAT ARGUMENTS...
  docker service ps --quiet --no-trunc "${@:2}" | xargs -r docker inspect --type task --format "$1"
}

# Swarm begins an update at once: where none has begun after STEADY seconds, tasks only look different from their service.
: "${STEADY:=30}"

decided() {  # SERVICE
  state=$(state_of "$1")
  if [[ $state == unsure ]]; then
    unsure_since=${unsure_since:-$SECONDS}
    [[ $((SECONDS - unsure_since)) -lt $STEADY ]] || state=settled
  fi
  [[ $state != waiting && $state != unsure ]]
}

# Leaves in `state` what became of the service; false unless it is settled.
await_service() {  # SERVICE SECONDS
  unsure_since=
  until_true "$2" decided "$1" || true
  [[ $state == settled ]]
}

# All of them have the same time.
await_services() {  # SERVICE...
  local deadline=$((SECONDS + SERVICES_TIMEOUT)) service failed=()
  for service in "$@"; do
    if await_service "${namespace}_$service" $((deadline > SECONDS ? deadline - SECONDS : 0)); then
      echo "$service: runs"
    else
      echo "$service: $(outcome)" >&2
      tell_unready "${namespace}_$service"
      failed+=("$service")
    fi
  done
  [[ ${#failed[@]} == 0 ]] || refuse "not there: ${failed[*]}. \
See \`docker service ps --no-trunc ${namespace}_${failed[0]}\` and \`docker service logs ${namespace}_${failed[0]}\`; \
stacks/rollback puts the release before back"
}

# What its tasks wait for: one for which no node has room is no failure to Swarm, which would wait for ever.
tell_unready() {  # SERVICE, with its namespace
  docker service ps --no-trunc --filter desired-state=running --filter desired-state=ready \
    --format '  {{.Name}}: {{.CurrentState}}. {{.Error}}' "$1" | grep -v ': Running ' >&2 || true
}

outcome() {
  case $state in
    rollback_completed) echo "did not come up; Swarm has put back what was before" ;;
    rollback_paused) echo "did not come up, and neither did what was before" ;;
    paused) echo "did not come up; Swarm has stopped its update" ;;
    *) echo "is not there in time" ;;
  esac
}

# `complete` where a task of a job has completed, else the state of one; nothing where there is none yet. Every deployment
# begins a new iteration, and the tasks of earlier ones are listed as well.
job_state() {  # SERVICE
  local iteration tasks
  iteration=$(docker service inspect "$1" --format '{{.JobStatus.JobIteration.Index}}') || return 0
  tasks=$(inspect_tasks '{{.JobIteration.Index}} {{.Status.State}}' "$1") || return 0
  sed -n "s/^$iteration //p" <<<"$tasks" | sort | head -n 1
}

job_completed() { [[ $(job_state "$1") == complete ]]; }

job_ended() { [[ $(job_state "$1") =~ ^(complete|failed|rejected|shutdown|orphaned|remove)$ ]]; }

await_job() { until_true "$2" job_completed "$1"; }  # SERVICE SECONDS

# All of them have the same time.
await_jobs() {  # JOB...
  local deadline=$((SECONDS + JOBS_TIMEOUT)) job unfinished=()
  for job in "$@"; do
    if await_job "${namespace}_$job" $((deadline > SECONDS ? deadline - SECONDS : 0)); then
      echo "$job: completed"
    else
      unfinished+=("$job")
    fi
  done
  [[ ${#unfinished[@]} == 0 ]] || stop_jobs "${unfinished[@]}"
}

# All that are unfinished: one may wait for what another one fails at (migrations log in with what roles sets), and each
# would go on trying, beside whatever is deployed next.
stop_jobs() {  # JOB...
  local job
  for job in "$@"; do
    echo "deploy: what $job said:" >&2
    docker service logs --raw --tail 20 "${namespace}_$job" >&2 || true
    docker service ps --no-trunc "${namespace}_$job" >&2 || true
  done
  docker service rm "${@/#/${namespace}_}" >/dev/null
  refuse "not completed within $JOBS_TIMEOUT s: $*. Nothing of this release was started; what ran before goes on"
}
