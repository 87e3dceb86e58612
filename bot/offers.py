"""What can be done with an answer, by its name in `Reply.offers`; a platform shows those that it has buttons for.

Votes are none of them: they stand under every answer with sources.
"""

from typing import Final

WHY: Final = "why"
"""What the answer was made from, and how; for its asker's eyes."""
HAND_OFF: Final = "hand-off"
"""Ask a person instead: the question goes to the channel that the place's policy names."""
SHARE: Final = "share"
"""Show the answer, which only its asker sees, to everybody in the place."""
