# Kafka's cluster id: made once, and never changed. Sourced by deploy and secrets. Calls `refuse`, reads `deployment`.
#
# Kafka starts with no id but the one that its disks were formatted with; on an empty disk it takes any. A settings file that
# was cut short or written anew must not give a replaced node another one. So the swarm keeps it as well, as a config.
cluster_id_config=allezone_kafka_cluster_id

check_cluster_id() {
  local id=${KAFKA_CLUSTER_ID:-} known
  [[ $id =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{21}$ ]] ||
    refuse "KAFKA_CLUSTER_ID in $deployment is missing or cut short: stacks/secrets make puts it back"
  known=$(known_cluster_ids)
  [[ -z $known || $known == "$id" ]] ||
    refuse "KAFKA_CLUSTER_ID in $deployment is $id, but Kafka was made as ${known//$'\n'/ and }: put that back"
}

# A line each: those of the Kafka that is deployed, and the one that is kept.
known_cluster_ids() {
  { running_cluster_ids; kept_cluster_id; } | sort -u
}

running_cluster_ids() {
  local names
  names=$(docker service ls --filter name=allezone-stateful_kafka --format '{{.Name}}')
  # shellcheck disable=SC2086  # a word a service
  [[ -z $names ]] || docker service inspect $names --format \
    '{{range .Spec.TaskTemplate.ContainerSpec.Env}}{{println .}}{{end}}' | sed -n 's/^CLUSTER_ID=//p'
}

kept_cluster_id() {
  local names
  names=$(docker config ls --filter "name=$cluster_id_config" --format '{{.Name}}')
  [[ -z $names ]] || docker config inspect "$cluster_id_config" --format '{{printf "%s" .Spec.Data}}'
}

# Puts the id that the swarm knows, or else a new one, into the file and into the swarm.
make_cluster_id() {
  local id known made
  known=$(known_cluster_ids)
  [[ $known != *$'\n'* ]] || refuse "Kafka's nodes have different cluster ids: ${known//$'\n'/ and }"
  id=$([[ ! -f $deployment ]] || sed -n 's/^KAFKA_CLUSTER_ID=//p' "$deployment" | tail -n 1)
  [[ -z $known || -z $id || $id == "$known" ]] || refuse "KAFKA_CLUSTER_ID in $deployment is $id, but Kafka was made as $known"
  made=${id:-$known}
  [[ -n $made ]] || made=$(new_cluster_id)
  # The swarm first: what is cut off behind it, the next run puts back into the file.
  [[ -n $(kept_cluster_id) ]] || printf %s "$made" | docker config create "$cluster_id_config" - >/dev/null
  [[ -z $id ]] || return 0
  # A last line without an end must not swallow it.
  [[ ! -s $deployment || -z $(tail -c 1 "$deployment") ]] || echo >>"$deployment"
  echo "KAFKA_CLUSTER_ID=$made" >>"$deployment"
  if [[ -n $known ]]; then echo "put KAFKA_CLUSTER_ID back into $deployment"; else echo "made KAFKA_CLUSTER_ID in $deployment"; fi
}

# 16 bytes in the alphabet of addresses, as Kafka's own tool makes them; not with a dash in front, an option's sign.
new_cluster_id() {
  local id
  id=$(openssl rand -base64 16 | tr '+/' '-_' | tr -d '=') || return
  echo "${id/#-/A}"
}
