"""``python -m trading.brokers.exchange_server``: the exchange in a process of its own, one JSON line with its address.

It takes one option for each field of ``ExchangeRequest`` (``--port 0 --lockstep true --balance USDT=10000``), prints
``{"url": ..., ...}`` once it can be reached, and ends with exit code 0 on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from types import FrameType

from pydantic import ValidationError

from trading.brokers.exchange_command import ExchangeRequest, exchange
from trading.commands import News
from trading.errors import ExitCode, GridBotError

_REPEATABLE = ("symbol", "candles", "balance", "fault")


def main(arguments: list[str] | None = None) -> int:
    """Run the exchange until a signal ends it, and return the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        None takes the process's own.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        for step in exchange(_request(arguments)):
            if isinstance(step, News):
                sys.stdout.write(json.dumps(dict(step.data)) + "\n")
                sys.stdout.flush()
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except GridBotError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    return int(ExitCode.DONE)


def _request(arguments: list[str] | None) -> ExchangeRequest:
    parser = argparse.ArgumentParser(prog="python -m trading.brokers.exchange_server", description=__doc__)
    for name, field in ExchangeRequest.model_fields.items():
        option = f"--{name.replace('_', '-')}"
        # None stands for "not given", so that the model knows which fields were set.
        if name in _REPEATABLE:
            parser.add_argument(option, action="append", help=field.description)
        else:
            parser.add_argument(option, nargs="?", const="true", help=field.description)
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    try:
        return ExchangeRequest.model_validate(given)
    except ValidationError as error:
        problem = error.errors()[0]
        parser.error(f"--{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
