"""The replies' process: many conversations, one model."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from pathlib import Path

from celery import Celery
from celery.signals import worker_shutting_down
from prometheus_client import REGISTRY

from bot.capabilities import Keeps
from bot.logs import log_to_stderr
from bot.queue import ANSWER, REPLIES, CeleryHints, celery_app
from bot.settings import BotSettings
from bot.store import connect
from knowledge.retrieval import open_retriever
from knowledge.settings import KnowledgeSettings
from workers.answer_cache import AnswerCache
from workers.app import work
from workers.batches import Batches
from workers.citing import Citing
from workers.conversation import Conversations
from workers.engine import LlamaEngine
from workers.files.kept import Files
from workers.following import Following
from workers.gaps.gaps import Gaps
from workers.gate import Gate
from workers.generation import GenerationFailed, Generator
from workers.interrupts import Interrupts
from workers.metrics import GeneratorMetrics
from workers.models import resolve
from workers.models.errors import ModelError
from workers.policy import Policies
from workers.prompt import LEAD, SYSTEM
from workers.provenance import Provenances
from workers.remote import RemoteGenerator
from workers.senders import senders
from workers.services import Desk, Retriever
from workers.serving import answer_next
from workers.settings import STORE_TIMEOUT_S, WorkerSettings
from workers.succession import succeed
from workers.votes.votes import Votes
from workers.watchdog import TICK_S, Watchdog
from workers.withdrawing import Withdrawing

log = logging.getLogger(__name__)

LOAD_AGAIN_S = 60.0
"""Between two tries to load a model that cannot be loaded."""


def register(app: Celery, desk: Desk) -> None:
    """Give the Celery app the replies' task, and let a shutdown end the answers under way."""

    @app.task(name=ANSWER)  # type: ignore[untyped-decorator]
    def answer(conversation_id: str) -> None:
        answer_next(conversation_id, desk)

    def hand_everything_back(**_: object) -> None:
        desk.interrupts.shutdown.set()

    worker_shutting_down.connect(hand_everything_back, weak=False)


def status(desk: Desk, model: str, at_once: int) -> dict[str, object]:
    """What the heartbeat says of the model, and how long who waits for `at_once` threads will wait."""
    load = desk.generator.load
    return {
        **{"ready": load.ready, "model": model, "running": load.running, "waiting": load.waiting},
        **{"broken": load.broken, "answer_s": round(desk.tempo.answer_s, 2), "at_once": at_once},
    }


def main() -> None:
    """Run the replies' process until it is told to end."""
    own = WorkerSettings()
    generator = open_generator(own)
    threading.Thread(target=end_without_model, args=(generator,), daemon=True).start()
    run(BotSettings(), own, generator, open_retriever(KnowledgeSettings()))


def open_generator(own: WorkerSettings) -> Generator:
    """The model of the settings: behind LLM_URL where that is set, else in this process on llama.cpp."""
    if own.llm_url:
        return RemoteGenerator(
            own.llm_url,
            own.llm_model,
            api_key=own.llm_api_key,
            context_tokens=own.llm_context_tokens,
            queue_limit=own.answers_at_once,
        )
    return LlamaEngine(
        model_path(own),
        context_tokens=own.llm_context_tokens,
        threads=own.llm_threads or None,
        at_once=own.llm_at_once,
        kv_type=own.llm_kv_type,
        gpu_layers=None if own.llm_gpu_layers < 0 else own.llm_gpu_layers,
        chunk_tokens=own.llm_chunk_tokens or None,
        prefix_bytes=own.llm_prefix_mb * 1_000_000,
        passage_bytes=own.llm_passages_mb * 1_000_000,
        system=SYSTEM,
        lead=LEAD,
        state_file=own.data_path / "engine" / "system-prompt.state",
    )


def model_path(own: WorkerSettings) -> Path:
    """Where the model's file is; of one that cannot be had, where it is not: the engine says so, and nobody waits."""
    try:
        return resolve(own.llm_model, own.models_path)
    except ModelError as error:
        log.error("there is no model", extra={"reason": str(error)})
        return own.models_path / "none.gguf"


def passage_addresses(public_url: str) -> dict[str, str]:
    """Where the pages of cited passages are reached from each platform; the console has them beside its own page."""
    outside = dict.fromkeys(("slack", "line"), public_url.rstrip("/")) if public_url else {}
    return {"console": "", **outside}


def end_without_model(generator: Generator, after_s: float = LOAD_AGAIN_S) -> None:
    """Wait for the model; where it cannot be loaded, end the process after a while: its supervisor tries again.

    Meanwhile the documents alone answer (`workers.answer.without_model`); what is held then is handed back.
    """
    try:
        generator.count_tokens("")
    except GenerationFailed:  # the engine has logged why
        time.sleep(after_s)
        os.kill(os.getpid(), signal.SIGTERM)


def run(
    bot: BotSettings, own: WorkerSettings, generator: Generator, retriever: Retriever, *, watch_every_s: float = TICK_S
) -> None:
    """Run the replies' process with this model and these documents until it is told to end."""
    log_to_stderr()
    store, app = connect(bot.store_url, timeout_s=STORE_TIMEOUT_S), celery_app(bot.store_url)
    citing = Citing(store, retriever, passage_addresses(bot.public_url))
    desk = Desk(
        batches=Batches(store, turns_life_s=own.turns_life_s),
        conversations=Conversations(store, own.turns_life_s),
        files=Files(store, own.turns_life_s, retriever.fingerprint),
        interrupts=Interrupts(store),
        hints=CeleryHints(app),
        senders=senders(bot, store, threads=own.answers_at_once),
        policy=Policies.read(Path("madoguchi.toml")),
        gate=Gate(),
        retriever=retriever,
        citing=citing,
        answers=AnswerCache(store, own.answer_cache_hours),
        provenances=Provenances(store),
        generator=generator,
        model=own.llm_model,
        answer_tokens=own.answer_max_tokens,
        answer_deadline_s=own.answer_deadline_s,
    )
    register(app, desk)
    succeed(own.data_path / "replies.owner", desk.batches.owner, store, desk.hints)
    Watchdog(generator, tick_s=watch_every_s).start()
    REGISTRY.register(GeneratorMetrics(generator))
    keepers = [sender for sender in desk.senders.values() if isinstance(sender, Keeps)]
    following = Following(
        *(retriever, desk.conversations, generator, citing, Votes(store)),
        answers=desk.answers,
        provenances=desk.provenances,
        withdrawing=Withdrawing(keepers, desk.conversations, Gaps(store), retriever),
    )
    threading.Thread(target=following.run, args=(desk.interrupts.shutdown,), name="follow", daemon=True).start()
    try:
        work(
            app,
            part="replies",
            queue=REPLIES,
            pool="threads",
            at_once=own.answers_at_once,
            store_url=bot.store_url,
            status=lambda: status(desk, own.llm_model, own.answers_at_once),
            metrics_port=own.metrics_port and own.metrics_port + 1,
        )
    finally:
        has_ended = generator.close()
    if not has_ended:  # the interpreter's own end would take away what its thread still works on
        os._exit(os.EX_OK)
