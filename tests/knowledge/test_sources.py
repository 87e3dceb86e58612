"""Sources: what `madoguchi.toml` names, and what is said about a mistake in it."""

from pathlib import Path

import pytest

from knowledge.errors import SourcesMalformed
from knowledge.settings import PACKAGE, KnowledgeSettings
from knowledge.sources import load_sources


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "madoguchi.toml"


def test_without_a_file_the_one_folder_is_for_everyone(settings, folder, config):
    (source,) = load_sources(settings, config)

    assert (source.path, source.audience) == (folder, {"public"})


def test_a_source_is_for_members_unless_it_says_otherwise(settings, config):
    config.write_text('[[sources]]\npath = "rules"\ntitle = "社内規程"\n', "utf-8")

    (source,) = load_sources(settings, config)

    assert (source.path, source.title, source.audience) == (config.parent / "rules", "社内規程", {"members"})


def test_a_file_without_sources_leaves_the_one_folder(settings, folder, config):
    config.write_text('[channels]\nname = "x"\n', "utf-8")

    assert [source.path for source in load_sources(settings, config)] == [folder]


@pytest.mark.parametrize(
    ("text", "kind", "where"),
    [
        ("sitemap = 'https://A.example/s.xml#top'", "sitemap", "https://a.example/s.xml"),
        ("feed = 'https://a.example'", "feed", "https://a.example/"),
        (
            "pages = ['https://a.example/規程', 'https://b.example/']",
            "pages",
            "https://a.example/%E8%A6%8F%E7%A8%8B and 1 more",
        ),
    ],
)
def test_a_website_is_named_by_its_addresses(settings, config, text, kind, where):
    config.write_text(f"[[sources]]\n{text}\n", "utf-8")

    (source,) = load_sources(settings, config)

    assert (source.kind, source.where) == (kind, where)


def test_pages_may_be_on_the_hosts_of_a_sources_addresses_and_on_those_that_it_adds(settings, config):
    config.write_text(
        "[[sources]]\nfeed = 'https://A.example/feed'\nhosts = ['WWW.example', '日本.example']\n", "utf-8"
    )

    (source,) = load_sources(settings, config)

    assert source.all_hosts == {"a.example", "www.example", "xn--wgv71a.example"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[sources]]\ntitle = 'x'\n", "sources[0]: must have exactly one of path, sitemap, feed, pages"),
        ("[[sources]]\npath = 'a'\nfeed = 'https://a.example/feed'\n", "sources[0]: must have exactly one of"),
        ("[[sources]]\nsitemap = 'ftp://a.example/'\n", "sources[0].sitemap"),
        ("[[sources]]\nsitemap = 'https://user:pass@a.example/'\n", "sources[0].sitemap"),
        ("[[sources]]\nfeed = 'a.example/feed'\n", "sources[0].feed"),
        ("[[sources]]\npages = []\n", "sources[0].pages"),
        ("[[sources]]\npages = 'https://a.example/'\n", "sources[0].pages"),
        ("[[sources]]\npages = ['https://a.example/', 'b']\n", "sources[0].pages.1"),
        ("[[sources]]\nfeed = 'https://a.example/'\nrequests_per_second = 0\n", "sources[0].requests_per_second"),
        ("[[sources]]\nfeed = 'https://a.example/'\nallow_private = 'yes'\n", "sources[0].allow_private"),
        ("[[sources]]\nfeed = 'https://a.example/'\nhosts = ['b.example/c']\n", "sources[0].hosts"),
        ("[[sources]]\nfeed = 'https://a.example/'\nhosts = ['b.example:80x']\n", "sources[0].hosts"),
        ("[[sources]]\npath = 'a'\nallow_private = true\n", "sources[0].allow_private"),
        ("[[sources]]\npath = 'a'\n[[sources]]\npath = 'b'\naudience = []\n", "sources[1].audience"),
        ("[[sources]]\npath = 'a'\nlanguage = 'fr'\n", "sources[0].language"),
        ("[[sources]]\npath = 'a'\naudiense = ['members']\n", "sources[0].audiense"),
        ("sources = 3\n", "sources"),
        ("sources = [3]\n", "sources[0]"),
        ("[[sources\n", "madoguchi.toml"),
    ],
)
def test_a_mistake_is_named_by_key_and_file(settings, config, text, named):
    config.write_text(text, "utf-8")

    with pytest.raises(SourcesMalformed) as error:
        load_sources(settings, config)

    assert named in str(error.value)
    assert "madoguchi.toml" in str(error.value)


def test_the_default_folder_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KNOWLEDGE_PATH", raising=False)

    assert KnowledgeSettings(_env_file=None).folder == PACKAGE / "sample"
