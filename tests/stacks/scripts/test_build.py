"""`stacks/build` and `stacks/pin-images`: what is built is named for ever, and so is what it is built on."""

import pytest

from tests.stacks.scripts.stage import Stage

GIVEN = {"REGISTRY": "registry.test:5000", "RELEASE": "one"}
DIGEST = "@sha256:" + "0" * 64


@pytest.fixture
def pinned(stage: Stage) -> Stage:
    images = stage.stacks / "images.env"
    lines = images.read_text("utf-8").splitlines()
    images.write_text("".join(f"{line}{DIGEST if '_IMAGE=' in line else ''}\n" for line in lines), "utf-8")
    for dockerfile in [
        "Dockerfile",
        *(f"services/{n}/Dockerfile" for n in ["kafka", "postgres", "etcd", "haproxy", "aerospike"]),
    ]:
        path = stage.stacks.parent / dockerfile
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("ARG PYTHON_IMAGE\n", "utf-8")
    return stage


def test_every_image_is_built_and_pushed_under_the_release(pinned: Stage) -> None:
    assert pinned.run("build", "--push", **GIVEN).status == 0
    names = ["application", "kafka", "postgres", "etcd", "haproxy", "aerospike"]
    assert pinned.swarm.pushed == [f"registry.test:5000/allezone-{name}:one" for name in names]


def test_what_the_registry_has_is_not_replaced(pinned: Stage) -> None:
    assert pinned.run("build", "--push", **GIVEN, IMAGES="kafka").status == 0
    pinned.swarm.calls.clear()
    done = pinned.run("build", "--push", **GIVEN)
    assert (done.status, done.err) == (1, "build: the registry has allezone-kafka:one already: take another RELEASE\n")
    assert not any(call[0] in {"build", "push"} for call in pinned.swarm.calls)
    assert pinned.run("build", "--push", **GIVEN, IMAGES="etcd haproxy").status == 0
    assert pinned.run("build", **GIVEN).status == 0


def test_bases_are_given_by_digest(pinned: Stage) -> None:
    pinned.run("build", **GIVEN)
    built = next(call for call in pinned.swarm.calls if call[0] == "build")
    base = built[built.index("--build-arg") + 1]
    assert base.startswith("PYTHON_IMAGE=python:")
    assert base.endswith(DIGEST)


def test_a_base_without_a_digest_is_refused_unless_that_is_meant(pinned: Stage) -> None:
    images = pinned.stacks / "images.env"
    images.write_text(images.read_text("utf-8").replace(DIGEST, "", 1), "utf-8")
    done = pinned.run("build", **GIVEN)
    assert done.status == 1
    assert "no digest, run stacks/pin-images first" in done.err
    assert pinned.run("build", **GIVEN, ALLOW_UNPINNED="yes").status == 0


@pytest.mark.parametrize(
    ("arguments", "given"), [((), {"RELEASE": "latest"}), (("--pusch",), {}), ((), {"RELEASE": ""})]
)
def test_what_is_no_release_or_no_option_is_refused(
    pinned: Stage, arguments: tuple[str, ...], given: dict[str, str]
) -> None:
    assert pinned.run("build", *arguments, **GIVEN | given).status != 0
    assert pinned.swarm.calls == []


def test_a_build_that_fails_pushes_nothing(pinned: Stage) -> None:
    pinned.swarm.fates["build"] = "no space left"
    assert pinned.run("build", "--push", **GIVEN).status != 0
    assert not any(call[0] == "push" for call in pinned.swarm.calls)


def test_images_get_the_digests_of_their_registries(stage: Stage) -> None:
    assert stage.run("pin-images").status == 0
    lines = (stage.stacks / "images.env").read_text("utf-8").splitlines()
    images = [line for line in lines if "_IMAGE=" in line]
    assert images
    assert all("@sha256:" in line for line in images)
    asked = len(stage.swarm.calls)
    assert stage.run("pin-images").out == ""
    assert len(stage.swarm.calls) == asked
