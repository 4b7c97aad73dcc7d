"""Failures that may well happen are sentences; defects are seen whole."""

import argparse
import asyncio

import aiokafka.errors
import psycopg
import pytest

from broker import errors as broker_errors
from pipeline import __main__ as pipeline_main
from pipeline import commands, errors, rebuild_aggregates
from stores import errors as store_errors


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errors.OperationRefused("no"), "no"),
        (broker_errors.TopicMissing("t"), "there is no topic 't'"),
        (store_errors.ProfileStoreUnavailable("away"), "away"),
        (aiokafka.errors.KafkaConnectionError("x"), "Kafka did not answer"),
        (psycopg.errors.UndefinedTable("no table"), "python -m stores migrate"),
        (psycopg.errors.InsufficientPrivilege("no right"), "lacks a right"),
        (psycopg.OperationalError("connection refused\nmore"), "PostgreSQL is away or busy"),
        (psycopg.errors.LockNotAvailable("waited"), "PostgreSQL is away or busy"),
        (TimeoutError(), "no answer in time"),
    ],
)
def test_what_may_happen_is_a_sentence(error: Exception, sentence: str) -> None:
    explained = commands.explained(error)

    assert explained is not None
    assert sentence in explained
    assert "\n" not in explained


@pytest.mark.parametrize("error", [ValueError(), psycopg.errors.SyntaxError("x")])
def test_a_defect_is_none(error: Exception) -> None:
    assert commands.explained(error) is None


@pytest.mark.parametrize(
    ("error", "status"),
    [(errors.OperationRefused("no"), 1), (commands.UsageError("no"), 2)],
)
def test_a_failure_ends_with_its_status_and_its_sentence(
    capsys: pytest.CaptureFixture[str], error: Exception, status: int
) -> None:
    async def fails(_settings: commands.OperatorSettings, _arguments: argparse.Namespace) -> int:
        raise error

    settings = commands.OperatorSettings(environment="local")
    assert asyncio.run(commands.attempt(fails, settings, argparse.Namespace())) == status
    assert capsys.readouterr().err == "pipeline: no\n"


@pytest.mark.parametrize("command", pipeline_main.OPERATIONS)
def test_every_command_has_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        pipeline_main.parser().parse_args([command, "--help"])

    assert ended.value.code == 0
    assert f"python -m pipeline {command}" in capsys.readouterr().out.split("examples:")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["rebuild-aggregates"],
        ["rebuild-aggregates", "--from-hour", "2022-03-22"],
        ["rebuild-aggregates", "--from-hour", "2022-02-30T10"],
        ["dead-letters"],
        ["dead-letters", "show", "x"],
        ["dead-letters", "show", "0"],
        ["dead-letters", "mend", "1"],
        ["adopt-topic", "--restart-at", "somewhere"],
    ],
)
def test_wrong_usage_ends_with_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        pipeline_main.parser().parse_args(arguments)

    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("to_hour", ["2022-03-22T12", "2022-03-22T11", "2023-03-22T11"])
def test_a_range_without_hours_or_with_too_many_is_wrong_usage(
    to_hour: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["rebuild-aggregates", "--from-hour", "2022-03-22T12", "--to-hour", to_hour]
    arguments = pipeline_main.parser().parse_args(given)
    settings = commands.OperatorSettings(environment="local")

    assert asyncio.run(commands.attempt(rebuild_aggregates.run, settings, arguments)) == 2
    assert "--to-hour" in capsys.readouterr().err
