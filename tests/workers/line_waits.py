"""What somebody on LINE sees, second by second, for a model of some speed and a queue of some length before them.

The real way of a message from the inbox on, against the strict fake of LINE; only the model plays a script. A token's
life can be shortened, so that a minute takes a quarter of one; all speeds scale with it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import redis

from bot.heartbeat import Heartbeat
from bot.inbox import Inbox
from bot.line.events import TOKEN_LIFE_S, translate
from bot.line.phrases import phrases
from bot.line.sender import LineSender
from bot.messages import Command, Message
from tests.bot.line.sending import make_sender
from tests.fakes import line_events
from tests.fakes.line import LOADING, FakeLine
from tests.fakes.model import Script, ScriptedGenerator
from tests.workers.desk import make_clerk, make_desk
from workers.acting import act
from workers.answer_cache import AnswerCache
from workers.controls import Controls
from workers.due_times import DueTimes
from workers.generation import GenerationFailed
from workers.replies import status
from workers.services import Clerk, Desk, Retriever
from workers.serving import answer_next

Speed = Literal["fast", "slow", "stalled", "crashed", "not loaded"]
SPEEDS: tuple[Speed, ...] = ("fast", "slow", "stalled", "crashed", "not loaded")
AHEAD = (0, 2, 12)

QUESTION = "経費精算の手順を教えてください。"
OTHERS_ASK = "経費精算の締め日はいつですか？"
SENTENCES = (
    "経費精算は申請書を書くことから始めます。",
    "領収書は申請書の裏に貼ります。",
    "課長が申請書を承認します。",
    "経理部が領収書の金額を確認します。",
    "差額があれば経理部が電話で連絡します。",
    "振込は翌月の10日です。",
)
OTHERS_GET = "締め日は毎月25日です。"
DOCUMENT = f"# 経費精算の手順\n\n{''.join(SENTENCES)}\n\n# 経費精算の締め日\n\n{OTHERS_GET}\n"
EXTRACT, WITHOUT_MODEL = "資料の抜粋です", "モデルが答えを書けないため"
END: dict[Speed, str] = {
    "fast": SENTENCES[-1],
    "slow": SENTENCES[-1],
    "stalled": phrases("ja").introductions["rest"],
    "crashed": WITHOUT_MODEL,
    "not loaded": WITHOUT_MODEL,
}
"""What the last message of the answer says."""
WORKERS = 8
TAP_AFTER_S = 1.0
ME = line_events.USER


@dataclass(frozen=True, slots=True)
class Cell:
    """One way that it can go."""

    speed: Speed
    ahead: int

    def __str__(self) -> str:
        return f"{self.speed}, {self.ahead} ahead"


@dataclass(slots=True)
class Seen:
    """What the person saw: seconds since they asked, and a message, the animation, or their own tap."""

    events: list[tuple[float, str]] = field(default_factory=list)
    pushes: int = 0

    @property
    def messages(self) -> list[tuple[float, str]]:
        """The messages alone."""
        return [(at, what) for at, what in self.events if not what.startswith("(")]

    @property
    def text(self) -> str:
        """All messages as one text."""
        return "\n".join(what for _, what in self.messages)


def scripts(speed: Speed, life_s: float) -> tuple[Script, Script]:
    """The others' answers of a seventh of a token's life each, and mine."""
    a_seventh = life_s / 7 / len(OTHERS_GET)
    others = Script(
        OTHERS_GET,
        lambda prompt: OTHERS_ASK in prompt.messages[-1].text,
        seconds_per_piece=a_seventh,
    )
    whole = "".join(SENTENCES)
    mine = {
        "fast": Script(whole, seconds_per_piece=life_s / 20 / len(whole)),
        "slow": Script(whole, seconds_per_piece=1.5 * life_s / len(whole)),
        "stalled": Script(f"{SENTENCES[0]}領収書", hangs=True, seconds_per_piece=life_s / 20 / len(SENTENCES[0])),
        "crashed": Script(error=GenerationFailed("llama_decode: -1")),
        "not loaded": Script(whole),
    }
    return others, mine[speed]


class Waiting:
    """A service with one person in it who waits, others before them, and as few workers as a small machine has."""

    def __init__(self, cell: Cell, store: redis.Redis, retriever: Retriever, life_s: float) -> None:
        self.cell = cell
        self.seen = Seen()
        self._store = store
        self._retriever = retriever
        self._life_s = life_s
        self._line = FakeLine()
        self._hints: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._over = threading.Event()

    def run(self, within_s: float) -> Seen:
        """Ask, tap every button that comes, and look until the answer is whole or the time is over."""
        generator = ScriptedGenerator(scripts(self.cell.speed, self._life_s))
        generator.ready = self.cell.speed != "not loaded"
        with self._line, contextlib.closing(generator):
            sender = make_sender(self._line, self._store, access="open", timeout_s=5.0)
            desk = make_desk(
                self._store,
                self._retriever,
                generator,
                senders={"line": sender},
                hints=self,
                answers=AnswerCache(self._store, 0),  # the others ask the same, and are to take their time
                answer_deadline_s=4 * self._life_s,
            )
            with self._at_work(desk, sender):
                self._everybody_asks()
                self._look(within_s)
        self.seen.pushes = self._line.pushes
        return self.seen

    def answer(self, conversation_id: str) -> None:
        """A hint: somebody is to answer this conversation."""
        self._hints.put(conversation_id)

    def act(self, _: str) -> None:
        """A hint that the clerk does not need."""

    @contextmanager
    def _at_work(self, desk: Desk, sender: LineSender) -> Iterator[None]:
        clerk = make_clerk(self._store, {"line": sender}, hints=self, collector=sender)
        due_times = DueTimes(self._store, desk.batches, {"line": sender})
        threads = [threading.Thread(target=self._answer_all, args=(desk,), daemon=True) for _ in range(WORKERS)]
        threads.append(threading.Thread(target=self._keep_books, args=(clerk, due_times), daemon=True))
        Heartbeat(self._store, "replies", lambda: status(desk, "a-model", WORKERS)).start()
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            desk.interrupts.shutdown.set()
            for thread in threads:
                thread.join(20)

    def _answer_all(self, desk: Desk) -> None:
        while not self._over.is_set():
            with contextlib.suppress(queue.Empty):
                answer_next(self._hints.get(timeout=0.05), desk)

    def _keep_books(self, clerk: Clerk, due_times: DueTimes) -> None:
        controls = Controls(self._store)
        while not self._over.wait(0.1):
            for control_id in controls.due():
                controls.carry_out(control_id, lambda name, event: act(name, event, clerk))
            due_times.see_to(time.time())
            for conversation_id in self._store.zrangebyscore("ready", 0, time.time()):
                self.answer(str(conversation_id))

    def _everybody_asks(self) -> None:
        for number in range(self.cell.ahead):
            self._say(OTHERS_ASK, f"U{number:032x}")
        if self.cell.ahead:
            time.sleep(0.3)  # a worker for each that there is, before I come
        self._began = time.monotonic()
        self._say(QUESTION, ME)

    def _say(self, text: str, user: str) -> None:
        token = self._line.issue_token(user)
        said = translate(line_events.text(text, line_events.user(user), reply_token=token), self._received_at())
        assert isinstance(said, Message)
        Inbox(self._store, self).accept(said, f"line:{said.id}")

    def _tap(self) -> None:
        data, token = self._line.buttons(ME)[-1], self._line.issue_token(ME)
        tapped = translate(line_events.postback(data, reply_token=token), self._received_at())
        assert isinstance(tapped, Command)
        Inbox(self._store, self).control(tapped, f"line:tap:{token}")
        self._note(f"({self._line.labels(ME)[-1]})")

    def _received_at(self) -> float:
        """Earlier by what the token's life is shortened."""
        return time.time() - (TOKEN_LIFE_S - self._life_s)

    def _look(self, within_s: float) -> None:
        shown = tapped = loading = 0
        tap_at = 0.0
        while time.monotonic() - self._began < within_s and not self._is_whole():
            time.sleep(0.05)
            mine = [call for call in self._line.calls_of(LOADING) if call.body["chatId"] == ME]
            if len(mine) > loading:
                loading = len(mine)
                self._note("(…)")
            for text in self._line.visible(ME)[shown:]:
                shown += 1
                self._note(text)
            buttons = len(self._line.buttons(ME))
            if buttons > tapped and not tap_at:
                tap_at = time.monotonic() + TAP_AFTER_S
            if tap_at and time.monotonic() >= tap_at:
                tapped, tap_at = buttons, 0.0
                self._tap()

    def _is_whole(self) -> bool:
        """Whether the answer has been shown to its end: nothing more is to come."""
        return any(END[self.cell.speed] in what and EXTRACT not in what for _, what in self.seen.messages)

    def _note(self, what: str) -> None:
        self.seen.events.append((time.monotonic() - self._began, what))


def run_all(
    cells: list[Cell], stores: list[redis.Redis], retriever: Retriever, *, life_s: float, within_s: float
) -> dict[Cell, Seen]:
    """All cells at the same time, each in a store of its own; what was seen in each."""
    seen: dict[Cell, Seen] = {}

    def run(cell: Cell, store: redis.Redis) -> None:
        seen[cell] = Waiting(cell, store, retriever, life_s).run(within_s)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(cells, stores, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen
