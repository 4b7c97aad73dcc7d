"""Who may ask what, and how often. A request passes here before any of its body is read."""

import math
from typing import Final, Protocol

from fastapi import Request
from fastapi.params import Depends

from gateway import asgi, errors, metrics
from gateway.addresses import Addresses
from gateway.rate_limit import RateLimit
from gateway.settings import GatewaySettings
from gateway.tokens import Entry, Scope, Tokens

_HOW: Final = "send a token as `Authorization: Bearer TOKEN`"
_NO_TOKEN: Final = f"this needs a token: {_HOW}"
_UNKNOWN_TOKEN: Final = f"the Authorization header holds no token that is valid here: {_HOW}"


class Admit(Protocol):
    """Lets a request pass, or raises `errors.NotAdmitted`. `Gate.admit`."""

    def __call__(self, scope: asgi.Scope, needed: Scope) -> None: ...


class Gate:
    """With `tokens`, each client is a name among them, and whoever has none is an address; without, all are addresses.

    `tokens` may be exchanged at any time.
    """

    def __init__(self, settings: GatewaySettings, tokens: Tokens | None) -> None:
        self.tokens = tokens
        self._addresses = Addresses(settings.proxies())
        self._named, self._strangers = _rate_limit(settings), _rate_limit(settings)

    def admit(self, scope: asgi.Scope, needed: Scope) -> None:
        """Raises `errors.TooManyRequests`, `errors.Unauthenticated` and `errors.Forbidden`."""
        if self.tokens is None:
            self._take_of_stranger(scope)
            return
        header = _authorization(scope)
        entry = self._take(scope, self.tokens, header)
        if entry is None:
            self._refuse_stranger(header)
        elif needed not in entry.scopes:
            self._refuse(entry, needed)

    def limit(self, scope: asgi.Scope) -> None:
        """For what is not served, and so needs no scope. Raises `errors.TooManyRequests`."""
        if self.tokens is None:
            self._take_of_stranger(scope)
        else:
            self._take(scope, self.tokens, _authorization(scope))

    def _take(self, scope: asgi.Scope, known: Tokens, header: bytes | None) -> Entry | None:
        """Whose request it is, once it has been taken off what that client may ask."""
        entry = None if header is None else known.find(header)
        if entry is None:
            self._take_of_stranger(scope)
        elif self._named is not None and (wait := self._named.take(entry.name)):
            self._slow_down(wait, entry.name)
        return entry

    def _take_of_stranger(self, scope: asgi.Scope) -> None:
        """Addresses count too where there are tokens: trying out tokens is limited by it."""
        if self._strangers is not None and (wait := self._strangers.take(self._addresses.of(scope))):
            self._slow_down(wait)

    def _refuse_stranger(self, header: bytes | None) -> None:
        metrics.REFUSED.labels("no_token" if header is None else "unknown_token", "").inc()
        if header is None:
            raise errors.Unauthenticated(_NO_TOKEN, None)
        raise errors.Unauthenticated(_UNKNOWN_TOKEN, "invalid_token")

    def _refuse(self, entry: Entry, needed: Scope) -> None:
        metrics.REFUSED.labels("scope", entry.name).inc()
        raise errors.Forbidden(entry.name, needed)

    def _slow_down(self, wait_s: float, name: str = "") -> None:
        metrics.REFUSED.labels("rate", name).inc()
        raise errors.TooManyRequests(math.ceil(wait_s))


def needs(admit: Admit, scope: Scope) -> Depends:
    """What a FastAPI route depends on to let only tokens with `scope` pass."""

    async def check(request: Request) -> None:
        admit(request.scope, scope)

    return Depends(check)


def _authorization(scope: asgi.Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            found: bytes = value
            return found
    return None


def _rate_limit(settings: GatewaySettings) -> RateLimit | None:
    per_second = settings.requests_per_second()
    return RateLimit(per_second, settings.rate_limit_burst_s) if per_second else None
