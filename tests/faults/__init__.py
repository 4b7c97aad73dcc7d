"""Real processes, killed, frozen and cut off while events pass: `python -m tests.faults`, `make test-faults`."""
