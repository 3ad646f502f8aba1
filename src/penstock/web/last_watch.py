"""Tells that daemons are lost when none of them is left to tell it, and sends what they have left."""

from __future__ import annotations

import asyncio
import logging
import math

from ..clock import Clock
from ..engine.alerts import deliveries
from ..errors import EnvironmentalError
from ..instance.alerts.post import Post, outbox_of
from ..instance.alerts.watch import Watch
from ..instance.instance import Instance
from ..instance.settings import AlertSettings
from ..locations.catalog import Catalog
from ..storage.outbox import Outbox

__all__ = ["LastWatch", "last_watch"]

log = logging.getLogger("penstock.web")

_EVERY_SECONDS = 15.0


class LastWatch:
    """Looks every 15 seconds whether the last daemon is lost; one that has said that it ends is not.

    Args:
        watch: Finds lost daemons.
        settings: Who is told.
        outbox: Where messages wait.
        post: Sends them.
        clock: Tells the time.
    """

    def __init__(self, watch: Watch, settings: AlertSettings, outbox: Outbox, post: Post, clock: Clock) -> None:
        self._watch = watch
        self._rules = settings.decided
        self._outbox = outbox
        self._post = post
        self._clock = clock
        self._looked = self._steady_since = -math.inf

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            try:
                await asyncio.to_thread(self.look)
            except EnvironmentalError as error:
                log.warning("Lost daemons could not be looked for: %s", error)
            except Exception:  # it is looked again
                log.exception("Lost daemons could not be looked for")

    def look(self) -> None:
        """Tell of lost daemons if no other is left."""
        now = self._clock.now()
        if not 0 <= now - self._looked <= 2 * _EVERY_SECONDS:
            self._steady_since = now
        self._looked = now
        lost = self._watch.last_daemons(steady_since=self._steady_since)
        if lost:
            wanted = [delivery for alert in lost for delivery in deliveries(self._rules, alert)]
            self._outbox.add(wanted, now=now)
            self._post.send_due()

    def stop(self) -> None:
        """Begin no other message."""
        self._post.stop()


def last_watch(instance: Instance, catalog: Catalog) -> LastWatch | None:
    """The watch of a web server; None if no rule asks for lost daemons.

    Raises:
        SettingsError: The storage keeps no messages.
    """
    settings, storage, clock = instance.settings.alerts, instance.storage, instance.clock
    if not any("daemon_lost" in rule.when for rule in settings.rules):
        return None
    outbox = outbox_of(storage)
    return LastWatch(Watch(storage, catalog, settings, clock), settings, outbox, Post(outbox, settings, clock), clock)
