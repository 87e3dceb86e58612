"""Where documents come from: the `[[sources]]` tables of `madoguchi.toml`, or the one folder KNOWLEDGE_PATH."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from knowledge.documents import MEMBERS, PUBLIC
from knowledge.errors import SourcesMalformed
from knowledge.settings import KnowledgeSettings

CONFIG = Path("madoguchi.toml")

Label = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Source(BaseModel):
    """One folder of documents.

    Args:
        path: the folder; in the file relative to the file.
        title: for people; stands in front of the documents' paths.
        language: a hint for the splitter (`ja` or `en`); empty: by each document's script.
        audience: who may read it: `public`, `members`, or places and people by name (`slack:C1`, `line:U1`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: Annotated[Path, Field(strict=False)]
    title: str = ""
    language: Annotated[str, Field(pattern="^(ja|en|)$")] = ""
    audience: Annotated[frozenset[Label], Field(strict=False, min_length=1)] = frozenset({MEMBERS})

    @property
    def kind(self) -> str:
        """What it is, by the key that says where it is."""
        return "path"

    @property
    def where(self) -> str:
        """Where it is, for people."""
        return str(self.path)


def load_sources(settings: KnowledgeSettings, config: Path = CONFIG) -> tuple[Source, ...]:
    """The sources that `config` names; the folder KNOWLEDGE_PATH, readable by everyone, when it names none.

    Raises:
        SourcesMalformed: the file is no TOML, or a key of a source is wrong.
    """
    tables = _tables(config) if config.exists() else []
    if not tables:
        return (Source(path=settings.folder, audience=frozenset({PUBLIC})),)
    return tuple(_source(table, place=f"sources[{n}]", config=config) for n, table in enumerate(tables))


def _tables(config: Path) -> list[object]:
    try:
        tables = tomllib.loads(config.read_text("utf-8")).get("sources", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourcesMalformed(f"{config}: {error}") from error
    if not isinstance(tables, list):
        raise SourcesMalformed(f"{config}: sources: must be [[sources]] tables")
    return tables


def _source(table: object, *, place: str, config: Path) -> Source:
    try:
        source = Source.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([place, *map(str, first["loc"])])
        raise SourcesMalformed(f"{config}: {key}: {first['msg']}") from error
    return source.model_copy(update={"path": config.parent / source.path.expanduser()})
