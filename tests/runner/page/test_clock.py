"""The rules of the page clock, without a browser."""

from runner.page.clock import Reading, Stamp, Window, measure

WINDOW = Window(100.0, 101.0)


def test_a_click_that_changes_the_page_lasts_from_the_click_to_the_change() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("dom", 100.46)])
    assert reading == Reading(seconds=0.36, clock="page", cause="input", ended_by="dom", at=0.1)


def test_a_navigation_lasts_from_its_start_to_the_load_event() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("navigation", 100.01)], [Stamp("load", 100.5), Stamp("dom", 100.4)])
    assert reading == Reading(seconds=0.49, clock="page", cause="navigation", ended_by="load", at=0.01)


def test_two_documents_in_one_step_count_from_the_first_to_the_last() -> None:
    causes = [Stamp("navigation", 100.5), Stamp("navigation", 100.1)]
    reading = measure(WINDOW, 1.0, causes, [Stamp("load", 100.4), Stamp("load", 100.9)])
    assert (reading.seconds, reading.cause) == (0.8, "navigation")


def test_a_click_that_loads_a_document_starts_with_the_click() -> None:
    causes = [Stamp("navigation", 100.12), Stamp("input", 100.1)]
    assert measure(WINDOW, 1.0, causes, [Stamp("load", 100.5)]).cause == "input"


def test_the_mouse_moving_to_the_button_is_not_the_cause() -> None:
    causes = [Stamp("move", 100.05), Stamp("input", 100.1)]
    assert measure(WINDOW, 1.0, causes, [Stamp("dom", 100.2)]).seconds == 0.1


def test_a_hover_that_opens_a_menu_starts_with_the_mouse_moving() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("move", 100.05)], [Stamp("dom", 100.2)])
    assert (reading.seconds, reading.cause) == (0.15, "input")


def test_what_happens_after_the_end_of_the_step_is_not_counted() -> None:
    effects = [Stamp("dom", 100.3), Stamp("dom", 101.01)]
    assert measure(WINDOW, 1.0, [Stamp("input", 100.1)], effects).seconds == 0.2


def test_what_happened_before_the_cause_is_not_its_effect() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.5)], [Stamp("dom", 100.2)])
    assert reading == Reading(seconds=1.0, clock="stopwatch")


def test_a_step_that_touches_no_page_has_its_stopwatch_time() -> None:
    assert measure(WINDOW, 0.998, [], []) == Reading(seconds=0.998, clock="stopwatch")


def test_a_step_that_only_waits_is_timed_to_the_change_it_waited_for() -> None:
    reading = measure(WINDOW, 1.0, [], [Stamp("dom", 100.4)])
    assert reading == Reading(seconds=0.4, clock="page", cause="step", ended_by="dom")


def test_a_long_wait_elsewhere_is_not_hidden_by_an_early_change_of_the_page() -> None:
    reading = measure(Window(100.0, 110.0), 10.0, [], [Stamp("dom", 100.01)])
    assert reading == Reading(seconds=10.0, clock="stopwatch")


def test_a_step_of_api_requests_has_its_stopwatch_time_whatever_the_page_does() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("request", 100.0)], [Stamp("dom", 100.01), Stamp("response", 100.9)])
    assert reading == Reading(seconds=1.0, clock="stopwatch")


def test_latency_is_never_above_the_stopwatch() -> None:
    assert measure(WINDOW, 0.5, [Stamp("input", 100.0)], [Stamp("dom", 100.9)]).seconds == 0.5
