"""The rules of the page clock, without a browser."""

from runner.page.clock import Checks, Reading, Stamp, Window, measure

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


def test_a_step_ends_when_the_element_that_it_waited_for_had_changed() -> None:
    effects = [Stamp("load", 100.9), Stamp("dom", 100.95)]
    reading = measure(WINDOW, 1.0, [Stamp("navigation", 100.1)], effects, checks=[Checks(100.97, 100.4, 0.0)])
    assert reading == Reading(seconds=0.3, clock="page", cause="navigation", ended_by="awaited", at=0.1)


def test_an_element_that_changed_after_the_last_failed_check_is_what_was_waited_for() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("dom", 100.95)], checks=[Checks(100.95, 100.9, 100.8)])
    assert (reading.seconds, reading.ended_by) == (0.8, "awaited")


def test_without_a_change_since_the_last_failed_check_the_step_ends_with_the_check_that_held() -> None:
    """The element has gone, or was waited for until a property, a style sheet or a value was another one."""
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("dom", 100.3)], checks=[Checks(100.95, 100.3, 100.8)])
    assert (reading.seconds, reading.ended_by) == (0.85, "awaited")


def test_an_element_that_was_there_before_the_click_ends_nothing() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.5)], [Stamp("dom", 100.9)], checks=[Checks(100.95, 100.2, 0.0)])
    assert (reading.seconds, reading.ended_by) == (0.4, "dom")


def test_what_is_waited_for_after_the_element_ends_the_step() -> None:
    checks = [Checks(100.2, 100.15, 0.0)]
    later = measure(WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("response", 100.9)], checks=checks)
    assert (later.seconds, later.ended_by) == (0.8, "response")
    causes = [Stamp("input", 100.1), Stamp("navigation", 100.96)]
    gone = measure(WINDOW, 1.0, causes, [Stamp("dom", 100.99)], checks=[Checks(100.95, 100.3, 0.0)])
    assert (gone.seconds, gone.ended_by) == (0.89, "dom")


def test_elements_that_are_too_many_to_look_at_end_the_step_with_its_last_effect() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("dom", 100.9)], checks=[Checks(100.95, None, 0.0)])
    assert (reading.seconds, reading.ended_by) == (0.8, "dom")


def test_the_slow_frame_that_draws_the_element_is_part_of_the_wait() -> None:
    reading = measure(
        WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("paint", 100.95)], checks=[Checks(100.95, 100.8, 0.0, 100.9)]
    )
    assert (reading.seconds, reading.ended_by) == (0.8, "paint")


def test_a_step_that_went_on_before_the_element_was_drawn_ends_with_its_change() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("dom", 100.8)], checks=[Checks(100.95, 100.8, 0.0, 101.2)])
    assert (reading.seconds, reading.ended_by) == (0.7, "awaited")


def test_a_slow_frame_of_something_else_is_not() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("paint", 100.94)], checks=[Checks(100.95, 100.3, 0.0)])
    assert (reading.seconds, reading.ended_by) == (0.2, "awaited")


def test_a_control_that_was_waited_for_counts_from_the_start_of_the_step() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.6)], [Stamp("dom", 100.9)], waiting=[100.02])
    assert reading == Reading(seconds=0.9, clock="page", cause="step", ended_by="dom", at=0.0, waited=0.6)


def test_a_wait_of_an_earlier_step_is_no_wait_for_this_steps_control() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.6)], [Stamp("dom", 100.9)], waiting=[99.9])
    assert (reading.seconds, reading.cause, reading.waited) == (0.3, "input", 0.0)


def test_an_input_is_never_the_last_effect() -> None:
    # The dom changed while it was typed, then a click drew on a canvas for half a second.
    effects = [Stamp("dom", 100.2), Stamp("input", 100.4)]
    assert measure(WINDOW, 0.9, [Stamp("input", 100.1)], effects) == Reading(seconds=0.9, clock="stopwatch")


def test_what_was_awaited_after_an_input_without_an_effect_ends_the_step() -> None:
    reading = measure(WINDOW, 1.0, [Stamp("input", 100.1)], [Stamp("input", 100.1)], checks=[Checks(100.95, 0.0, 100.9)])
    assert (reading.seconds, reading.clock, reading.ended_by) == (0.85, "page", "awaited")
