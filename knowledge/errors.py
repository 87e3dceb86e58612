"""Everything that the documents' side raises, as one tree.

KnowledgeError
├── SourcesMalformed    `madoguchi.toml` cannot be used; names the key and the file
├── SourceEmpty         a source has no document at all, or its folder is gone; nothing was deleted
├── EmbeddingFailed     the embedder cannot be loaded, or does not take a text
├── NoIndex             there is no index yet, or none that this embedder can read
├── IndexBroken         a generation was written and does not find its own chunks; the old one stays
├── IndexNotWritten     the disk is full, or does not let itself be written; the old index stays
├── GoldenMalformed     the golden questions cannot be used; names the place and the file
├── GoldenWorse         golden questions that were answered would not be any more; the old index stays
├── NothingBefore       there is no generation that one could go back to
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


class IndexNotWritten(KnowledgeError):
    """The disk is full, or does not let itself be written; the old index stays."""


class GoldenMalformed(KnowledgeError):
    """The golden questions cannot be used; the message names the place and the file."""


class GoldenWorse(KnowledgeError):
    """Golden questions that were answered would not be any more; the old index stays. `worse` has the questions."""

    def __init__(self, worse: tuple[str, ...]) -> None:
        super().__init__(f"{len(worse)} golden questions would not be answered any more; the index stays as it is")
        self.worse = worse


class NothingBefore(KnowledgeError):
    """There is no generation that one could go back to."""


class ReindexRunning(KnowledgeError):
    """Another process is reindexing."""
