"""Cut a process's connections, as a network does: neither end is told beforehand."""

import ctypes
import os
import socket

import psutil

_PIDFD_OPEN, _PIDFD_GETFD = 434, 438
"""The same numbers on every Linux since 5.6; Python 3.11 knows only the first by name."""


def cut(pid: int, port: int) -> int:
    """Shut a process's connections to a port of this machine down; give how many there were.

    Its own sockets are borrowed for it, which a parent may do. Raises `OSError`.
    """
    process = psutil.Process(pid)
    files = [
        one.fd for one in process.net_connections("tcp") if one.raddr and one.raddr.port == port
    ]
    handle = os.pidfd_open(pid)
    try:
        for file in files:
            with socket.socket(fileno=_borrowed(handle, file)) as theirs:
                theirs.shutdown(socket.SHUT_RDWR)
    finally:
        os.close(handle)
    return len(files)


def _borrowed(handle: int, file: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    found: int = libc.syscall(_PIDFD_GETFD, handle, file, 0)
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return found
