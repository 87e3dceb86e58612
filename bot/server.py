"""The web process: the application under uvicorn."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from pathlib import Path

import uvicorn
from pydantic import SecretStr

from bot.app import build
from bot.logs import log_to_stderr
from bot.settings import BotSettings

GRACE_S = 5


def main() -> None:
    """Serve until SIGTERM."""
    # uvicorn raises the signal again when it has ended well: that is no reason to die of it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = BotSettings()
    log_to_stderr()
    server: uvicorn.Server
    app = build(settings, console_token(settings), closing=lambda: server.should_exit)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,  # the address of the console's first visit holds its token
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    server.run()


def console_token(settings: BotSettings) -> SecretStr:
    """CONSOLE_TOKEN, else one of this installation's own, made at the first start."""
    if settings.console_token.get_secret_value():
        return settings.console_token
    kept = settings.data_path / "console-token"
    if not kept.exists():
        _write_secret(kept, secrets.token_urlsafe(24))
    return SecretStr(kept.read_text(encoding="utf-8").strip())


def _write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner may read; who comes second leaves the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        opened.write(secret)
