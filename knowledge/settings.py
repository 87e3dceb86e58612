"""The settings of the documents' side, from the environment and `.env`; built in the entry points only."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

PACKAGE = Path(__file__).parent
DEFAULT_EMBEDDER = "multilingual-e5-small"


class KnowledgeSettings(BaseSettings):
    """Where the documents and the index are, and which model turns text into vectors."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    data_path: Path = Path("data")
    knowledge_path: Path = Path("knowledge/sample")
    embedding_model: str = DEFAULT_EMBEDDER
    golden_path: Path = Path("knowledge/golden.yaml")

    @property
    def folder(self) -> Path:
        """KNOWLEDGE_PATH; the default is found beside this package when the working directory has none."""
        return self._shipped("knowledge_path", "sample")

    @property
    def golden(self) -> Path:
        """GOLDEN_PATH; the default is found beside this package when the working directory has none."""
        return self._shipped("golden_path", "golden.yaml")

    @property
    def index_path(self) -> Path:
        """The folder of the index's generations."""
        return self.data_path / "index"

    @property
    def web_path(self) -> Path:
        """The folder for what was fetched from websites."""
        return self.data_path / "web"

    @property
    def faq_path(self) -> Path:
        """The folder of the answers that administrators wrote themselves (`madoguchi gaps answer`)."""
        return self.data_path / "answers"

    @property
    def models_path(self) -> Path:
        """The folder of models that were fetched or converted."""
        return self.data_path / "models"

    def _shipped(self, setting: str, name: str) -> Path:
        path: Path = getattr(self, setting)
        unset = path == KnowledgeSettings.model_fields[setting].default
        return PACKAGE / name if unset and not path.exists() else path
