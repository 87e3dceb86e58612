"""The command says what is wrong in one line, with a status that a script can tell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.cli import main
from workers.supervision import alone

ALL_SETTINGS = ("SLACK_", "LINE_", "REDIS_URL", "CONSOLE_TOKEN", "DATA_PATH", "LLM_", "KNOWLEDGE_", "PORT", "ADMIN_")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with nothing in it, and no settings; what a command does to the umask is undone."""
    for name in list(os.environ):
        if name.startswith(ALL_SETTINGS):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    umask = os.umask(0o022)
    yield tmp_path
    os.umask(umask)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says when it refuses."""
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("madoguchi: ")
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "http"), ("PORT", "0"), ("LINE_ACCESS", "everybody"), ("SLACK_API_URL", "slack.com")]
)
def test_a_setting_that_makes_no_sense_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert f"{name}: " in refused(capsys, "run")


def test_a_setting_of_the_work_that_makes_no_sense_is_named_before_anything_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    monkeypatch.setenv("LLM_CONTEXT_TOKENS", "12")

    assert "LLM_CONTEXT_TOKENS: " in refused(capsys, "run")
    assert not (elsewhere / "data").exists()


def test_a_secret_is_not_repeated(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")

    said = refused(capsys, "run")

    assert "SLACK_SIGNING_SECRET" in said
    assert "xoxb-secret" not in said


def test_a_policy_that_cannot_be_followed_is_named(capsys: pytest.CaptureFixture[str], elsewhere: Path) -> None:
    (elsewhere / "madoguchi.toml").write_text('[answers]\noutside = "sometimes"\n', encoding="utf-8")

    assert "madoguchi.toml" in refused(capsys, "run")


@pytest.mark.parametrize("settings", ['sources = ["社内規程"]', 'listen = "everything"'])
def test_what_a_channel_asks_for_and_there_is_not_is_told_at_the_start(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], settings: str
) -> None:
    (elsewhere / "madoguchi.toml").write_text(f'[channels."slack:C1"]\n{settings}\n', encoding="utf-8")

    assert "madoguchi.toml" in refused(capsys, "run")


def test_the_status_names_a_source_that_there_is_not(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "madoguchi.toml").write_text('[answers]\nsources = ["社内規程"]\n', encoding="utf-8")

    main(["status"])

    assert "社内規程" in capsys.readouterr().out


def test_what_a_command_writes_is_for_its_owner_only(elsewhere: Path) -> None:
    assert main(["models"]) == 0
    (elsewhere / "written").touch()

    assert (elsewhere / "written").stat().st_mode & 0o777 == 0o600


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv("PORT", port)

        assert f"port {port} is taken" in refused(capsys, "run")


def test_a_second_service_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("PORT", str(free.getsockname()[1]))
    with alone(elsewhere / "data"):
        assert "already" in refused(capsys, "run")


def test_a_model_that_does_not_exist_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("LLM_MODEL", "no-such-model")

    assert "no-such-model" in refused(capsys, "run")


def test_an_invitation_needs_a_store(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "unix:///nowhere/store.sock")

    refused(capsys, "line", "invite")


def test_an_invitation_lets_somebody_in(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store_url: str, store: object
) -> None:
    from bot.access import Access
    from bot.store import connect

    monkeypatch.setenv("REDIS_URL", store_url)

    assert main(["line", "invite"]) == 0

    code = capsys.readouterr().out.strip()
    assert Access(connect(store_url), "pairing", frozenset()).redeem(code, "line:U1") == "let in"


def test_models_lists_what_there_is_with_its_memory(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0

    table = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in table[1:] if " MB " in line}
    assert {"qwen2.5-coder-1.5b-instruct", "qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct"} <= rows.keys()
    assert " * " in rows["qwen2.5-coder-1.5b-instruct"]
    assert " * " not in rows["smollm2-135m-instruct"]


def test_who_reads_only_the_beginning_gets_no_traceback() -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert command.stdout
    assert command.stderr
    command.stdout.close()  # as `| head` does

    assert command.wait(60) == 141
    assert command.stderr.read() == ""
    command.stderr.close()


def test_models_reckons_with_the_context(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def memory_mb() -> int:
        main(["models"])
        row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("qwen2.5-coder-1.5b"))
        return int(row.split(" MB")[0].split()[-1])

    small = memory_mb()
    monkeypatch.setenv("LLM_CONTEXT_TOKENS", "32768")

    assert memory_mb() > small


@pytest.mark.parametrize("arguments", [[], ["dance"], ["ask"], ["process", "dance"], ["line"]])
def test_what_is_no_command_is_refused_with_the_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: madoguchi" in capsys.readouterr().err


def test_a_reindex_without_documents_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    monkeypatch.setenv("KNOWLEDGE_PATH", str(elsewhere / "nothing"))

    assert main(["reindex"]) == 1

    assert "madoguchi: " in capsys.readouterr().err


def test_a_reindex_without_a_service_is_done_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    folder = elsewhere / "documents"
    folder.mkdir()
    (folder / "a.md").write_text("# 経費\n\n経費は毎月25日までに申請します。\n", encoding="utf-8")
    monkeypatch.setenv("KNOWLEDGE_PATH", str(folder))

    assert main(["reindex"]) == 0
    assert "1 documents, 1 chunks, 1 newly embedded" in capsys.readouterr().out
    assert main(["reindex"]) == 0
    assert "nothing changed" in capsys.readouterr().out


def test_who_was_let_in_is_listed_and_can_be_shut_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store_url: str, store: object
) -> None:
    from bot.access import Access
    from bot.store import connect

    monkeypatch.setenv("REDIS_URL", store_url)
    access = Access(connect(store_url), "pairing", frozenset())
    for who in ("line:U2", "line:U1"):
        access.redeem(access.invite(), who)

    assert main(["line", "list"]) == 0
    assert capsys.readouterr().out.split() == ["line:U1", "line:U2"]
    assert main(["line", "revoke", "line:U1"]) == 0
    assert main(["line", "revoke", "line:U1"]) == 1
    assert "line:U1" in capsys.readouterr().err
    assert not access.admits("line:U1")
    assert access.admits("line:U2")


def test_by_name_somebody_is_let_in_and_shut_out_as_far_as_the_settings_allow(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store_url: str, store: object
) -> None:
    person, group = f"line:U{'0' * 32}", f"line:C{'1' * 32}"
    for name, value in (("REDIS_URL", store_url), ("LINE_ACCESS", "allowlist"), ("LINE_ALLOWED", group)):
        monkeypatch.setenv(name, value)

    assert main(["line", "allow", person]) == 0
    assert main(["line", "allow", "U1"]) == 1
    assert "U1 is no id of LINE" in capsys.readouterr().err
    assert main(["line", "list"]) == 0
    assert capsys.readouterr().out.split() == [group, person]
    assert [main(["line", "revoke", who]) for who in (person, person, group)] == [0, 1, 1]
    assert "LINE_ALLOWED" in capsys.readouterr().err
    assert main(["line", "invite"]) == 1
    assert "LINE_ACCESS=pairing" in capsys.readouterr().err


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch, elsewhere: Path) -> Path:
    """A folder with one document, named in the settings."""
    folder = elsewhere / "documents"
    folder.mkdir()
    (folder / "a.md").write_text("# 経費\n\n経費は毎月25日までに申請します。\n", encoding="utf-8")
    monkeypatch.setenv("KNOWLEDGE_PATH", str(folder))
    return folder


def test_what_would_be_done_is_said_and_not_done(capsys: pytest.CaptureFixture[str], documents: Path) -> None:
    assert main(["reindex", "--dry-run"]) == 0
    assert "dry run: 1 documents, 1 chunks, 1 to be embedded" in capsys.readouterr().out

    assert main(["status"]) == 1
    assert "no index" in capsys.readouterr().out


def test_the_index_and_its_sources_are_told(capsys: pytest.CaptureFixture[str], documents: Path) -> None:
    (documents / "empty.txt").touch()
    main(["reindex"])
    capsys.readouterr()

    assert main(["status"]) == 0
    assert "gen-1" in capsys.readouterr().out
    assert main(["sources"]) == 0
    said = capsys.readouterr().out
    assert f"{documents}  1 documents, 1 chunks" in said
    assert "skipped empty.txt: " in said


def test_a_rollback_needs_a_generation_before(capsys: pytest.CaptureFixture[str], documents: Path) -> None:
    main(["reindex"])
    assert main(["rollback"]) == 1
    assert "madoguchi: " in capsys.readouterr().err

    (documents / "a.md").write_text("# 経費\n\n経費は毎月末までに申請します。\n", encoding="utf-8")
    main(["reindex"])
    assert main(["rollback"]) == 0
    assert "gen-1 answers again" in capsys.readouterr().out


def test_a_reindex_goes_through_the_service_that_runs(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    documents: Path,
    store_url: str,
    store: object,
) -> None:
    import threading

    from bot.heartbeat import Heartbeat
    from bot.store import connect
    from knowledge.settings import KnowledgeSettings
    from workers.indexing import Indexing
    from workers.runs import Runs

    monkeypatch.setenv("REDIS_URL", store_url)
    Heartbeat(connect(store_url), "knowledge", lambda: {"ready": True}).beat()
    indexing = Indexing(connect(store_url), KnowledgeSettings())
    service = threading.Thread(target=indexing.fulfil)
    service.start()
    try:
        assert main(["reindex"]) == 0
    finally:
        indexing.end()
        service.join(30)

    assert "new generation gen-1" in capsys.readouterr().out
    last = Runs(connect(store_url)).last()
    assert last is not None
    assert last["state"] == "done"


def test_there_is_nothing_to_cancel(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store_url: str, store: object
) -> None:
    monkeypatch.setenv("REDIS_URL", store_url)

    assert main(["reindex", "--cancel"]) == 1
    assert "no reindexing is under way" in capsys.readouterr().err
