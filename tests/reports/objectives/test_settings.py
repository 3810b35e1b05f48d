"""Objectives in the settings."""

from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from runner.settings.sections.objectives import Objective

WRITTEN = """
[slo.checkout]
journeys = ["buy", "pay*"]
objective = "99.5%"
window = "28d"

[slo.fast-payment]
journeys = "buy"
objective = "95 %"
step = "pay"
under = "800ms"
"""


def test_objectives_are_written_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text(WRITTEN)
    assert load_settings(tmp_path, {}, {}).slo == (
        Objective(name="checkout", journeys=("buy", "pay*"), target=0.995, window=28 * 86_400),
        Objective(name="fast-payment", journeys=("buy",), target=0.95, step="pay", under=0.8),
    )


def test_the_variable_has_the_same_text() -> None:
    text = 'checkout = { journeys = ["buy"], objective = "99.9%" }'
    assert load_settings(Path("/"), {}, {"JOURNEY_SLO": text}).slo[0].allowed == 0.001


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('slo = "x', "cannot be read as TOML"),
        ("slo = 5", "slo: 5 is not a table; write a table [slo.NAME]"),
        ("[slo]\nbuy = 5", "slo: buy: 5 is not a table; write [slo.buy]"),
        ('[slo."Check out"]\njourneys = ["buy"]', "'Check out' is not a name of an objective; use at most 63 lower-case"),
        ('[slo.x]\nobjective = "99%"', "x: journeys is missing; add a line such as journeys"),
        ('[slo.x]\njourneys = ["buy"]', 'x: objective is missing; add a line such as objective = "99.5%"'),
        ('[slo.x]\njourneys = []\nobjective = "99%"', "x.journeys: [] is not a list of names"),
        ('[slo.x]\njourneys = [5]\nobjective = "99%"', "x.journeys: [5] is not a list of names"),
        ('[slo.x]\njourneys = "buy"\nobjective = 99.5', "x.objective: 99.5 is not a share; write a percentage such as '99.5%'"),
        ('[slo.x]\njourneys = "buy"\nobjective = "100%"', "leaves no run that may fail"),
        ('[slo.x]\njourneys = "buy"\nobjective = "101%"', "leaves no run that may fail"),
        ('[slo.x]\njourneys = "buy"\nobjective = "50%"', "write more than 50%"),
        ('[slo.x]\njourneys = "buy"\nobjectiv = "99%"', "x.objectiv is not a key; did you mean objective?"),
        ('[slo.x]\njourneys = "buy"\nobjective = "99%"\nwindow = "90m"', "x.window: '90m' is not a window"),
        ('[slo.x]\njourneys = "buy"\nobjective = "99%"\nwindow = "500d"', "x.window: '500d' is not a window"),
        ('[slo.x]\njourneys = "buy"\nobjective = "99%"\nwindow = "a month"', "x.window: 'a month' is not a duration"),
        ('[slo.x]\njourneys = "buy"\nobjective = "99%"\nunder = "1s"', "x: step is missing"),
        ('[slo.x]\njourneys = "buy"\nobjective = "99%"\nstep = "pay"', "x: under is missing"),
        ('[slo.x]\njourneys = "buy"\nobjective = "99%"\nstep = "pay"\nunder = 0', "x.under: 0 is too short"),
        ('[slo.x]\njourneys = "buy"\nobjective = "99%"\nstep = 5\nunder = 1', "x.step: 5"),
    ],
)
def test_what_is_wrong_is_said_with_its_key_and_the_fix(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "journey.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_settings(tmp_path, {}, {})
    assert message in str(raised.value)
    assert str(tmp_path / "journey.toml") in str(raised.value)
