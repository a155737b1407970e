"""The console: how soon it is there, what it costs while it is open, and the picture of it for the docs.

Run ``python -m benchmarks.console`` for the times, as one JSON line: the medians from starting the program in a
terminal of its own until the tabs are painted and until the overview has read the data home, each as wall time and as
processor time (which a busy machine does not stretch); and the share of one core that the open console takes, on the
overview beside a paper session that trades at 60 times real time. ``--picture docs/console.svg`` records a real session
beside it: paper sessions on the built-in exchange, a planted fault and its repair, then the overview, trading,
maintenance, a sentence at the prompt, its result, a form, settings; one SVG that shows them in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import pty
import re
import select
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
GIVE_UP_S = 120.0
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
    parser.add_argument("--idle-s", type=float, default=60.0, help="seconds for which the open console is watched")
    parser.add_argument("--picture", type=Path, help="SVG to write")
    parser.add_argument("--minutes", type=int, default=600, help="length of the paper session in the picture")
    wanted = parser.parse_args()
    if wanted.picture is not None:
        record(wanted.picture, wanted.minutes)
    with tempfile.TemporaryDirectory() as home:
        opened = [first_paint(Path(home)) for _ in range(wanted.rounds)]
    names = ("first_paint_s", "first_paint_cpu_s", "overview_s", "overview_cpu_s")
    medians = [round(statistics.median(values), 3) for values in zip(*opened, strict=True)]
    told: dict[str, float] = {**dict(zip(names, medians, strict=True)), "rounds": wanted.rounds}
    if wanted.idle_s:
        with tempfile.TemporaryDirectory() as home:
            told |= {"idle_core_share": round(idle_share(Path(home), wanted.idle_s), 4), "idle_s": wanted.idle_s}
    print(json.dumps({"benchmark": "console", **told}))


class Opened:
    """A console in a pseudo-terminal of 80 by 24.

    Parameters
    ----------
    home : Path
        The data home.
    """

    def __init__(self, home: Path) -> None:
        self._parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.began = time.perf_counter()
        self._seen = b""
        self._program = subprocess.Popen(
            [sys.executable, "-m", "automation.cli", "--home", str(home), "console"],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)},
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        )
        os.close(child)

    def until(self, words: bytes) -> tuple[float, float]:
        """Read until words stand there; return the wall time and the processor time since the start, seconds."""
        while words not in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", self._seen):
            if time.perf_counter() - self.began > GIVE_UP_S:
                raise SystemExit(f"the console did not show {words.decode()!r} within {GIVE_UP_S:g} s")
            self._read()
        return time.perf_counter() - self.began, self.processor_s

    def watch(self, seconds: float) -> float:
        """Read for so long, and return the processor time that the console took meanwhile, seconds."""
        before, end = self.processor_s, time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._read()
        return self.processor_s - before

    @property
    def processor_s(self) -> float:
        """Processor time of the console's own process so far."""
        fields = Path(f"/proc/{self._program.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        # user and system time, the 14th and 15th field of the line
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Press q."""
        try:
            os.write(self._parent, b"q")
            self._program.wait(timeout=GIVE_UP_S)
        finally:
            self._program.kill()
            os.close(self._parent)

    def _read(self) -> None:
        if select.select([self._parent], [], [], 0.2)[0]:
            self._seen += os.read(self._parent, 65_536)


def idle_share(home: Path, seconds: float) -> float:
    """Return the share of one core that the console takes on its overview, beside one session that trades.

    Parameters
    ----------
    home : Path
        The data home.
    seconds : float
        How long it is watched, from when the overview is filled and the health was asked.
    """
    words = [sys.executable, "-m", "automation.cli", "--home", str(home), *PAPER]
    words[words.index("1000")] = "60"
    with subprocess.Popen(
        words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    ) as one:
        try:
            console = Opened(home)
            try:
                for shown in (b"running", b"all that is needed"):
                    console.until(shown)
                return console.watch(seconds) / seconds
            finally:
                console.close()
        finally:
            one.terminate()


def first_paint(home: Path) -> tuple[float, float, float, float]:
    """Open the console in a pseudo-terminal, and time it until its tabs and until its overview stand there.

    Parameters
    ----------
    home : Path
        The data home.

    Returns
    -------
    tuple of (float, float, float, float)
        Wall time and processor time until the tabs, then until the overview; seconds.
    """
    console = Opened(home)
    try:
        return *console.until(b"Overview"), *console.until(b"No sessions yet")
    finally:
        console.close()


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
