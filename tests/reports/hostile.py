"""What a page or a journey could say to get out of a report, put everywhere into one."""

import re
from typing import Any

import cmarkgfm
from cmarkgfm.cmark import Options
from hypothesis import strategies as st
from lxml import html
from msgspec.structs import replace

from reports.smoke.result import SmokeResult
from runner.archive.archive import Saved
from runner.result import Failure, StepResult
from tests.reports.samples import MADE_WITH, budget, check, run, smoke, step

NASTY = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</summary></details></style></title></svg>",
    "<!--",
    "]]>",
    "&lt;b&gt; &#60;i&#62;",
    "\n::error file=x::y",
    "\r\n##[error]",
    "%0A::stop-commands::x",
    "`",
    "```\n",
    "~~~\n# big\n",
    "\n\n- list\n\n> quote\n",
    "| a | b |\n|---|---|\n",
    "\\|",
    "\\",
    "@octocat",
    "team@evil.example",
    "#1 GH-2 octo/repo#3",
    "1. x",
    "- x",
    "---",
    "[x](http://evil.example)",
    "![x](https://evil.example/x.png)",
    "<http://evil.example>",
    "http://evil.example www.evil.example",
    "[^1] [a]: http://evil.example",
    "$x$ ~~x~~ **x** __x__ :tada:",
    "javascript:alert(1)",
    "\x00\x1b[31m\x85\u2028\u202e\ud800\ufffe",
)
texts = st.one_of(
    st.text(max_size=60), st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=5)), max_size=6).map("".join)
).map(lambda text: text or "x")

ALLOWED = {"h3", "h4", "p", "ul", "li", "strong", "em", "code", "pre", "details", "summary", "div"}
ALLOWED |= {"table", "thead", "tbody", "tr", "th", "td"}


def hostile_smoke(text: str) -> SmokeResult:
    """A smoke check in which everything says the text."""
    failure = Failure(kind="assertion", message=text, step=text, file=text, line=1, code=text, url=text)
    steps = (
        step(text, 0.6, before=0.4, outcome="slower", budgets=[budget(0.9, where=text)], note=text),
        step(f"{text} again", before=0.12),
    )
    one = check(text, "failed", *steps, failure=failure, failed_run=text, failed_folder=text, trace=text)
    made = replace(MADE_WITH, browser=text, platform=text, base_url=text)
    return smoke(
        "failed", replace(one, file=text, description=text), base_url=text, location=text, notes=(text,), environment=made
    )


def hostile_run(text: str) -> Saved:
    """A run in which everything says the text."""
    failure = Failure(kind="assertion", message=text, step=text, file=text, line=1, code=text, url=text)
    steps = (
        StepResult(name=text, index=0, status="failed", failure=failure, latency_seconds=0.1, wall_seconds=0.2),
        StepResult(name=f"{text} again", index=1, status="skipped"),
    )
    fields: dict[str, Any] = {"journey": text, "steps": steps, "failure": failure, "notes": (text,), "tags": (text,)}
    return run("failed", environment=replace(MADE_WITH, browser=text), **fields)


def rendered(markdown: str) -> html.HtmlElement:
    """The page that GitHub's own parser makes of Markdown, HTML in it included."""
    text = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return html.fromstring(f"<div>{text}</div>")


def assert_inert(page: html.HtmlElement) -> None:
    """Nothing but what a report is made of: no link, no picture, no script, and nothing that GitHub would link later."""
    assert {one.tag for one in page.iter() if isinstance(one.tag, str)} <= ALLOWED
    assert not [one for one in page.iter() if not isinstance(one.tag, str)], "a comment"
    assert not [one.attrib for one in page.iter() if set(one.attrib) - {"align", "lang", "class"}]
    for code in page.xpath("//code | //pre"):
        code.text = ""
    prose = page.text_content()
    # As GitHub's mention filter has it: an at sign that follows no letter; and references to issues.
    assert not re.search(r"(?<![\w])@[a-z\d]|#\d|\bgh-\d|:\w+:|://|www\.", prose, re.IGNORECASE), prose
