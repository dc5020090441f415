"""Tell whether a Docker engine answers; `make test-containers` asks before it begins."""

import sys

import docker
from docker.errors import DockerException


def main() -> int:
    """Ping the engine; give 0 where it answers, and say what to do where none does."""
    try:
        docker.from_env().ping()  # pyright: ignore[reportUnknownMemberType] - docker is untyped
    except DockerException:
        sys.stderr.write(
            "No Docker engine answers here, so nothing was run on containers. Start one, or run "
            "`make test`, which needs none.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
