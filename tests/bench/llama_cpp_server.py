"""`python -m llama_cpp.server` as a peer: started, asked over HTTP, and its log read for what it evaluated."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from workers.generation import ChatMessage

STARTS_WITHIN_S = 120
_EVALUATED = re.compile(r"prompt eval time = .* ms / +(\d+) tokens")


class LlamaCppServer:
    """The server at its best: prompts cached in memory, and one request does not end another."""

    def __init__(self, model: Path, *, context_tokens: int) -> None:
        self._log = tempfile.NamedTemporaryFile("w+b", suffix=".log")  # noqa: SIM115 - closed in __exit__
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        self._command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--port", str(port)]
        self._command += ["--n_ctx", str(context_tokens), "--cache", "true", "--cache_type", "ram"]
        self._command += ["--interrupt_requests", "false", "--n_threads", "2", "--n_threads_batch", "2"]
        self._command += ["--flash_attn", "true"]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)
        until = time.monotonic() + STARTS_WITHIN_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"llama_cpp.server did not start: {self._logged()[-500:]}")
            time.sleep(0.3)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def ask(self, messages: Sequence[ChatMessage], *, max_tokens: int) -> tuple[str, float, float]:
        """The answer, the seconds to its first text, and to its end."""
        began, first_s, text = time.monotonic(), None, ""
        body = {
            "messages": [{"role": message.role, "content": message.text} for message in messages],
            "temperature": 0,
            "max_tokens": max_tokens,
            "stream": True,
        }
        with httpx.stream("POST", f"{self._url}/v1/chat/completions", json=body, timeout=900) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    piece = json.loads(line[6:])["choices"][0]["delta"].get("content")
                    if piece:
                        first_s = first_s or time.monotonic() - began
                        text += piece
        total_s = time.monotonic() - began
        return text, first_s or total_s, total_s

    def evaluated_tokens(self) -> int:
        """Prompt tokens that it has evaluated, by the times in its own log."""
        return sum(int(count) for count in _EVALUATED.findall(self._logged()))

    def _logged(self) -> str:
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self._url}/v1/models", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False
