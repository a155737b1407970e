"""The console: how soon its first screen is painted, and the picture of a session with it for the docs.

Run ``python -m benchmarks.console`` for the time, as one JSON line: the medians from starting the program in a terminal
of its own until the tabs are painted, as wall time and as processor time (which a busy machine does not stretch), and
the wall time until the overview has read the data home. ``--picture
docs/console.svg`` records a real session beside it: paper sessions on the built-in exchange, a planted fault and its
repair, then the overview, trading, maintenance, a sentence at the prompt, its result, a form, settings; one SVG that
shows them in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import pty
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLUMNS, LINES = 80, 24
FRAME_S = 4.0
GIVE_UP_S = 60.0
_CRISP = ' shape-rendering="crispEdges"'
PAPER = (
    "paper", "--symbol", "BTC/USDT", "--timeframe", "1m", "--speed", "1000", "--history", "200", "--seed", "3",
    "--set", "grid.spacing=0.004", "--set", "grid.entry_drop=0", "--set", "grid.order_style=limit",
    "--set", "signals.warmup_candles=50",
)  # fmt: skip


def main() -> None:
    """Measure, and draw when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often the console is opened")
    parser.add_argument("--picture", type=Path, help="SVG to write")
    parser.add_argument("--minutes", type=int, default=600, help="length of the paper session in the picture")
    wanted = parser.parse_args()
    if wanted.picture is not None:
        record(wanted.picture, wanted.minutes)
    with tempfile.TemporaryDirectory() as home:
        opened = [first_paint(Path(home)) for _ in range(wanted.rounds)]
    paint, processor, read = (round(statistics.median(values), 3) for values in zip(*opened, strict=True))
    told = {"first_paint_s": paint, "first_paint_cpu_s": processor, "overview_s": read, "rounds": wanted.rounds}
    print(json.dumps({"benchmark": "console", **told}))


def first_paint(home: Path) -> tuple[float, float, float]:
    """Open the console in a pseudo-terminal, and time it until its tabs and until its overview stand there.

    Parameters
    ----------
    home : Path
        The data home.

    Returns
    -------
    tuple of (float, float, float)
        Wall time and processor time until the tabs, wall time until the overview; seconds.
    """
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    began = time.perf_counter()
    program = subprocess.Popen(
        [sys.executable, "-m", "automation.cli", "--home", str(home), "console"],
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)},
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    seen = b""
    times: list[float] = []
    used: list[float] = []
    marks = (b"Overview", b"No sessions yet")
    try:
        while len(times) < len(marks) and time.perf_counter() - began < GIVE_UP_S:
            seen += os.read(parent, 65_536)
            if marks[len(times)] in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen):
                times.append(time.perf_counter() - began)
                used.append(_processor_s(program.pid))
        os.write(parent, b"q")
        program.wait(timeout=GIVE_UP_S)
    finally:
        program.kill()
        os.close(parent)
    if len(times) < len(marks):
        raise SystemExit(f"the console did not show {marks[len(times)].decode()!r} within {GIVE_UP_S:g} s")
    return times[0], used[0], times[1]


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    # user and system time, the 14th and 15th field of the line
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def record(picture: Path, minutes: int) -> None:
    """Trade a real paper session and write what the console shows of it.

    Parameters
    ----------
    picture : Path
        SVG to write.
    minutes : int
        Of the market.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        words = [sys.executable, "-m", "automation.cli", "--home", str(home), *PAPER]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "GRIDBOT_HOME": str(home)}
        for name, length in (("paper-eth-usdt", minutes // 3), ("paper-btc-usdt", minutes)):
            session = [*words, "--session", name, "--max-minutes", str(length)]
            session[session.index("BTC/USDT")] = name[6:].replace("-", "/").upper()
            subprocess.run(session, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        repair = [*words[: -len(PAPER)], "demo", "--model", "none"]
        subprocess.run(repair, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        frames = asyncio.run(_frames(home))
    picture.write_text(animated(frames), encoding="utf-8")


async def _frames(home: Path) -> list[str]:
    from automation.interfaces.console.app import build_console
    from automation.interfaces.console.form import CommandForm
    from automation.interfaces.console.screens.overview import OverviewPane

    app = build_console(home, ROOT, pace=0)
    frames: list[str] = []
    async with app.run_test(size=(COLUMNS, LINES)) as pilot:

        async def until(condition: Callable[[], object]) -> None:
            end = time.perf_counter() + GIVE_UP_S
            while not condition():
                if time.perf_counter() > end:
                    raise SystemExit("the console did not come to its next picture")
                await pilot.pause(0.05)

        def shown(key: str) -> bool:
            return app.pane is not None and app.pane.id == _pane_of(key) and _has_read(app.pane)

        def take() -> None:
            frames.append(app.export_screenshot(title="gridbot console"))

        await until(lambda: isinstance(app.pane, OverviewPane) and app.pane.health)
        await pilot.pause()
        take()
        for key in ("2", "3"):
            await pilot.press(key)
            await until(partial(shown, key))
            await pilot.pause()
            take()
        await pilot.press("c")
        await pilot.pause()
        take()
        await pilot.press("slash", *"how did the session paper-btc-usdt do")
        take()
        await pilot.press("enter")
        await until(lambda: app.desk.jobs and app.desk.jobs[-1].ended)
        await pilot.pause()
        take()
        app.open_form("backtest", {"candles": ["BTC/USDT"], "risk": "conservative"})
        await until(lambda: isinstance(app.screen, CommandForm))
        await pilot.pause()
        take()
        await pilot.press("escape", "6")
        await until(lambda: app.pane is not None and app.pane.id == "settings" and app.pane.facts)
        await pilot.press("ctrl+t")
        await pilot.pause()
        take()
    return frames


def _pane_of(key: str) -> str:
    from automation.interfaces.console.entries import PANES

    return next(entry.name.value for entry in PANES if entry.key == key)


def _has_read(pane: object) -> bool:
    return getattr(pane, "facts", None) is not None or bool(getattr(pane, "problem", ""))


def animated(frames: list[str]) -> str:
    """Return one SVG that shows several of the same size in turn.

    Parameters
    ----------
    frames : list of str
        SVG documents as Textual exports them.
    """
    size = re.search(r'viewBox="([^"]+)"', frames[0])
    if size is None:
        raise SystemExit("Textual exported an SVG without a viewBox")
    share = 100 / len(frames)
    styles = [
        f".frame {{ visibility: hidden; animation: show {len(frames) * FRAME_S:g}s step-end infinite; }}",
        f"@keyframes show {{ 0% {{ visibility: visible; }} {share:.4f}% {{ visibility: hidden; }} }}",
        # whoever shows no animation shows the first
        ".frame0 { visibility: visible; }",
        "rect { shape-rendering: crispEdges; }",
        *(f".frame{number} {{ animation-delay: {number * FRAME_S:g}s; }}" for number in range(len(frames))),
    ]
    bodies = [f'<g class="frame frame{number}">{_small(frame, number)}</g>' for number, frame in enumerate(frames)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size.group(1)}">'
    return "\n".join([head, f"<style>{' '.join(styles)}</style>", *bodies, "</svg>", ""])


def _small(frame: str, number: int) -> str:
    # nothing is fetched from elsewhere, readers have a monospaced font; no line is longer than the terminal is wide
    for pattern in (r"@font-face \{.*?\}", r"<clipPath.*?</clipPath>", r' clip-path="[^"]*"', r"<!--.*?-->", _CRISP):
        frame = re.sub(pattern, "", frame, flags=re.DOTALL)
    frame = re.sub(r"terminal-\d+", f"t{number}", frame)
    frame = re.sub(r">\s+<", "><", frame).replace("&#160;", "\u00a0")
    return re.sub(r"\s*\n\s*", " ", frame).strip()


if __name__ == "__main__":
    main()
