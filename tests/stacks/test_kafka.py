"""What Kafka writes beside its data lies in memory, and fits into it."""

import re

import pytest

from tests.stacks import rendering
from tests.stacks.durations import size


@pytest.mark.parametrize(
    ("file", "name"), [("1.stateful", "kafka1"), ("1.stateful", "kafka2"), ("1.stateful", "kafka3"), ("small", "kafka")]
)
def test_the_log_of_garbage_collections_fits_into_its_memory(file: str, name: str) -> None:
    """Kafka's own start keeps ten files of 100 MB: `-loggc` asks for that, and these options stand in its place."""
    service = rendering.render(file).services[name]
    told = service["environment"]
    assert "-loggc" not in told["EXTRA_ARGS"]
    options = r":file=(?P<folder>\S+)/[\w.]+:.*filecount=(?P<files>\d+),filesize=(?P<size>\w+)$"
    found = re.search(options, told["KAFKA_GC_LOG_OPTS"])
    assert found is not None
    (mount,) = [each for each in service["volumes"] if isinstance(each, dict) and each["target"] == found["folder"]]
    # One more than the count: the file that is written.
    assert (int(found["files"]) + 1) * size(found["size"]) < mount["tmpfs"]["size"]
