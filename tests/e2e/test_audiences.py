"""Nobody gets anything of a document that is not for the place they ask in: not found, cited, kept, given to the model.

One service with a document for each kind of audience; in every kind of place somebody asks for all of them.
"""

from __future__ import annotations

import dataclasses
import html
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.access import Access
from bot.inbox import Inbox
from bot.queue import CeleryHints, celery_app
from tests.fakes import slack_events
from tests.fakes.line import FakeLine
from tests.fakes.slack import FakeSlack
from tests.faults.desk import PROMPTS, Desk, wait_until
from tests.faults.fixtures import service
from tests.faults.people import InAChannel, InAGroup, InAThread, OnLine, OnSlack, OnTheConsole
from tests.restricted import PUBLIC_ANSWER, PUBLIC_QUESTION, Restricted, for_members, restricted, write_library
from tests.stored import times_in
from workers.asking import ask

STEADY_S = 0.3
WITHIN_S = 20.0
PUBLIC_URL = "https://desk.example"
TEAM_CHANNEL = "C0MERGER"
BOSS, ADMIN, GUEST, SINGLE_GUEST, STRANGER, UNKNOWN = "U0BOSS", "U0ADMIN", "U0GUEST", "U0SINGLE", "U0OTHERCO", "U0WHO"
LINE_BOSS, LINE_GROUP, LINE_ADMIN = "U" + "b" * 32, "C" + "7" * 32, "U" + "a" * 32

BONUS = for_members()
MERGER = restricted(
    "merger-plan",
    {f"slack:{TEAM_CHANNEL}"},
    "Project Falcon",
    "The merger with Kita Foods will be announced in Nagoya on 14 March.",
    "When will the merger be announced?",
    "14 March",
)
SALARY = restricted(
    "salary-letter",
    {f"slack:{BOSS}", f"line:{LINE_BOSS}"},
    "報酬のお知らせ",
    "来年度の年俸は1,240万円です。",
    "来年度の年俸はいくらですか？",
    "1,240万円",
)
PICNIC = restricted(
    "picnic-notes",
    {f"line:{LINE_GROUP}"},
    "旅のしおり",
    "遠足の集合場所は金沢駅の鼓門の前です。",
    "遠足の集合場所はどこですか？",
    "鼓門",
)
KEYS = restricted(
    "server-room",
    {"console"},
    "Operator's notes",
    "The code word of the server room's door is heliotrope.",
    "What is the code word of the server room's door?",
    "heliotrope",
)
DOCUMENTS = (BONUS, MERGER, SALARY, PICNIC, KEYS)


class AtTheTerminal:
    """Somebody who runs `madoguchi ask`."""

    def __init__(self, desk: Desk) -> None:
        self._store = desk.store
        self._inbox = Inbox(self._store, CeleryHints(celery_app(desk.store_url)))
        self._answers: list[str] = []

    def say(self, text: str) -> None:
        *_, settled = ask(text, self._store, self._inbox)
        self._answers.append(json.dumps(settled, ensure_ascii=False))

    def reads(self) -> list[str]:
        return self._answers


class OnThePage(OnTheConsole):
    """Somebody on the console, who sees the sources too."""

    def reads(self) -> list[str]:
        return [json.dumps(event, ensure_ascii=False) for event in self.events()]


class InASharedChannel(InAChannel):
    """In a channel that is shared with another company (Slack Connect)."""

    def write(self, text: str) -> list[dict[str, Any]]:
        envelopes = super().write(text)
        for envelope in envelopes:
            envelope["is_ext_shared_channel"] = True
        return envelopes


class InAGroupDM(InAChannel):
    """In a direct message of several people."""

    def write(self, text: str) -> list[dict[str, Any]]:
        envelopes = super().write(text)
        for envelope in envelopes:
            envelope["event"] |= {"channel_type": "mpim"} if "channel_type" in envelope["event"] else {}
        return envelopes


Somebody = AtTheTerminal | OnTheConsole | OnSlack | OnLine
Arrive = Callable[[Desk, FakeSlack, FakeLine], Somebody]
PLACES: dict[str, tuple[Arrive, Sequence[Restricted]]] = {
    "slack dm": (lambda desk, slack, _: OnSlack(desk, slack, "D0MEMBER", "U0MEMBER"), [BONUS]),
    "slack dm, the person": (lambda desk, slack, _: OnSlack(desk, slack, "D0BOSS", BOSS), [BONUS, SALARY]),
    "slack dm, an admin": (lambda desk, slack, _: OnSlack(desk, slack, "D0ADMIN", ADMIN), [BONUS]),
    "slack dm, a guest": (lambda desk, slack, _: OnSlack(desk, slack, "D0GUEST", GUEST), []),
    "slack dm, a guest of one channel": (lambda desk, slack, _: OnSlack(desk, slack, "D0ONE", SINGLE_GUEST), []),
    "slack dm, another company's": (lambda desk, slack, _: OnSlack(desk, slack, "D0OTHERCO", STRANGER), []),
    "slack dm, nobody knows who": (lambda desk, slack, _: OnSlack(desk, slack, "D0WHO", UNKNOWN), []),
    "slack channel": (lambda desk, slack, _: InAChannel(desk, slack, "C0MEMBER", "U0MEMBER"), [BONUS]),
    "slack channel, the person": (lambda desk, slack, _: InAChannel(desk, slack, "C0BOSS", BOSS), [BONUS]),
    "slack channel, an admin": (lambda desk, slack, _: InAChannel(desk, slack, "C0ADMIN", ADMIN), [BONUS]),
    "slack channel, the named one": (
        lambda desk, slack, _: InAChannel(desk, slack, TEAM_CHANNEL, "U0MEMBER"),
        [BONUS, MERGER],
    ),
    "slack thread": (lambda desk, slack, _: InAThread(desk, slack, "C0THREAD", BOSS), [BONUS]),
    "slack group dm": (lambda desk, slack, _: InAGroupDM(desk, slack, "G0MEMBER", BOSS), [BONUS]),
    "slack connect, the person": (lambda desk, slack, _: InASharedChannel(desk, slack, "C0SHARED", BOSS), []),
    "line": (lambda desk, _, line: OnLine(desk, line, "U" + "1" * 32), [BONUS]),
    "line, the person": (lambda desk, _, line: OnLine(desk, line, LINE_BOSS), [BONUS, SALARY]),
    "line, an admin": (lambda desk, _, line: OnLine(desk, line, LINE_ADMIN), [BONUS]),
    "line group": (lambda desk, _, line: InAGroup(desk, line, LINE_BOSS, "C" + "8" * 32), [BONUS]),
    "line group, the named one": (
        lambda desk, _, line: InAGroup(desk, line, "U" + "2" * 32, LINE_GROUP),
        [BONUS, PICNIC],
    ),
    "line, not let in": (lambda desk, _, line: OnLine(desk, line, "U" + "3" * 32), []),
    "console": (lambda desk, _, __: OnThePage(desk), [BONUS, KEYS]),
    "terminal": (lambda desk, _, __: AtTheTerminal(desk), [BONUS, KEYS]),
}
"""Who asks where, and which documents may be read there."""
LET_IN_BY_A_CODE = ("line", "line, the person", "line group", "line group, the named one")


@dataclass(frozen=True, slots=True)
class Heard:
    """What asking for every document in one place led to.

    Args:
        shown: the answers, by the document that was asked for.
        pages: what the pages say that the answers link to.
        prompts: everything that the model was given meanwhile.
        left: the marks of which there is more than before in the store's file, in the logs, anywhere but in the index.
    """

    shown: dict[Restricted, str]
    pages: str
    prompts: str
    left: frozenset[str]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, slack: FakeSlack, line: FakeLine) -> Iterator[Desk]:
    """The service with all of the documents, and people who were let in."""
    folder = tmp_path_factory.mktemp("audiences")
    write_library(folder, DOCUMENTS)
    slack.workspace.users |= {
        "U0MEMBER": slack_events.user("U0MEMBER"),
        BOSS: slack_events.user(BOSS),
        ADMIN: slack_events.user(ADMIN, is_admin=True, is_owner=True),
        GUEST: slack_events.user(GUEST, is_restricted=True),
        SINGLE_GUEST: slack_events.user(SINGLE_GUEST, is_restricted=True, is_ultra_restricted=True),
        STRANGER: slack_events.user(STRANGER, is_stranger=True, team_id="T0OTHERCO"),
    }
    settings = {
        "LINE_ACCESS": "pairing",
        "ADMIN_USERS": f"slack:{ADMIN},line:{LINE_ADMIN}",
        "PERSON_MESSAGES_PER_MINUTE": "0",
        "PUBLIC_URL": PUBLIC_URL,
    }
    with service(folder, slack, line, folder / "library" / "parking", environment=settings) as running:
        yield running


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def heard_in(desk: Desk, slack: FakeSlack, line: FakeLine) -> Callable[[str], Heard]:
    """Everything is asked in a place, once."""
    known: dict[str, Heard] = {}

    def hear(place: str) -> Heard:
        if place not in known:
            arrive, _ = PLACES[place]
            known[place] = asked_everything(desk, let_in(desk, place, arrive(desk, slack, line)))
        return known[place]

    return hear


def let_in(desk: Desk, place: str, somebody: Somebody) -> Somebody:
    """On LINE somebody needs a code, once."""
    access = Access(desk.store, "pairing", frozenset())
    if isinstance(somebody, OnLine) and place in LET_IN_BY_A_CODE and not access.admits(f"line:{somebody.chat_id}"):
        told = answered(desk, somebody, access.invite())
        assert "登録しました" in told or "使えるようになりました" in told
    return somebody


def asked_everything(desk: Desk, somebody: Somebody) -> Heard:
    marks = [mark for document in DOCUMENTS for mark in document.marks]
    prompts_before = len(prompts(desk))
    before = counted(desk, marks)
    shown = {document: answered(desk, somebody, document.question) for document in DOCUMENTS}
    wait_until(lambda: not any(desk.store.scan_iter("lock:*")), within_s=WITHIN_S)
    written = counted(desk, marks) - before
    pages = html.unescape("\n".join(opened(desk, link).text for text in shown.values() for link in links_in(text)))
    return Heard(shown, pages, prompts(desk)[prompts_before:], frozenset(written))


def counted(desk: Desk, marks: Sequence[str]) -> Counter[str]:
    """How often the marks are written down, when nothing more is: some of it comes a moment after an answer."""
    before, now = None, times_in(everything_but_the_index(desk), marks)
    while now != before:
        time.sleep(STEADY_S)
        before, now = now, times_in(everything_but_the_index(desk), marks)
    return now


def answered(desk: Desk, somebody: Somebody, words: str) -> str:
    """What is read next by who says this, or last, where it is settled without a word."""
    before = len(somebody.reads())
    somebody.say(words)
    wait_until(lambda: len(somebody.reads()) > before or is_settled(desk), within_s=WITHIN_S)
    return somebody.reads()[-1]


def is_settled(desk: Desk) -> bool:
    """Whether nothing waits and nobody works."""
    store = desk.store
    return not (store.hlen("controls") or store.zcard("ready") or any(store.scan_iter("lock:*")))


def links_in(text: str) -> list[str]:
    """The links to pages of ours, below the web process's address."""
    return re.findall(r"/passages/[\w.-]+", text)


def opened(desk: Desk, link: str) -> httpx.Response:
    """What is behind a link."""
    return httpx.get(desk.url + link, timeout=10)


def prompts(desk: Desk) -> str:
    """Everything that the model was ever given."""
    noted = desk.folder / PROMPTS
    return noted.read_text(encoding="utf-8") if noted.exists() else ""


def everything_but_the_index(desk: Desk) -> list[Path]:
    """The store's file, the logs, and whatever else was written, but for the documents and their index."""
    apart = (desk.folder / "library", desk.folder / "data" / "index")
    return [file for file in desk.folder.rglob("*") if not any(file.is_relative_to(folder) for folder in apart)]


def test_who_may_read_a_document_is_answered_from_it(heard_in: Callable[[str], Heard], place: str) -> None:
    shown = heard_in(place).shown

    for document in PLACES[place][1]:
        assert document.answer in shown[document], shown


def test_who_may_not_is_shown_nothing_of_it(heard_in: Callable[[str], Heard], place: str) -> None:
    shown = "\n".join(heard_in(place).shown.values())

    assert [mark for mark in forbidden_in(place) if mark in shown] == []


def test_who_may_read_a_document_can_open_it_where_it_is_cited(heard_in: Callable[[str], Heard], place: str) -> None:
    pages = heard_in(place).pages

    for document in PLACES[place][1]:
        assert document.answer in pages
        assert document.title in pages


def test_no_link_leads_who_may_not_to_it(heard_in: Callable[[str], Heard], place: str) -> None:
    pages = heard_in(place).pages

    assert [mark for mark in forbidden_in(place) if mark in pages] == []


def test_the_model_is_given_nothing_of_it(heard_in: Callable[[str], Heard], place: str) -> None:
    given = heard_in(place).prompts

    assert [mark for mark in forbidden_in(place) if mark in given] == []


def test_nothing_of_it_is_written_down_anywhere(heard_in: Callable[[str], Heard], place: str) -> None:
    left = heard_in(place).left

    assert [mark for mark in forbidden_in(place) if mark in left] == []


def forbidden_in(place: str) -> list[str]:
    """The marks of all documents that may not be read there."""
    return [mark for document in DOCUMENTS if document not in PLACES[place][1] for mark in document.marks]


REMEMBERING = ("slack dm", "slack thread", "line", "console", "terminal")
"""Places with one conversation that goes on."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What everybody hears next whose conversation holds a passage that has become somebody else's; links to it."""

    heard: dict[str, Heard]
    links: dict[str, list[str]]


@pytest.fixture(scope="module")
def narrowed(desk: Desk, slack: FakeSlack, line: FakeLine) -> Narrowed:
    """The members' document is for one channel now; everybody has asked about it before, and about parking since."""
    people = {place: let_in(desk, place, PLACES[place][0](desk, slack, line)) for place in REMEMBERING}
    told = {place: answered(desk, somebody, BONUS.question) for place, somebody in people.items()}
    assert all(BONUS.answer in shown for shown in told.values())
    links = {place: links_in(shown) for place, shown in told.items()}
    assert all(BONUS.answer in opened(desk, link).text for some in links.values() for link in some)
    for_others = dataclasses.replace(BONUS, audience=frozenset({"slack:C0OTHERS"}))
    write_library(desk.folder, [document for document in DOCUMENTS if document is not BONUS] + [for_others])
    assert desk.command("reindex").returncode == 0

    return Narrowed({place: asked_next(desk, somebody) for place, somebody in people.items()}, links)


def asked_next(desk: Desk, somebody: Somebody) -> Heard:
    """A question about something else, in the same conversation."""
    before = len(prompts(desk))
    shown = answered(desk, somebody, PUBLIC_QUESTION)
    return Heard({BONUS: shown}, "", prompts(desk)[before:], frozenset())


@pytest.mark.parametrize("place", REMEMBERING)
def test_a_passage_that_is_now_for_others_is_in_no_further_prompt(narrowed: Narrowed, place: str) -> None:
    heard = narrowed.heard[place]

    assert PUBLIC_ANSWER in heard.shown[BONUS]
    assert PUBLIC_ANSWER in heard.prompts
    assert [mark for mark in BONUS.marks if mark in heard.prompts] == []


@pytest.mark.parametrize("place", REMEMBERING)
def test_the_link_that_was_given_shows_it_no_longer(desk: Desk, narrowed: Narrowed, place: str) -> None:
    (link,) = narrowed.links[place]

    wait_until(lambda: opened(desk, link).status_code == 410, within_s=WITHIN_S)

    assert [mark for mark in BONUS.marks if mark in opened(desk, link).text] == []


def test_it_is_in_no_remembered_turn(desk: Desk, narrowed: Narrowed) -> None:
    wait_until(lambda: not any(desk.store.scan_iter("lock:*")), within_s=WITHIN_S)
    turns = [desk.store.lrange(key, 0, -1) for key in desk.store.scan_iter("turns:*")]

    assert len(turns) >= len(narrowed.heard)
    assert [mark for mark in BONUS.marks if mark in str([t for t in turns if PUBLIC_QUESTION in str(t)])] == []
