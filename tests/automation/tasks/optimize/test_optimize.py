"""`optimize` from the workload to the branch: what is faster lands with its evidence, what is not is told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from automation.models.catalog import catalog_model
from automation.models.files import models_folder
from automation.pipeline.state import Status
from automation.tasks.optimize import candidates as candidate_module
from automation.tasks.optimize.commands import optimize
from automation.tasks.optimize.drafts import Draft, edits_between
from automation.tasks.optimize.requests import OptimizeRequest
from automation.tasks.optimize.results import OptimizeResult
from automation.tasks.optimize.workloads import workload_of
from tests.automation.pipeline.targets import branches, contents, git_run, plant
from trading.commands import result_of
from trading.errors import ExitCode, Refused, UsageError

SHOP = {
    "words.py": '''
        """Words."""


        def known_words(texts: list[str], known: list[str]) -> list[str]:
            """Return the words of texts that are known."""
            words = " ".join(texts).split()
            return [word for word in words if word in known]


        def lengths(words: list[str]) -> int:
            """Return how many letters words have."""
            count = 0
            for word in words:
                count = count + len(word)
            return count
        ''',
    "bench.py": """
        from words import known_words, lengths

        known = [f"w{i}" for i in range(700)]
        texts = [" ".join(f"w{(i * j) % 900}" for j in range(30)) for i in range(60)]
        for _ in range(4):
            lengths(known_words(texts, known))
        """,
    "test_words.py": """
        from words import known_words, lengths


        def test_known_words():
            assert known_words(["a b c", "d a"], ["a", "d"]) == ["a", "d", "a"]


        def test_lengths():
            assert lengths(["ab", "c"]) == 3
        """,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRIDBOT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return plant(tmp_path / "shop", SHOP)


def optimized(shop: Path, **wishes: object) -> OptimizeResult:
    asked = {"benchmark": "python bench.py", "model": "none", "max_minutes": 1.5, "pairs": 6, "functions": 1, **wishes}
    return result_of(optimize(OptimizeRequest(path=shop, **asked)))  # type: ignore[arg-type]


def shown(result: OptimizeResult) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(result.as_text())
    return captured.get()


def only(monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]) -> None:
    """Let the templates propose one rewrite that the test wrote."""

    def drafts(source: object, function: str, root: Path) -> list[Draft]:
        text = source.text  # type: ignore[attr-defined]
        after = text.replace(*change)
        return [Draft("template:own", "as told", "words.py", function, 1, edits_between(text, after))]

    monkeypatch.setattr(candidate_module, "template_drafts", drafts)


def test_a_slow_function_becomes_faster_on_a_branch_with_its_evidence(shop: Path, home: Path) -> None:
    before = contents(shop)
    result = optimized(shop, target="words.py")
    assert result.run is not None, result.reason
    assert (result.exit_code, result.run.status) == (ExitCode.DONE, Status.LANDED)
    (branch,) = branches(shop)
    assert branch == f"gridbot/optimize-{result.run.run_id}"
    assert "known_set = set(known)" in git_run(shop, "show", f"{branch}:words.py")
    assert {name: text for name, text in contents(shop).items() if not name.startswith(".git")} == {
        name: text for name, text in before.items() if not name.startswith(".git")
    }
    assert result.profile.functions[0].name == "known_words"
    assert result.profile.functions[0].share > 0.5
    workload = result.evidence["workload"]
    assert isinstance(workload, dict)
    assert workload["after_s"] < workload["before_s"]
    assert workload["low"] >= 0.01
    assert "known is made a set first" in git_run(shop, "log", "-1", "--format=%B", branch)
    assert json.loads(json.dumps(result.as_json()))["run"]["kind"] == "optimize"
    text = shown(result)
    assert "known_words" in text
    assert "accepted" in text
    assert not list((home / "work").glob("optimize-*"))


@pytest.mark.slow
def test_a_faster_but_wrong_rewrite_is_refused(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, (".join(texts)", ".join(texts[:50])"))
    result = optimized(shop)
    assert (result.exit_code, result.run) == (ExitCode.NOTHING_TO_DO, None)
    (attempt,) = result.attempts
    assert attempt.fate.startswith("differs: ")
    assert branches(shop) == []


@pytest.mark.slow
def test_a_rewrite_without_a_gain_is_refused(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, ("count = count + len(word)", "count += len(word)"))
    result = optimized(shop, functions=2)
    assert (result.exit_code, result.run) == (ExitCode.NOTHING_TO_DO, None)
    assert result.reason
    assert not any(attempt.accepted for attempt in result.attempts)
    assert "nothing changed" in shown(result)


@pytest.mark.slow
def test_tests_are_a_workload(shop: Path) -> None:
    (shop / "test_much.py").write_text(
        "from words import known_words\n\n\ndef test_much():\n    known = [str(i) for i in range(900)]\n"
        "    assert len(known_words([' '.join(known)] * 9, known)) == 8_100\n",
        encoding="utf-8",
    )
    result = optimized(shop, benchmark=None, test="test_much.py", max_minutes=2)
    assert result.run is not None, result.reason
    assert result.run.status is Status.LANDED
    assert result.workload == "test_much.py"


@pytest.mark.slow
def test_without_a_workload_the_tests_that_name_the_target_are_timed(shop: Path) -> None:
    (shop / "test_other.py").write_text("def test_other():\n    assert True\n", encoding="utf-8")
    result = optimized(shop, benchmark=None, target="lengths")
    assert result.workload.startswith("the tests that name ")
    assert {each.name for each in result.profile.functions} <= {"lengths", "known_words"}
    assert result.exit_code is ExitCode.NOTHING_TO_DO


@pytest.mark.slow
def test_a_target_keeps_other_functions_out(shop: Path) -> None:
    result = optimized(shop, target="lengths")
    assert result.exit_code is ExitCode.NOTHING_TO_DO
    assert all(attempt.function == "lengths" for attempt in result.attempts)


def test_a_workload_that_fails_is_refused(shop: Path, home: Path) -> None:
    (shop / "bench.py").write_text("raise KeyError('close')\n", encoding="utf-8")
    with pytest.raises(Refused, match=r"bench\.py raises KeyError: 'close'"):
        optimized(shop)
    assert not list((home / "work").glob("optimize-*"))


def test_workloads_are_read_from_the_command_line(shop: Path) -> None:
    def named(**wishes: str) -> tuple[object, ...]:
        found = workload_of(OptimizeRequest(path=shop, **wishes), shop)  # type: ignore[arg-type]
        return found.kind, found.name, found.arguments

    assert named(benchmark="python bench.py --size 3") == ("script", "bench.py", ("--size", "3"))
    assert named(benchmark="python3 -m words x") == ("module", "words", ("x",))
    assert named(command="gridbot data check x.csv") == ("module", "automation.cli", ("data", "check", "x.csv"))
    assert named(test="test_words.py::test_lengths") == ("tests", "", ("test_words.py::test_lengths",))
    for wrong in ({"benchmark": "make bench"}, {"benchmark": "python nowhere.py"}, {"benchmark": "python 'x"}):
        with pytest.raises(UsageError):
            named(**wrong)
    with pytest.raises(UsageError, match="three workloads"):
        named(benchmark="python bench.py", test="x")


@pytest.mark.slow
def test_a_real_model_rewrites_whole_functions_and_they_are_judged_like_all_others(shop: Path) -> None:
    known = catalog_model("qwen2.5-coder:0.5b")
    assert known is not None
    file = models_folder() / known.filename
    if not file.is_file():
        pytest.skip("qwen2.5-coder:0.5b is not here; get it with `gridbot models pull qwen2.5-coder:0.5b`")
    result = optimized(shop, model=str(file), samples=1, max_minutes=5)
    own = [each for each in result.attempts if each.proposer.startswith("function:")]
    assert own, [each.proposer for each in result.attempts]
    # a busy machine may leave the model too little time, which is told in its place
    assert all(each.fate for each in own)
    assert any(each.accepted for each in result.attempts), [each.fate for each in result.attempts]
