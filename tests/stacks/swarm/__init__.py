"""The stacks on a real swarm of this machine: `python -m tests.stacks.swarm`, as root."""
