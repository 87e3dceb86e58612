"""The whole service as processes, from a person's words on each platform to what that person reads."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.fakes import line_events, slack_events
from tests.fakes.line import PUSH, REPLY, FakeLine
from tests.fakes.slack import TOKEN, FakeSlack
from tests.faults.desk import CONSOLE_TOKEN, LINE_SECRET, PROMPTS, SLACK_SECRET, Desk, wait_until
from tests.faults.people import InAChannel, InAThread, OnLine, OnSlack, OnTheConsole, Person
from tests.stored import everything_in

QUESTION = "経費の申請の締め日はいつですか？"
ANSWER = "毎月25日に締め切り"
ENDLESS = f"ENDLESS {QUESTION}"
PARKING = "Where can visitors park?"
MARK = "合言葉はオニヤンマ"
"""Words that no log may hold."""

WITHIN_S = 20.0
SOON_S = 4.0
"""Sooner than an answer that nobody interrupts would notice at its next sign of life, after five seconds."""
_places = itertools.count(100)


@pytest.fixture(params=["slack", "thread", "line", "console"])
def somebody(request: pytest.FixtureRequest, desk: Desk, slack: FakeSlack, line: FakeLine) -> Person:
    """Somebody who has not spoken before, on each of the platforms."""
    place = next(_places)
    people: dict[str, Callable[[], Person]] = {
        "slack": lambda: OnSlack(desk, slack, f"D{place}"),
        "thread": lambda: InAThread(desk, slack, f"C{place}"),
        "line": lambda: OnLine(desk, line, new_line_user()),
        "console": lambda: OnTheConsole(desk),
    }
    return people[request.param]()


@pytest.fixture
def pairing(tmp_path_factory: pytest.TempPathFactory, line: FakeLine) -> Iterator[Desk]:
    """A service that lets in by invitation; nobody asks it anything, so it needs no model."""
    running = Desk(
        tmp_path_factory.mktemp("pairing"),
        {
            "LINE_CHANNEL_SECRET": LINE_SECRET,
            "LINE_CHANNEL_ACCESS_TOKEN": line.access_token,
            "LINE_API_URL": line.url,
        },
    )
    running.start("store", "web", "clerk")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def new_line_user() -> str:
    return f"U{secrets.token_hex(16)}"


def reads(person: Person, answers: int) -> list[str]:
    """What the person reads as soon as there are so many answers."""
    wait_until(lambda: len(person.reads()) >= answers, within_s=WITHIN_S)
    return person.reads()


def answered(person: Person, words: str) -> str:
    """What the person reads next after saying this."""
    before = len(person.reads())
    assert set(person.say(words)) <= {200, 202}
    return reads(person, before + 1)[-1]


def quiet(desk: Desk) -> bool:
    """Whether nothing waits and nothing is being done."""
    return not any(desk.store.exists(key) for key in ("ready", "controls")) and not being_answered(desk)


def being_answered(desk: Desk) -> bool:
    return any(desk.store.scan_iter("lock:*"))


def begin(desk: Desk, person: Person) -> None:
    """Ask something whose answer never ends; returns while it is being written."""
    wait_until(lambda: quiet(desk), within_s=WITHIN_S)
    written = len(prompts(desk))
    person.say(ENDLESS)
    wait_until(lambda: len(prompts(desk)) > written, within_s=WITHIN_S)


def prompts(desk: Desk) -> list[str]:
    """Every prompt that the model was given."""
    noted = desk.folder / PROMPTS
    return ["\n".join(json.loads(line)) for line in noted.read_text().splitlines()] if noted.exists() else []


def test_a_mention_is_answered_once_in_its_thread_though_it_comes_as_two_events(desk: Desk, slack: FakeSlack) -> None:
    person = InAChannel(desk, slack, "C50")

    assert person.say(QUESTION) == [200, 200]

    assert ANSWER in reads(person, 1)[0]
    assert "経費精算規程" in person.reads()[0]
    wait_until(lambda: quiet(desk))
    assert slack.visible("C50") == person.reads()
    assert len(person.reads()) == 1


def test_the_second_event_of_a_mention_may_come_after_the_answer(desk: Desk, slack: FakeSlack) -> None:
    person = InAChannel(desk, slack, "C51")
    first, second = slack.say("C51", QUESTION)

    assert person.deliver(first) == 200
    wait_until(lambda: slack.visible("C51"), within_s=WITHIN_S)
    assert person.deliver(second) == 200

    wait_until(lambda: quiet(desk))
    assert len(slack.visible("C51")) == 1


def test_a_direct_message_is_answered(desk: Desk, slack: FakeSlack) -> None:
    assert ANSWER in answered(OnSlack(desk, slack, "D50"), QUESTION)


def test_a_line_message_is_answered_by_its_reply_token_and_nothing_is_pushed(desk: Desk, line: FakeLine) -> None:
    assert ANSWER in answered(OnLine(desk, line, new_line_user()), QUESTION)

    assert line.pushes == len(line.calls_of(PUSH)) == 0


def test_the_console_shows_the_answer_and_its_source(desk: Desk) -> None:
    person = OnTheConsole(desk)
    person.say(QUESTION)

    shown = wait_until(person.events, within_s=WITHIN_S)

    assert ANSWER in shown[0]["text"]
    assert shown[0]["citations"][0]["title"] == "経費精算規程"


def test_a_delivery_that_comes_again_is_answered_once(desk: Desk, somebody: Person) -> None:
    somebody.say(QUESTION)
    before = [somebody.deliver(sent) for sent in somebody.sent]
    reads(somebody, 1)
    after = [somebody.deliver(sent) for sent in somebody.sent]

    wait_until(lambda: quiet(desk))
    assert set(before + after) <= {200, 202}
    assert len(somebody.reads()) == 1


def test_a_follow_up_reaches_the_model_with_what_was_said_before(desk: Desk, somebody: Person) -> None:
    answered(somebody, QUESTION)

    answered(somebody, "では領収書の原本はどこに入れますか？")

    assert QUESTION in prompts(desk)[-1]
    assert ANSWER in prompts(desk)[-1].split(QUESTION)[1]
    assert "では領収書" in prompts(desk)[-1]


def test_reset_begins_anew(desk: Desk, somebody: Person) -> None:
    answered(somebody, QUESTION)
    wait_until(lambda: quiet(desk), within_s=WITHIN_S)  # an answer that still grows would be read in place of the next

    assert "会話を新しく始めます" in answered(somebody, "リセット")

    answered(somebody, "領収書の原本はどこに入れますか？")
    assert QUESTION not in prompts(desk)[-1]


def test_stop_ends_the_answer(desk: Desk, somebody: Person) -> None:
    begin(desk, somebody)

    somebody.say("ストップ")

    # It takes the place of what the documents say, where that was shown meanwhile.
    wait_until(lambda: "途中で止めました" in "".join(somebody.reads()), within_s=WITHIN_S)
    wait_until(lambda: quiet(desk), within_s=SOON_S)
    assert len(somebody.reads()) == 1


def test_with_nothing_to_stop_stop_says_so(somebody: Person) -> None:
    assert answered(somebody, "stop") == "I am not writing an answer right now."


def test_forget_leaves_nothing_in_the_store(desk: Desk, somebody: Person) -> None:
    answered(somebody, f"{QUESTION}（{MARK}）")
    wait_until(lambda: quiet(desk))
    assert MARK in everything_in(desk.store)
    copies = everything_in(desk.store).count(ANSWER)

    assert wait_for_confirmation(somebody, "忘れて") == "あなたとのこれまでの会話を消しました。"

    wait_until(lambda: quiet(desk))
    assert MARK not in everything_in(desk.store)
    assert everything_in(desk.store).count(ANSWER) < copies
    wait_until(lambda: MARK not in append_only_file(desk))


def wait_for_confirmation(person: Person, order: str) -> str:
    """What the person reads last, once it has changed; on the console an erasure takes everything else away."""
    before = person.reads()
    person.say(order)
    wait_until(lambda: person.reads()[-1:] not in ([], before[-1:]), within_s=WITHIN_S)
    return person.reads()[-1]


def append_only_file(desk: Desk) -> str:
    """What the store has on disk."""
    files = (desk.folder / "data" / "store" / "appendonlydir").glob("*.aof")
    return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files if file.exists())


def test_an_edit_on_slack_reaches_a_running_answer(desk: Desk, slack: FakeSlack) -> None:
    person = OnSlack(desk, slack, "D60")
    begin(desk, person)

    assert person.edit(PARKING) == 200

    wait_until(lambda: "level 3" in "".join(person.reads()), within_s=WITHIN_S)
    wait_until(lambda: quiet(desk))
    assert len(person.reads()) == 1


def test_a_deletion_on_slack_reaches_a_running_answer(desk: Desk, slack: FakeSlack) -> None:
    person = OnSlack(desk, slack, "D61")
    begin(desk, person)

    assert person.delete() == 200

    wait_until(lambda: quiet(desk), within_s=SOON_S)
    assert person.reads() == []


def test_an_unsend_on_line_reaches_a_running_answer(desk: Desk, line: FakeLine) -> None:
    person = OnLine(desk, line, new_line_user())
    begin(desk, person)

    assert person.unsend() == 200

    wait_until(lambda: quiet(desk), within_s=SOON_S)
    assert person.reads() == []


def test_an_answer_whose_token_is_gone_comes_with_the_next_message(desk: Desk, line: FakeLine) -> None:
    person = OnLine(desk, line, new_line_user())
    line.token_life_s = 0
    try:
        person.say(QUESTION)
        wait_until(lambda: any(desk.store.scan_iter("kept:*")), within_s=WITHIN_S)
    finally:
        line.token_life_s = 60

    assert person.reads() == []
    person.say(PARKING)

    late, new = reads(person, 2)
    assert late.startswith("お待たせしました")
    assert ANSWER in late
    assert "level 3" in new
    assert line.pushes == 0


def test_a_stranger_is_let_in_by_a_code_only(pairing: Desk, line: FakeLine) -> None:
    stranger = OnLine(pairing, line, new_line_user())
    invitation = pairing.command("line", "invite")

    assert "招待された方だけ" in answered(stranger, QUESTION)
    assert "このコードは使えません" in answered(stranger, "AAAA-2222")
    assert answered(stranger, invitation.stdout) == "登録しました。どうぞ質問してください。"

    stranger.say(QUESTION)
    assert wait_until(lambda: pairing.store.zcard("ready")) == 1


def test_the_terminal_asks_the_running_service(desk: Desk) -> None:
    told = desk.command("ask", QUESTION)

    assert told.returncode == 0
    assert ANSWER in told.stdout
    assert "経費精算規程" in told.stdout
    assert told.stderr == ""


def test_who_asks_while_the_model_loads_is_told_and_then_answered(desk: Desk) -> None:
    person = OnTheConsole(desk)
    wait_until(lambda: quiet(desk))
    desk.end("replies")
    model = desk.folder / "model"
    desk.start("replies", LOADED_BY=str(model))
    person.say(QUESTION)

    stream = f"stream:console:{person.session}"
    told = wait_until(lambda: [f for _, f in entries(desk, stream) if f["type"] == "waiting"], within_s=WITHIN_S)
    assert "モデルを読み込んでいます" in told[0]["event"]
    assert person.reads() == []

    model.touch()

    assert ANSWER in reads(person, 1)[0]


def entries(desk: Desk, stream: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = desk.store.xrange(stream)  # type: ignore[assignment]
    return found


DEEP = b'{"a":' * 200 + b"1" + b"}" * 200
BODIES = (b"", b"{", b"\xff\xfe", b"[]", b"null", DEEP, b"[" * 100_000, b"x" * 1_000_001)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{bytes(body[:8])!r}…{len(body)}")
def test_an_odd_body_is_refused_signed_or_not(desk: Desk, body: bytes) -> None:
    slack_headers, line_headers = slack_events.sign(SLACK_SECRET, body), line_events.headers(LINE_SECRET, body)
    responses = [
        desk.post("/slack/events", body, slack_headers),
        desk.post("/line/webhook", body, line_headers),
        desk.post("/slack/events", body, {"content-type": "application/json"}),
        desk.post("/line/webhook", body, {"content-type": "application/json"}),
        desk.post("/slack/events", body, slack_events.sign(SLACK_SECRET, body, timestamp=1_700_000_000)),
        desk.post("/slack/events", body, slack_events.sign("another secret", body)),
        desk.post("/line/webhook", body, line_events.headers("another secret", body)),
    ]

    assert {response.status_code for response in responses} <= {400, 401, 413}
    assert not any("Traceback" in response.text for response in responses)
    assert "Traceback" not in desk.logs()


def test_no_log_holds_words_names_or_secrets(desk: Desk, slack: FakeSlack, line: FakeLine) -> None:
    on_slack, on_line, console = OnSlack(desk, slack, "D70"), OnLine(desk, line, new_line_user()), OnTheConsole(desk)
    for person in (on_slack, on_line, console):
        answered(person, f"{QUESTION}（{MARK}）")
        wait_for_confirmation(person, "リセット")
    tokens = [call.body["replyToken"] for call in line.calls_of(REPLY)]
    words = [MARK, QUESTION, ANSWER, "リセット", PARKING, "招待"]
    credentials = [SLACK_SECRET, TOKEN, LINE_SECRET, line.access_token, CONSOLE_TOKEN, console.session, *tokens]

    logs = desk.logs()

    assert "served" in logs
    assert [told for told in (*words, *credentials) if told in logs] == []
    assert "Traceback" not in logs
