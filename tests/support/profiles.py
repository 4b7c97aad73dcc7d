"""Profiles in a store as if a worker had written them."""

from collections.abc import Sequence

from runtime.settings import DatabaseSettings
from schemas import codec
from schemas.tags import UserTag
from stores import pools, profiles
from stores.postgres_profiles import PostgresProfiles
from stores.profiles import ProfileWrite


async def store(database: DatabaseSettings, tags: Sequence[UserTag]) -> None:
    """Add `tags` to what is there, as if they were the records 0, 1, 2 ... of partition 0."""
    writes = [
        ProfileWrite(tag.cookie, tag.action, profiles.entry_key(tag.time, None, 0, offset), codec.encode_tag(tag))
        for offset, tag in enumerate(tags)
    ]
    async with pools.for_profiles(database.conninfo()) as pool:
        await PostgresProfiles(pool).add(writes)
