"""Says to the deployment that this web server lives."""

from __future__ import annotations

import asyncio
import logging
import os
import socket

import msgspec

from ..clock import Clock
from ..errors import EnvironmentalError
from ..ids import new_holder_id
from ..records.lease import ProcessInfo
from ..storage.protocols import LeaseStorage
from ..version import __version__

__all__ = ["Heartbeat"]

log = logging.getLogger("penstock.web")

_EVERY_SECONDS = 15.0


class Heartbeat:
    """One web server among the processes of the deployment."""

    def __init__(self, leases: LeaseStorage, clock: Clock) -> None:
        self._leases = leases
        self._clock = clock
        now = clock.now()
        self._process = ProcessInfo(
            id=new_holder_id("webserver"),
            kind="webserver",
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            started=now,
            seen=now,
        )

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            try:
                alive = msgspec.structs.replace(self._process, seen=self._clock.now())
                await asyncio.to_thread(self._leases.beat, alive)
            except EnvironmentalError as error:
                log.warning("The storage does not answer: %s", error)
            await asyncio.sleep(_EVERY_SECONDS)

    def end(self) -> None:
        """Say that this web server goes."""
        try:
            self._leases.gone(self._process.id)
        except EnvironmentalError as error:
            log.warning("The storage does not answer: %s", error)
