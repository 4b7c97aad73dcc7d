"""`python -m broker ensure-topics`: make the topic, or check the one that is there. Exit status 1 with a sentence."""

import argparse
import sys

from broker import errors, topics
from runtime import logging
from runtime import settings as runtime_settings


def main() -> int:
    """Run the command that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m broker", description=__doc__)
    parser.add_argument("command", choices=["ensure-topics"])
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds to wait for Kafka (default 60)")
    arguments = parser.parse_args()
    settings = runtime_settings.load(runtime_settings.KafkaSettings)
    logging.configure(settings, arguments.command)
    try:
        topic = topics.ensure(settings, arguments.timeout)
    except errors.BrokerError as error:
        sys.stderr.write(f"broker: {error}\n")
        return 1
    sys.stdout.write(f"topic {topic.name} {topic.id}: {topic.partitions} partitions, {topic.replication} replicas\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
