"""How a worker listens to the store: Celery's consumer, which is back soon after the store is."""

from __future__ import annotations

from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu import Connection

TRY_EVERY_S = 0.5


class PatientConsumer(Consumer):  # type: ignore[misc]
    """Celery's own waits longer and longer between its tries: half a minute, when the store was away for four."""

    def ensure_connected(self, conn: Connection) -> Connection:
        """The connection, as soon as the store answers; meanwhile a SIGTERM ends the worker."""
        conn.ensure_connection(
            interval_start=TRY_EVERY_S, interval_step=0, interval_max=TRY_EVERY_S, callback=maybe_shutdown
        )
        return super().ensure_connected(conn)
