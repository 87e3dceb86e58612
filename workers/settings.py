"""The settings of the work, from the environment and `.env`; built in the entry points only."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

STORE_TIMEOUT_S = 4.0
"""A worker can wait for the store longer than a webhook can, but not as long as its lock lives."""


class WorkerSettings(BaseSettings):
    """Everything that the worker processes read beside the edges' and the documents' own settings."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    data_path: Path = Path("data")
    llm_model: str = "qwen2.5-coder-1.5b-instruct"
    llm_url: str = Field(default="", pattern=r"^(https?://.+)?$")
    """Base address of an OpenAI-compatible server; empty: the model runs in the replies' process."""
    llm_api_key: SecretStr = SecretStr("")
    llm_context_tokens: int = Field(default=2048, ge=1024, le=131_072)
    llm_threads: int = Field(default=0, ge=0, le=256)
    """0: as many as the machine has cores."""
    llm_gpu_layers: int = Field(default=-1, ge=-1, le=999)
    """Layers of the model that a GPU computes. -1: all where llama.cpp was built for one, else none."""
    llm_chunk_tokens: int = Field(default=0, ge=0, le=256)
    """Tokens of a prompt that are read between two tokens of the answers beside it; 0: what takes about a second."""
    llm_at_once: int = Field(default=4, ge=1, le=64)
    """Answers that the model writes side by side; each takes memory for LLM_CONTEXT_TOKENS."""
    llm_kv_type: Literal["f16", "q8_0"] = "f16"
    llm_passages_mb: int = Field(default=512, ge=0, le=1_000_000)
    """Memory for passages that are evaluated once and used at any place: about 4 MB each. 0: each is evaluated anew."""
    llm_prefix_mb: int = Field(default=512, ge=0, le=1_000_000)
    """Memory for what the model has read before: about 30 MB for each conversation of a thousand tokens."""
    answer_max_tokens: int = Field(default=256, ge=16, le=4096)
    answer_deadline_s: float = Field(default=600, ge=10, le=3600)
    answer_cache_hours: float = Field(default=24, ge=0, le=24 * 7)
    """So long an answer is given again to who asks the same as a first question. 0: every one is written anew."""
    answers_at_once: int = Field(default=32, ge=1, le=256)
    """Conversations that may wait for or use the model at once; each is a thread."""
    conversation_days: int = Field(default=14, ge=1, le=365)
    metrics_port: int = Field(default=0, ge=0, le=65_000)
    """The clerk's; replies and knowledge use the next two. 0: no metrics of the workers."""

    @property
    def turns_life_s(self) -> int:
        """CONVERSATION_DAYS in seconds."""
        return self.conversation_days * 24 * 3600

    @property
    def models_path(self) -> Path:
        """Where models are kept."""
        return self.data_path / "models"
