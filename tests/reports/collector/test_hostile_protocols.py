"""The suite of benchmarks/hostile.py in small: every protocol, with good messages among hostile ones."""

from pathlib import Path

import pytest

from benchmarks.hostile import measure
from benchmarks.hostile_messages import KINDS
from tests.support.needs import needs


@needs("real_time")
def send(folder: Path, messages: int) -> dict[str, object]:
    """What was found when so many were sent to a new collector."""
    return measure(folder, messages)


@pytest.mark.thorough
def test_no_good_message_of_any_protocol_is_lost_among_hostile_ones(tmp_path: Path) -> None:
    found = send(tmp_path, 20 * len(KINDS))
    crowd = found["crowd"]
    assert (found["alive"], found["code"], found["tracebacks"], found["whole"]) == (True, 0, 0, "ok")
    assert found["missing"] == 0
    assert {name: set(statuses) for name, statuses in crowd.good.items()} == {  # type: ignore[attr-defined]
        "good_view": {"202"},
        "good_load": {"200"},
        "good_interaction": {"200"},
        "good_faro": {"202"},
        "good_report": {"202"},
        "good_chunk": {"202"},
        "good_event": {"200"},
    }
    assert min(len(found["loop"].late), len(found["loop"].cpu), len(found["idle"].late)) > 0  # type: ignore[attr-defined]
    wrong = {"500", "TimeoutError"}
    assert {name: wrong & set(one) for name, one in crowd.statuses.items() if wrong & set(one)} == {}  # type: ignore[attr-defined]
