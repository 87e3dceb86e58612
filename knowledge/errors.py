"""Everything that the documents' side raises, as one tree.

KnowledgeError
├── SourcesMalformed    `madoguchi.toml` cannot be used; names the key and the file
├── SourceEmpty         a source has no document at all, or its folder is gone; nothing was deleted
├── EmbeddingFailed     the embedder cannot be loaded, or does not take a text
├── NoIndex             there is no index yet, or none that this embedder can read
├── IndexBroken         a generation was written and does not find its own chunks; the old one stays
└── ReindexRunning      another process is reindexing
"""


class KnowledgeError(Exception):
    """The root of every error of the documents' side."""


class SourcesMalformed(KnowledgeError):
    """`madoguchi.toml` cannot be used; the message names the key and the file."""


class SourceEmpty(KnowledgeError):
    """A source has no document at all, or its folder is gone; nothing was deleted."""


class EmbeddingFailed(KnowledgeError):
    """The embedder cannot be loaded, or does not take a text."""


class NoIndex(KnowledgeError):
    """There is no index yet, or none that this embedder can read: reindex."""


class IndexBroken(KnowledgeError):
    """A generation was written and does not find its own chunks; the old one stays."""


class ReindexRunning(KnowledgeError):
    """Another process is reindexing."""
