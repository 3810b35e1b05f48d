"""What a visitor types is in no stored byte of a recording. The same search finds all of it when masking is off."""

import pytest
from playwright.sync_api import Page, expect

from runner.demo import running_shop
from tests.reports.collector.test_browser import Site
from tests.reports.replay.conftest import Recorder, hide
from tests.support.wait import wait_until

pytestmark = pytest.mark.thorough

TYPED = {
    "text": "zorbaflor",
    "email": "zenobia@quux.example",
    "password": "hunter-zwei-9",
    "tel": "0151998877",
    "url": "https://typed.example/zzyzx",
    "search": "plumbago",
    "number": "73519264",
    "date": "1987-06-05",
    "month": "1989-11",
    "week": "1991-W23",
    "time": "03:47",
    "datetime-local": "1983-02-01T04:05",
}
FORM = """<form onsubmit="return false">{fields}
<textarea aria-label=notes></textarea>
<div contenteditable aria-label=edited role=textbox>old words</div>
<div contenteditable=plaintext-only aria-label=plain></div>
<select aria-label=choice><option>none<option value="opt-secret-1">Choice</select>
<input aria-label=hidden-one type=hidden value="csrf-fjord-5581">
<input aria-label=given value="prefilled-mollusk">
<textarea aria-label=given-text>prefilled-narwhal</textarea>
<div data-private>private-quokka <input aria-label=inside><b aria-label="label-private-okapi">x</b></div>
<div class=card>blocked-axolotl</div>
<p id=late></p>
<x-field aria-label=custom></x-field>
<a href="/next?token=link-token-ibex#frag-gnu">next</a>
<img alt="" src="/p.png?sig=image-sig-tapir">
<style>.a {{ background: url("/bg.png?sig=style-sig-dingo") }}</style>
</form><script>
  customElements.define("x-field", class extends HTMLElement {{
    constructor() {{ super(); this.attachShadow({{ mode: "open" }}).innerHTML = "<input aria-label=shadow>"; }}
  }});
  const controlled = document.querySelector("[aria-label=given]");
  controlled.oninput = () => controlled.setAttribute("value", controlled.value);
  for (const one of document.querySelectorAll("input")) one.addEventListener("change", () => {{ one.dataset.value = one.value; }});
</script>"""
OTHERS = {
    "notes": "textarea-wombat",
    "edited": "edited-lemur",
    "plain": "plain-numbat",
    "given": "controlled-ocelot",
    "given-text": "retyped-pangolin",
    "inside": "typed-private-fossa",
    "shadow": "shadow-caracal",
}
GIVEN = ("csrf-fjord-5581", "prefilled-mollusk", "prefilled-narwhal")
PRIVATE = ("private-quokka", "label-private-okapi", "blocked-axolotl", "typed-private-fossa")
ADDRESSES = ("link-token-ibex", "frag-gnu", "image-sig-tapir", "style-sig-dingo", "page-token-zebra")


def type_everything(recorder: Recorder, site: Site, page: Page, **data: str) -> bytes:
    """Types into every kind of field; returns every stored byte."""
    fields = "".join(f'<input type="{kind}" aria-label="of {kind}">' for kind in TYPED)
    line = recorder.line(replay_block=".card", **data)
    site.html = f"<!doctype html><html><head>{line}</head><body>{FORM.format(fields=fields)}</body></html>"
    page.goto(f"{site.address}/form?token=page-token-zebra")
    wait_until(lambda: recorder.rows)
    for kind, text in TYPED.items():
        page.get_by_label(f"of {kind}", exact=True).fill(text)
    for label, text in OTHERS.items():
        field = page.get_by_label(label, exact=True)
        field.click()
        field.press_sequentially(text)
    # Not with select_option, whose events are not a user's.
    page.get_by_label("choice").press("ArrowDown")
    page.get_by_role("link").hover()
    hide(page)
    recorder.wait_for_events(lambda _: any(act.get("index") == 1 for act in recorder.tagged("act")))
    return recorder.bytes()


def found(stored: bytes, *texts: str) -> set[str]:
    return {text for text in texts if text.encode() in stored}


def test_nothing_that_is_typed_is_stored(recorder: Recorder, site: Site, page: Page) -> None:
    stored = type_everything(recorder, site, page)
    assert found(stored, *TYPED.values(), *OTHERS.values(), *GIVEN, *PRIVATE, *ADDRESSES) == set()
    # It is a recording nevertheless: every field was acted on, and is known by its label.
    names = {act.get("name") for act in recorder.tagged("act") if act["type"] == "change"}
    assert {"of text", "of email", "of password", "notes", "given", "shadow", "choice"} <= names
    assert "••••••".encode() in stored


def test_with_masking_off_the_same_search_finds_it(recorder: Recorder, site: Site, page: Page) -> None:
    stored = type_everything(recorder, site, page, replay_inputs="show")
    typed = {*TYPED.values(), *OTHERS.values()} - {TYPED["password"], OTHERS["inside"]}
    assert found(stored, *typed) == typed
    assert found(stored, *GIVEN[1:]) == set(GIVEN[1:])
    # A password is never recorded, nor what is private, nor the queries of addresses.
    assert found(stored, TYPED["password"], *PRIVATE, *ADDRESSES) == set()


def test_text_can_be_masked_too(recorder: Recorder, site: Site, page: Page) -> None:
    site.html = f"<head>{recorder.line(replay_text='mask')}</head><p>Balance: 4,211 euros</p><button>Pay</button>"
    page.goto(site.address)
    wait_until(lambda: recorder.rows)
    page.get_by_role("button").click()
    hide(page)
    recorder.wait_for_events(lambda _: bool(recorder.tagged("act")))
    assert b"4,211" not in recorder.bytes()
    # What was acted on keeps its name, or nobody could tell what it was.
    assert recorder.tagged("act")[0]["name"] == "Pay"


@pytest.fixture
def tea_shop(recorder: Recorder) -> object:
    with running_shop(collector=recorder.address, replay=1) as address:
        yield address


def test_nothing_that_is_typed_in_the_shop_is_stored(recorder: Recorder, tea_shop: str, page: Page) -> None:
    page.goto(f"{tea_shop}/login?next=secret-query-yak")
    wait_until(lambda: recorder.rows)
    page.get_by_label("Email").fill("zenobia@quux.example")
    page.get_by_label("Password").fill("hunter-zwei-9")
    page.get_by_label("Password").press("Enter")
    expect(page.locator("body")).to_be_visible()
    page.goto(f"{tea_shop}/")
    search = page.get_by_role("searchbox").or_(page.get_by_role("combobox")).first
    search.press_sequentially("plumbago")
    hide(page)
    recorder.wait_for_events(lambda _: len(recorder.tagged("view")) >= 2)
    hide(page)
    stored = recorder.bytes()
    assert found(stored, "zenobia", "quux.example", "hunter-zwei-9", "secret-query-yak", "plumbago") == set()
