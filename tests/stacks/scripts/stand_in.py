"""Stands in for `docker` on the PATH of the scripts: records what it is asked, and plays a swarm.

It plays what the scripts must not trip over, seen on a real one: right after a deployment a service says nothing of an
update, and its old task still runs; then the task is replaced; then the new one is watched. A job runs again at each
deployment, and the tasks of its earlier runs stay listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from tests.stacks import rendering
from tests.stacks.scripts import state
from tests.stacks.scripts.state import Service, Swarm, Task

_UPDATES: Final = {  # how it goes on, a step a look
    "": ["unnoticed", "stopped", "started", "completed"],
    "rollback": ["unnoticed", "stopped", "rollback_started", "rollback_completed"],
    "pause": ["unnoticed", "stopped", "paused"],
    "hang": ["unnoticed", "stopped"],
}
_BEGINNINGS: Final = {"": ["made", "started"], "hang": ["made"], "fail": ["made", "failed"]}


class Refused(Exception):
    """What docker would say on standard error, with status 1."""


class Call(msgspec.Struct, frozen=True):
    """One start of `docker`: its arguments, its standard input where it was read, and its environment."""

    arguments: list[str]
    content: str
    environment: Mapping[str, str]

    def values(self, option: str) -> list[str]:
        """What stands behind each `option`."""
        return [value for name, value in zip(self.arguments, self.arguments[1:], strict=False) if name == option]

    @property
    def template(self) -> str:
        return self.values("--format")[0]

    @property
    def named(self) -> list[str]:
        """What `docker KIND inspect NAME... --format` names."""
        return self.arguments[2 : self.arguments.index("--format")]


Command = Callable[[Swarm, Call], list[str]]


def answer(swarm: Swarm, call: Call) -> tuple[str, str]:
    """What docker says on standard output and on standard error. Raises `Refused`."""
    swarm.calls.append(call.arguments)
    for words in (2, 1):
        name = " ".join(call.arguments[:words])
        if command := COMMANDS.get(name):
            _break_silence(swarm, name)
            out = "".join(f"{line}\n" for line in command(swarm, call))
            return out, swarm.logs.get(f"{call.arguments[0]} on standard error", "")
    message = f"the stand-in knows no `docker {' '.join(call.arguments)}`"
    raise Refused(message)


def _break_silence(swarm: Swarm, name: str) -> None:
    """One call less that has no answer. Raises `Refused` while there are some."""
    if left := swarm.silences.get(name, 0):
        swarm.silences[name] = left - 1
        message = "rpc error: the swarm does not have a leader"
        raise Refused(message)


def _stack_config(swarm: Swarm, call: Call) -> list[str]:
    merged: dict[str, Any] = {}
    files = call.values("--compose-file")
    try:
        for file in files:
            stack = rendering.fill_in(file, yaml.safe_load(Path(file).read_text("utf-8")), call.environment)
            merged = _merged(merged, {key: part for key, part in stack.content().items() if part})
    except rendering.VariableMissing as error:
        message = f"required variable {error} is missing a value"
        raise Refused(message) from error
    for config in merged.get("configs", {}).values():
        if "file" in config:  # of the first file's folder, whichever names it
            config["file"] = str((Path(files[0]).parent / config["file"]).resolve())
    out = StringIO()
    yaml.dump(merged, out, Dumper=_Dumper)
    return out.getvalue().splitlines()


class _Dumper(yaml.SafeDumper):
    """Indents lists as docker's does, and has no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _merged(below.get(key), value) for key, value in above.items()}
    return above


def _stack_deploy(swarm: Swarm, call: Call) -> list[str]:
    namespace = call.arguments[-1]
    stack = rendering.fill_in(namespace, yaml.safe_load(call.content), {})
    swarm.events.append(f"deployed {' '.join(stack.services)}")
    for name, definition in stack.services.items():
        _deploy(swarm, f"{namespace}_{name}", definition)
    return []


def _deploy(swarm: Swarm, name: str, definition: dict[str, Any]) -> None:
    fate = swarm.fates.get(name, "")
    service = swarm.services.get(name)
    if service is None:
        service = swarm.services[name] = Service(definition, [])
        service.steps = _BEGINNINGS[fate]
    elif service.mode != (mode := definition["deploy"].get("mode", "replicated")):
        message = f"failed to update service {name}: service mode change is not allowed ({service.mode} to {mode})"
        raise Refused(message)
    elif service.is_job:
        service.iteration += 1
        service.steps = _BEGINNINGS[fate]
    elif service.definition != definition:
        service.before = service.definition
        service.steps = _UPDATES[fate]
    service.definition, service.update = definition, "none"
    service.steps = list(service.steps)


def _step(swarm: Swarm, name: str) -> None:
    """What happens in a service between two looks at it."""
    service = swarm.services[name]
    step = service.steps.pop(0) if service.steps else "unnoticed"
    match step:
        case "unnoticed":
            pass
        case "made":
            _start_tasks(swarm, service, "starting")
        case "stopped":
            swarm.events.append(f"{name} stopped")
            service.update = "updating"
            _start_tasks(swarm, service, "starting")
        case "started":
            swarm.events.append(f"{name} started")
            for task in service.tasks:
                task.state = "complete" if service.is_job else "running"
        case "failed":
            for task in service.tasks:
                task.state = "failed"
        case _:
            service.update = step
            if step == "rollback_completed" and service.before is not None:
                swarm.events.append(f"{name} started")
                service.definition = service.before
                _start_tasks(swarm, service, "running")


def _start_tasks(swarm: Swarm, service: Service, task_state: str) -> None:
    kept = service.tasks if service.is_job else []
    definition, iteration = service.definition, service.iteration
    service.tasks = [
        *kept,
        *(Task(swarm.new_id(), task_state, definition, iteration) for _ in range(_wanted(swarm, service))),
    ]


def _wanted(swarm: Swarm, service: Service) -> int:
    """How many tasks it is to have: in mode `global` one on each node in service that has its label, if any."""
    if service.mode != "global":
        return service.replicas
    key, _, value = service.place.partition("=")
    ready = [node for node in swarm.nodes if node.state == "ready"]
    return sum(not key or node.labels.get(key) == value for node in ready)


def _stack_rm(swarm: Swarm, call: Call) -> list[str]:
    for name in [name for name in swarm.services if name.startswith(f"{call.arguments[2]}_")]:
        del swarm.services[name]
    swarm.events.append(f"removed {call.arguments[2]}")
    return []


def _service_inspect(swarm: Swarm, call: Call) -> list[str]:
    return [line for name in call.named for line in _inspected(swarm, name, call.template)]


def _inspected(swarm: Swarm, name: str, template: str) -> list[str]:
    service = _service(swarm, name)
    if template.startswith("{{.Spec.Name}} {{with .Spec.Mode}}"):
        return [f"{name} {service.mode}"]
    for moving in swarm.services:  # time passes for all of them
        _step(swarm, moving)
    if template == "{{with .UpdateStatus}}{{.State}}{{end}}":
        return ["" if service.update == "none" else service.update]
    if "UpdateStatus" in template:
        wanted = "global" if service.mode == "global" else service.replicas
        return [f"{service.update} {wanted} {_tasks_template(service.definition)}{swarm.filled_in}"]
    if "JobIteration" in template:
        return [str(service.iteration)]
    if "ContainerSpec.Image" in template:
        return [f"{service.definition['image']}@sha256:{'0' * 64}"]
    return [f"{key}={value}" for key, value in service.definition["environment"].items()]


def _service(swarm: Swarm, name: str) -> Service:
    if name not in swarm.services:
        message = f"no such service: {name}"
        raise Refused(message)
    return swarm.services[name]


def _tasks_template(definition: dict[str, Any]) -> str:
    """The part of a service that its tasks are made from: nothing of how many, or of how they are replaced."""
    return json.dumps({key: value for key, value in definition.items() if key != "deploy"}, sort_keys=True)


def _service_ps(swarm: Swarm, call: Call) -> list[str]:
    filters = [each.removeprefix("desired-state=") for each in call.values("--filter")]
    name = call.arguments[-1]
    tasks = [task for task in _service(swarm, name).tasks if not filters or task.desired in filters]
    if call.values("--format"):
        return [f"  {name}.{i}: {task.state.title()} now. {task.error}" for i, task in enumerate(tasks, 1)]
    return [task.id for task in tasks]


def _inspect_tasks(swarm: Swarm, call: Call) -> list[str]:
    tasks = {task.id: task for service in swarm.services.values() for task in service.tasks}
    return [_described_task(tasks[argument], call.template) for argument in call.arguments if argument in tasks]


def _described_task(task: Task, template: str) -> str:
    if "JobIteration" in template:
        return f"{task.iteration} {task.state}"
    if "ContainerSpec" in template:
        return f"{task.state} {_tasks_template(task.definition)}"
    return task.state


def _service_rm(swarm: Swarm, call: Call) -> list[str]:
    for name in call.arguments[2:]:
        _service(swarm, name)
        del swarm.services[name]
        swarm.events.append(f"removed {name}")
    return []


def _service_logs(swarm: Swarm, call: Call) -> list[str]:
    """`logs` has it by the service, or by the last word of its command."""
    command = _service(swarm, call.arguments[-1]).definition.get("command") or [""]
    return [swarm.logs.get(call.arguments[-1], swarm.logs.get(str(command[-1]), ""))]


def _service_ls(swarm: Swarm, call: Call) -> list[str]:
    """By the beginning of the name, or by the stack that each was deployed with."""
    prefix = re.sub("^(name|label=com.docker.stack.namespace)=", "", call.values("--filter")[0])
    return [name for name in swarm.services if name.startswith(prefix)]


def _node_inspect(swarm: Swarm, call: Call) -> list[str]:
    return [line for asked in call.named for line in _described_node(_node(swarm, asked), call.template)]


def _node(swarm: Swarm, asked: str) -> state.Node:
    found = [node for node in swarm.nodes if asked in (node.id, node.hostname)]
    if len(found) != 1:
        message = f"node {asked} is ambiguous ({len(found)} matches found)" if found else f"no such node: {asked}"
        raise Refused(message)
    return found[0]


def _described_node(node: state.Node, template: str) -> list[str]:
    labels = sorted(node.labels.items())
    if template == "{{.ID}}":
        return [node.id]
    if template == "{{.Description.Hostname}}":
        return [node.hostname]
    if template.startswith("{{.ID}} {{.Description.Hostname}}"):
        about = f" {node.state}/{node.availability}" if "{{.Status.State}}" in template else ""
        return [f"{node.id} {node.hostname}{about}" + "".join(f" {key}={value}" for key, value in labels)]
    if "node.labels." in template:
        about = f"{node.state}/{node.availability}/{node.hostname}"
        return [f"{about} node.labels.{key} == {value}" for key, value in labels]
    return [" ".join(key for key, _ in labels)]


def _node_update(swarm: Swarm, call: Call) -> list[str]:
    node = _node(swarm, call.arguments[-1])
    for label in call.values("--label-rm"):
        del node.labels[label]
    for label in call.values("--label-add"):
        key, _, value = label.partition("=")
        node.labels[key] = value
    swarm.events.append(f"{node.hostname} has {node.labels}")
    return []


def _secret_create(swarm: Swarm, call: Call) -> list[str]:
    if not call.content:
        message = "secret data must be larger than 0 and less than 512000 bytes"
        raise Refused(message)
    swarm.secrets.append(call.arguments[-2])
    return [swarm.new_id()]


def _config_inspect(swarm: Swarm, call: Call) -> list[str]:
    """The template's own end of a line comes before docker's."""
    return [swarm.configs[call.arguments[2]] + "\n" * call.template.count(r"\n")]


def _config_create(swarm: Swarm, call: Call) -> list[str]:
    swarm.configs[call.arguments[2]] = call.content
    return [swarm.new_id()]


def _no_answer(swarm: Swarm, call: Call) -> list[str]:
    """Of a container, a build or a push: nothing, or what `fates` says it fails with."""
    if sentence := swarm.fates.get(call.arguments[0]):
        raise Refused(sentence)
    return []


def _push(swarm: Swarm, call: Call) -> list[str]:
    swarm.pushed.append(call.arguments[-1])
    return _no_answer(swarm, call)


def _pull(swarm: Swarm, call: Call) -> list[str]:
    if call.arguments[-1] not in swarm.pushed:
        message = f"manifest for {call.arguments[-1]} not found: manifest unknown"
        raise Refused(message)
    return [call.arguments[-1]]


def _run(swarm: Swarm, call: Call) -> list[str]:
    return _no_answer(swarm, call) or [swarm.logs.get("run", "")]


COMMANDS: Final[dict[str, Command]] = {
    "stack config": _stack_config,
    "stack deploy": _stack_deploy,
    "stack rm": _stack_rm,
    "service inspect": _service_inspect,
    "service ps": _service_ps,
    "service rm": _service_rm,
    "service logs": _service_logs,
    "service ls": _service_ls,
    "inspect --type": _inspect_tasks,
    "node ls": lambda swarm, _: [node.id for node in swarm.nodes],
    "node inspect": _node_inspect,
    "node update": _node_update,
    "secret ls": lambda swarm, _: swarm.secrets,
    "secret create": _secret_create,
    "config ls": lambda swarm, _: list(swarm.configs),
    "config inspect": _config_inspect,
    "config create": _config_create,
    "run": _run,
    "build": _no_answer,
    "push": _push,
    "pull": _pull,
    "buildx imagetools": lambda _, call: [f"sha256:{call.arguments[3].encode().hex():0<64.64}"],
}
