"""The tests' own clock: sleepers wake in order, and time stands still while anything works."""

from __future__ import annotations

import asyncio

from tests.trading.live.virtual_clock import VirtualClock


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock, woken = VirtualClock(0), []

    async def sleeper(name: str, seconds: float, times: int) -> None:
        for _ in range(times):
            await clock.sleep(seconds)
            woken.append((name, clock.now_ms()))

    async def main() -> None:
        await asyncio.gather(sleeper("three", 3, 2), sleeper("two", 2, 2), sleeper("hour", 3600, 1))

    asyncio.run(main())
    assert woken == [("two", 2000), ("three", 3000), ("two", 4000), ("three", 6000), ("hour", 3_600_000)]


def test_time_stands_still_while_a_socket_is_talked_over() -> None:
    clock = VirtualClock(0)
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked.append(clock.now_ms())
            writer.write(line)
            await writer.drain()
        writer.close()

    async def main() -> int:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        ticking = asyncio.ensure_future(clock.sleep(1))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(50):
            writer.write(b"?\n")
            await reader.readline()
        talked_ms = clock.now_ms()
        writer.close()
        await ticking
        server.close()
        await server.wait_closed()
        return talked_ms

    assert asyncio.run(main()) == 0
    assert asked == [0] * 50
    assert clock.now_ms() == 1_000


def test_a_cancelled_sleep_does_not_hold_the_others() -> None:
    clock = VirtualClock(0)

    async def main() -> None:
        dropped = asyncio.ensure_future(clock.sleep(5))
        await asyncio.sleep(0)
        dropped.cancel()
        await clock.sleep(60)

    asyncio.run(main())
    assert clock.now_ms() == 60_000


def test_advancing_by_hand_wakes_who_is_due() -> None:
    clock = VirtualClock(0)

    async def main() -> bool:
        sleeper = asyncio.ensure_future(clock.sleep(5))
        await asyncio.sleep(0)
        clock.advance(5)
        await asyncio.sleep(0)
        return sleeper.done()

    assert asyncio.run(main())
