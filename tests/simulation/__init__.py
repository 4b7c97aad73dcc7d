"""The workers' real code on a broker, a network and stores in memory, in an order that a seed decides.

    python -m tests.simulation 51                        # one seed, with all that happened in it
    python -m tests.simulation --seeds 10000 --first 1000
    python -m tests.simulation --plant no-compare-and-set --until-failure

Real: everything in pipeline/ but the process around it (faust.Worker, signals, probes), stores.flush and what it needs,
Faust with its conductor, agents and rebalances, aiokafka with its fetcher and its group coordinator.

In memory: `scheduler` (the event loop, the clock), `broker` with `coordinator` and `records`, behind `connection`
(tests/contract/test_consumers.py holds them to what Kafka does); PostgreSQL below psycopg and the profile store
(tests/support/fakes, under their own contracts). `processes` is what a kill and a SIGSTOP hit.

A seed (`run`): a `world` of workers (`crews`, `workers`) and a `topic` in which events, good and bad, arrive; `faults`
between any two callbacks; then peace, and the `oracle` asks whether every record was taken exactly once. All must be
done within a bound of virtual time, and no worker may have ended for a reason that it could not have.

Not in it: several brokers, a topic made anew, event-time hours that are dropped, compression, quotas.
"""
