# Which release a service runs, and which one ran before. Sourced by deploy and rollback. Reads `namespace`, `deployment`.

release_of() {  # SERVICE, with its namespace
  docker service inspect "$1" --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' | sed -e 's/@sha256:.*//' -e 's/.*://'
}

# Puts what the gateway is of into deployment.env as PREVIOUS_RELEASE, where that is not the release that comes.
remember_release() {
  local gateway=${namespace}_gateway present runs
  present=$(deployed_services)
  grep -qxF "$gateway" <<<"$present" || return 0
  runs=$(release_of "$gateway")
  [[ $runs != "$RELEASE" ]] || return 0
  sed -i '/^PREVIOUS_RELEASE=/d' "$deployment"
  # A last line without an end must not swallow it.
  [[ -z $(tail -c 1 "$deployment") ]] || echo >>"$deployment"
  echo "PREVIOUS_RELEASE=$runs" >>"$deployment"
}

# Waits for updates to the release that is to be deployed once more. Deployed over one that is under way, that release would
# be what Swarm takes for the one before: its way back from what fails would lead to it.
await_updates() {
  local present service
  present=$(deployed_services)
  for service in $present; do
    until_true "$SERVICES_TIMEOUT" ended_update "$service" ||
      refuse "${service#"${namespace}_"} is still being updated to $RELEASE, so nothing was deployed over it. \
See \`docker service ps --no-trunc $service\`; stacks/rollback puts the release before back, --over deploys all the same"
  done
}

ended_update() {  # SERVICE, with its namespace
  local state
  state=$(docker service inspect "$1" --format '{{with .UpdateStatus}}{{.State}}{{end}}') || return 1
  [[ $state != updating || $(release_of "$1") != "$RELEASE" ]]
}
