"""The command line as a person or a script meets it: a real process, its streams and its exit code."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trading import errors

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = [sys.executable, "-m", "tests.automation.interfaces.sample_program"]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "GRIDBOT_HOME"}}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def run(*words: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words], cwd=cwd or ROOT, env=environment(**more), capture_output=True, text=True, timeout=60
    )


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *words], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def shown(*words: str) -> dict[str, object]:
    done = run("show", "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class TestOptions:
    def test_every_kind_of_field_arrives_as_the_request_says(self, tmp_path: Path) -> None:
        given = shown(
            "a.csv", "b.csv", "--symbol", "BTC/USDT", "--capital", "12.50", "--risk", "aggressive", "--rule", "touch",
            "--start", "2025-01-02T03:04", "--set", "a=1", "--set", "b=[1, 2]", "--candles", "7", "--allow-gaps",
            "--no-colour", "--home", str(tmp_path),
        )  # fmt: skip
        assert given == {
            "files": ["a.csv", "b.csv"],
            "symbol": "BTC/USDT",
            "capital": "12.50",
            "risk": "aggressive",
            "rule": "touch",
            "start": "2025-01-02T03:04:00",
            "sets": ["a=1", "b=[1, 2]"],
            "candles": 7,
            "allow_gaps": True,
            "colour": False,
            "home": str(tmp_path),
        }

    def test_what_is_not_given_keeps_the_default_of_the_request(self) -> None:
        given = shown()
        assert (given["files"], given["capital"], given["risk"], given["colour"]) == ([], "10000", "moderate", True)

    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            (["--capital", "-1"], ["--capital", "'-1'", "greater than 0", "quote currency"]),
            (["--candles", "many"], ["--candles", "'many'", "valid integer"]),
            (["--candles", "0"], ["--candles", "'0'", "greater than or equal to 1"]),
            (["--risk", "wild"], ["--risk", "wild", "conservative", "aggressive"]),
            (["--rule", "guess"], ["--rule", "guess", "penetration", "touch"]),
            (["--start", "someday"], ["--start", "'someday'", "datetime"]),
            (["--symbol", "BTC"], ["--symbol", "'BTC'", "must be BASE/QUOTE"]),
            (["--sybol", "BTC/USDT"], ["--sybol", "show --help"]),
            (["--capital"], ["--capital", "argument"]),
        ],
    )
    def test_a_bad_option_is_one_sentence_with_its_name(self, words: list[str], parts: list[str]) -> None:
        done = run("show", *words)
        assert done.returncode == errors.ExitCode.USAGE
        assert done.stdout == ""
        [sentence] = done.stderr.splitlines()
        assert sentence.startswith("gridbot: ")
        for part in parts:
            assert part in sentence

    def test_a_missing_argument_is_named(self) -> None:
        done = run("need")
        assert done.returncode == errors.ExitCode.USAGE
        [sentence] = done.stderr.splitlines()
        assert "SYMBOL" in sentence
        assert "gridbot need --help" in sentence

    def test_an_unknown_command_is_answered_with_the_nearest(self) -> None:
        done = run("shwo")
        assert done.returncode == errors.ExitCode.USAGE
        [sentence] = done.stderr.splitlines()
        assert "'show'" in sentence

    def test_global_options_work_before_between_and_after(self, tmp_path: Path) -> None:
        home = ["--home", str(tmp_path)]
        lines = (
            ["--json", *home, "data", "show"],
            ["data", "--json", *home, "show"],
            ["data", "show", *home, "--json"],
        )
        answers = [json.loads(run(*words).stdout) for words in lines]
        assert answers[0]["home"] == str(tmp_path)
        assert answers[0] == answers[1] == answers[2]

    def test_a_relative_home_becomes_absolute(self, tmp_path: Path) -> None:
        done = run("show", "--json", "--home", "here", cwd=tmp_path)
        assert json.loads(done.stdout)["home"] == str(tmp_path / "here")


class TestHelp:
    def test_the_front_page_lists_every_command_and_loads_no_request(self) -> None:
        done = run("--help")
        assert done.returncode == 0
        assert "data show" in done.stdout
        assert "Sample command flood." in done.stdout

    def test_a_command_shows_options_defaults_descriptions_and_examples(self) -> None:
        text = run("show", "--help", COLUMNS="200").stdout
        for part in (
            "--capital",
            "quote currency",
            "10000",
            "conservative",
            "--no-colour",
            "NAME=VALUE",
            "[such as BTC/USDT]",
        ):
            assert part in text
        assert text.count("--home") == 1
        assert "gridbot show --json" in text.partition("Examples:")[2]

    def test_no_words_show_the_front_page_and_a_group_shows_its_commands(self) -> None:
        assert run().stdout == run("--help").stdout
        group = run("data")
        assert group.returncode == 0
        assert "Sample command data show." in group.stdout

    def test_the_version_is_that_of_the_package(self) -> None:
        import trading

        assert run("--version").stdout == f"gridbot {trading.__version__}\n"

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_the_completion_script_of_a_shell(self, shell: str) -> None:
        done = run("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
        assert done.returncode == 0, done.stderr
        assert "_GRIDBOT_COMPLETE" in done.stdout

    @pytest.mark.parametrize(
        ("line", "offered"), [("gridbot sh", "show"), ("gridbot data ", "show"), ("gridbot show --ris", "--risk")]
    )
    def test_the_shell_is_offered_commands_and_options(self, line: str, offered: str) -> None:
        words = line.split(" ")
        done = run(_GRIDBOT_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
        assert offered in done.stdout.split()

    def test_choices_are_offered_to_the_shell(self) -> None:
        done = run(_GRIDBOT_COMPLETE="complete_bash", COMP_WORDS="gridbot show --risk ", COMP_CWORD="3")
        assert done.stdout.split() == ["conservative", "moderate", "aggressive"]


class TestResults:
    def test_text_goes_to_stdout_untouched_by_markup(self) -> None:
        done = run("show", "--symbol", "BTC/USDT")
        assert done.stdout == "[BTC/USDT] of 0 files\n"
        assert done.stderr == ""

    def test_a_long_cell_stays_whole_in_a_pipe(self) -> None:
        assert "/a/long/path/" + "x" * 100 in run("table").stdout

    def test_json_is_one_object_without_nan(self) -> None:
        done = run("strange", "--json")
        assert json.loads(done.stdout, parse_constant=pytest.fail) == {
            "nan": None, "list": [None, 1.5, {"deep": None}], "word": "Zürich", "none": None,
        }  # fmt: skip
        assert done.stdout.count("\n") == 1
        assert done.stderr == ""

    def test_the_result_says_the_exit_code(self) -> None:
        done = run("halt")
        assert (done.returncode, done.stdout) == (errors.ExitCode.HALTED, "halted by drawdown\n")

    @pytest.mark.parametrize("words", [["flood"], ["flood", "--json"], ["--help"]])
    def test_a_reader_that_leaves_early_hears_no_complaint(self, words: list[str]) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as closed:
            done = subprocess.run(
                [*PROGRAM, *words],
                cwd=ROOT,
                env=environment(),
                stdout=closed,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
            )
        assert done.stderr == ""
        assert done.returncode == errors.ExitCode.FAILED


class TestErrors:
    @pytest.mark.parametrize(
        "kind",
        sorted(
            name
            for name, kind in vars(errors).items()
            if isinstance(kind, type) and issubclass(kind, errors.GridBotError) and kind is not errors.GridBotError
        ),
    )
    def test_each_error_is_one_sentence_with_its_code_and_exit_code(self, kind: str) -> None:
        expected = getattr(errors, kind)
        done = run("fail", kind, "--json")
        code = f"[{expected.code}] " if expected.code else ""
        assert done.returncode == expected.exit_code
        assert done.stderr == f"gridbot: {code}{kind} happened in two lines; do this\n"
        assert json.loads(done.stdout) == {
            "error": {
                "type": kind,
                "code": expected.code,
                "message": f"{kind} happened in two lines; do this",
                "exit_code": int(expected.exit_code),
            }
        }

    def test_without_json_an_error_leaves_stdout_empty(self) -> None:
        assert run("fail", "DataError").stdout == ""

    def test_a_bug_is_one_sentence_that_names_debug(self) -> None:
        done = run("fail", "bug")
        assert done.returncode == errors.ExitCode.FAILED
        [sentence] = done.stderr.splitlines()
        assert "ZeroDivisionError" in sentence
        assert "--debug" in sentence

    def test_debug_adds_the_traceback(self) -> None:
        done = run("--debug", "fail", "bug")
        assert "Traceback (most recent call last)" in done.stderr
        assert "return Sample({" in done.stderr
        assert done.stderr.splitlines()[-1].startswith("gridbot: unexpected ZeroDivisionError")

    @pytest.mark.parametrize("words", [["lost"], ["lost", "--help"]])
    def test_a_command_that_cannot_be_loaded_is_one_sentence(self, words: list[str]) -> None:
        done = run(*words)
        assert done.returncode == errors.ExitCode.FAILED
        [sentence] = done.stderr.splitlines()
        assert "ModuleNotFoundError" in sentence

    def test_a_pipe_that_breaks_inside_a_command_is_not_mistaken_for_stdout(self) -> None:
        done = run("fail", "pipe")
        assert done.returncode == errors.ExitCode.FAILED
        assert "the exchange hung up" in done.stderr

    def test_a_bad_line_answers_in_json_when_asked(self) -> None:
        done = run("--json", "nonsense")
        assert json.loads(done.stdout)["error"]["exit_code"] == errors.ExitCode.USAGE
        assert done.returncode == errors.ExitCode.USAGE


class TestInterrupts:
    def interrupt(self, *words: str) -> tuple[int, str, str]:
        with start(*words) as process:
            assert process.stderr is not None
            while process.stderr.readline() != "ready\n":
                assert process.poll() is None, "the program ended before it was interrupted"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            return process.returncode, out, err

    def test_ctrl_c_says_what_was_kept(self) -> None:
        assert self.interrupt("wait") == (130, "", "gridbot: interrupted; kept 3 of 5 files\n")

    def test_ctrl_c_in_json(self) -> None:
        code, out, _ = self.interrupt("wait", "--json")
        assert code == 130
        assert json.loads(out)["error"]["message"] == "interrupted; kept 3 of 5 files"

    def test_a_command_may_answer_an_interrupt_with_a_result(self) -> None:
        assert self.interrupt("stop") == (130, "kept 3 of 5 files\n", "")

    def test_ctrl_c_ends_an_event_loop(self) -> None:
        assert self.interrupt("loop") == (130, "", "gridbot: interrupted\n")


class TestProgress:
    def on_a_terminal(self, *words: str) -> tuple[str, str]:
        """Return stdout and what a terminal on stderr was sent."""
        leader, follower = pty.openpty()
        with subprocess.Popen(
            [*PROGRAM, *words],
            cwd=ROOT,
            env=environment(TERM="xterm", COLUMNS="150"),
            stdout=subprocess.PIPE,
            stderr=follower,
            text=True,
        ) as process:
            os.close(follower)
            sent = bytearray()
            while True:
                try:
                    chunk = os.read(leader, 65_536)
                except OSError:  # the last writer has closed the terminal
                    break
                if not chunk:
                    break
                sent += chunk
            os.close(leader)
            assert process.stdout is not None
            return process.stdout.read(), sent.decode()

    def test_a_terminal_sees_label_amount_and_unit_on_stderr(self) -> None:
        out, err = self.on_a_terminal("count")
        assert out == "2000 sheep\n"
        assert "counting sheep" in err
        assert "/2,000 sheep" in err

    @pytest.mark.parametrize("flag", ["--quiet", "--json"])
    def test_quiet_and_json_show_none(self, flag: str) -> None:
        _, err = self.on_a_terminal("count", flag)
        assert err == ""

    def test_a_pipe_sees_no_bars(self) -> None:
        done = run("count")
        assert (done.stdout, done.stderr) == ("2000 sheep\n", "")
