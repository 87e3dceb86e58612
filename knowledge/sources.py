"""Where documents come from: the `[[sources]]` tables of `madoguchi.toml`, or the one folder KNOWLEDGE_PATH.

And, always, what administrators answered themselves (`faq`).
"""

from __future__ import annotations

import tomllib
from abc import abstractmethod
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from knowledge import faq
from knowledge.documents import MEMBERS, PUBLIC
from knowledge.errors import SourcesMalformed
from knowledge.settings import KnowledgeSettings
from knowledge.web.addresses import host_of, normalised, normalised_host

CONFIG = Path("madoguchi.toml")
MAX_PAGES = 5_000
"""Of one website: at one page a second its first reading takes more than an hour."""

Label = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Address = Annotated[str, AfterValidator(normalised)]
Host = Annotated[str, AfterValidator(normalised_host)]


class Source(BaseModel):
    """A place of documents, and what is said about all of them.

    Args:
        title: for people.
        language: a hint for the splitter (`ja` or `en`); empty: by each document's script.
        audience: who may read it: `public`, `members`, or places and people by name (`slack:C1`, `line:U1`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str = ""
    language: Annotated[str, Field(pattern="^(ja|en|)$")] = ""
    audience: Annotated[frozenset[Label], Field(strict=False, min_length=1)] = frozenset({MEMBERS})

    @property
    @abstractmethod
    def kind(self) -> str:
        """What it is, by the key that says where it is."""

    @property
    @abstractmethod
    def where(self) -> str:
        """Where it is, for people."""


class Folder(Source):
    """A folder of documents.

    Args:
        path: in the file relative to the file; the source's title stands in front of the documents' paths.
    """

    path: Annotated[Path, Field(strict=False)]

    @property
    def kind(self) -> str:
        return "path"

    @property
    def where(self) -> str:
        return str(self.path)


class Website(Source):
    """Pages of the web; exactly one of the first three says which.

    Args:
        sitemap: the address of a sitemap or an index of them.
        feed: the address of an RSS or Atom feed.
        pages: the addresses themselves.
        hosts: further hosts that pages may be on; those of the addresses above are permitted anyway.
        requests_per_second: of one host.
        allow_private: whether the names may lead to addresses of one's own network.
    """

    sitemap: Address | None = None
    feed: Address | None = None
    pages: Annotated[tuple[Address, ...], Field(strict=False, min_length=1, max_length=MAX_PAGES)] = ()
    hosts: Annotated[frozenset[Host], Field(strict=False)] = frozenset()
    requests_per_second: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    allow_private: bool = False

    @property
    def kind(self) -> str:
        return "sitemap" if self.sitemap else "feed" if self.feed else "pages"

    @property
    def where(self) -> str:
        first, *further = self.addresses
        return f"{first} and {len(further)} more" if further else first

    @property
    def addresses(self) -> tuple[str, ...]:
        """What its key names."""
        return tuple(filter(None, [self.sitemap, self.feed, *self.pages]))

    @property
    def all_hosts(self) -> frozenset[str]:
        """The hosts that pages may be on."""
        return frozenset([*map(host_of, self.addresses), *self.hosts])


_KINDS: dict[str, type[Folder] | type[Website]] = {
    "path": Folder,
    "sitemap": Website,
    "feed": Website,
    "pages": Website,
}


def load_sources(settings: KnowledgeSettings, config: Path = CONFIG) -> tuple[Source, ...]:
    """The sources that `config` names, and the administrators' own answers behind them.

    The folder KNOWLEDGE_PATH, readable by everyone, when it names none.

    Raises:
        SourcesMalformed: the file is no TOML, or a key of a source is wrong.
    """
    tables = _tables(config) if config.exists() else []
    named = [_source(table, place=f"sources[{n}]", config=config) for n, table in enumerate(tables)]
    if not named:
        named = [Folder(path=settings.folder, audience=frozenset({PUBLIC}))]
    answers = (Folder(title=faq.TITLE, path=path, audience=who) for path, who in faq.folders(settings.faq_path))
    return (*named, *answers)


def _tables(config: Path) -> list[object]:
    try:
        tables = tomllib.loads(config.read_text("utf-8")).get("sources", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourcesMalformed(f"{config}: {error}") from error
    if not isinstance(tables, list):
        raise SourcesMalformed(f"{config}: sources: must be [[sources]] tables")
    return tables


def _source(table: object, *, place: str, config: Path) -> Source:
    keys = [key for key in _KINDS if isinstance(table, dict) and key in table]
    if len(keys) != 1:
        raise SourcesMalformed(f"{config}: {place}: must have exactly one of {', '.join(_KINDS)}")
    try:
        source = _KINDS[keys[0]].model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([place, *map(str, first["loc"])])
        raise SourcesMalformed(f"{config}: {key}: {first['msg']}") from error
    if isinstance(source, Folder):
        return source.model_copy(update={"path": config.parent / source.path.expanduser()})
    return source
