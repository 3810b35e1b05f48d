"""A vital is observed once, when it is final."""

from reports.collector.metrics.settling import Held, Settling


def held(value: float, name: str = "lcp") -> Held:
    return Held("shop", "/", name, value, "session")


def test_a_value_that_is_told_again_takes_the_place_of_the_first() -> None:
    given: list[Held] = []
    settling = Settling(30, given.append)
    settling.hold("view", [held(1.0)], 0)
    settling.hold("view", [held(2.0)], 20)
    settling.settle(40)
    assert given == []
    settling.settle(51)
    assert [one.value for one in given] == [2.0]


def test_a_view_that_has_ended_is_final() -> None:
    given: list[Held] = []
    settling = Settling(30, given.append)
    settling.hold("view", [held(1.0)], 0)
    settling.hold("view", [held(0.1, "cls")], 1, ended=True)
    assert sorted(one.name for one in given) == ["cls", "lcp"]


def test_a_value_that_comes_after_it_was_observed_is_not_observed_again() -> None:
    given: list[Held] = []
    settling = Settling(30, given.append)
    settling.hold("view", [held(1.0)], 0, ended=True)
    settling.hold("view", [held(9.0), held(0.3, "inp")], 1, ended=True)
    assert [(one.name, one.value) for one in given] == [("lcp", 1.0), ("inp", 0.3)]


def test_no_more_views_are_held_than_allowed_and_none_is_lost() -> None:
    given: list[Held] = []
    settling = Settling(30, given.append, views=10, remembered=20)
    for number in range(1000):
        settling.hold(f"view-{number}", [held(1.0)], number / 1000)
    assert (len(settling), len(given)) == (10, 990)
    settling.finish()
    assert (len(settling), len(given)) == (0, 1000)


def test_something_counts_the_first_time_only() -> None:
    settling = Settling(30, lambda _: None)
    assert [
        settling.first("a", "load"),
        settling.first("a", "load"),
        settling.first("a", "view"),
        settling.first("b", "load"),
    ] == [
        True,
        False,
        True,
        True,
    ]
