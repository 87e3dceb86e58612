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

    @property
    def folder(self) -> Path:
        """KNOWLEDGE_PATH; the default is found beside this package when the working directory has none."""
        unset = self.knowledge_path == KnowledgeSettings.model_fields["knowledge_path"].default
        if unset and not self.knowledge_path.exists():
            return PACKAGE / "sample"
        return self.knowledge_path

    @property
    def index_path(self) -> Path:
        """The folder of the index's generations."""
        return self.data_path / "index"

    @property
    def models_path(self) -> Path:
        """The folder of models that were fetched or converted."""
        return self.data_path / "models"
