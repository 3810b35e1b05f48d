"""Every command in README.md and docs/ is typed as it stands there, in an environment with what its page says and no more.

A command that is neither typed nor listed here, with a reason, fails the test.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec import Struct, field

from tests.support.doc_reader import ROOT, Reader, commands, pages
from tests.support.services.servers import free_port

IN_CLONE = ("cd ~/journey-runner", "python3 -m venv .venv", ". .venv/bin/activate")
INSTALLED = ("cd ~/journey-runner", *commands(ROOT / "docs" / "install.md")[:4])
"""What the page about installing says of a clone."""
ADD_EXTRA = "pip install -e '.[%s]'"
BROKEN = "journey run browse --param product=cracked-teapot || true"
CLOSE_THE_OTHERS = "close the other terminals"
SERVING = "Ctrl-C ends it"
SCHEDULING = "metrics at"


class Page(Struct, frozen=True, kw_only=True):
    """What a page takes for granted, and which of its commands are special."""

    journeys: tuple[str, ...] = ()
    """Names of files in the reader's own `journeys/`, for the page's blocks of Python in their order."""
    replaced: dict[str, str] = field(default_factory=dict)
    """Addresses of the page that stand for that of the demo shop here."""
    before: tuple[str, ...] = INSTALLED
    """Typed before the page's first command."""
    between: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Typed before one of its commands."""
    stays: dict[str, str] = field(default_factory=dict)
    """Commands that run until they are stopped, with what they say once they do their work."""
    beside: dict[str, str] = field(default_factory=dict)
    """Commands that go on while the next ones are typed, with what they say once they do their work."""
    codes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Exit codes other than 0."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Commands that are not typed, with the reason."""


ELSEWHERE = "goes to another machine"
PAGES = {
    "README.md": Page(
        journeys=("buy_tea.py", "home.py"),
        replaced={"http://127.0.0.1:8000": "https://shop.example"},
        before=("cd ~/journey-runner",),
        between={
            "journey run --base-url http://127.0.0.1:8000": (*IN_CLONE, ADD_EXTRA % "demo", "cd ~/shop"),
            "make demo": ("cd ~/journey-runner", "rm -rf .venv"),
            "python3 -m venv .venv": ("rm -rf .venv",),
            "journey init --base-url https://shop.example": ("cd ~/shop",),
            "pytest journeys --base-url https://shop.example": ("cd ~/journey-runner", ADD_EXTRA % "test", "cd ~/shop"),
            "journey report last-failed --format markdown": ("journey run --base-url http://127.0.0.1:1 home || true",),
        },
        stays={
            "journey record https://shop.example --name buy": "file:goto",
            "journey schedule": SCHEDULING,
            "journey serve": SERVING,
        },
        left_out={
            "journey from-session ID": "ID stands for a visitor's session; tests/reports/replay/from_session has some",
            "journey trace last-failed": "opens a window until it is closed; tests/runner/cli/test_trace.py",
        },
    ),
    "docs/accessibility.md": Page(
        before=(*INSTALLED, "mkdir ~/shop/journeys; cp journeys/buy.py ~/shop/journeys/", "cd ~/shop"),
        # 4 when the few runs of a test are enough to see a difference between two walks of one shop.
        codes=dict.fromkeys(commands(ROOT / "docs" / "accessibility.md"), (0, 4)),
    ),
    "docs/install.md": Page(
        before=("cd ~/journey-runner",),
        left_out={
            command: ELSEWHERE
            for command in commands(ROOT / "docs" / "install.md")
            if "https://" in command or "--require-hashes" in command
        },
    ),
    "docs/getting-started.md": Page(
        before=(),
        stays={"journey record https://shop.example --name look": "file:goto", "journey schedule": SCHEDULING},
    ),
    "docs/bundles.md": Page(
        before=(
            *IN_CLONE,
            ADD_EXTRA % "storage",
            "export JOURNEY_ARTIFACTS=file:///tmp/store JOURNEY_BUNDLE_KEY=0123456789abcdef",
        ),
        left_out=dict.fromkeys(
            [one for one in commands(ROOT / "docs" / "bundles.md") if "31c64073ed39" in one],
            "names a bundle by its digest; tests/runner/bundles/test_bundle_commands.py",
        ),
    ),
    "docs/checks.md": Page(before=IN_CLONE),
    "docs/collector.md": Page(before=IN_CLONE, beside={"journey serve": SERVING}),
    "docs/configuration.md": Page(before=("printf 'release = \"1\"\\n' > journey.toml",)),
    "docs/dashboard.md": Page(
        before=IN_CLONE,
        stays={
            "journey serve": SERVING,
            "JOURNEY_ALERT_URLS=json://127.0.0.1:9000/alert JOURNEY_PUBLIC_URL=http://127.0.0.1:8321 journey schedule": SCHEDULING,
        },
        beside={"journey serve &": SERVING},
    ),
    "docs/dashboard-access.md": Page(
        before=(
            *INSTALLED,
            "mkdir -p /etc/journey; echo oolong-and-milk > bobs-password",
            'printf \'[[apps]]\\nname = "shop"\\norigins = ["https://shop.example"]\\n\' > journey.toml',
        ),
        between={"JOURNEY_SERVE_USERS=/etc/journey/users journey serve --listen 0.0.0.0:8321": (CLOSE_THE_OTHERS,)},
        stays={"JOURNEY_SERVE_USERS=/etc/journey/users journey serve --listen 0.0.0.0:8321": SERVING},
        beside={"journey serve --listen 0.0.0.0:8321 &": SERVING},
        left_out={
            "journey user add ada --role operate --users /etc/journey/users": "asks on a terminal; tests/runner/cli/test_user.py",
            "curl -s 'http://127.0.0.1:8321/api/v1/runs?statsu=failed'": "needs a dashboard without a token; tests/reports/web/test_api.py",
        },
    ),
    "docs/scale.md": Page(
        left_out=dict.fromkeys(
            commands(ROOT / "docs" / "scale.md"), "needs a broker with TLS; tests/runner/dispatch/test_dispatch.py"
        )
    ),
    "docs/remote.md": Page(
        left_out=dict.fromkeys(
            commands(ROOT / "docs" / "remote.md"),
            "needs the dashboard of somebody else; tests/reports/remote/test_remote_run.py",
        )
    ),
    "docs/errors.md": Page(
        left_out=dict.fromkeys(
            commands(ROOT / "docs" / "errors.md"),
            "needs the build of a site, or a dashboard of somebody else's; tests/runner/cli/test_source_maps.py",
        )
    ),
    "docs/from-session.md": Page(
        left_out=dict.fromkeys(
            commands(ROOT / "docs" / "from-session.md"),
            "needs a recorded session of visitors; tests/reports/replay/from_session and test_coverage.py",
        )
    ),
    "docs/metrics.md": Page(),
    "docs/objectives.md": Page(
        before=(*INSTALLED, r"""printf '[slo.checkout]\njourneys = ["buy"]\nobjective = "99.5%%"\n' > journey.toml""")
    ),
    "docs/opentelemetry.md": Page(),
    "docs/pictures.md": Page(
        # In a folder of its own: in the clone, pytest would read the clone's settings.
        before=(
            *INSTALLED,
            ADD_EXTRA % "pictures,test",
            "mkdir ~/shop/journeys; cp journeys/buy.py ~/shop/journeys/",
            "cd ~/shop",
        ),
        # 4 when two pairs are enough to see a difference between two walks of one shop.
        codes={
            command: (0, 4)
            for command in commands(ROOT / "docs" / "pictures.md")
            if "against" in command or "--baseline" in command
        },
    ),
    "docs/pytest.md": Page(before=("mkdir journeys tests; cp ~/journey-runner/journeys/stock.py journeys/", *IN_CLONE)),
    "docs/quarantine.md": Page(),
    "docs/real-users.md": Page(
        before=INSTALLED,
        between={},
        beside={"python -m runner.demo --port 8000 --collector http://127.0.0.1:8321": "http://"},
    ),
    "docs/reports.md": Page(
        before=(*INSTALLED, BROKEN, "journey smoke stock", "rm journeys/browse.py journeys/stock.py"),
        between={
            "journey report merge shard-1.json shard-2.json --html report.html --json all.json": (
                "journey runs --json shard-1.json",
                "journey runs buy --json shard-2.json",
            )
        },
    ),
    "docs/schedule.md": Page(
        before=(*INSTALLED, "rm journeys/browse.py journeys/search.py journeys/stock.py"),
        stays={
            command: SCHEDULING for command in commands(ROOT / "docs" / "schedule.md") if command.endswith("journey schedule")
        }
        | {"journey schedule --pushgateway 127.0.0.1:9091": SCHEDULING},
        left_out={
            "JOURNEY_DATABASE=postgresql://monitor:…@db.example/journeys journey schedule": ELSEWHERE
            + "; tests/runner/store has a PostgreSQL of its own",
            **dict.fromkeys(
                (
                    one
                    for one in commands(ROOT / "docs" / "schedule.md")
                    if one.startswith(("pg_", "psql --command")) or "db1.example" in one or "@db." in one
                ),
                ELSEWHERE,
            ),
            **dict.fromkeys(
                (one for one in commands(ROOT / "docs" / "schedule.md") if one.startswith("journey alerts ")),
                "needs an open alert; tests/runner/alerts/test_mutes.py",
            ),
        },
    ),
    "docs/smoke.md": Page(
        # One journey, with the tag that the page selects.
        before=(*INSTALLED, "rm journeys/b*.py journeys/search.py", 'sed -i \'s/"api"/"critical"/\' journeys/stock.py'),
        # 4 when two pairs are enough to see the delay.
        codes={"journey smoke --base-url http://127.0.0.1:8002 --against http://127.0.0.1:8001": (0, 4)},
        beside={"python -m runner.demo --port 8001 & python -m runner.demo --port 8002 --delay 100 &": "http://"},
    ),
    "docs/status-page.md": Page(
        before=(*INSTALLED, "printf '[status_page.journeys]\\nbuy = \"Checkout\"\\n' > journey.toml", "mkdir -p runs")
    ),
    "docs/weight.md": Page(
        # `each` needs a warm-up, which the reader leaves out.
        before=(*INSTALLED, ADD_EXTRA % "sites", "rm journeys/b*.py journeys/search.py", "export JOURNEY_SMOKE_WARM_UP=1"),
        # 4 when the few runs of a test are enough to see a difference.
        codes=dict.fromkeys(commands(ROOT / "docs" / "weight.md"), (0, 4)),
    ),
    "docs/views.md": Page(before=(*INSTALLED, "journey run stock")),
}


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the wheel of the clones, which are all the same."""
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture
def reader(shop: str, gateway: str, display: str, wheels: Path) -> Iterator[Reader]:
    """Somebody in an empty folder of a fresh account, for whom `shop.example` is the shop of the demo."""
    ports = {name: str(free_port()) for name in ("8000", "8001", "8002", "8321")}
    replaced = {
        "https://staging.shop.example": shop,
        "https://shop.example": shop,
        "127.0.0.1:9091": gateway.removeprefix("http://"),
        "0.0.0.0": "127.0.0.1",
        "monitor:8321": "127.0.0.1:8321",
        "--visitors 50": "--visitors 2",
        "--runs 20": "--runs 2",
        "--repeat 5": "--repeat 2",
        **ports,
    }
    environment = {
        "DISPLAY": display,
        "JOURNEY_BASE_URL": shop,
        "JOURNEY_LISTEN": "127.0.0.1:0",
        "JOURNEY_SERVE_LISTEN": f"127.0.0.1:{ports['8321']}",
        # A verdict after few runs: what it is worth is not tried here.
        "JOURNEY_SMOKE_RUNS": "2",
        "JOURNEY_SMOKE_WARM_UP": "0",
        "JOURNEY_SMOKE_MAX_RUNS": "2",
        "JOURNEY_SMOKE_LOOKS": "2",
        "JOURNEY_SMOKE_ALARM": "0.4",
        "JOURNEY_SMOKE_MISS": "0.4",
    }
    # Chromium's sockets have a limit to the length of their paths, which pytest's own folders exceed.
    with TemporaryDirectory(prefix="j-") as home:
        found = Reader(Path(home), {**replaced, "/etc/journey": f"{home}/etc"}, environment, wheels)
        try:
            yield found
        finally:
            found.leave()


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_work_in_their_turn(name: str, reader: Reader) -> None:
    page = PAGES[name]
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)
    for file, block in zip(page.journeys, blocks, strict=bool(page.journeys)):
        (reader.folder / "journeys").mkdir(exist_ok=True)
        (reader.folder / "journeys" / file).write_text(block)
    reader.replaced = {**page.replaced, **reader.replaced}
    for command in page.before:
        reader.type(command)
    for command in commands(ROOT / name):
        if command in page.left_out:
            continue
        for first in page.between.get(command, ()):
            if first == CLOSE_THE_OTHERS:
                reader.leave()
            else:
                reader.type(first)
        if command in page.stays:
            reader.type_and_stop(command, page.stays[command])
        elif command in page.beside:
            reader.type_and_leave(command, page.beside[command])
        else:
            reader.type(command, *page.codes.get(command, (0,)))


def test_every_page_with_commands_is_followed_and_nothing_else_is_listed() -> None:
    found = {str(page.relative_to(ROOT)): commands(page) for page in pages()}
    assert {name for name, known in found.items() if known} == set(PAGES)
    listed = {name: [*page.between, *page.stays, *page.beside, *page.codes, *page.left_out] for name, page in PAGES.items()}
    assert {name: set(words) - set(found[name]) for name, words in listed.items() if set(words) - set(found[name])} == {}
    assert all(reason for page in PAGES.values() for reason in page.left_out.values())
