"""SIGHUP means "read the tokens again", and never "end"."""

import signal

from devstack import waiting
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support import gateways


def test_a_gateway_without_a_tokens_file_goes_on(
    shared_topic: KafkaSettings, shared_database: DatabaseSettings
) -> None:
    with gateways.running(shared_topic, shared_database) as gateway:
        gateway.process.send(signal.SIGHUP)

        assert waiting.until(lambda: not gateway.process.running or "no TOKENS_FILE to read" in gateway.log, 20)
        assert gateway.process.running, gateway.log
        assert gateway.get("/readyz").status == 200
