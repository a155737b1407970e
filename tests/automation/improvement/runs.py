"""Repair runs for the tests."""

from __future__ import annotations

from hypothesis import strategies as st

from automation.improvement.records import DAY_MS, RepairRecord, Status

START_MS = 1_767_225_600_000  # 2026-01-01


def run(number: int, status: Status = Status.FIXED, day: float = 0, **changes: object) -> RepairRecord:
    fields: dict[str, object] = {
        "run_id": f"run-{number:03d}",
        "started_ms": START_MS + int(day * DAY_MS),
        "target": "shop",
        "fingerprint": f"f{number}",
        "kind": "logic",
        "title": "assert total([1, 2]) == 3",
        "status": status,
        "proposer": "template:comparison" if status is Status.FIXED else "",
        "candidates": {"template:comparison": 12, "template:constant": 30},
        "plausible": 1,
        "seconds": {"reproduce": 1.5, "propose": 4.25},
    }
    return RepairRecord(**{**fields, **changes})


_words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_counts = st.integers(0, 2**40)

records = st.builds(
    RepairRecord,
    run_id=st.sampled_from([f"run-{number}" for number in range(6)]),
    started_ms=_counts,
    target=_words,
    fingerprint=_words,
    kind=st.sampled_from(["logic", "type", "name"]),
    title=_words,
    status=st.sampled_from(Status),
    proposer=_words,
    candidates=st.dictionaries(_words, _counts, max_size=4),
    plausible=_counts,
    seconds=st.dictionaries(_words, st.floats(0, 1e6), max_size=4),
    model=_words,
    model_calls=_counts,
    model_tokens=_counts,
    commit=_words,
    branch=_words,
)
