"""The broker's side of a consumer group: members, generations, rebalances, commits fenced by generation.

The classic protocol as Kafka 4 speaks it: a join of an unknown member gets an id first; a rebalance waits for all known
members as long as the longest of their rebalance timeouts; the leader's sync hands out the partitions; a member that is
silent for its session timeout is dropped.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Any

from aiokafka import errors
from aiokafka.coordinator.protocol import ConsumerProtocol

Answer = Callable[..., None]
NO_ERROR = 0
_UNKNOWN_GENERATION = -1


class State(Enum):
    EMPTY = "empty"
    JOINING = "joining"  # Kafka: PreparingRebalance
    SYNCING = "syncing"  # Kafka: CompletingRebalance
    STABLE = "stable"


class Member:
    """`join` and `sync` answer requests that wait."""

    def __init__(self, name: str, session_s: float, rebalance_s: float) -> None:
        self.id, self.session_s, self.rebalance_s = name, session_s, rebalance_s
        self.protocols: list[tuple[str, bytes]] = []
        self.assignment = b""
        self.join: Answer | None = None
        self.sync: Answer | None = None
        self.expiry: asyncio.TimerHandle | None = None


class Group:
    """One consumer group. `offsets` are what was committed: {(topic, partition): (offset, metadata)}."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, first_wait_s: float = 0.0) -> None:
        """`first_wait_s` is how long an empty group waits for company (group.initial.rebalance.delay.ms)."""
        self._loop, self.name, self._first_wait_s = loop, name, first_wait_s
        self.state = State.EMPTY
        self.generation = 0
        self.members: dict[str, Member] = {}
        self.offsets: dict[tuple[str, int], tuple[int, str]] = {}
        self._pending: set[str] = set()
        self._made = 0
        self._leader = ""
        self._deadline: asyncio.TimerHandle | None = None

    # -- requests; each answers through `answer`, at once or later -----------------------------------------------------

    def join(self, request: Any, client: str, answer: Answer) -> None:
        name = request.member_id
        if not name:
            self._made += 1
            name = f"{client}-{self._made}"
            self._pending.add(name)
            answer(errors.MemberIdRequired.errno, -1, "", "", name, [])
            return
        member = self.members.get(name)
        if member is None:
            if name not in self._pending:
                answer(errors.UnknownMemberIdError.errno, -1, "", "", name, [])
                return
            self._pending.discard(name)
            member = Member(name, request.session_timeout / 1000, request.rebalance_timeout / 1000)
            self.members[name] = member
        elif self._unchanged(member, request):
            answer(NO_ERROR, *self._joined_as(member))
            return
        member.protocols = list(request.group_protocols)
        member.join = answer
        self._stop_expiry(member)
        self.rebalance()

    def sync(self, request: Any, answer: Answer) -> None:
        member = self.members.get(request.member_id)
        if member is None:
            answer(errors.UnknownMemberIdError.errno, b"")
        elif request.generation_id != self.generation:
            answer(errors.IllegalGenerationError.errno, b"")
        elif self.state is State.JOINING:
            answer(errors.RebalanceInProgressError.errno, b"")
        elif self.state is State.STABLE:
            self._expect(member)
            answer(NO_ERROR, member.assignment)
        else:
            member.sync = answer
            self._stop_expiry(member)
            if member.id == self._leader:
                self._assign(dict(request.group_assignment))

    def heartbeat(self, request: Any, answer: Answer) -> None:
        answer(self._check(request.member_id, request.generation_id) or self._beaten(self.members[request.member_id]))

    def leave(self, request: Any, answer: Answer) -> None:
        if request.member_id not in self.members:
            answer(errors.UnknownMemberIdError.errno)
            return
        answer(NO_ERROR)
        self._remove(self.members[request.member_id])

    def commit(self, request: Any, answer: Answer) -> None:
        """Taken from a member of this generation; while it syncs, and from others, refused."""
        code = self._check(request.consumer_id, request.consumer_group_generation_id)
        if not code and self.state is State.SYNCING:
            code = errors.RebalanceInProgressError.errno
        for topic, partitions in request.topics:
            for partition, offset, metadata in partitions:
                if not code:
                    self.offsets[topic, partition] = (offset, metadata)
        if not code:
            self._expect(self.members[request.consumer_id])
        answer([(topic, [(each[0], code) for each in partitions]) for topic, partitions in request.topics])

    def assignments(self) -> dict[str, set[int]] | None:
        """{member: partitions}, as its description says; None in a rebalance."""
        if self.state not in (State.STABLE, State.EMPTY):
            return None
        return {
            name: {partition for _, partition in ConsumerProtocol.ASSIGNMENT.decode(member.assignment).partitions()}
            for name, member in self.members.items()
            if member.assignment
        }

    # -- rebalances ----------------------------------------------------------------------------------------------------

    def rebalance(self) -> None:
        """Every member has to join anew."""
        if self.state is State.JOINING:
            self._maybe_joined()
            return
        for member in self.members.values():
            if member.sync is not None:
                sync, member.sync = member.sync, None
                self._expect(member)
                sync(errors.RebalanceInProgressError.errno, b"")
        first, self.state = self.state is State.EMPTY, State.JOINING
        wait_s = self._first_wait_s if first else max((each.rebalance_s for each in self.members.values()), default=0)
        self._set_deadline(wait_s, self._joined)
        if not first:
            self._maybe_joined()

    def expire(self, name: str) -> None:
        """A member was silent for too long."""
        if name in self.members:
            self._remove(self.members[name])

    def _unchanged(self, member: Member, request: Any) -> bool:
        """Whether a member that joins again, as it did before, just gets the answer again that it seems to have lost.

        A leader that joins again while all is stable wants a new assignment.
        """
        if self.state is State.JOINING or member.protocols != list(request.group_protocols):
            return False
        return self.state is State.SYNCING or member.id != self._leader

    def _joined_as(self, member: Member) -> tuple[Any, ...]:
        chosen = self.members[self._leader].protocols[0][0]
        listed = [(each.id, None, each.protocols[0][1]) for each in self.members.values()]
        told = listed if member.id == self._leader else []
        return self.generation, chosen, self._leader, member.id, told

    def _maybe_joined(self) -> None:
        if self.members and all(member.join is not None for member in self.members.values()):
            self._joined()

    def _joined(self) -> None:
        self._clear_deadline()
        for member in [each for each in self.members.values() if each.join is None]:
            self._stop_expiry(member)
            del self.members[member.id]
        if not self.members:
            self.state = State.EMPTY
            return
        self.generation += 1
        self.state = State.SYNCING
        if self._leader not in self.members:
            self._leader = next(iter(self.members))
        for member in list(self.members.values()):
            join, member.join = member.join, None
            self._expect(member)
            if join is not None:
                join(NO_ERROR, *self._joined_as(member))

    def _assign(self, assignment: dict[str, bytes]) -> None:
        self.state = State.STABLE
        for member in self.members.values():
            member.assignment = assignment.get(member.id, b"")
            sync, member.sync = member.sync, None
            if sync is not None:
                self._expect(member)
                sync(NO_ERROR, member.assignment)

    def _remove(self, member: Member) -> None:
        self._stop_expiry(member)
        del self.members[member.id]
        if self.members:
            self.rebalance()
        else:
            self._clear_deadline()
            self.state = State.EMPTY

    # -- members that are silent ---------------------------------------------------------------------------------------

    def _check(self, name: str, generation: int) -> int:
        if name not in self.members:
            return int(errors.UnknownMemberIdError.errno)
        return NO_ERROR if generation == self.generation else int(errors.IllegalGenerationError.errno)

    def _beaten(self, member: Member) -> int:
        self._expect(member)
        return int(errors.RebalanceInProgressError.errno) if self.state is State.JOINING else NO_ERROR

    def _expect(self, member: Member) -> None:
        self._stop_expiry(member)
        member.expiry = self._loop.call_later(member.session_s, self.expire, member.id)

    @staticmethod
    def _stop_expiry(member: Member) -> None:
        if member.expiry is not None:
            member.expiry.cancel()
            member.expiry = None

    def _set_deadline(self, wait_s: float, then: Callable[[], None]) -> None:
        self._clear_deadline()
        self._deadline = self._loop.call_later(wait_s, then)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
