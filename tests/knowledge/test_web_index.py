"""Websites as a part of the index."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence

import pytest

from knowledge import generations
from knowledge.errors import SourceEmpty
from knowledge.reindexing import reindex
from knowledge.report import Report
from knowledge.settings import KnowledgeSettings
from knowledge.sources import Folder, Source, Website
from knowledge.web.website import load_website
from tests.fakes.website import FakeWebsite, Reply
from tests.knowledge.conftest import HashedEmbedder
from tests.knowledge.websites import written


@pytest.fixture
def bring_up(
    site: FakeWebsite, settings: KnowledgeSettings, embedder: HashedEmbedder, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Report]:
    """Reindexes sources, the site's names being known."""
    monkeypatch.setattr(
        "knowledge.loading.load_website", lambda source, web, tick: load_website(source, web, tick, site.resolve)
    )

    def run(*sources: Source, **options: bool) -> Report:
        return reindex(settings, sources=sources, embedder=embedder, **options)

    return run


def website(**facts: str | Sequence[str]) -> Website:
    return Website.model_validate({"allow_private": True, "requests_per_second": 100.0, **facts})


def test_pages_are_indexed_beside_files_and_unchanged_ones_make_no_new_generation(site, bring_up, folder):
    source = website(sitemap=site.sitemap("/s.xml", site.page("/a", "text a"), site.page("/b", "text b")))

    first, second = (bring_up(Folder(path=folder), source) for _ in range(2))

    assert (first.documents, first.changed, second.changed) == (5, True, False)


def test_a_site_that_is_down_makes_no_new_generation(site, bring_up):
    source = website(pages=[site.page("/a", "text a")])
    bring_up(source)
    site.stop()

    report = bring_up(source)

    site.start_again()
    assert (report.changed, report.documents, len(report.skipped)) == (False, 1, 1)


@pytest.mark.parametrize("fault", ["down", "robots", "empty"])
def test_a_site_without_any_page_is_like_a_folder_that_is_not_mounted(site, bring_up, folder, fault):
    source = website(sitemap=site.sitemap("/s.xml", site.page("/a", "text a")))
    if fault == "robots":
        site.replies["/robots.txt"] = Reply(status=500)
    elif fault == "empty":
        site.sitemap("/s.xml")
    else:
        site.addresses.clear()

    with pytest.raises(SourceEmpty, match=re.escape(source.where)):
        bring_up(Folder(path=folder), source)


def test_a_source_that_is_not_named_any_more_leaves_nothing(site, bring_up, folder, settings):
    source = website(pages=[site.page("/a", "secret text")])
    bring_up(Folder(path=folder), source)
    assert written(settings.web_path, b"secret")
    (settings.web_path / ".DS_Store").write_bytes(b"a file that is not ours")

    bring_up(Folder(path=folder))

    assert not written(settings.web_path, b"secret")


def test_the_reason_why_there_is_no_page_is_told(site, bring_up):
    source = website(pages=[site.url("/a")])

    with pytest.raises(SourceEmpty, match=r"/a: HTTP 404"):
        bring_up(source)


@pytest.mark.parametrize("gone", ["page", "entry", "source"])
def test_a_page_that_is_gone_is_nowhere_once_the_old_generation_went(site, bring_up, folder, settings, gone):
    source = website(sitemap=site.sitemap("/s.xml", site.page("/a", "xyzzy"), site.page("/b", "other")))
    bring_up(Folder(path=folder), source)
    assert written(settings.data_path, b"xyzzy")
    if gone == "page":
        del site.replies["/a"]
    else:
        site.sitemap("/s.xml", site.url("/b"))

    bring_up(Folder(path=folder), *([] if gone == "source" else [source]))

    then = time.time() - generations.ROLLBACK_S
    os.utime(settings.index_path / "CURRENT", (then, then))
    generations.remove_old(settings.index_path)
    assert not written(settings.data_path, b"xyzzy")


def test_a_source_that_stays_keeps_what_was_fetched(site, bring_up, folder, settings):
    source = website(pages=[site.page("/a", "text")])

    bring_up(source, Folder(path=folder))
    bring_up(Folder(path=folder), source)

    assert written(settings.web_path, b"text")
