"""Run the sandbox: `python -m deploy.local.sandbox`, with settings from the environment."""

import uvloop

from deploy.local.sandbox.server import quiet_logs, serve
from deploy.local.sandbox.settings import SandboxSettings

if __name__ == "__main__":
    quiet_logs()
    uvloop.run(serve(SandboxSettings()))  # pyright: ignore[reportCallIssue] - from the environment
