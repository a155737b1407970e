"""What GridBot's own codes, errors and exit codes mean, and what the exit codes of any process do."""

from __future__ import annotations

from collections.abc import Mapping

from automation.incidents.records import Raised
from automation.tasks.explain.advice import Advice, Category

CODES: Mapping[str, Advice] = {
    "E001": Advice(
        Category.NETWORK,
        "E001: the exchange did not answer; a session reconnects by itself and reconciles its orders then.",
        (
            "`gridbot health` tells whether the exchange answers; `gridbot status` whether the session is back.",
            "Orders that were on their way are looked up and never sent twice; do not place them by hand.",
        ),
        "E001",
    ),
    "E002": Advice(
        Category.FUNDS,
        "E002: the account cannot pay for the order; the session makes its orders smaller.",
        (
            "Compare the free balance with `capital` (`gridbot sessions show NAME`): other orders may hold the money.",
            "Lower `capital`, or add funds.",
        ),
        "E002",
    ),
    "E003": Advice(
        Category.EXCHANGE,
        "E003: the exchange asked for a pause; requests wait in a queue until it is over.",
        ("It passes by itself. If it comes often, fewer bots should share this address.",),
        "E003",
    ),
    "E004": Advice(
        Category.DATA,
        "E004: a source of market data is silent or answers nonsense; the session falls back to asking by REST.",
        ("`gridbot status` shows when the last candle came; without any data nothing new is opened.",),
        "E004",
    ),
    "E005": Advice(
        Category.LOGIC,
        "E005: a signal agent raised an error or took too long; it is left out, and the others decide.",
        (
            "`gridbot agents` lists the agents with their problems; the session's log has the traceback.",
            "An agent of your own: run its tests with the candles of that moment.",
        ),
        "E005",
    ),
    "E006": Advice(
        Category.RISK,
        "E006: a risk rule, or the exchange, refuses the order.",
        (
            "`gridbot sessions show NAME` counts refusals by rule; `gridbot config show` shows the limits in force.",
            "A refusal by a limit is the limit at work: raise it only if you mean it.",
        ),
        "E006",
    ),
    "E007": Advice(
        Category.STATE,
        "E007: saved state, or what must always hold in the books, fails its own checks; the session stops to "
        "lose nothing.",
        (
            "`gridbot sessions show NAME` compares books and orders; a backup beside the journal can be restored.",
            "`gridbot fix --session NAME` repairs the core when the recording fails the same way again.",
        ),
        "E007",
    ),
}

EXIT_CODES: Mapping[int, Advice] = {
    0: Advice(Category.NOTHING, "0: the process ended well.", ("There is nothing to do.",), "exit-0"),
    1: Advice(
        Category.LOGIC,
        "1: it failed, or (of `gridbot fix`) nothing was fixed.",
        ("The reason stands in its last line on stderr; `gridbot … --debug` adds the traceback.",),
        "exit-1",
    ),
    2: Advice(
        Category.USAGE,
        "2: it was called with an option or a value that it does not take.",
        ("`gridbot COMMAND --help` shows what it takes. (pytest says 2 when it was interrupted.)",),
        "exit-2",
    ),
    3: Advice(
        Category.DATA,
        "3: GridBot refused: the data cannot be used as it is, or a rule forbids it.",
        ("Its sentence names the file or the limit; `gridbot data check FILE` looks at candles.",),
        "exit-3",
    ),
    4: Advice(
        Category.RISK,
        "4: trading was halted by a risk limit or a mismatch of the books (pytest: it was called wrongly).",
        ("`gridbot sessions show NAME` gives the reason and how the halt ends.",),
        "exit-4",
    ),
    5: Advice(
        Category.USAGE,
        "5: a change waits for a person's approval (pytest: no test was collected).",
        ("`gridbot runs list` shows it, `gridbot runs approve ID` lets it land.",),
        "exit-5",
    ),
    6: Advice(
        Category.NOTHING, "6: there was nothing to do, or nothing was found.", ("There is nothing to mend.",), "exit-6"
    ),
    124: Advice(
        Category.TIMEOUT,
        "124: `timeout` ended the process when its time was over.",
        ("Give it more time, or look at what it waits for.",),
        "exit-124",
    ),
    126: Advice(
        Category.FILES,
        "126: the file was found and may not be executed.",
        ("`chmod +x FILE`, and check its first line.",),
        "exit-126",
    ),
    127: Advice(
        Category.FILES,
        "127: the shell found no program of that name.",
        ("Check the spelling and PATH; a virtual environment may not be active.",),
        "exit-127",
    ),
    130: Advice(
        Category.INTERRUPTED,
        "130: a person pressed Ctrl-C (signal 2).",
        ("Nothing is wrong; interrupted work says what it kept, and `gridbot runs resume ID` goes on.",),
        "exit-130",
    ),
    134: Advice(
        Category.CRASH,
        "134: the process aborted itself (signal 6), as compiled libraries do when they meet a broken state.",
        ("`python -X faulthandler` shows where Python was; its stderr has the library's own words.",),
        "exit-134",
    ),
    137: Advice(
        Category.RESOURCE,
        "137: the process was killed (signal 9), most often by the system because memory ran out.",
        (
            "`dmesg | grep -i oom` tells whether it was memory; a container's or sandbox's limit counts too.",
            "Use less: shorter history, fewer workers, a smaller model; or raise `sandbox.memory_mb`.",
            "A session that was killed recovers from its journal when it is started again.",
        ),
        "exit-137",
    ),
    139: Advice(
        Category.CRASH,
        "139: the process touched memory that is not its own (signal 11, segmentation fault): a compiled library "
        "failed.",
        (
            "`python -X faulthandler` shows the Python line that called it.",
            "Update or reinstall that library; of numba's code, delete its cache and try NUMBA_DISABLE_JIT=1.",
        ),
        "exit-139",
    ),
    143: Advice(
        Category.INTERRUPTED,
        "143: the process was asked to end (signal 15), by a person, a service manager or a time limit.",
        ("Look at who ended it; a session ends in order on this signal.",),
        "exit-143",
    ),
}

_SAID = "GridBot says what is wrong and what to do in one sentence: {said}"
_OWN: Mapping[str, tuple[Category, str]] = {
    "UsageError": (Category.USAGE, "`gridbot COMMAND --help` shows what the command takes."),
    "DataError": (Category.DATA, "`gridbot data check FILE` shows every fault of a candle file."),
    "Refused": (Category.RISK, "It is a rule at work; change the setting that the sentence names only if you mean it."),
    "ConnectionLost": (Category.NETWORK, CODES["E001"].fixes[0]),
    "InsufficientFunds": (Category.FUNDS, CODES["E002"].fixes[0]),
    "FundsRejected": (Category.FUNDS, CODES["E002"].fixes[0]),
    "RateLimited": (Category.EXCHANGE, CODES["E003"].fixes[0]),
    "FeedFailed": (Category.DATA, CODES["E004"].fixes[0]),
    "AgentFailed": (Category.LOGIC, CODES["E005"].fixes[0]),
    "RiskRefused": (Category.RISK, CODES["E006"].fixes[0]),
    "OrderRejected": (Category.ORDER, CODES["E006"].fixes[0]),
    "StateCorrupt": (Category.STATE, CODES["E007"].fixes[0]),
    "InvariantBroken": (Category.STATE, CODES["E007"].fixes[1]),
    "LedgerMismatch": (Category.STATE, CODES["E007"].fixes[0]),
    "IllegalTransition": (Category.STATE, CODES["E007"].fixes[0]),
    "ConfigInvalid": (Category.CONFIGURATION, "`gridbot config automation` lists the names and their values."),
    "ModelUnavailable": (Category.MODEL, "`gridbot models health` tells which backend and model would answer."),
    "ModelFailed": (Category.MODEL, "`gridbot models health` looks at the backend; a smaller model may do."),
    "AnswerCut": (Category.MODEL, "Raise `max_tokens` of the role in automation_config.json."),
    "PromptTooLong": (Category.MODEL, "Raise `context` of the role in automation_config.json, or ask about less."),
    "BudgetSpent": (Category.MODEL, "The `budget` section of automation_config.json says how much may be spent."),
    "RepositoryUnusable": (Category.REPOSITORY, "Name the folder of a repository with --path."),
    "TargetUnknown": (Category.REPOSITORY, "`gridbot search NAME` finds how it is called."),
    "StaleSource": (Category.REPOSITORY, "Read the file anew and begin again."),
    "EditRefused": (Category.REPOSITORY, "Name one definition, by file and qualified name."),
    "WorkspaceFailed": (Category.REPOSITORY, "`gridbot health` looks at git, disk and the data home."),
    "SandboxUnavailable": (Category.REPOSITORY, "`gridbot health` says what the kernel allows."),
    "RunNotFound": (Category.USAGE, "`gridbot runs list` shows the ids."),
}


def own_advice(raised: Raised) -> Advice | None:
    """Return what one of GridBot's own errors means, None for any other."""
    name = raised.type.rpartition(".")[2]
    if name not in _OWN or raised.type.startswith("ccxt."):
        return None
    category, fix = _OWN[name]
    return Advice(category, _SAID.replace("{said}", " ".join(raised.message.split())), (fix,), name)


def exit_advice(code: int) -> Advice:
    """Return what an exit code means; negative ones are signals, as Python's subprocess has them."""
    shell = 128 - code if code < 0 else code
    known = EXIT_CODES.get(shell)
    if known is not None:
        return known
    if shell > 128:
        return Advice(
            Category.CRASH,
            f"{shell}: the process was ended by signal {shell - 128}.",
            ("`kill -l` names the signal; look for who sent it.",),
            "exit-signal",
        )
    return Advice(
        Category.UNKNOWN,
        f"{shell}: a code of the program's own.",
        ("Its documentation or its last lines say what it means.",),
        "exit-other",
    )
