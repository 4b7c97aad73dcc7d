# The stack as `docker stack config` renders it, read by its indentation, which is always two spaces a level.
# Sourced by the scripts beside this folder. Functions read the text from `rendered` unless they are filters.

render() {  # FILE...
  local files=() file
  for file in "$@"; do files+=(--compose-file "$file"); done
  docker stack config "${files[@]}"
}

# The names of all services.
services() {
  awk '/^[^ ]/ { inside = $1 == "services:" } inside && /^  [^ ]/ { sub(/:$/, "", $1); print $1 }' <<<"$rendered"
}

# Names and modes of those that are not counted out: jobs, and what is there once a node.
modes() {
  awk '/^  [^ ]/ { name = $1; sub(/:$/, "", name) } /^      mode: [a-z]/ { print name, $2 }' <<<"$rendered"
}

# The names of those that run once and end.
jobs_of() { modes | sed -n 's/ [a-z]*-job$//p'; }

# The names of all but those that an override has taken out.
present_services() {
  comm -23 <(services | sort) <(
    awk '/^  [^ ]/ { name = $1; sub(/:$/, "", name) } /^      replicas: 0$/ { print name }' <<<"$rendered" | sort
  )
}

# A filter: of the services those that are named, of the rest all that a deployment knows.
cut_to() {  # SERVICE...
  awk -v wanted=" $* " '
    /^[^ ]/ { inside = $1 == "services:"; keep = $1 !~ /^x-/ }
    inside && /^  [^ ]/ { name = $1; sub(/:$/, "", name); keep = index(wanted, " " name " ") }
    keep'
}

# Deploys what is on standard input. Rendered text is read as a template again: a dollar in it is two.
stack_deploy() {  # NAMESPACE
  # shellcheck disable=SC2086  # options, each a word
  sed 's/\$/$$/g' | docker stack deploy --compose-file - ${DOCKER_OPTIONS:-} "$1"
}

# The full names of what is deployed of this stack.
deployed_services() { docker service ls --filter "label=com.docker.stack.namespace=$namespace" --format '{{.Name}}'; }

# Services that are deployed and not in the file any more. By name, and not by `stack deploy --prune`: that would deploy
# every member once more, all at once. A database is no service to end because a list in deployment.env lost a file.
remove_others() {
  local present name
  present=$(deployed_services)
  for name in $present; do
    grep -qxF "${name#"${namespace}_"}" <<<"$(services)" && continue
    if [[ $stack == 1.* && $remove == no ]]; then
      echo "deploy: ${name#"${namespace}_"} is in no file any more, and was left: --remove ends it" >&2
      continue
    fi
    docker service rm "$name" >/dev/null
    echo "${name#"${namespace}_"}: removed, it is in no file any more"
  done
}
