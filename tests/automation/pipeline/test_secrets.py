"""What a run leaves behind holds no secret: neither of GridBot's own variables nor what looks like one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.automation.pipeline.targets import FLAT, Gridbot, plant

TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0"
VALUE = "correct-horse-battery"
FILES = {
    **FLAT,
    "dates.py": FLAT["dates.py"].replace("29 if", "30 if"),
    "settings.txt": VALUE,
    # Put together, so that what holds it whole has it from the run, not from the source.
    "test_telling.py": f"""
        from pathlib import Path

        from dates import days_in


        def test_tells_what_it_knows():
            shown = [Path("settings.txt").read_text().strip(), "{TOKEN[:4]}" + "{TOKEN[4:]}"]
            print(shown)
            assert (days_in(2, leap=True), shown) == (29, shown), shown


        def test_raises_what_it_knows():
            shown = Path("settings.txt").read_text().strip() + " {TOKEN[:4]}" + "{TOKEN[4:]}"
            if days_in(2, leap=True) != 29:
                raise ValueError(shown)
        """,
}


def test_no_secret_is_left_in_any_file_of_a_run(tmp_path: Path, home: Path, gridbot: Gridbot) -> None:
    target = plant(tmp_path / "target", FILES)
    words = ("fix", str(target), "--model", "none", "--seed", "7")
    code, answer, errors = gridbot(home, *words, variables={"EXCHANGE_SECRET": VALUE})
    assert (code, answer["status"]) == (0, "fixed"), (answer["reason"], errors)
    left = {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert {"result.json", "report.html", "baseline.json", "observed.json", "checkpoints.db"} <= set(left)
    assert b"***" in left["baseline.json"]
    left |= {"stdout": json.dumps(answer).encode(), "stderr": errors.encode()}
    told = [name for name, content in left.items() for secret in (TOKEN, VALUE) if secret.encode() in content]
    assert told == []
