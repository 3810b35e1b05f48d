"""What a visitor did, told from what only accompanies it."""

from typing import Any

import pytest

from reports.codegen.action import RecordedAction
from reports.codegen.actions import reduce_to_actions
from runner.errors import RecordingError
from tests.reports.replay.from_session.tape import MASK, SITE, Tape, element, recording, text

FORM = (
    element(10, "label", text(11, "Email"), for_="email"),
    element(12, "input", type="email", id="email", name="email"),
    element(13, "input", type="checkbox", name="news"),
    element(14, "select", element(15, "option"), element(16, "option"), name="size"),
    element(17, "button", text(18, "Send"), type="submit"),
    element(19, "div"),
    element(20, "input", type="radio", name="pay", value="card"),
    element(21, "a", text(22, "Tea"), href="/tea"),
)


def told(*tapes: Tape) -> list[str]:
    """The actions in short."""
    return [short(one) for one in reduce_to_actions(recording(*tapes))]


def short(action: RecordedAction) -> str:
    where = f" {action.node}" if action.node else f" {action.url.removeprefix(SITE)}" if action.url else ""
    onward = f" -> {action.leads_to.removeprefix(SITE)}" if action.leads_to else ""
    return f"{action.kind}{where}{onward}"


def test_what_is_typed_letter_by_letter_is_filled_in_once_with_the_last_text() -> None:
    tape = Tape().page("/", *FORM).type(12, "t").type(12, "te").type(12, "tea")
    (_, fill) = reduce_to_actions(recording(tape))
    assert (fill.kind, fill.text) == ("fill", "tea")


def test_a_masked_text_is_not_taken_for_what_was_typed() -> None:
    (_, fill) = reduce_to_actions(recording(Tape().page("/", *FORM).type(12, MASK)))
    assert fill.text is None


def test_the_click_into_a_field_that_is_then_filled_in_is_left_out() -> None:
    tape = Tape().page("/", *FORM).click(12, role="textbox").type(12).act("change", 12, role="textbox", name="Email")
    assert told(tape) == ["goto /", "fill 12"]


def test_a_click_on_a_label_that_ticks_a_box_is_one_check() -> None:
    label = element(30, "label", text(31, "News"), element(32, "input", type="checkbox"))
    tape = Tape().page("/", label).mouse(31).mouse(32, after=1).act("click", 32, 1, role="checkbox")
    tape.type(32, "on", 1, isChecked=True).act("change", 32, 1, role="checkbox", checked=True)
    assert told(tape) == ["goto /", "check 32"]


def test_a_box_that_is_ticked_and_unticked_again_is_unchecked_once() -> None:
    tape = Tape().page("/", *FORM).type(13, "on", isChecked=True).type(13, "on", isChecked=False)
    assert told(tape) == ["goto /", "uncheck 13"]


def test_only_the_radio_button_that_was_chosen_counts() -> None:
    tape = Tape().page("/", *FORM, element(40, "input", type="radio", name="pay")).type(20, "on", isChecked=True)
    assert told(tape.type(40, "on", 0, isChecked=False)) == ["goto /", "check 20"]


def test_an_option_is_chosen_by_its_place() -> None:
    tape = Tape().page("/", *FORM).click(14, role="combobox").type(14, MASK).act("change", 14, 1, role="combobox", index=1)
    found = reduce_to_actions(recording(tape))
    assert [(one.kind, one.index) for one in found] == [("goto", None), ("select", 1)]


def test_a_click_that_leads_to_another_page_is_no_address_that_was_opened() -> None:
    assert told(Tape().page("/", *FORM).click(21, role="link").page("/tea")) == ["goto /", "click 21 -> /tea"]


def test_where_the_site_sends_one_on_is_where_the_click_led() -> None:
    tape = Tape().page("/", *FORM).click(21, role="link").page("/tea", after=200).page("/tea/green", after=300)
    assert told(tape) == ["goto /", "click 21 -> /tea/green"]


def test_an_address_that_comes_long_after_the_last_click_was_opened_by_hand() -> None:
    tape = Tape().page("/", *FORM).click(17).change().page("/help", after=60_000)
    assert told(tape) == ["goto /", "click 17", "goto /help"]


def test_the_address_before_this_one_is_a_step_back() -> None:
    tape = Tape().page("/", *FORM).click(21, role="link").page("/tea").page("/", *FORM, after=30_000).click(17)
    assert told(tape) == ["goto /", "click 21 -> /tea", "back / -> /", "click 17"]


def test_a_visitor_who_goes_back_at_once_is_told_from_a_site_that_sends_one_back() -> None:
    tape = Tape().page("/app", *FORM).click(21, role="link").view("/app/tea")
    assert told(tape.view("/app", after=300, back=True)) == ["goto /app", "click 21 -> /app/tea", "back /app -> /app"]
    tape = Tape().page("/app", *FORM).click(21, role="link").view("/app/tea")
    assert told(tape.view("/app", after=300)) == ["goto /app", "click 21 -> /app"]
    tape = Tape().page("/", *FORM).click(21, role="link").page("/tea", after=200).page("/", *FORM, after=300)
    assert told(tape.view("/", after=1, back=True)) == ["goto /", "click 21 -> /tea", "back / -> /"]


def test_a_route_of_the_page_s_own_is_a_page_too() -> None:
    assert told(Tape().page("/app", *FORM).click(21, role="link").view("/app/tea")) == ["goto /app", "click 21 -> /app/tea"]


def test_a_full_picture_of_the_same_page_is_none_of_the_visitor_s_doing() -> None:
    assert told(Tape().page("/", *FORM).page("/", *FORM, after=60_000).click(17)) == ["goto /", "click 17"]


def test_enter_sends_the_form_and_the_click_that_a_browser_makes_of_it_is_left_out() -> None:
    tape = Tape().page("/", *FORM).type(12).act("keyboard", 12, role="textbox").act("change", 12, 2).mouse(17, after=2)
    assert told(tape.act("submit", 9, 1).page("/found")) == ["goto /", "fill 12", "press 12 -> /found"]


def test_a_link_that_is_clicked_right_after_enter_is_a_click() -> None:
    tape = Tape().page("/", *FORM).type(12).act("keyboard", 12).click(21, after=100, role="link").page("/tea")
    assert told(tape) == ["goto /", "fill 12", "press 12", "click 21 -> /tea"]


def test_a_text_that_is_told_of_only_after_enter_was_typed_before_it() -> None:
    tape = Tape().page("/", *FORM).mouse(12, 5).act("enter", 12, role="textbox")
    tape.event(3, {"source": 5, "id": 12, "text": MASK, "isChecked": False}, 2)
    assert told(tape.page("/found")) == ["goto /", "fill 12", "press 12 -> /found"]


def test_a_field_that_a_script_has_filled_in_was_not_filled_in_by_the_visitor() -> None:
    tape = Tape().page("/", *FORM).type(12, MASK, userTriggered=False).click(17)
    assert told(tape) == ["goto /", "click 17"]


def test_an_impatient_second_click_is_left_out_where_the_page_goes_on() -> None:
    tape = Tape().page("/", *FORM).click(17).click(17, after=200).page("/sent", after=300)
    assert told(tape) == ["goto /", "click 17 -> /sent"]


def test_two_quick_clicks_that_stay_on_the_page_are_two() -> None:
    tape = Tape().page("/", *FORM).click(17).change(50).click(17, after=100).change(50)
    assert told(tape) == ["goto /", "click 17", "click 17"]


def test_two_quick_clicks_before_another_that_leads_on_are_two() -> None:
    tape = Tape().page("/", *FORM).click(17).change(50).click(17, after=200).change(50).click(21, 300, role="link").page("/tea")
    assert told(tape) == ["goto /", "click 17", "click 17", "click 21 -> /tea"]


def test_a_click_that_the_agent_does_not_see_counts_though_another_was_made_just_before_it() -> None:
    # In a frame there is no agent.
    tape = Tape().page("/", *FORM).click(17).mouse(21, after=100).page("/tea", after=200)
    assert told(tape) == ["goto /", "click 17", "click 21 -> /tea"]


def test_a_click_beside_everything_is_left_out_unless_something_comes_of_it() -> None:
    tape = Tape().page("/", *FORM).mouse(19).mouse(19, after=5000).change().click(17)
    assert told(tape) == ["goto /", "click 19", "click 17"]


def test_a_click_on_the_page_itself_is_left_out_whatever_changes_then() -> None:
    tape = Tape().page("/", *FORM).click(4, role="").change().click(2, role="").change().click(17)
    assert told(tape) == ["goto /", "click 17"]


OPTION = element(50, "div", element(51, "div", element(52, "span", text(53, "Template")), role="option"), role="listbox")


@pytest.mark.parametrize("on_release", [True, False])
@pytest.mark.parametrize("removed", [52, 51, 50])
def test_an_option_that_is_removed_before_its_click_was_chosen(removed: int, on_release: bool) -> None:
    tape = Tape().page("/", *FORM, OPTION).mouse(52, 1)
    tape = tape.mouse(52, 0, 4).change(26, removed=removed) if on_release else tape.change(4, removed=removed).mouse(17, 0, 4)
    assert told(tape.click(17)) == ["goto /", "click 52", "click 17"]


def test_a_press_is_a_click_only_where_its_element_is_removed_and_no_click_comes() -> None:
    stays = Tape().page("/", *FORM, OPTION).mouse(52, 1).mouse(52, 0, 4).change(26)
    assert told(stays.click(17)) == ["goto /", "click 17"]
    clicked = Tape().page("/", *FORM, OPTION).mouse(52, 1).mouse(52, 0, 4).change(2, removed=51).mouse(50, after=1).change()
    assert told(clicked.click(17)) == ["goto /", "click 50", "click 17"]
    noted = (
        Tape().page("/", *FORM, OPTION).mouse(52, 1).mouse(52, 0, 4).change(2, removed=51).act("click", 50, 1, role="listbox")
    )
    assert told(noted.click(17)) == ["goto /", "click 50", "click 17"]


def test_what_is_pressed_to_drag_it_or_for_its_menu_is_not_clicked() -> None:
    dragged = Tape().page("/", *FORM, OPTION).mouse(52, 1).event(3, {"source": 2, "type": 0, "id": 52, "x": 90, "y": 1}, 400)
    assert told(dragged.change(2, removed=51).click(17)) == ["goto /", "click 17"]
    native = Tape().page("/", *FORM, OPTION).mouse(52, 1).event(3, {"source": 12, "positions": []}, 50).change(2, removed=51)
    assert told(native.click(17)) == ["goto /", "click 17"]
    menu = Tape().page("/", *FORM, OPTION).mouse(52, 1).mouse(52, 3, 1).mouse(52, 0, 4).change(2, removed=51)
    assert told(menu.click(17)) == ["goto /", "click 17"]


def test_a_window_that_a_click_opens_belongs_to_that_click() -> None:
    first = Tape().page("/", *FORM).click(17)
    second = Tape(first.at).page("/receipt/LK-1004", element(9, "button"), after=300).click(9)
    found = reduce_to_actions(recording(first, second))
    assert [short(one) for one in found] == ["goto /", "click 17 -> /receipt/LK-1004", "click 9"]
    assert found[1].opens == 1
    assert found[2].tab == 1


def test_a_tab_that_was_only_looked_at_is_left_out() -> None:
    assert told(Tape().page("/", *FORM).click(17), Tape().page("/news", after=60_000)) == ["goto /", "click 17"]


def test_a_recording_without_a_full_snapshot_is_refused() -> None:
    with pytest.raises(RecordingError, match="no full snapshot"):
        reduce_to_actions(recording(Tape().event(4, {"href": SITE}).mouse(9)))


def test_a_recording_in_which_nothing_was_done_is_refused() -> None:
    with pytest.raises(RecordingError, match="only looked at pages"):
        reduce_to_actions(recording(Tape().page("/", *FORM).mouse(12, 5)))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (5, {"tag": "act", "payload": ["click"]}),
        (3, {"source": 0, "adds": [7]}),
        (3, "text"),
        (2, {"node": 7}),
        (3, {"source": 2, "type": 2, "id": {"a": 1}}),
    ],
)
def test_what_is_no_event_of_rrweb_s_is_refused_and_breaks_nothing(kind: int, data: Any) -> None:
    with pytest.raises(RecordingError, match="its data are not events of rrweb"):
        reduce_to_actions(recording(Tape().page("/", *FORM).event(kind, data)))
