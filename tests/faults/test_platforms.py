"""Whatever Slack and LINE do with a call, who asked gets each answer once, in order.

All cells of the matrix happen at the same time, each to a person of its own; then each is looked at.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest

from bot.calls import AT_ONCE
from bot.line.phrases import phrases
from tests.fakes import slack_events
from tests.fakes.line import LOADING, REPLY, FakeLine
from tests.fakes.line import Fault as LineFault
from tests.fakes.slack import FakeSlack, Fault
from tests.faults.desk import Desk, wait_until
from tests.faults.people import OnLine, OnSlack

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

DEADLINE, DEADLINE_ANSWER = "経費の申請の締め日はいつですか？", "毎月25日"
PARKING, PARKING_ANSWER = "Where do visitors park?", "level 3"
POST, UPDATE, REPLIES = "chat.postMessage", "chat.update", "conversations.replies"
USER, STATUS, STREAM = "users.info", "assistant.threads.setStatus", "chat.startStream"
TIMEOUT = 30.0
"""Longer than any time-out of ours."""
ASKED_TO_WAIT_S = 5
WITHIN_A_MINUTE_S = 60.0
AT_ONCE_S = 5.0
"""Less than the time-out of a call to a platform."""

LOST = Fault(reset="after")
NO_STREAMS = Fault(error="method_not_supported_for_channel_type")
TROUBLE = {
    "rate limit": Fault(status=429, retry_after=1),
    "rate limit with a nonsense wait": Fault(status=429, retry_after="a while"),
    "500 before it was taken": Fault(status=500),
    "500 after it was taken": Fault(status=500, taken=True),
    "reset before it was taken": Fault(reset="before"),
    "reset after it was taken": Fault(reset="after"),
    "slow, though taken": Fault(after_s=TIMEOUT),
    "a byte a second, though taken": Fault(drips="body"),
    "not JSON, though taken": Fault(body="<html>一時的なエラー</html>"),
    "JSON of something else, though taken": Fault(body="[1]"),
}
LINE_TROUBLE = [
    LineFault.RATE_LIMITED,
    LineFault.SERVER_ERROR,
    LineFault.SERVER_ERROR_AFTER_ACCEPTING,
    LineFault.SLOW,
    LineFault.DRIPPING,
    LineFault.RESET_BEFORE_ACCEPTING,
    LineFault.RESET_AFTER_ACCEPTING,
    LineFault.NOT_JSON,
]


@dataclass(frozen=True, slots=True)
class SlackCell:
    """What goes wrong, call by call of each method, and what is asked first."""

    name: str
    faults: dict[str, list[Fault]]
    asks: str = DEADLINE

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class LineCell:
    """What goes wrong with the first calls to a path."""

    path: str
    faults: tuple[LineFault, ...]

    def __str__(self) -> str:
        return f"{self.path.rsplit('/', 1)[-1]}: {', '.join(fault.name for fault in self.faults)}"


SLACK_CELLS = [
    *(SlackCell(f"status: {name}", {STATUS: [fault]}) for name, fault in TROUBLE.items()),
    *(SlackCell(f"preview: {name}", {POST: [fault]}) for name, fault in TROUBLE.items()),
    *(SlackCell(f"preview and post: {name}", {POST: [fault, fault]}) for name, fault in TROUBLE.items()),
    *(SlackCell(f"replacement: {name}", {UPDATE: [fault]}) for name, fault in TROUBLE.items()),
    *(
        SlackCell(f"second part: {name}", {POST: [Fault(), fault]}, f"LONG {DEADLINE}")
        for name, fault in TROUBLE.items()
    ),
    *(SlackCell(f"look-up: {name}", {POST: [LOST], REPLIES: [fault]}) for name, fault in TROUBLE.items()),
    *(SlackCell(f"membership: {name}", {USER: [fault]}) for name, fault in TROUBLE.items()),
    SlackCell(
        "post: one after the other",
        {POST: [Fault(status=500), LOST, Fault(status=429)], REPLIES: [LOST], STREAM: [NO_STREAMS] * 3},
    ),
]
LINE_CELLS = [
    *(LineCell(LOADING, (fault,)) for fault in LINE_TROUBLE),
    *(LineCell(REPLY, (fault,)) for fault in LINE_TROUBLE),
]


class InACell(OnSlack):
    """Somebody in a direct message of their own."""

    def __init__(self, desk: Desk, slack: FakeSlack, number: int) -> None:
        self.user = f"U{number}"
        super().__init__(desk, slack, f"D{number}", self.user)
        slack.workspace.users[self.user] = slack_events.user(self.user)

    def reads(self) -> list[str]:
        """What the whole chat shows of the bot, in the order of the chat."""
        return self._slack.answers(self.channel) if self.sent else []


class InAChat(OnLine):
    """Somebody in a chat of two of their own."""

    def __init__(self, desk: Desk, line: FakeLine, number: int) -> None:
        self.user = f"U{number:032x}"
        super().__init__(desk, line, self.user)


@pytest.fixture(scope="module")
def busy(desk: Desk, slack: FakeSlack) -> InACell:
    """Somebody whose answer takes seconds, so that those who ask next are told that they wait."""
    person = InACell(desk, slack, 99)
    person.say(f"SLOW {DEADLINE}")
    return person


@pytest.fixture(scope="module")
def on_line(desk: Desk, line: FakeLine, busy: InACell) -> dict[str, InAChat]:
    """Who suffers each cell of LINE's, having asked the first question."""
    people = {str(cell): InAChat(desk, line, 100 + number) for number, cell in enumerate(LINE_CELLS)}
    for cell in LINE_CELLS:
        person = people[str(cell)]
        line.go_wrong(cell.path, *cell.faults, chat_id=person.user)
        person.say(DEADLINE)
    return people


@pytest.fixture(scope="module")
def on_slack(desk: Desk, slack: FakeSlack, on_line: dict[str, InAChat]) -> dict[str, InACell]:
    """Who suffers each cell of Slack's, having asked the first question."""
    people = {str(cell): InACell(desk, slack, 100 + number) for number, cell in enumerate(SLACK_CELLS)}
    for cell in SLACK_CELLS:
        person = people[str(cell)]
        for method, faults in cell.faults.items():
            slack.fail(method, *faults, channel=person.user if method == USER else person.channel)
        person.say(cell.asks)
    return people


@pytest.fixture(scope="module")
def all_asked(on_slack: dict[str, InACell], on_line: dict[str, InAChat], slack: FakeSlack) -> None:
    """Everybody has asked a second question; on Slack when the answer to the first one had met its fault."""
    for asking in on_line.values():
        asking.say(PARKING)
    with suppress(AssertionError):  # who waits in vain is for the tests to say
        wait_until(
            lambda: all(called(slack, POST, person.channel) for person in on_slack.values()),
            within_s=WITHIN_A_MINUTE_S,
        )
    for person in on_slack.values():
        person.say(PARKING)


@pytest.mark.parametrize("cell", SLACK_CELLS, ids=str)
def test_on_slack(desk: Desk, slack: FakeSlack, all_asked: None, on_slack: dict[str, InACell], cell: SlackCell) -> None:
    person = on_slack[str(cell)]

    wait_until(lambda: PARKING_ANSWER in "".join(person.reads()), within_s=WITHIN_A_MINUTE_S)
    wait_until(lambda: not waits(desk, person.channel), within_s=WITHIN_A_MINUTE_S)

    *first, last = person.reads()
    assert len(first) == (2 if cell.asks.startswith("LONG") else 1)
    assert all(DEADLINE_ANSWER in part for part in first)
    assert PARKING_ANSWER in last
    assert not met(cell) or not slack.has_faults(person.channel, person.user)


@pytest.mark.parametrize("cell", LINE_CELLS, ids=str)
def test_on_line(desk: Desk, all_asked: None, on_line: dict[str, InAChat], cell: LineCell) -> None:
    person = on_line[str(cell)]

    wait_until(lambda: PARKING_ANSWER in "".join(person.reads()), within_s=WITHIN_A_MINUTE_S)
    wait_until(lambda: not waits(desk, person.user), within_s=WITHIN_A_MINUTE_S)

    assert answers(person) == [DEADLINE_ANSWER, PARKING_ANSWER]


def test_a_reply_that_line_may_have_taken_twice_over_is_shown_again_and_says_so(desk: Desk, line: FakeLine) -> None:
    person = InAChat(desk, line, 1)
    line.go_wrong(REPLY, LineFault.RESET_AFTER_ACCEPTING, LineFault.RESET_BEFORE_ACCEPTING, chat_id=person.user)
    person.say(DEADLINE)
    wait_until(person.reads)
    person.say(PARKING)

    wait_until(lambda: PARKING_ANSWER in "".join(person.reads()), within_s=WITHIN_A_MINUTE_S)

    assert answers(person) == [DEADLINE_ANSWER, DEADLINE_ANSWER, PARKING_ANSWER]
    assert phrases("ja").introductions["unsure"] in person.reads()[1]


def test_slack_is_asked_again_not_before_the_time_it_said_whatever_comes_meanwhile(
    desk: Desk, slack: FakeSlack
) -> None:
    person = InACell(desk, slack, 1)
    slack.fail(STREAM, NO_STREAMS, channel=person.channel)
    slack.fail(POST, Fault(status=429, retry_after=ASKED_TO_WAIT_S), channel=person.channel)
    person.say(DEADLINE)
    wait_until(lambda: put_off(desk, person.channel))

    person.say(PARKING)
    person.deliver(person.sent[0])

    wait_until(lambda: PARKING_ANSWER in "".join(person.reads()))
    first, second, *_ = called(slack, POST, person.channel)
    assert second - first >= ASKED_TO_WAIT_S
    assert answers(person) == [DEADLINE_ANSWER, PARKING_ANSWER]


@pytest.mark.parametrize(
    ("number", "error"), [*enumerate(["channel_not_found", "is_archived", "token_revoked", "account_inactive"], 2)]
)
def test_what_slack_refuses_for_good_is_a_dead_letter_at_once(
    desk: Desk, slack: FakeSlack, number: int, error: str
) -> None:
    person = InACell(desk, slack, number)
    dead = desk.store.hlen("dead")
    slack.fail(STREAM, Fault(error=error), channel=person.channel)
    slack.fail(POST, *[Fault(error=error)] * 2, channel=person.channel)  # the preview and the answer
    person.say(DEADLINE)

    wait_until(lambda: desk.store.hlen("dead") == dead + 1)
    person.say(PARKING)

    wait_until(person.reads)
    assert answers(person) == [PARKING_ANSWER]
    assert len(called(slack, POST, person.channel)) == 3
    assert any(error in letter for letter in desk.store.hvals("dead"))


@pytest.mark.parametrize(("number", "fault"), [*enumerate([LineFault.FORBIDDEN, LineFault.BAD_REQUEST], 2)])
def test_what_line_refuses_for_good_is_a_dead_letter_at_once(
    desk: Desk, line: FakeLine, number: int, fault: LineFault
) -> None:
    person = InAChat(desk, line, number)
    dead, calls = desk.store.hlen("dead"), len(line.calls_of(REPLY))
    tries = 2 if fault is LineFault.BAD_REQUEST else 1  # what it may not take is said in words alone
    line.go_wrong(REPLY, *[fault] * tries, chat_id=person.user)
    person.say(DEADLINE)

    wait_until(lambda: desk.store.hlen("dead") == dead + 1)
    person.say(PARKING)

    wait_until(person.reads)
    assert answers(person) == [PARKING_ANSWER]
    assert len(line.calls_of(REPLY)) == calls + tries + 1


def test_while_slack_is_down_line_is_answered_and_slack_afterwards(
    desk: Desk, slack: FakeSlack, line: FakeLine
) -> None:
    on_slack, on_line = [InACell(desk, slack, number) for number in range(10, 15)], InAChat(desk, line, 10)
    slack.goes_down()
    for person in on_slack:
        person.say(DEADLINE)
    wait_until(lambda: all(put_off(desk, person.channel, times=2) for person in on_slack))

    on_line.say(DEADLINE)
    wait_until(on_line.reads)
    slack.comes_back()
    for person in on_slack:
        person.say(PARKING)

    wait_until(lambda: all(len(person.reads()) == 2 for person in on_slack))
    assert [answers(person) for person in on_slack] == [[DEADLINE_ANSWER, PARKING_ANSWER]] * len(on_slack)


def test_while_line_is_down_slack_is_answered_and_line_afterwards(desk: Desk, slack: FakeSlack, line: FakeLine) -> None:
    on_line, on_slack = [InAChat(desk, line, number) for number in range(20, 25)], InACell(desk, slack, 20)
    line.goes_down()
    for person in on_line:
        person.say(DEADLINE)
    wait_until(lambda: all(put_off(desk, person.user, times=2) for person in on_line))

    on_slack.say(DEADLINE)
    wait_until(on_slack.reads)
    line.comes_back()
    for person in on_line:
        person.say(PARKING)

    wait_until(lambda: all(len(person.reads()) == 2 for person in on_line))
    assert [answers(person) for person in on_line] == [[DEADLINE_ANSWER, PARKING_ANSWER]] * len(on_line)


def test_forty_conversations_that_wait_for_a_hanging_slack_hold_nobody_up_on_line(
    desk: Desk, slack: FakeSlack, line: FakeLine
) -> None:
    on_slack, on_line = [InACell(desk, slack, number) for number in range(30, 70)], InAChat(desk, line, 30)
    for person in on_slack:
        slack.fail(POST, Fault(after_s=TIMEOUT), channel=person.channel)
        person.say(DEADLINE)
    wait_until(lambda: sum(1 for person in on_slack if called(slack, POST, person.channel)) >= AT_ONCE)

    on_line.say(DEADLINE)

    wait_until(on_line.reads, within_s=AT_ONCE_S)
    assert not all(person.reads() for person in on_slack)
    wait_until(lambda: not any(waits(desk, person.channel) for person in on_slack), within_s=WITHIN_A_MINUTE_S)
    assert [answers(person) for person in on_slack] == [[DEADLINE_ANSWER]] * len(on_slack)


def met(cell: SlackCell) -> bool:
    """Whether the faults are sure to be met: the status line is left alone while it rests for anybody."""
    return not cell.faults.keys() & {STATUS, STREAM}


def answers(person: InACell | InAChat) -> list[str]:
    """What was answered, told by the words that the answers are known by."""
    return [
        next((known for known in (DEADLINE_ANSWER, PARKING_ANSWER) if known in text), text) for text in person.reads()
    ]


def put_off(desk: Desk, conversation: str, times: int = 1) -> bool:
    """Whether the platform has refused the conversation's answer so often."""
    batch = next((name for name in desk.store.scan_iter("batch:*") if conversation in name), "")
    return int(desk.store.hget(batch, "journal:tries") or 0) >= times if batch else False


def called(slack: FakeSlack, method: str, channel: str) -> list[float]:
    """When the method was called about the channel."""
    return [asked.at for asked in list(slack.asked) if (asked.method, asked.channel) == (method, channel)]


def waits(desk: Desk, user: str) -> bool:
    """Whether anything of this person waits or is being answered."""
    conversations = [
        *desk.store.zrange("ready", 0, -1),
        *(key.removeprefix("lock:") for key in desk.store.scan_iter("lock:*")),
    ]
    return any(user in conversation for conversation in conversations)
