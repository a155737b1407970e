"""What the commands on candle files take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

_POSITIONAL: JsonDict = {"positional": True}
_SYMBOL = "BASE/QUOTE; else taken from the file's name"


class HomeRequest(BaseModel):
    """What every command takes that reads or writes the data folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path | None = Field(
        None, description="data folder; else GRIDBOT_HOME, the checkout's .gridbot or the user's data folder"
    )


class ImportRequest(HomeRequest):
    """Files to read into the store."""

    files: Annotated[list[Path], Field(min_length=1)] = Field(
        description="parquet, feather, CSV (also gzipped) or JSON files", json_schema_extra=_POSITIONAL
    )
    symbol: str | None = Field(None, description=_SYMBOL)
    timeframe: str | None = Field(None, description="candle length to store, such as 1h; else the file's own")


class ExportRequest(HomeRequest):
    """Stored candles to write as CSV."""

    symbol: str = Field(description="BASE/QUOTE, as in `data list`", json_schema_extra=_POSITIONAL)
    timeframe: str | None = Field(None, description="candle length, such as 1h; else the shortest that is stored")
    start: str | None = Field(None, description="first open time, ISO, UTC unless it has a zone")
    end: str | None = Field(None, description="open time at which to stop, ISO, itself not included")
    out: Path = Field(Path("exports"), description="folder of the CSV files")
    keep: Annotated[int, Field(ge=1)] | None = Field(
        None, description="newest exports of this symbol and timeframe that stay; else all"
    )


class CheckRequest(HomeRequest):
    """Candles to check."""

    targets: Annotated[list[str], Field(min_length=1)] = Field(
        description="candle files, or symbols in the store", json_schema_extra=_POSITIONAL
    )
    timeframe: str | None = Field(
        None, description="expected candle length; else found from a file's times, and all that are stored"
    )
    outlier_move: Annotated[float, Field(gt=0)] = Field(
        0.5, description="move between closes that is an outlier, share"
    )
    outlier_range: Annotated[float, Field(gt=1)] = Field(2.0, description="high over low that is an outlier, ratio")
    stuck_run: Annotated[int, Field(ge=2)] = Field(10, description="identical closes in a row that count as stuck")


class ListRequest(HomeRequest):
    """The store to list."""
