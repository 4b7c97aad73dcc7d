"""What a file of tokens says, and whom a token belongs to."""

import hashlib

import pytest

from gateway import tokens
from gateway.errors import BrokenTokens
from gateway.tokens import Scope

BOTH = frozenset({Scope.WRITE, Scope.READ})
HASH = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
THIRD = "sha256:" + "ef" * 32


def _header(token: str) -> bytes:
    return f"Bearer {token}".encode()


def test_a_token_that_was_made_is_found_by_its_line_and_no_other_token_is() -> None:
    token, entry = tokens.make("shop", BOTH)
    known = tokens.parse(entry.line())

    found = known.find(_header(token))

    assert found is not None
    assert (found.name, found.scopes) == ("shop", BOTH)
    assert known.find(_header(token[:-1])) is None
    assert known.find(_header(token + "x")) is None
    assert known.find(_header(tokens.make("shop", frozenset({Scope.WRITE}))[0])) is None


def test_tokens_are_long_random_and_plainly_ours() -> None:
    made = {tokens.make("shop", frozenset({Scope.WRITE}))[0] for _ in range(100)}

    assert len(made) == 100
    assert all(token.startswith("azt_") and len(token) == len("azt_") + 43 for token in made)


def test_nothing_of_the_token_is_in_its_line() -> None:
    token, entry = tokens.make("shop", frozenset({Scope.ADMIN}))

    assert entry.line() == f"shop admin sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def test_half_of_a_hash_does_not_let_in() -> None:
    token, entry = tokens.make("shop", frozenset({Scope.WRITE}))
    line = entry.line()
    other = tokens.parse(line[:-1] + ("0" if line[-1] != "0" else "1"))  # found by its beginning, refused by its end

    assert other.find(_header(token)) is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_taken_in_any_case(scheme: str) -> None:
    token, entry = tokens.make("shop", frozenset({Scope.WRITE}))

    assert tokens.Tokens([entry]).find(f"{scheme} {token}".encode()) == entry


@pytest.mark.parametrize(
    "header", [b"", b"Bearer", b"Bearer ", b"Basic {}", b"{}", b"Bearer  {}", b"Bearer {} x", b"\xff"]
)
def test_other_forms_of_the_header_hold_no_token(header: bytes) -> None:
    token, entry = tokens.make("shop", frozenset({Scope.WRITE}))

    assert tokens.Tokens([entry]).find(header.replace(b"{}", token.encode())) is None


def test_a_header_of_any_length_is_no_work() -> None:
    known = tokens.parse(f"shop write {HASH}")

    assert known.find(_header("x" * 1_000_000)) is None


def test_comments_and_blank_lines_are_passed_over() -> None:
    known = tokens.parse(f"# who may what\n\n  shop  write,read \t{HASH}\n# {OTHER}\n")

    assert [(entry.name, entry.scopes) for entry in known.entries] == [("shop", BOTH)]


def test_two_tokens_of_one_name_are_valid_at_once() -> None:
    (old, first), (new, second) = (tokens.make("shop", frozenset({Scope.WRITE})) for _ in range(2))
    known = tokens.parse(f"{first.line()}\n{second.line()}\n")

    assert known.find(_header(old)) == first
    assert known.find(_header(new)) == second


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it names no token"),
        ("# nothing\n", "it names no token"),
        ("shop write", "line 1: it has 2 words: NAME SCOPES sha256:HASH are three"),
        (f"shop write {HASH} # mine", "line 1: it has 5 words"),
        (f"a b write {HASH}", "line 1: it has 4 words"),
        (f"shop write {HASH}\nsh/op write {OTHER}", "line 2: the name takes 1 to 64 letters, digits and . _ -"),
        (f"shop write,delete {HASH}", "line 1: 'delete' is no scope: the scopes are write, read, admin"),
        (f"shop write, {HASH}", "line 1: '' is no scope"),
        ("shop write secret", "line 1: the hash is not sha256: and 64 hexadecimal digits"),
        (f"shop write {HASH[:-1]}", "line 1: the hash is not sha256:"),
        (f"shop write {HASH.upper()}", "line 1: the hash is not sha256:"),
        (f"shop write {HASH}\nbox read {HASH}", "it names one token twice"),
        (f"s write {HASH}\ns write {OTHER}\ns write {THIRD}", "s has 3 tokens: 2 of one name are the most"),
    ],
)
def test_a_file_that_is_not_plain_is_refused_whole(text: str, sentence: str) -> None:
    with pytest.raises(BrokenTokens) as refused:
        tokens.parse(text)

    assert str(refused.value).startswith(sentence)
    assert "ab" * 4 not in str(refused.value)


def test_more_tokens_than_anybody_needs_are_refused() -> None:
    lines = [f"name-{number} write sha256:{number:064x}" for number in range(1001)]

    with pytest.raises(BrokenTokens, match="1001 tokens"):
        tokens.parse("\n".join(lines))
