# What a deployment needs before it begins: nodes in service with its labels, and its secrets. Sourced by deploy. Reads
# `rendered`, `stack`, `only`, calls `refuse`.

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

# Names of external secrets, as the top-level section has them: two spaces, four, `name:`.
check_secrets() {
  local present secret
  present=$(docker secret ls --format '{{.Name}}')
  for secret in $(awk '/^[a-z]/ {section = $1} section == "secrets:" && $1 == "name:" {print $2}' <<<"$rendered"); do
    grep -qxF "$secret" <<<"$present" || refuse "there is no secret $secret (stacks/secrets)"
  done
}
