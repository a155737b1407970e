"""What the sandbox's tests run in it: the code of the job itself."""

from __future__ import annotations

from collections.abc import Callable


def run(job: dict[str, object], emit: Callable[[dict[str, object]], None]) -> None:
    exec(str(job["code"]), {"emit": emit, "job": job, "__name__": "confined"})
