# What a deployment needs before it begins: nodes in service with its labels, its secrets, and services that can become what
# they are to be. Sourced by deploy. Reads `rendered`, `stack`, `only`, `namespace`, calls `refuse`.

# A node that is down or drained has its labels still: they count for nothing.
check_labels() {
  local nodes labels constraint elsewhere asking=/dev/null
  # Where the members of a quorum are asked from, which only a deployment of all of them does.
  [[ $stack != 1.* || ${#only[@]} -gt 0 ]] || asking=$here/whole.yaml
  nodes=$(docker node ls --quiet)
  # shellcheck disable=SC2086  # one word a node
  labels=$(docker node inspect $nodes --format '{{$node := .}}{{range $name, $value := .Spec.Labels}}'\
'{{$node.Status.State}}/{{$node.Spec.Availability}}/{{$node.Description.Hostname}}'\
' node.labels.{{$name}} == {{$value}}{{"\n"}}{{end}}')
  while read -r constraint; do
    grep -q "^ready/active/[^ ]* $constraint\$" <<<"$labels" && continue
    elsewhere=$(grep " $constraint\$" <<<"$labels" | cut -d' ' -f1 | paste -sd' ' || true)
    refuse "no node has what a service needs: $constraint (stacks/label-nodes)${elsewhere:+; not in service: $elsewhere}"
    # shellcheck disable=SC2046  # a word a service
  done < <({
    cut_to $(present_services) <<<"$rendered" | sed -n 's/^ *- \(node\.labels\..*\)/\1/p'
    sed -n 's/^ *constraints: \["\(node\.labels\..*\)"\]$/\1/p' "$asking"
  } | sort -u)
}

# Swarm gives no service another mode, and `docker stack deploy` would find that out in the middle of its work.
check_modes() {
  local present deployed name mode wanted
  present=$(deployed_services)
  [[ -n $present ]] || return 0
  # shellcheck disable=SC2086  # a word a service
  deployed=$(docker service inspect $present --format '{{.Spec.Name}} {{with .Spec.Mode}}{{if .Global}}global'\
'{{else if .ReplicatedJob}}replicated-job{{else if .GlobalJob}}global-job{{else}}replicated{{end}}{{end}}')
  while read -r name mode; do
    grep -qxF "${name#"${namespace}_"}" <<<"$(services)" || continue
    wanted=$(modes | sed -n "s/^${name#"${namespace}_"} //p")
    [[ $mode == "${wanted:-replicated}" ]] ||
      refuse "$name runs as $mode, and the file has it as ${wanted:-replicated}, which Swarm cannot change: \
\`docker service rm $name\`, and deploy again (docs/operations/upgrade.md, \"What a release asks for\")"
  done <<<"$deployed"
}

# Names of external secrets, as the top-level section has them: two spaces, four, `name:`.
check_secrets() {
  local present secret
  present=$(docker secret ls --format '{{.Name}}')
  for secret in $(awk '/^[a-z]/ {section = $1} section == "secrets:" && $1 == "name:" {print $2}' <<<"$rendered"); do
    grep -qxF "$secret" <<<"$present" || refuse "there is no secret $secret (stacks/secrets)"
  done
}
