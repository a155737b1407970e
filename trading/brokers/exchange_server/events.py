"""Who is told what: numbered events for those who asked for their kind, made only when somebody asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trading.brokers.exchange_server.records import Event

Listener = Callable[[Event], None]
Maker = Callable[[int], Event]


class Listeners:
    """Subscriptions to the exchange's events."""

    def __init__(self) -> None:
        self._wanted: dict[type[Event], list[Listener]] = {}
        self._sequence = 0

    def add(self, listener: Listener, kinds: Sequence[type[Event]]) -> Callable[[], None]:
        """Subscribe to some kinds of events; return what ends the subscription."""
        for kind in kinds:
            self._wanted.setdefault(kind, []).append(listener)

        def remove() -> None:
            for kind in kinds:
                if listener in self._wanted[kind]:
                    self._wanted[kind].remove(listener)

        return remove

    def wants(self, kind: type[Event]) -> bool:
        """Return whether anybody asked for a kind."""
        return bool(self._wanted.get(kind))

    def tell(self, kind: type[Event], make: Maker) -> None:
        """Make an event with the next number and hand it to those who asked for its kind; else do nothing."""
        listeners = self._wanted.get(kind)
        if listeners:
            self._sequence += 1
            event = make(self._sequence)
            for listener in tuple(listeners):
                listener(event)
