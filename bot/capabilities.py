"""What only some platforms can do, each as a protocol that the platform's `Sender` may have besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from bot.home import Page, PageGap
from bot.messages import Attachment, Citation, Reply
from bot.platform import Target


@runtime_checkable
class Whispers(Protocol):
    """The way out of a platform on which one person in a shared place can be told something that nobody else reads."""

    def whisper(self, reply_to: Mapping[str, Any], text: str, citations: Sequence[Citation] = ()) -> None:
        """Tell the person of `reply_to`, with links to what is cited; what may have been told is not told again.

        Raises:
            DeliveryDeferred
        """
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said in a thread: the message's id, its writer's, and the words."""

    message_id: str
    user_id: str
    text: str


@runtime_checkable
class ReadsBack(Protocol):
    """The way out of a platform on which the bot can be called into a thread in which people have talked already."""

    def said_before(self, reply_to: Mapping[str, Any]) -> Sequence[Said]:
        """What people said there before this message, oldest first, what opened the thread in front.

        Bounded in number and length; nothing where the message opened the thread itself.

        Raises:
            DeliveryError: it cannot be had now, or never.
        """
        ...


@dataclass(frozen=True, slots=True)
class Entrance:
    """A message that may be asked about: its id, where the answer goes, and who wrote it (nothing for no person)."""

    message_id: str
    reply_to: Mapping[str, Any]
    author_id: str = ""


@runtime_checkable
class Enters(Protocol):
    """The way out of a platform on which people can ask about what stands where the bot may not be."""

    def entered(self, reply_to: Mapping[str, Any]) -> Entrance | None:
        """What was chosen there, with who reads the answer; None where the bot is not.

        Raises:
            DeliveryDeferred: it cannot be found out now.
        """
        ...


@runtime_checkable
class Replaces(Protocol):
    """The way out of a platform on which an answer that is shown can be replaced by another one."""

    def reopen(self, target: Target) -> None:
        """Have the next answer to this message take the place of the one that is shown; nothing changes before that.

        Where it cannot be found, or not be replaced, the next one stands below it. May be called again.

        Raises:
            DeliveryDeferred
        """
        ...


@runtime_checkable
class Suggests(Protocol):
    """The way out of a platform that can suggest to who opens a conversation what to ask."""

    def suggest(self, reply_to: Mapping[str, Any], questions: Mapping[str, Sequence[str]]) -> None:
        """Suggest some of these questions, given by language (`ja`, `en`), in the language of who opened it.

        Raises:
            DeliveryDeferred
        """
        ...


@runtime_checkable
class ShowsVotes(Protocol):
    """The way out of a platform that does not show by itself which button under an answer was pressed (Slack does)."""

    def show_vote(self, conversation_id: str, message_id: str, value: str) -> None:
        """Show the vote (`up` or `down`) under the answer to this message, for as long as that is shown.

        Raises:
            DeliveryDeferred
        """
        ...


@runtime_checkable
class ThanksVoters(Protocol):
    """The way out of a platform on which nothing that is shown can be changed: who presses a button sees nothing."""

    def thank(self, reply_to: Mapping[str, Any], conversation_id: str, text: str) -> None:
        """Tell who has just pressed, once and for free; where that cannot be any more, nothing comes later.

        Raises:
            DeliveryDeferred: nothing was shown.
        """
        ...


@runtime_checkable
class Board(Protocol):
    """The way out of a platform on which what was said can be changed, for a message that tells how far a thing is."""

    def post(self, reply_to: Mapping[str, Any], text: str) -> Mapping[str, str]:
        """Say it; what `edit` needs to find it again, as JSON values.

        Raises:
            DeliveryDeferred, DeliveryFailed, DeliveryUnknown
        """
        ...

    def edit(self, posted: Mapping[str, str], text: str) -> None:
        """Have what was posted say this instead.

        Raises:
            DeliveryDeferred, DeliveryFailed, DeliveryUnknown
        """
        ...


@runtime_checkable
class HasHome(Protocol):
    """The way out of a platform on which every person has a page of the bot's that nobody else sees."""

    def language_of(self, reply_to: Mapping[str, Any]) -> str:
        """The language that the person uses the platform in, `ja` or `en`."""
        ...

    def show_home(self, reply_to: Mapping[str, Any], page: Page) -> None:
        """Have the person's page show this, in the place of what it showed; may be called again.

        Raises:
            DeliveryDeferred, DeliveryUnknown
        """
        ...

    def ask_for_answer(self, reply_to: Mapping[str, Any], gap: PageGap, language: str) -> None:
        """Open a dialog for an answer to the gap, where the person has just pressed a button. Best effort."""
        ...


Outcome = Literal["coming", "shown", "gone"]
"""What became of a question whose answer somebody wants to see: it is being answered, it was, or nobody knows of it."""


@runtime_checkable
class Keeps(Protocol):
    """The way out of a platform on which a written answer may have to wait until its reader can be reached."""

    def kept(self) -> Iterable[tuple[str, str]]:
        """The conversation and the newest message that it covers, of every answer that waits."""
        ...

    def withdraw(self, conversation_id: str, message_id: str) -> None:
        """Have an answer that waits say that it holds no more, in the place of its words."""
        ...

    def drop(self, conversation_id: str, *, but_for: str) -> None:
        """Let no answer wait in this conversation any more, but for the one to this message."""
        ...


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file as the platform handed it over.

    Args:
        name, mimetype: as the platform says now, when it said nothing with the message.
        content: its bytes; what they are is not known yet.
        link: where people see it on the platform, `https://…`; empty where there is no such place.
    """

    name: str
    mimetype: str
    content: bytes
    link: str = ""


@runtime_checkable
class KnowsLanguages(Protocol):
    """The way out of a platform that tells which language people use it in, and on which they can choose another."""

    def language_for(self, user_id: str, spoken: str) -> str:
        """What to speak to a person, `ja` or `en`: what they chose, else `spoken` (may be empty), else theirs there."""
        ...

    def choose_language(self, user_id: str, language: str) -> None:
        """From now on that is what to speak to the person, until they are forgotten."""
        ...


@runtime_checkable
class Admits(Protocol):
    """The way out of a platform on which not everybody is let in."""

    def admits(self, conversation_id: str) -> bool:
        """Whether who reads this conversation is let in now; they were when they asked.

        Raises:
            StoreUnavailable
        """
        ...


@runtime_checkable
class KnowsNames(Protocol):
    """The way out of a platform that tells what people and groups are called."""

    def name_of(self, who: str) -> str:
        """The name of a person or group (`line:U…`, `line:C…`), on one line; empty where the platform does not tell."""
        ...


@runtime_checkable
class FetchesFiles(Protocol):
    """The way to what people attach to their messages."""

    def fetch(self, attachment: Attachment, most_bytes: int) -> FetchedFile:
        """The file, of at most so many bytes; within a call's time (`bot/calls.py`), or two.

        Raises:
            FileRefused: it cannot be had.
            DeliveryDeferred: the platform does not answer now.
        """
        ...


@runtime_checkable
class ShowsWork(Protocol):
    """The reply stream of a platform on which people see at once that a question is worked on."""

    def working(self, *turns: str) -> None:
        """Show these words in turn, until something else can be shown. Best effort, like `ReplyStream.waiting`."""
        ...


@runtime_checkable
class Tidies(Protocol):
    """The way out of a platform on which something may stand in the place of an answer that will not come."""

    def tidy(self) -> None:
        """Take away what stands there and waits for no answer any more; what is out of reach now, the next time."""
        ...


@runtime_checkable
class Stoppable(Protocol):
    """The reply stream of a platform on which people can end an answer by its own means.

    Attributes:
        stopped: somebody did.
    """

    @property
    def stopped(self) -> bool: ...


@runtime_checkable
class AsksReason(Protocol):
    """The way out of a platform on which a person can be asked something in a dialog of its own."""

    def ask_reason(self, target: Target) -> None:
        """Ask the person of `target.reply_to` what was wrong with the answer to `target`; best effort."""
        ...


@runtime_checkable
class Shares(Protocol):
    """The way out of a platform on which an answer can be for its asker's eyes, and be shown to all afterwards."""

    def can_share(self, reply_to: Mapping[str, Any]) -> bool:
        """Whether an answer there is seen by its asker alone, in a place of others."""
        ...

    def share(self, target: Target, question: str, reply: Reply) -> None:
        """Show question and answer to everybody in the place, once however often it is called; gone with the question.

        Raises:
            DeliveryDeferred: to be called again.
            DeliveryFailed: the place is closed to the desk.
        """
        ...

    def conclude(self, reply_to: Mapping[str, Any], text: str) -> None:
        """Put this in the place of the answer whose button was pressed; best effort."""
        ...


@runtime_checkable
class HandsOff(Protocol):
    """The way out of a platform on which people can be asked in a channel of theirs, `to` (`slack:C1`)."""

    def readers(self, to: str, reply_to: Mapping[str, Any]) -> frozenset[str]:
        """Which audiences those who read there belong to, as `Sender.audience`."""
        ...

    def hand_off(self, to: str, target: Target, question: str, citations: Sequence[Citation]) -> None:
        """Post who asks, the question, what comes near it, and where it was asked; once, and gone with the question.

        Raises:
            DeliveryDeferred: to be called again.
            DeliveryFailed: the channel is closed to the desk.
        """
        ...

    def reword(self, target: Target, question: str) -> None:
        """Have what was handed off for `target`, if anything was, ask this instead, without what came near before.

        Raises:
            DeliveryDeferred: to be called again.
        """
        ...

    def take_back(self, place: str) -> None:
        """Take away what was handed off from a place (`slack:T1:C1`) that the desk is shut out of.

        Raises:
            DeliveryDeferred: not all of it is done; to be called again.
        """
        ...
