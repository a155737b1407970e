"""Settings from every source, their order, and the one sentence that a mistake gets."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trading
from trading.errors import UsageError
from trading.profiles import PROFILES, profile_in_force
from trading.setting_sources import data_home, load_settings, settings_with_sources
from trading.settings import GridSettings, RiskProfile, Settings, setting_names

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work where no gridbot.toml lies about."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write(text: str, name: str = "gridbot.toml") -> Path:
    file = Path(name)
    file.write_text(text, encoding="utf-8")
    return file


def answer(overrides: list[str]) -> Settings | str:
    """Return the settings, or the sentence that refuses them; any other error fails the test."""
    try:
        return load_settings(overrides)
    except UsageError as error:
        return str(error)


class TestSources:
    def test_without_any_source_all_is_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("GRIDBOT_HOME")
        settings, sources = settings_with_sources()
        assert settings == Settings()
        assert sources == {}

    def test_each_source_wins_over_the_one_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("[grid]\nspacing = 0.01\nbuy_levels = 5\nsell_levels = 6\nentry_levels = 1\n")
        monkeypatch.setenv("GRIDBOT_GRID__BUY_LEVELS", "7")
        monkeypatch.setenv("GRIDBOT_GRID__SELL_LEVELS", "8")
        settings, sources = settings_with_sources(["grid.sell_levels=9"])
        grid = settings.grid
        assert (grid.spacing, grid.buy_levels, grid.sell_levels, grid.entry_levels) == (0.01, 7, 9, 1)
        assert sources["grid.spacing"] == "gridbot.toml, line 2"
        assert sources["grid.buy_levels"] == "environment GRIDBOT_GRID__BUY_LEVELS"
        assert sources["grid.sell_levels"] == "--set grid.sell_levels"
        assert "grid.activation" not in sources

    def test_symbol_capital_and_risk_win_over_set(self) -> None:
        settings = load_settings(
            ["capital=5", "risk=conservative"], symbol="BTC/USDT", capital="7.5", risk="aggressive"
        )
        assert settings.symbol == "BTC/USDT"
        assert settings.capital == Decimal("7.5")
        assert settings.risk is RiskProfile.AGGRESSIVE

    def test_capital_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GRIDBOT_CAPITAL", "250.25")
        assert load_settings().capital == Decimal("250.25")

    def test_variables_of_others_do_not_disturb(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("GRIDBOT_LIVE", "GRIDBOT_MODELS__CACHE", "GRIDBOT_EXAMPLES"):
            monkeypatch.setenv(name, "yes")
        assert load_settings().capital == Decimal(10_000)

    def test_plain_settings_read_neither_file_nor_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("capital = 1\n")
        monkeypatch.setenv("GRIDBOT_CAPITAL", "2")
        assert Settings().capital == Decimal(10_000)
        assert Settings(grid=GridSettings(spacing=0.02)).grid.spacing == 0.02

    def test_a_named_file_replaces_the_one_of_the_folder(self) -> None:
        write("capital = 1\n[grid]\nspacing = 0.01\n")
        other = write("[grid]\nbuy_levels = 3\n", "other.toml")
        settings = load_settings(path=other)
        assert (settings.capital, settings.grid.spacing, settings.grid.buy_levels) == (Decimal(10_000), None, 3)

    def test_the_example_file_is_valid_with_every_line_in_use(self) -> None:
        text = (ROOT / "gridbot.example.toml").read_text(encoding="utf-8")
        assert load_settings(path=ROOT / "gridbot.example.toml").symbol == "BTC/USDT"
        head, _, rest = text.partition("\n\n")
        in_use = re.sub(r"^# (?=\[|\w+ = )", "", rest, flags=re.MULTILINE)
        settings = load_settings(path=write(in_use, "all.toml"))
        assert (settings.grid.spacing, settings.signals.weights) == (0.01, {"momentum": 2.0})
        assert settings.market.tick_size == Decimal("0.01")
        assert head.startswith("#")


class TestSet:
    @pytest.mark.parametrize(
        ("text", "section", "name", "value"),
        [
            ("grid.spacing=0.01", "grid", "spacing", 0.01),
            (" grid.spacing = 0.01 ", "grid", "spacing", 0.01),
            ("grid.spacing=none", "grid", "spacing", None),
            ("market.tick_size=0.10", "market", "tick_size", Decimal("0.10")),
            ("market.fee_in_base=true", "market", "fee_in_base", True),
            ("fills.rule=touch", "fills", "rule", "touch"),
            ("signals.agents=momentum, regime", "signals", "agents", ("momentum", "regime")),
            ('signals.agents=["momentum"]', "signals", "agents", ("momentum",)),
            ("signals.weights.momentum=2", "signals", "weights", {"momentum": 2.0}),
            ('signals.weights={"a": 1, "b": 0.5}', "signals", "weights", {"a": 1.0, "b": 0.5}),
            ("orders.blackouts=13:25-13:40", "orders", "blackouts", ("13:25-13:40",)),
        ],
    )
    def test_texts_become_values(self, text: str, section: str, name: str, value: object) -> None:
        found = getattr(getattr(load_settings([text]), section), name)
        assert found == value
        assert type(found) is type(value)

    def test_a_mapping_takes_values_as_they_are(self) -> None:
        settings = load_settings({"grid.spacing": 0.02, "signals": {"weights": {"regime": 3}}})
        assert settings.grid.spacing == 0.02
        assert settings.signals.weights == {"regime": 3.0}

    def test_weights_of_several_sources_add_up(self) -> None:
        write("[signals]\nweights = { momentum = 2.0, regime = 1.0 }\n")
        assert load_settings(["signals.weights.regime=4"]).signals.weights == {"momentum": 2.0, "regime": 4.0}

    def test_the_last_of_two_wins(self) -> None:
        assert load_settings(["grid.spacing=0.01", "grid.spacing=0.02"]).grid.spacing == 0.02

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("grid.spacng=1", ["no setting grid.spacng", "did you mean grid.spacing?"]),
            ("spacing=1", ["no setting spacing", "did you mean grid.spacing?"]),
            ("qqq.zzz=1", ["no setting qqq.zzz", "gridbot config show"]),
            ("grid=1", ["grid", "is a section", "grid.buy_levels"]),
            ("grid.spacing", ["not name=value", "--set grid.spacing=0.01"]),
            ("=1", ["not name=value"]),
            ("grid.spacing=9", ["grid.spacing", "'9'", "over 0 and at most 0.5", "distance between levels"]),
            ("grid.spacing=nan", ["grid.spacing", "'nan'", "over 0 and at most 0.5"]),
            ("grid.buy_levels=2.5", ["grid.buy_levels", "'2.5'", "at least 1 and at most 64"]),
            ("size.order_share=lots", ["size.order_share", "'lots'", "valid number"]),
            ("market.tick_size=0", ["market.tick_size", "'0'", "greater than 0"]),
            ("capital=-1", ["capital", "'-1'", "greater than 0"]),
            ("capital=1e999999", ["capital", "'1e999999'", "between 1e-30 and 1e30"]),
            ("market.lot_size=1e-999999", ["market.lot_size", "'1e-999999'", "between 1e-30 and 1e30"]),
            ("orders.retry_candles=9223372036854775808", ["orders.retry_candles", "less than or equal to 1000000000"]),
            (
                "limits.cooldown_candles=9223372036854775807",
                ["limits.cooldown_candles", "less than or equal to"],
            ),
            ("signals.weights.momentum=inf", ["signals.weights.momentum", "'inf'"]),
            ("risk=wild", ["risk", "'wild'", "conservative", "aggressive"]),
            ("fills.rule=guess", ["fills.rule", "'guess'", "penetration", "touch"]),
            ("signals.weights={bad", ["signals.weights", "not valid JSON"]),
            ("signals.weights.momentum=-2", ["signals.weights.momentum", "'-2'"]),
            ("grid.spacing.deep=1", ["no setting grid.spacing.deep"]),
        ],
    )
    def test_a_mistake_is_one_sentence(self, text: str, parts: list[str]) -> None:
        with pytest.raises(UsageError) as caught:
            load_settings([text])
        for part in ["--set", *parts]:
            assert part in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_very_long_value_is_shown_by_its_beginning(self) -> None:
        found = answer(["grid.spacing=" + "7" * 5_000])
        assert isinstance(found, str)
        assert "'7777" in found
        assert len(found) < 400

    def test_a_value_and_a_part_of_it_cannot_both_be_set(self) -> None:
        with pytest.raises(UsageError, match="keep one"):
            load_settings(["signals.weights=3", "signals.weights.momentum=2"])

    @given(st.text(max_size=30))
    def test_no_text_gets_anything_but_settings_or_a_usage_error(self, text: str) -> None:
        assert isinstance(answer([text]), Settings | str)

    @given(st.sampled_from(setting_names()), st.text(max_size=12) | st.integers().map(str) | st.floats().map(str))
    def test_no_value_gets_anything_but_settings_or_its_own_name(self, name: str, value: str) -> None:
        found = answer([f"{name}={value}"])
        assert isinstance(found, Settings) or name in found

    @pytest.mark.parametrize("name", [name for name in setting_names() if name not in {"symbol", "home"}])
    def test_nan_is_never_a_setting(self, name: str) -> None:
        found = answer([f"{name}=nan"])
        if isinstance(found, Settings):
            section, _, key = name.rpartition(".")
            value = getattr(getattr(found, section) if section else found, key)
            assert value == ("nan",), f"{name} accepts nan"


class TestFile:
    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("capital = 500\n[grid]\n# note\nspacing = 7.0\n", ["grid.spacing", "7.0", "gridbot.toml, line 4", "0.5"]),
            ("[grid]\nspacin = 0.1\n", ["grid.spacin", "gridbot.toml, line 2", "did you mean grid.spacing?"]),
            ("capital = 1\n[grid\n", ["gridbot.toml, line 2", "not valid TOML"]),
            ('\n\nsymbol = "BTC', ["gridbot.toml, line 3", "not valid TOML"]),
            ("grid.spacing = 7.0\n", ["grid.spacing", "gridbot.toml, line 1"]),
            ("capital = 1\n\n[nonsense]\na = 1\n", ["nonsense.a", "gridbot.toml, line 4"]),
            ("capital = nan\n", ["capital", "gridbot.toml, line 1"]),
            ("capital = 1\n[signals]\nweights.regime = -1\n", ["signals.weights.regime", "gridbot.toml, line 3"]),
            ("[signals]\nweights = { regime = -1 }\n", ["signals.weights.regime", "gridbot.toml, line 2"]),
            ("capital = 1\n[signals.weights]\nregime = -1\n", ["signals.weights.regime", "gridbot.toml, line 3"]),
            ("capital = 1\n\ngrid = 3\n", ["grid", "is a section", "gridbot.toml, line 3"]),
        ],
    )
    def test_a_mistake_is_one_sentence_with_file_and_line(self, text: str, parts: list[str]) -> None:
        write(text)
        with pytest.raises(UsageError) as caught:
            load_settings()
        for part in parts:
            assert part in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_file_that_is_named_must_be_there(self) -> None:
        with pytest.raises(UsageError, match=r"nope\.toml.*No such file"):
            load_settings(path=Path("nope.toml"))

    def test_a_file_that_is_not_text(self) -> None:
        Path("gridbot.toml").write_bytes(b"capital = 1\n\xff\xfe")
        with pytest.raises(UsageError, match="UTF-8"):
            load_settings()


class TestEnvironment:
    def test_an_unknown_name_in_a_known_section(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GRIDBOT_GRID__SPACIN", "0.1")
        with pytest.raises(UsageError, match=r"GRIDBOT_GRID__SPACIN.*did you mean grid\.spacing"):
            load_settings()

    def test_a_list_that_is_not_json(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GRIDBOT_SIGNALS__AGENTS", "momentum")
        with pytest.raises(UsageError, match=r"environment GRIDBOT_SIGNALS.*JSON"):
            load_settings()

    def test_a_bad_value_names_its_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GRIDBOT_CAPITAL", "lots")
        with pytest.raises(UsageError, match=r"capital.*environment GRIDBOT_CAPITAL"):
            load_settings()


class TestHome:
    def test_an_argument_wins_over_the_environment(self, tmp_path: Path, own_home: Path) -> None:
        assert data_home(tmp_path / "given") == tmp_path / "given"
        assert data_home() == own_home

    def test_relative_and_tilde_become_absolute(self, monkeypatch: pytest.MonkeyPatch, empty_folder: Path) -> None:
        monkeypatch.setenv("HOME", "/home/someone")
        assert data_home(Path("here")) == empty_folder / "here"
        assert data_home(Path("~/bot")) == Path("/home/someone/bot")

    def test_the_file_is_asked_before_the_checkout(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("GRIDBOT_HOME")
        write(f"home = '{tmp_path / 'filed'}'\n")
        assert data_home() == tmp_path / "filed"

    def test_a_home_that_is_no_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("GRIDBOT_HOME")
        write("capital = 1\nhome = 5\n")
        with pytest.raises(UsageError, match=r"home in gridbot\.toml, line 2"):
            data_home()

    def test_a_checkout_keeps_its_data_in_its_own_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("GRIDBOT_HOME")
        assert data_home() == ROOT / ".gridbot"

    def test_it_is_only_named_not_made(self, own_home: Path) -> None:
        data_home()
        assert not own_home.exists()


class TestPackage:
    def test_public_names_load_on_demand(self) -> None:
        assert trading.Settings is Settings
        assert trading.load_settings is load_settings
        assert set(trading.__all__) <= set(dir(trading))
        for name in trading.__all__:
            assert getattr(trading, name).__name__ == name

    @pytest.mark.parametrize("package", ["trading", "trading.exchange", "trading.market", "trading.signals"])
    def test_every_package_hands_on_exactly_what_it_names(self, package: str) -> None:
        module = import_module(package)
        for name in module.__all__:
            assert getattr(module, name).__module__.startswith((package, "builtins"))
        with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nonsense'"):
            _ = module.nonsense


class TestProfile:
    @pytest.mark.parametrize("risk", RiskProfile)
    def test_without_pins_the_profile_holds(self, risk: RiskProfile) -> None:
        assert profile_in_force(Settings(risk=risk)) == PROFILES[risk]

    @pytest.mark.parametrize(
        ("setting", "field", "value"),
        [
            ("limits.max_drawdown", "max_drawdown", 0.2),
            ("limits.min_confidence", "min_confidence", 0.0),
            ("limits.daily_loss", "daily_loss", 0.01),
            ("limits.max_exposure", "max_exposure", 0.3),
            ("limits.stop_loss", "stop_loss", 0.0),
            ("limits.take_profit", "take_profit", 0.0),
            ("trail.base", "base_trail", 0.03),
            ("grid.buy_levels", "buy_levels", 3),
            ("grid.sell_levels", "sell_levels", 0),
        ],
    )
    def test_a_pin_takes_the_place_of_the_profile_and_of_nothing_else(
        self, setting: str, field: str, value: float
    ) -> None:
        pinned = profile_in_force(load_settings({setting: value}))
        assert pinned == replace(PROFILES[RiskProfile.MODERATE], **{field: value})
