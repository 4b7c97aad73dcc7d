"""In-memory stand-ins for what lies below the aggregates worker's ports.

`database` is under the same contract as the real one (tests/contract/test_flushes.py); `log` is a topic; `consumer`
delivers batches of it.
"""
