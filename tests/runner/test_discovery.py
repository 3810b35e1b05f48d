"""Bad journeys are named with file and line before any browser starts."""

import os
import re
import textwrap
from pathlib import Path

import pytest

from runner.dsl.discovery import NotAllDiscovered, discover, load_journeys
from runner.dsl.selection import find
from runner.dsl.static_discovery import find_declared_journeys
from runner.errors import DiscoveryError


def write(folder: Path, code: str, name: str = "walk.py") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("from runner import expect, journey\n" + textwrap.dedent(code))
    return file


def test_journeys_are_found_in_files_and_folders_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "@journey\ndef b(page): ...\n@journey(name='first')\ndef a(page): ...\n", "x/one.py")
    write(tmp_path, "@journey\ndef c(page): ...\n", "two.py")
    write(tmp_path, "@journey\ndef hidden(page): ...\n", "_private.py")
    assert [one.name for one in discover([tmp_path])] == ["c", "b", "first"]


def test_what_a_file_imports_from_another_is_not_declared_twice(tmp_path: Path) -> None:
    write(tmp_path, "@journey\ndef a(page): ...\n", "one.py")
    write(tmp_path, "from one import a\n@journey\ndef b(page): ...\n", "two.py")
    assert [one.name for one in discover([tmp_path])] == ["a", "b"]


def test_files_of_the_same_name_in_two_folders_do_not_clash(tmp_path: Path) -> None:
    write(tmp_path, "@journey\ndef a(page): ...\n", "one/walk.py")
    write(tmp_path, "@journey\ndef b(page): ...\n", "two/walk.py")
    assert {one.name for one in discover([tmp_path])} == {"a", "b"}


def test_step_and_secret_names_are_read_from_the_source(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        @journey
        def a(page, step, secrets):
            with step("one"):
                page.fill("#p", secrets["PW"].reveal())
            for n in range(2):
                with step(f"again {n}"): ...
            with step("two", budget="1s"): ...
        """,
    )
    (one,) = load_journeys(file)
    assert (one.step_names, one.secret_names) == (("one", "two"), ("PW",))


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("@journey(evry='5m')\ndef a(page): ...", 2, "unknown option 'evry'; did you mean 'every'?"),
        ("@journey(every='5 parsecs')\ndef a(page): ...", 2, "option every: '5 parsecs' is not a duration"),
        ("@journey(timeout=0)\ndef a(page): ...", 2, "option timeout: 0 is too short"),
        (
            "@journey(device='Pixel 77')\ndef a(page): ...",
            2,
            "option device: 'Pixel 77' is not one of Playwright's devices; did you mean",
        ),
        (
            "@journey(network='2g')\ndef a(page): ...",
            2,
            "option network: '2g' is not a network; choose one of slow-3g, fast-3g, 4g",
        ),
        (
            "@journey(trace='sometimes')\ndef a(page): ...",
            2,
            "option trace: 'sometimes' is not a policy; choose one of off, on",
        ),
        ("@journey(viewport='wide')\ndef a(page): ...", 2, "option viewport: 'wide' is not a window size"),
        ("@journey(timezone='Mars')\ndef a(page): ...", 2, "option timezone: 'Mars' is not a time zone"),
        ("@journey(base_url='shop')\ndef a(page): ...", 2, "option base_url: 'shop' is not an address"),
        ("@journey(retries=-1)\ndef a(page): ...", 2, "option retries: -1 is not a count"),
        ("@journey(tags='one')\ndef a(page): ...", 2, "option tags: 'one' is not a list"),
        ("@journey(cpu=0.5)\ndef a(page): ...", 2, "option cpu: 0.5 is not a CPU slow-down"),
        ("@journey(name='a b')\ndef a(page): ...", 2, "option name: 'a b' is not a name"),
        (
            "@journey\ndef a(step):\n    with step('x', budget='1 parsec'): ...",
            4,
            "step's budget: '1 parsec' is not a duration",
        ),
        ("@journey\ndef a(pge): ...", 2, "a asks for 'pge', which cannot be given; it can ask for: page, context"),
        ("@journey\ndef a(**rest): ...", 2, "a asks for '**rest'"),
        ("@journey\nasync def a(page): ...", 2, "a is `async def`"),
        ("\nimport nothing_here", 3, "cannot be imported: ModuleNotFoundError: No module named 'nothing_here'"),
        ("import platform.shop", 2, "'platform' is a module of Python, which takes precedence: rename the one of the project"),
        ("1 +", 2, "cannot be imported: SyntaxError"),
        ("def broken():\n    1 / 0\nbroken()", 3, "cannot be imported: ZeroDivisionError"),
        ("raise SystemExit(1)", 2, "cannot be imported: SystemExit"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_what_is_accepted(tmp_path: Path, code: str, line: int, message: str) -> None:
    file = write(tmp_path, code)
    with pytest.raises(DiscoveryError, match=re.escape(message)) as caught:
        discover([file])
    assert f"{file}:{line}: " in str(caught.value)


def test_two_journeys_of_one_name_are_both_named(tmp_path: Path) -> None:
    one = write(tmp_path, "@journey\ndef buy(page): ...\n", "one.py")
    two = write(tmp_path, "\n@journey\ndef buy(page): ...\n", "two.py")
    with pytest.raises(DiscoveryError, match="a journey named 'buy'") as caught:
        discover([tmp_path])
    assert f"{two}:3" in str(caught.value)
    assert f"{one}:2" in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "@journey(evry='5m')\ndef a(page): ...\n", "one.py")
    write(tmp_path, "import nothing_here\n", "two.py")
    with pytest.raises(DiscoveryError) as caught:
        discover([tmp_path, tmp_path / "three.py"])
    assert [line.partition(":")[0].rpartition("/")[2] for line in str(caught.value).splitlines()] == [
        "one.py",
        "two.py",
        "three.py",
    ]


def test_every_mistake_of_a_file_is_named(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        @journey(evry='5m', retries=-1, timeout='soon')
        def a(page, mail):
            with step('x', budget='never'):
                pass
        @journey(every='5m', cron='* * * * *')
        async def b(page): ...
        @journey
        def c(page): ...
        import nothing_here
        """,
    )
    with pytest.raises(NotAllDiscovered) as caught:
        discover([tmp_path])
    expected = ["unknown option 'evry'", "option retries", "option timeout", "step's budget", "a asks for 'mail'"]
    expected += ["options every and cron", "b is `async def`", "cannot be imported: ModuleNotFoundError"]
    lines = str(caught.value).splitlines()
    assert [part in line and line.startswith(f"{file}:") for part, line in zip(expected, lines, strict=True)] == [True] * 8


def test_a_folder_without_journeys_says_how_to_declare_one(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match="holds no journeys; declare one with `@journey`"):
        discover([tmp_path])


def test_journeys_are_chosen_by_name_pattern_path_and_tag(tmp_path: Path) -> None:
    one = write(tmp_path, "@journey(tags=['x'])\ndef buy_tea(page): ...\n@journey\ndef buy_pot(page): ...\n", "one.py")
    write(tmp_path, "@journey(tags=['x'])\ndef look(page): ...\n", "two.py")
    assert [one.name for one in find(["buy_*"], (), [tmp_path])] == ["buy_tea", "buy_pot"]
    assert [one.name for one in find([], ["x"], [tmp_path])] == ["buy_tea", "look"]
    assert [one.name for one in find([f"{one}::buy_pot", "look"], (), [tmp_path])] == ["buy_pot", "look"]
    assert [one.name for one in find([str(one), "buy_tea"], (), [tmp_path])] == ["buy_tea", "buy_pot"]


def test_an_unknown_name_or_tag_is_answered_with_close_ones(tmp_path: Path) -> None:
    write(tmp_path, "@journey(tags=['checkout'])\ndef buy_tea(page): ...\n")
    with pytest.raises(DiscoveryError, match="no journey is named 'by_tea'; did you mean 'buy_tea'"):
        find(["by_tea"], (), [tmp_path])
    with pytest.raises(DiscoveryError, match="no journey has the tag 'chekout'; did you mean 'checkout'"):
        find([], ["chekout"], [tmp_path])


@pytest.mark.filterwarnings("ignore:assertion is always true:SyntaxWarning")
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("@journey\ndef walk(page, step):\n    yield\n", "walk has a `yield`"),
        ("walk = journey(functools.partial(print))\n", "not above partial"),
        (
            "@journey\ndef walk(page): ...\n@journey\ndef walk(page, step): ...\n",
            "the function 'walk' is defined again in line 5",
        ),
        ("def make():\n    @journey\n    def walk(page): ...\nmake()\n", "no name in the file refers to the journey 'walk'"),
        ("class Shop:\n    @staticmethod\n    @journey\n    def walk(page): ...\n", "no name in the file refers to"),
        (
            "def hide(f):\n    return lambda page: f(page)\n@hide\n@journey\ndef walk(page): ...\n",
            "put @journey on top, or use functools.wraps",
        ),
        (
            "from runner import expect\n@journey\ndef walk(page):\n    expect(page).to_have_title\n",
            "walk.py:6: `expect(…).to_have_title` is not called, so nothing is checked; write `.to_have_title()`",
        ),
        (
            "@journey\ndef walk(page):\n    page.locator('p').click\n",
            "walk.py:5: `page.locator('p').click` is not called, so nothing is done; write `.click(…)`",
        ),
        ("@journey\ndef walk():\n    pass\n", "walk.py:4: walk does nothing, so it would pass whatever the site does"),
        ("@journey\ndef walk():\n    'A visitor.'\n    ...\n", "walk.py:4: walk does nothing"),
        ("@journey\ndef walk(page):\n    expect(page)\n", "walk.py:5: `expect(…)` alone checks nothing"),
        ("@journey\ndef walk(page):\n    assert (page.title() == 'x', 'no')\n", "walk.py:5: `assert (…, …)` is always true"),
        (
            "@journey\ndef walk(page):\n    assert page.get_by_text('a').first\n",
            "walk.py:5: `assert page.get_by_text('a').first` is always true; write `expect(page.get_by_text('a').first).to_be_visible()`",
        ),
    ],
)
def test_a_journey_that_would_never_run_is_refused(tmp_path: Path, code: str, message: str) -> None:
    file = tmp_path / "walk.py"
    file.write_text("import functools\nfrom runner import journey\n" + code)
    with pytest.raises(DiscoveryError) as caught:
        discover([file])
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{file}:")


def test_journeys_of_a_factory_are_told_apart_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "_factory.py").write_text(
        "from runner import journey\ndef make(title):\n    @journey(name=title)\n    def walk(page): ...\n    return walk\n"
    )
    (tmp_path / "walks.py").write_text("from _factory import make\nfirst, second = make('tea'), make('coffee')\nsame = first\n")
    found = discover([tmp_path])
    assert [(one.name, one.file) for one in found] == [("coffee", tmp_path / "walks.py"), ("tea", tmp_path / "walks.py")]


def test_a_decorator_above_is_part_of_the_journey(tmp_path: Path) -> None:
    (tmp_path / "walk.py").write_text(
        "import functools\nfrom runner import journey\n"
        "def twice(f):\n    @functools.wraps(f)\n    def again(**given):\n        return f(**given), f(**given)\n    return again\n"
        "@twice\n@journey\ndef walk(params):\n    return 'walked'\n"
    )
    (found,) = discover([tmp_path])
    assert found.function(params={}) == ("walked", "walked")


def test_conftest_and_links_that_loop_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "walk.py").write_text("from runner import journey\n@journey\ndef walk(page): ...\n")
    (folder / "conftest.py").write_text("import what_only_pytest_has\n")
    (folder / "again").symlink_to(".")
    (folder / "up").symlink_to("..")
    assert [one.name for one in discover([folder])] == ["walk"]


def test_what_is_not_a_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "@journey\ndef a(page): ...\n")
    os.mkfifo(tmp_path / "pipe.py")
    assert [one.name for one in discover([tmp_path])] == ["a"]
    with pytest.raises(DiscoveryError, match=r"pipe\.py: is not a regular file"):
        discover([tmp_path / "pipe.py"])
    assert find_declared_journeys([tmp_path / "pipe.py"]) == ()
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    with pytest.raises(DiscoveryError, match=r"gone\.py: is a link to nowhere\.py, which is not a file; remove it"):
        discover([tmp_path])


@pytest.mark.long
def test_an_import_from_the_folder_above_says_how_to_write_it(tmp_path: Path) -> None:
    write(tmp_path, "", "lib.py")
    file = write(tmp_path, "from ..lib import X\n", "shop/walk.py")
    with pytest.raises(DiscoveryError, match=r"walk\.py:2: .*; write the import without dots: `import pages` finds pages\.py"):
        load_journeys(file)


def test_each_folder_sees_its_own_neighbours_as_they_are_now(tmp_path: Path) -> None:
    for who in ("shop", "blog"):
        (tmp_path / who).mkdir()
        (tmp_path / who / "helpers.py").write_text(f"WHO = {who!r}\n")
        (tmp_path / who / f"{who}.py").write_text(
            f"import helpers\nfrom runner import journey\n@journey\ndef {who}(page):\n    return helpers.WHO\n"
        )
    assert {one.name: one.function(page=None) for one in discover([tmp_path])} == {"shop": "shop", "blog": "blog"}
    (tmp_path / "shop" / "helpers.py").write_text("WHO = 'another'\n")
    (shop,) = discover([tmp_path / "shop"])
    assert shop.function(page=None) == "another"


@pytest.mark.parametrize(
    "statement",
    ["from .pages import PATH", "from pages import PATH", "from journeys.pages import PATH", "from lib.site import PATH"],
)
@pytest.mark.parametrize("package", [True, False])
def test_a_journey_may_import_as_its_authors_are_used_to(tmp_path: Path, statement: str, package: bool) -> None:
    folder = tmp_path / "journeys"
    folder.mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "journey.toml").touch()
    if package:
        (folder / "__init__.py").touch()
    (folder / "pages.py").write_text("PATH = '/tea'\n")
    (tmp_path / "lib" / "site.py").write_text("PATH = '/tea'\n")
    (folder / "walk.py").write_text(f"from runner import journey\n{statement}\n@journey\ndef walk(page):\n    return PATH\n")
    (walk,) = discover([folder / "walk.py"])
    assert walk.function(page=None) == "/tea"


def test_files_of_a_project_never_shadow_what_the_runner_imports(tmp_path: Path) -> None:
    for name in ("types", "http", "psutil", "runner", "playwright"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported in place of the real one')\n")
    (tmp_path / "walk.py").write_text(
        "import http, psutil, types\nfrom runner import journey\n@journey\ndef walk(page):\n    return psutil.__version__\n"
    )
    (walk,) = discover([tmp_path / "walk.py"])
    assert walk.function(page=None)
