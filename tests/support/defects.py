"""Defects to plant into the workers and the gateway: each would lose or double events, and a test has to notice.

A defect is an edit of the production code's text, so it is what a person could have written there, and an edit whose
text is not found any more is an error. Everything a defect does must be in the function that it edits.
"""

import contextlib
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec


class Edit(msgspec.Struct, frozen=True):
    """In `function` ("Class.method" of `module`) each of `changes` is (text that is there once, text in its place)."""

    module: str
    function: str
    changes: tuple[tuple[str, str], ...]


DEFECTS: Final = {
    # What a rebalance overtook is taken for new, and what came behind it is dropped with the position already moved.
    "generation-before-fetch": Edit(
        "pipeline.transport",
        "BatchConsumer.getmany",
        (
            ("        generation = self.app.consumer_generation_id\n", ""),
            (
                "        records, active = await self._wait_next_records(timeout)\n",
                "        generation = self.app.consumer_generation_id\n"
                "        records, active = await self._wait_next_records(timeout)\n",
            ),
        ),
    ),
    # Two transactions: whatever ends between them loses the rows.
    "offsets-before-sums": Edit(
        "stores.flush",
        "PostgresFlushes.write",
        (
            ("        await self._finish(conn, flush)\n", '        await conn.execute("COMMIT")\n'),
            (
                '                await conn.execute(_SQL["begin"])\n',
                '                await conn.execute(_SQL["begin"])\n'
                "                await self._finish(conn, flush)\n"
                '                await conn.execute(_SQL["begin"])\n',
            ),
        ),
    ),
    # The offsets are compared with what they are at that moment: always equal.
    "no-compare-and-set": Edit(
        "stores.flush",
        "PostgresFlushes.write",
        (
            (
                "        await self._finish(conn, flush)\n",
                "        at = await offsets.read(conn, self._consumer, [move.partition for move in flush.moves])\n"
                "        moves = [msgspec.structs.replace(move, start=at[move.partition]) for move in flush.moves]\n"
                "        await self._finish(conn, msgspec.structs.replace(flush, moves=moves))\n",
            ),
        ),
    ),
    # Every event is answered when it is handed over, stored or not.
    "acknowledge-before-report": Edit(
        "broker.producer",
        "EventProducer.send",
        (("        return future\n", "        future.set_result(None)\n        return future\n"),),
    ),
    # The write is made once more, on top of what is stored. (Made once more as it was, it would fail to compare.)
    "unknown-is-failed": Edit(
        "pipeline.sink",
        "Sink._store_part",
        (
            (
                "        except (store_errors.OffsetMoved, store_errors.OutcomeUnknown) as error:\n",
                "        except store_errors.OutcomeUnknown:\n"
                "            at = await self._flushes.settled(sorted(folded.starts))\n"
                "            moves = [flush.Move(of.partition, at[of.partition], of.end) for of in content.moves]\n"
                "            again = flush.Flush(content.rows, content.totals, moves, content.letters)\n"
                "            await self._retrier.ask(lambda: self._verified(again))\n"
                "        except store_errors.OffsetMoved as error:\n",
            ),
        ),
    ),
    # The last write before the traffic stops is never made again. (Any later one fails to compare, and mends it.)
    "unknown-is-done": Edit(
        "pipeline.sink",
        "Sink._store_part",
        (
            (
                "        except (store_errors.OffsetMoved, store_errors.OutcomeUnknown) as error:\n",
                "        except store_errors.OutcomeUnknown:\n"
                "            pass\n"
                "        except store_errors.OffsetMoved as error:\n",
            ),
        ),
    ),
    # Records that were fetched and dropped in a rebalance, or never fetched, are stepped over.
    "gap-accepted": Edit(
        "pipeline.positions",
        "Positions.judge",
        (("            return Judged(Verdict.GAP)\n", "            return Judged(Verdict.COUNT, batch)\n"),),
    ),
}


def plant(name: str) -> Callable[[], None]:
    """Put a defect into this process; gives what takes it out again. Raises LookupError if its text is not there."""
    edit = DEFECTS[name]
    holder, function = _place(edit)
    original = inspect.getattr_static(holder, function)
    setattr(holder, function, edited(edit))
    return lambda: setattr(holder, function, original)


@contextlib.contextmanager
def planted(name: str) -> Iterator[None]:
    """The same for the duration of a block."""
    take_out = plant(name)
    try:
        yield
    finally:
        take_out()


def edited(edit: Edit) -> Callable[..., Any]:
    """The function with the changes made. Raises LookupError if a text is not there, or more than once."""
    holder, function = _place(edit)
    text = inspect.getsource(inspect.getattr_static(holder, function))
    for before, after in edit.changes:
        if text.count(before) != 1:
            message = f"{edit.module}.{edit.function} does not hold this text once: {before!r}"
            raise LookupError(message)
        text = text.replace(before, after)
    made: dict[str, Any] = {}
    code = compile(textwrap.dedent(text), f"<{edit.function}, with a defect>", "exec")
    exec(code, importlib.import_module(edit.module).__dict__, made)  # noqa: S102 - to run changed code is the point
    changed: Callable[..., Any] = made[function]
    return changed


def _place(edit: Edit) -> tuple[Any, str]:
    holder: Any = importlib.import_module(edit.module)
    *classes, function = edit.function.split(".")
    for each in classes:
        holder = getattr(holder, each)
    return holder, function
