"""Fake servers of language models over real HTTP: vLLM, llama-server and Ollama, as strict as they are, and faulty.

Tokens of a prompt are characters, four letters, and the names of ChatML's control tokens, which these servers find in
any text: `turns` shows what turns the model saw. The model knows its answers by heart and says them by characters.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

JSON = dict[str, Any]
Dialect = Literal["vllm", "llama-server", "ollama"]

MODEL = "fake-model"
_TOKEN = re.compile(r"<\|\w+\|>|[A-Za-z]{1,4}|.", re.DOTALL)
_TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>\n|$)", re.DOTALL)
_COMMON = {"model", "messages", "max_tokens", "stream", "stream_options", "stop", "temperature", "top_p", "seed"}
_FIELDS = {
    "vllm": _COMMON | {"response_format", "min_p", "repetition_penalty", "chat_template_kwargs"},
    "llama-server": _COMMON | {"response_format", "min_p", "repeat_penalty", "chat_template_kwargs", "grammar"},
    "ollama": _COMMON | {"response_format"},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer.

    Args:
        status: answered in the place of it, with `retry_after` and `body`.
        reset_after: the connection is reset after so many pieces (0: before the headers).
        cut_after: the stream ends after so many pieces, without its end.
        says: raw bytes after the first piece.
        hangs_after: after so many pieces nothing comes any more; `hung` tells when the client is gone.
    """

    status: int = 0
    retry_after: str = ""
    body: str = '{"error": {"message": "no"}}'
    reset_after: int | None = None
    cut_after: int | None = None
    says: bytes = b""
    hangs_after: int | None = None


@dataclass
class FakeServer:
    """A running fake; use it as a context."""

    dialect: Dialect
    answer: str | Callable[[str], str] = "Paris."
    context_tokens: int = 1000
    slots: int = 8
    key: str = ""
    seconds_per_piece: float = 0.0
    listed: bool = True
    faults: deque[Fault] = field(default_factory=deque)
    """Of the next answers, one each."""
    faults_of: dict[str, Fault] = field(default_factory=dict)
    """Of every answer to this text."""
    asked: list[JSON] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    turns: list[list[tuple[str, str]]] = field(default_factory=list)
    vanished: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self.room = threading.Semaphore(self.slots)
        self.closing = threading.Event()
        self._listen(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def start_again(self) -> None:
        """Listen again, at the same port."""
        self._listen(self.port)

    def tokens(self, text: str) -> list[int]:
        return [sum(map(ord, token)) for token in _TOKEN.findall(text)]

    def rendered(self, messages: list[JSON]) -> str:
        """The chat in ChatML."""
        turns = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
        return f"{turns}<|im_start|>assistant\n"

    def fault_of(self, text: str) -> Fault:
        return self.faults.popleft() if self.faults else self.faults_of.get(text, Fault())

    def said(self, messages: list[JSON]) -> str:
        if callable(self.answer):
            return self.answer(messages[-1]["content"])
        return self.answer

    def _listen(self, port: int) -> None:
        fake = self

        class Bound(_Requests):
            server_of = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Bound)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: FakeServer

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        fake = self.server_of
        fake.paths.append(self.path)
        if self.path != "/v1/models" or not fake.listed:
            return self._reply(404, {"error": {"message": "File Not Found"}})
        if not self._may():
            return None
        return self._reply(200, {"object": "list", "data": [_listed(fake)]})

    def do_POST(self) -> None:
        fake = self.server_of
        fake.paths.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self._may():
            return
        match fake.dialect, self.path:
            case _, "/v1/chat/completions":
                self._chat(body)
            case "vllm", "/tokenize" if body["model"] == MODEL:
                text = fake.rendered(body["messages"]) if "messages" in body else body["prompt"]
                tokens = fake.tokens(text)
                self._reply(200, {"count": len(tokens), "max_model_len": fake.context_tokens, "tokens": tokens})
            case "llama-server", "/apply-template":
                self._reply(200, {"prompt": fake.rendered(body["messages"])})
            case "llama-server", "/tokenize":
                text = body["content"]
                tokens = fake.tokens(text) if body["parse_special"] else list(map(ord, text))
                self._reply(200, {"tokens": tokens})
            case _:
                self._reply(404, {"error": {"message": "File Not Found"}})

    def _may(self) -> bool:
        key = self.server_of.key
        if key and self.headers["authorization"] != f"Bearer {key}":
            self._reply(401, {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}})
            return False
        return True

    def _chat(self, body: JSON) -> None:
        fake = self.server_of
        fake.asked.append(body)
        prompt = fake.rendered(body["messages"])
        fake.turns.append([(role, text) for role, text in _TURN.findall(prompt)][:-1])
        fault = fake.fault_of(body["messages"][-1]["content"])
        unknown = body.keys() - _FIELDS[fake.dialect]
        if unknown or not body["stream"] or (fake.dialect != "llama-server" and body["model"] != MODEL):
            return self._reply(400, {"error": {"message": f"bad request: {sorted(unknown)}", "code": 400}})
        if fault.status:
            headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
            return self._reply(fault.status, fault.body, headers)
        if fault.reset_after == 0:
            return self._reset()
        if (prompt_tokens := len(fake.tokens(prompt))) + body["max_tokens"] > fake.context_tokens:
            return self._reply(400, _too_long(fake, prompt_tokens))
        if fake.dialect == "vllm":  # the others send their headers with the first token
            self._begin()
        while not fake.room.acquire(timeout=0.01):
            if self._is_gone():
                return None
        try:
            return self._stream(body, prompt_tokens, fault)
        finally:
            fake.room.release()

    def _stream(self, body: JSON, prompt_tokens: int, fault: Fault) -> None:
        fake = self.server_of
        if fake.dialect != "vllm":
            self._begin()
        whole = fake.said(body["messages"])
        ends = [at for at in (whole.find(stop) for stop in body.get("stop", ())) if at >= 0]
        whole = whole[: min(ends, default=len(whole))]
        said = whole[: body["max_tokens"]]
        try:
            self._chunk(b": hello\r\n\r\n")
            for number, character in enumerate((*said, "")):
                if number == fault.hangs_after and not self._until_gone():
                    return None
                if number == fault.reset_after:
                    return self._reset()
                if number == fault.cut_after:
                    return self._chunk(b"")
                if number == 1 and fault.says:
                    self._chunk(fault.says)
                if character:
                    time.sleep(fake.seconds_per_piece)
                    self._event(choices=[{"index": 0, "delta": {"content": character}, "finish_reason": None}])
            reason = "stop" if said == whole else "length"
            self._event(choices=[{"index": 0, "delta": {}, "finish_reason": reason}])
            usage = {"prompt_tokens": prompt_tokens, "completion_tokens": len(said), "total_tokens": 0}
            self._event(choices=[], usage={**usage, "prompt_tokens_details": {"cached_tokens": 5}})
            self._chunk(b"data: [DONE]\n\n")
            return self._chunk(b"")
        except OSError:
            fake.vanished.set()
            self.close_connection = True
            return None

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _event(self, **fields: Any) -> None:
        text = json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", **fields}, ensure_ascii=False)
        self._chunk(f"data: {text}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _reply(self, status: int, body: JSON | str, headers: dict[str, str] | None = None) -> None:
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"content-length": str(len(raw)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()
        self.close_connection = True

    def _until_gone(self) -> bool:
        """Wait until the client is gone; True when the fake ends before."""
        while not self.server_of.closing.wait(0.005):
            if self._is_gone():
                return False
        return True

    def _is_gone(self) -> bool:
        try:
            gone = not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            gone = False
        except OSError:
            gone = True
        if gone:
            self.server_of.vanished.set()
            self.close_connection = True
        return gone


def _listed(fake: FakeServer) -> JSON:
    match fake.dialect:
        case "vllm":
            return {"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": fake.context_tokens}
        case "llama-server":
            meta = {"n_ctx": fake.context_tokens, "n_ctx_train": 32768, "n_vocab": 151936}
            return {"id": "models/fake.gguf", "object": "model", "owned_by": "llamacpp", "meta": meta}
        case "ollama":
            return {"id": MODEL, "object": "model", "owned_by": "library", "created": 1}


def _too_long(fake: FakeServer, tokens: int) -> JSON:
    most = fake.context_tokens
    match fake.dialect:
        case "vllm":
            text = f"This model's maximum context length is {most} tokens. However, you requested {tokens} tokens."
            return {"error": {"message": text, "type": "BadRequestError", "param": None, "code": 400}}
        case "llama-server":
            return {"error": _exceeds(tokens, most)}
        case "ollama":  # it passes on what its own llama-server says
            text = json.dumps({"error": _exceeds(tokens, most)})
            return {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": None}}


def _exceeds(tokens: int, most: int) -> JSON:
    text = f"request ({tokens} tokens) exceeds the available context size ({most} tokens), try increasing it"
    numbers = {"n_prompt_tokens": tokens, "n_ctx": most}
    return {"code": 400, "message": text, "type": "exceed_context_size_error", **numbers}


def running(dialect: Dialect, **settings: Any) -> Iterator[FakeServer]:
    """For fixtures."""
    with FakeServer(dialect, **settings) as fake:
        yield fake
