"""What lies below the workers' ports, in memory.

`postgres` and `profile_store` are under the same contracts as the real ones (tests/contract); `log` is a topic;
`consumer` delivers batches of it; `counting` is a worker on them.
"""
