"""Retrieval: who may read what, which generation answers, and what counts as found."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from knowledge.errors import NoIndex
from knowledge.index import Index
from knowledge.retrieval import Retriever, open_retriever
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder

PUBLIC = frozenset({"public"})


def texts(retrieval) -> list[str]:
    return [passage.chunk.text for passage in retrieval.passages]


def test_without_an_index_that_is_said(retriever):
    with pytest.raises(NoIndex):
        retriever.retrieve("経費", audience=PUBLIC)


def test_an_index_of_another_embedder_is_refused(run, settings, embedder):
    run()
    embedder.fingerprint = "another"

    with open_retriever(settings, embedder) as retriever, pytest.raises(NoIndex):
        retriever.retrieve("経費", audience=PUBLIC)


def test_the_answer_comes_first_with_its_place(run, retriever):
    run()

    found = retriever.retrieve("領収書はどの箱に入れますか", audience=PUBLIC)

    first = found.passages[0].chunk
    assert (first.text, first.heading_path, first.uri) == ("領収書は総務の箱に入れます。", ("領収書",), "expenses.md")
    assert found.generation == "gen-1"


def test_an_exact_rare_term_is_enough(run, retriever):
    run()

    assert "E-517" in texts(retriever.retrieve("E-517？", audience=PUBLIC))[0]


def test_what_is_far_from_everything_finds_nothing_but_names_the_nearest(run, retriever):
    run()

    found = retriever.retrieve("zzz qqq xxx", audience=PUBLIC)

    assert found.passages == ()
    assert 0 < len(found.nearest) <= 3


@pytest.fixture
def bonuses(run, folder, tmp_path) -> str:
    """A text that only members and one channel may read, in the index beside public ones."""
    secret, text = tmp_path / "secret", "賞与は基本給の三か月分です。"
    secret.mkdir()
    (secret / "bonus.txt").write_text(text, "utf-8")
    run(
        Folder(path=folder, audience=frozenset({"public"})),
        Folder(path=secret, audience=frozenset({"members", "slack:C9"})),
    )
    return text


@pytest.mark.parametrize(
    ("labels", "seen"),
    [({"public"}, False), ({"members"}, True), ({"slack:C9"}, True), ({"public", "slack:C1"}, False), (set(), False)],
)
def test_only_an_audience_finds_its_documents(bonuses, retriever, labels, seen):
    found = retriever.retrieve("賞与は基本給の何か月分ですか", audience=frozenset(labels))

    assert (bonuses in [passage.chunk.text for passage in (*found.passages, *found.nearest)]) is seen


def test_quoted_chunks_that_were_deleted_or_are_for_others_are_told(bonuses, run, retriever, folder):
    everybody = frozenset({"public", "members"})
    (bonus,) = retriever.retrieve("賞与は基本給の何か月分ですか", audience=everybody, limit=1).passages
    (vpn,) = retriever.retrieve("E-517？", audience=PUBLIC, limit=1).passages
    quoted = {bonus.chunk.id, vpn.chunk.id, ""}

    assert retriever.retrieve("経費", audience=everybody, quoted=quoted).gone == {""}
    assert retriever.retrieve("経費", audience=PUBLIC, quoted=quoted).gone == {bonus.chunk.id, ""}
    (folder / "vpn.md").unlink()
    run()
    assert retriever.retrieve("経費", audience=everybody, quoted=quoted).gone == quoted


def test_an_empty_index_finds_nothing(run, retriever, folder):
    for file in folder.iterdir():
        file.unlink()
    run(allow_empty=True)

    found = retriever.retrieve("経費", audience=PUBLIC)

    assert (found.passages, found.nearest) == ((), ())


def test_one_document_in_another_language_among_many_is_searched(run, retriever, folder):
    (folder / "vpn.md").unlink()
    for number in range(150):
        (folder / f"{number}.txt").write_text(f"第{number}条の規程です。", "utf-8")
    (folder / "zz.txt").write_text("The parking garage closes at nine.", "utf-8")
    run()

    found = texts(retriever.retrieve("When does the parking garage close?", audience=PUBLIC))

    assert found[0] == "The parking garage closes at nine."


def test_near_duplicates_come_once(run, retriever, folder):
    for name in "ab":
        (folder / f"{name}.txt").write_text("健康診断は毎年十月に本社の三階で受けます。", "utf-8")
    run()

    found = texts(retriever.retrieve("健康診断は毎年いつ受けますか", audience=PUBLIC))

    assert found.count("健康診断は毎年十月に本社の三階で受けます。") == 1


def test_limit_bounds_the_passages(run, retriever):
    run()

    assert len(retriever.retrieve("経費の申請の締め日と領収書", audience=PUBLIC, limit=1).passages) == 1


def test_a_new_generation_answers_without_reopening(run, retriever, folder):
    run()
    retriever.retrieve("経費", audience=PUBLIC)
    (folder / "parking.txt").write_text("駐車場は地下二階にあります。", "utf-8")
    run()

    found = retriever.retrieve("駐車場は地下の何階にありますか", audience=PUBLIC)

    assert (texts(found)[0], found.generation) == ("駐車場は地下二階にあります。", "gen-2")


def test_a_generation_in_use_stays_until_it_is_given_back(run, settings, retriever, folder):
    run()
    index: Index = retriever._index
    with index.generation() as held:
        (folder / "more.txt").write_text("別の文書です。", "utf-8")
        run()
        index.follow()

        assert held.name == "gen-1"
        assert held.search(["経費"], retriever._embedder.encode_query(["経費"]), PUBLIC)[0].dense

    assert len(copies(settings)) == 1


def test_closing_leaves_no_copy(run, settings, embedder):
    run()
    with open_retriever(settings, embedder) as opened:
        opened.retrieve("経費", audience=PUBLIC)
        assert len(copies(settings)) == 1

    assert copies(settings) == []


def test_the_copy_of_a_process_that_was_killed_is_deleted(run, settings, retriever):
    run()
    abandoned = settings.index_path / "readers" / "abandoned"
    abandoned.mkdir(parents=True)
    abandoned.with_suffix(".lock").touch()

    retriever.follow()

    assert not abandoned.exists()
    assert len(copies(settings)) == 1


def copies(settings: KnowledgeSettings) -> list[Path]:
    return [path for path in (settings.index_path / "readers").iterdir() if path.is_dir()]


def test_questions_are_answered_from_one_whole_generation_while_indexes_change(run, retriever, folder):
    run()
    done = threading.Event()

    def ask() -> list[bool]:
        whole = []
        while not done.is_set():
            found = retriever.retrieve("版は何番ですか", audience=PUBLIC)
            versions = {text for text in texts(found) if "版は" in text}
            whole.append(not versions or versions == {f"この規程の版は{found.generation}番です。"})
        return whole

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for number in range(2, 6):
            (folder / "version.txt").write_text(f"この規程の版はgen-{number}番です。", "utf-8")
            run()
        done.set()
        answers = [answer for one in asking for answer in one.result()]

    assert len(answers) > 4
    assert all(answers)


@pytest.fixture(scope="module")
def handbook(e5, tmp_path_factory: pytest.TempPathFactory):
    """The real default embedder on a small handbook."""
    from knowledge.reindexing import reindex

    folder = tmp_path_factory.mktemp("handbook")
    (folder / "経費.md").write_text(
        "# 経費精算規程\n\n## 締め日\n\n経費は毎月25日までに申請します。\n\n## 領収書の出し方\n\n"
        "領収書の原本は2階の青い箱に入れます。\n",
        "utf-8",
    )
    (folder / "休暇.md").write_text("# 休暇規程\n\n## 年次有給休暇\n\n入社半年で10日の有給休暇が付きます。\n", "utf-8")
    (folder / "会議室.md").write_text("# 会議室\n\n会議室は30日先まで予約できます。\n", "utf-8")
    (folder / "handbook.md").write_text("# Handbook\n\n## Pay day\n\nSalaries are paid on the 21st.\n", "utf-8")
    settings = KnowledgeSettings(_env_file=None, data_path=tmp_path_factory.mktemp("data"))
    reindex(settings, sources=[Folder(path=folder, audience=PUBLIC)], embedder=e5)
    with open_retriever(settings, e5) as opened:
        yield opened


def ask(handbook: Retriever, query: str, *context: str) -> list[str]:
    found = handbook.retrieve(query, audience=PUBLIC, context=context)
    return [passage.chunk.heading_path[-1] if passage.chunk.heading_path else "" for passage in found.passages]


def test_a_question_in_other_words_and_in_another_language_is_found(handbook):
    assert ask(handbook, "立て替えたお金はいつまでに出せばいい？")[0] == "締め日"
    assert "年次有給休暇" in ask(handbook, "How many days of paid leave do I get?")


def test_a_document_in_another_language_is_not_hidden_by_the_questions_own(handbook):
    assert ask(handbook, "給料日は何日ですか")[0] == "Pay day"


def test_a_follow_up_is_found_through_the_question_before(handbook):
    assert ask(handbook, "では領収書はどこに出せばいい？", "経費の締め日はいつ？")[0] == "領収書の出し方"
    assert ask(handbook, "どこに出せばいい？", "領収書はどうすればいいですか")[0] == "領収書の出し方"


@pytest.mark.parametrize("pointing", ["これ、分かる？", "どなたか教えてもらえますか", "Do you know this?"])
def test_what_only_points_at_the_question_before_finds_what_that_one_asked(handbook, pointing):
    earlier = "領収書の青い箱って何階でしたっけ"

    found = handbook.retrieve(pointing, audience=PUBLIC, context=["経費の締め日はいつ？", earlier])

    assert found.passages[0].chunk.heading_path[-1] == "領収書の出し方"
    assert found == handbook.retrieve(earlier, audience=PUBLIC)


def test_a_change_of_topic_is_not_dragged_back(handbook):
    assert ask(handbook, "会議室は何日先まで予約できますか？", "経費の締め日はいつ？")[0] == ""


@pytest.mark.parametrize("query", ["火星までの距離は？", "ピザの生地はどう作るの", "Who wrote Hamlet?"])
def test_a_question_that_nothing_answers_finds_nothing(handbook, query):
    assert ask(handbook, query) == []
