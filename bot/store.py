"""The store: one Redis-protocol server that holds everything that must not be lost; its connection and its key names.

Every key is named here and nowhere else; {c} is a conversation id, {m} a message id.

    seen:{delivery or message id}    claimed deduplication keys, kept SEEN_S; `gone`: deleted before it was taken in
    inbox:{c}          sorted set    ids of the messages that wait, by platform time
    messages:{c}       hash          id -> Message as JSON, for what waits
    ready              sorted set    conversations that have something to answer, by the time they are due
    rate:{user}        counter       messages and edits of a person that were accepted within the minute
    over:{c}           set           ids of the waiting messages beyond their person's limit: for them there is a notice
    answering:{lane}   set           conversations in which a batch of this person (`over:` in front: a notice) is held
    held_up:{lane}     sorted set    conversations that wait until one of those is finished, by the time they came
    lock:{c}           string        "fence:owner" of the worker that answers, with a life
    fence              counter       the last fencing token given out
    batch:{c}          hash          what is being answered: ids, token, lane, epoch, and the journal of its answer
    attempts:{c}       counter       how often the batch was begun and not finished
    interrupt:{c}      string        what has happened to the running answer (stop, edit, delete)
    turns:{c}          list          the conversation so far
    read:{c}           string        what was said in the thread before is not to be read in (any more)
    epoch:{c}          counter       raised by reset and forget: an answer begun before does not join what came after
    about:{m}          string        the conversation whose turns hold this message
    spoke:{user}       set           the conversations in which this person spoke
    asked_of:{user}    hash          messages of this person that others asked about -> the conversation of the answer
    edited:{m}         string        when the newest edit of this message was made, for SEEN_S
    controls           hash          id -> control event as JSON
    controls:due       sorted set    control events by the time they are to be carried out
    dead               hash          message or control id -> what could not be answered or carried out
    dead:since         sorted set    the same ids by the time they were given up
    dead:silent        set           those of which the person saw no apology
    letters:{c}        sorted set    the ids of a conversation's dead letters, also while they wait to be taken again
    letter:{id}        hash          the journal of a dead letter's answer
    gaps               hash          message id -> a question that the documents did not answer
    gaps:since         sorted set    the same ids by the time they were asked
    gaps:topics        hash          the same ids -> the number of the topic they were sorted into
    gaps:last_topic    counter       the last number given out
    gaps_in:{c}        sorted set    those of one conversation
    gaps:answers       hash          topic -> what an administrator answered, until all who asked were told
    gaps:written       set           topics whose answer has had its file
    gaps:indexed       hash          topic -> the chunks in which the index has its answer
    telling:{m}        hash          what telling the asker of this message has done so far
    told:{m}:told      string        the chunks in which stands what the asker of this message is told, for 60 days
    claim:{m}          string        a clerk is telling that asker, for a minute
    answer:{name}      string        an answer of the model, for who asks the same, for ANSWER_CACHE_HOURS
    answers            sorted set    the names of these answers by the time they end
    files:{c}          hash          a file's key -> how it is called, and whose message it came with
    file_passages:{c}  hash          the same keys -> what the files say, with vectors: for this conversation alone
    file_readers:{c}   set           the threads under its messages (Slack), which read its files too
    files              sorted set    conversations with files by the time that they were read last
    file_gone:{key}    string        a file was erased within the day: an answer under way does not bring it back
    kept:{c}           list          answers (LINE) that wait for the next token
    kept_once:{m}:{n}  string        an answer (LINE) was kept: after a crash it is not kept again, though handed over
    keeping            sorted set    conversations (LINE) that may have kept answers, by when the last of them ends
    carrying:{c}       string        the reply token (LINE) that carries what was kept, just now
    collect:{hash}     hash          what was tried with the token of a button (LINE)
    tap:{c}            string        where a pressed button's token waits (LINE) for an answer, as long as it lives
    line:sent:{message}              the chat of a message that the bot showed (LINE), for a week
    line_profile:{who} string        the name and language of a person or group (LINE), for a day
    line_language:{user}             the language that somebody wished to be spoken to in (LINE)
    line:marks_refused string        LINE marks no messages as read for us, for an hour
    line:quota         string        messages that are left of LINE's month, asked for every ten minutes
    line:push:{key}    string        a push was counted under this retry key, for a day
    line:pushes        sorted set    "messages:retry key" of the newest pushes, which LINE may not have counted yet
    line:members:{chat}              how many people a push to a group or room counts (0: not known), for ten minutes
    journal:{control}  hash          what the confirmation of a control event has done so far
    admitted           set           people and groups that a code has let in
    allowed            set           people and groups that an administrator has let in by name
    refused:{who}:{phrase}           who is not let in was told so (LINE), for ten minutes, of a group for an hour
    unread:{c}         string        who sent a picture or the like (LINE) was told what can be read, for ten minutes
    invite:{code}      string        an open invitation, for a day
    tries:{who}        counter       codes tried within the hour
    slack:member:{team}:{user}       whether somebody is a full member, for ten minutes
    {platform}:seen    hash          kind of event -> when one last came (Slack, LINE), for `madoguchi doctor`
    listening:{c}      hash          of a Slack thread: whom the bot speaks with, which message was the last for it
    heard:{m}          string        whether a message there was for us (1) or not (0)
    slack_previews:{c} hash          message id -> what stands (Slack) in the place of an answer until that is there
    slack_previews     sorted set    conversations that may have such notes, by when the last one was made
    slack:calls:{app}:{method}       the calls of Slack's method within the last minute (of posts: in one channel)
    slack:rest:{app}:{method}        there as long as Slack wants that method (of posts: that channel) left alone
    slack:shared:{team}:{channel}    whether another company reads a channel, for ten minutes
    slack_posts:{c}    hash          kind and message id -> where a shared answer or a handed-on question stands
    slack_posting:{kind} {m}         one of these is being posted, for a minute
    provenance:{m}     string        what an answer was made from (titles, scores, times; no passage), for a week
    provenances        sorted set    the messages of these by the time they end
    stream:{c}         stream        what the console's page shows
    passage:{page}     string        a cited passage with what stands around it, as its page shows it, for a week
    passages           sorted set    the names of these pages by the time they end
    passages:key       string        what signs the links to them
    status:{part}      string        a process's heartbeat and what it says of itself
    votes              hash          answer and voter -> a vote, its reason, the question and the answer, for 180 days
    votes:since        sorted set    the names of these votes by the time they were given
    votes:new          set           those that nobody has held against the index yet
    erased             sorted set    conversations from which something was erased, by when, for an hour
    rewrite            set           control events and conversations that erased, until the file is written anew
    reindex:{run}      string        how far a reindexing is, and what came of it
    reindex:wish       string        what the knowledge process is to do with the index, until it is done
    reindex:cancel     string        the run that is to be broken off
    reindex:last       string        the run that was told of last
    bulletins          hash          control id -> a message that tells of a run, while that goes on
    bulletins:pace     string        there when these messages were changed just now
    bulletin:{control} string        the order has its message
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from bot.errors import StoreUnavailable

SEEN_S = 48 * 3600
"""How long a delivery is known: Slack repeats for up to 24 h (docs.slack.dev, Events API, delayed events)."""

REMEMBERED_S = 400 * 24 * 3600
"""How long it is known where somebody spoke, and that a conversation was reset: longer than any conversation lives."""


def connect(url: str, *, timeout_s: float = 1.0) -> redis.Redis:
    """A client whose every call ends within about `timeout_s`; nothing is sent yet.

    No retries: a caller on the way of a webhook has two seconds, and every script here is safe to repeat by its caller.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def script(client: redis.Redis, package: str, name: str) -> Script:
    """The Lua script `lua/NAME.lua` of `package`, ready to call."""
    return client.register_script(files(package).joinpath("lua", f"{name}.lua").read_text(encoding="utf-8"))


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the client library's errors into StoreUnavailable (down, too slow, loading, full, read-only)."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error


def text(value: bytes | str) -> str:
    """What the store answered, as text (the client library's types do not know that it decodes)."""
    return value if isinstance(value, str) else value.decode()
