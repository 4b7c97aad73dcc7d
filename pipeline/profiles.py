"""The profiles worker: events from the topic into users' recent histories."""

from pipeline import letters, profiles_sink, worker
from pipeline.settings import ProfilesSettings
from stores import offsets, profiles_factory


def run(settings: ProfilesSettings) -> None:
    """Take events into profiles until told to stop."""
    running = worker.Worker(settings, settings.profiles_group, "profiles")
    store = running.loop.run_until_complete(profiles_factory.open_profiles(settings))
    whose = offsets.Consumer(settings.profiles_group, running.topic.name, running.topic.id)
    kept = letters.PostgresLetters(settings.conninfo("allezone profiles letters"), whose, settings.store_patience_s)
    writing = profiles_sink.ProfilesSink(
        settings, store, kept, running.kafka, running.consuming, running.committer.note
    )
    running.run(writing)
