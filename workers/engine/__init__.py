"""The engine: one loaded GGUF model that many callers share, on llama.cpp."""

from workers.engine.engine import LlamaEngine

__all__ = ["LlamaEngine"]
