# Whether alerts count against the numbers that are deployed (docs/operations/monitoring.md, "How many there should be").
# Sourced by deploy. Reads `rendered`.

# What differs, a service a line: `gateway: 8 (4 in the file)`. Nothing where no Prometheus is deployed that would count.
unexpected_numbers() {
  local expected prometheus counted
  grep -qxF prometheus <<<"$(present_services)" || return 0
  expected=$(config_file rules_expected) prometheus=$(config_file prometheus)
  [[ -r $expected && -r $prometheus ]] || return 0     # `docker stack deploy` refuses what is not there, by its name
  counted=$(numbers) || return
  {
    sed 's/^/counted /' <<<"$counted"
    awk '$1 == "job:" { job = $2 } $1 == "service:" { service = $2 }
      $1 == "expr:" { gsub(/[^0-9]/, "", $2); print "expected", job, service, $2 }' "$expected"
    tr -c 'a-z0-9.-' '\n' <"$prometheus" | sed -n 's/^tasks\./asked /p'
  } | awk '
    $1 == "counted" { count[$2] = $3 }
    # An exporter, as postgres-exporter1, is known by what it asks: job postgres, service patroni1.
    $1 == "expected" {
      number = $3; gsub(/[^0-9]/, "", number)
      name = $2 "-exporter" number
      if (!(name in count)) name = $3
      told[name]
      if (name in count && count[name] != $4) wrong[name] = $4
    }
    $1 == "asked" && count[$2] > 0 && !($2 in told) { wrong[$2] = 0 }
    END { for (name in wrong) print "  " name ": " count[name] " (" wrong[name] " in the file)" }' | sort
}

tell_unexpected() {  # what differs
  local expected layout=LAYOUT
  [[ -n $1 ]] || return 0
  expected=$(config_file rules_expected)
  [[ $expected != */*.expected.yml ]] || layout=$(basename "$expected" .expected.yml)
  cat >&2 <<END
deploy: $expected does not have the numbers of this deployment, so TargetMissing comes for ever, or not when it should. \
\`python -m monitoring.expected $layout\` makes one that has (docs/operations/monitoring.md, "How many there should be"):
$1
END
}

# How many tasks each service is to have. In mode `global` that is one on each node with its labels, also on one that is
# down or drained: it is to come back, and is missed until then.
numbers() {
  local ids labels
  ids=$(docker node ls --quiet) || return
  # shellcheck disable=SC2086  # one word a node
  labels=$(docker node inspect $ids --format '{{.ID}} {{.Description.Hostname}}'\
'{{range $name, $value := .Spec.Labels}} {{$name}}={{$value}}{{end}}') || return
  awk '
    function tell(  node, i, fits) {
      if (name != "" && mode == "global") {
        replicas = 0
        for (node in labels) {
          fits = 1
          for (i in wanted) fits = fits && index(labels[node], wanted[i])
          replicas += fits
        }
      }
      if (name != "") print name, replicas
      name = ""
    }
    NR == FNR { labels[$1] = $0 " "; next }
    /^[^ ]/ { tell(); inside = $1 == "services:" }
    inside && /^  [^ ]/ { tell(); name = $1; sub(/:$/, "", name); mode = ""; replicas = 1; split("", wanted) }
    /^      mode: / { mode = $2 }
    /^      replicas: / { replicas = $2 }
    /^ *- node\.labels\.[^ ]* == / { wanted[NR] = " " substr($2, length("node.labels.") + 1) "=" $4 " " }
    END { tell() }' <(echo "$labels") - <<<"$rendered"
}

# Of a config that is a file: which one.
config_file() {  # NAME
  awk -v name="$1:" '/^[^ ]/ { inside = $1 == "configs:" } /^  [^ ]/ { named = inside && $1 == name }
    named && sub(/^    file: /, "")' <<<"$rendered"
}
