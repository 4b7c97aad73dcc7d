"""Kafka, as this system uses it: the topic, the producer, what consumer groups have left to do."""
