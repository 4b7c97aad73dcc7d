"""The endpoints that clients call: their routes, and the one label that each has in every metric and log."""

from typing import Final

USER_TAGS: Final = "/user_tags"
USER_PROFILES: Final = "/user_profiles/{cookie}"
AGGREGATES: Final = "/aggregates"
