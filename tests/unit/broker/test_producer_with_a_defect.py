"""What the producer's tests are worth: one of them fails where an event is acknowledged before it is reported on."""

import pytest

from broker import producer
from tests.support import defects
from tests.unit.broker import test_producer


async def test_an_acknowledgement_before_the_report_is_noticed() -> None:
    script = test_producer.Script()
    with defects.planted("acknowledge-before-report"):
        sender = producer.EventProducer(script.open, test_producer.LIMITS)
        with pytest.raises(AssertionError):
            await test_producer.test_an_event_is_durable_only_once_it_is_acknowledged(script, sender)
