"""Ports of the local stack: chosen once per folder, the same after every restart."""

import json
import secrets
import socket
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

LOOPBACK = "127.0.0.1"

_LOWEST, _HIGHEST = 20_000, 32_000
"""Below Linux's range for outgoing connections (32768 and up): a port from that range may be
someone's outgoing connection at the moment a killed broker wants it back."""

_ATTEMPTS = 200


class NoFreePortError(Exception):
    """No free port was found, or a remembered one is now used by another program."""


def is_free(port: int) -> bool:
    """Say whether nobody listens on this port of the loopback address."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    """Say whether someone accepts connections on this port of the loopback address."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex((LOOPBACK, port)) == 0


def free_port(taken: Sequence[int] = ()) -> int:
    """Choose a free port that is not in `taken`."""
    for _ in range(_ATTEMPTS):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in taken and is_free(port):
            return port
    message = f"no free port found between {_LOWEST} and {_HIGHEST}"
    raise NoFreePortError(message)


def stable_ports(file: Path, names: Sequence[str]) -> dict[str, int]:
    """Give each name the port that `file` remembers, choosing and remembering new ones.

    Raises `NoFreePortError` when a remembered port is in use by another program.
    """
    ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    for name in names:
        if name not in ports:
            ports[name] = free_port(list(ports.values()))
        elif not is_free(ports[name]):
            message = (
                f"port {ports[name]}, which {name} used before, is in use by another program;"
                f" end that program, or remove {file} to choose new ports"
            )
            raise NoFreePortError(message)
    file.write_text(json.dumps(ports))
    return {name: ports[name] for name in names}
