"""A plan travels beside its bundle, without what may be secret, and is whole again where it is run."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runner.bundles.packed_plan import PackedPlan, pack_plan, unpack_plan
from runner.codec import decoder, encode
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import Plan, plan, read_own_options
from runner.errors import BundleError, ConfigError
from tests.runner.bundles.conftest import Project

WITH_SECRETS = """
import os
from runner import Secret, journey

PASSWORD = os.environ["SHOP_PASSWORD"]

@journey(
    name="buy",
    base_url="https://shop.example",
    headers={"authorization": f"Bearer {PASSWORD}"},
    basic_auth=("me", PASSWORD),
    proxy={"server": "http://proxy.example:3128", "username": "me", "password": PASSWORD},
    cookies={"session": Secret(PASSWORD)},
    client_certificates=[{"origin": "https://shop.example", "pfx": "client.pfx", "passphrase": PASSWORD}],
    storage_state="state.json",
    mock={"/api/stock": "stock.json", "/api/price": {"body": PASSWORD}},
    block=["*.ads.example"],
)
def buy(page, step):
    with step("open"):
        page.goto("/")
"""
SECRETS = {"here": "password-of-the-scheduler", "there": "password-of-the-worker"}


def planned(project: Project, **settings: Any) -> Plan:
    (journey,) = load_journeys(project.folder / "journeys" / "buy.py")
    return plan(journey, project.settings(**settings))


def travel(packed: PackedPlan) -> PackedPlan:
    """The plan after its way through a message."""
    arrived: PackedPlan = decoder(PackedPlan).decode(encode(packed))
    assert arrived == packed
    return arrived


def test_no_secret_travels_and_each_machine_has_its_own(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("journeys/buy.py", WITH_SECRETS)
    project.write("journeys/client.pfx", "of the scheduler")
    project.write("journeys/state.json", '{"cookies": [{"name": "a"}], "origins": []}')
    project.write("journeys/stock.json", "{}")
    project.write("journeys/vault/PW", SECRETS["here"])
    monkeypatch.setenv("SHOP_PASSWORD", SECRETS["here"])
    bundle = project.publish()
    here = planned(project, secrets_dir=project.folder / "journeys" / "vault", redact=["a+"])
    assert SECRETS["here"] in encode(here).decode()
    message = encode(pack_plan(here, bundle))
    for text in (SECRETS["here"].encode(), str(project.folder).encode(), b"proxy.example", b"ads.example", b"vault"):
        assert text not in message, text

    monkeypatch.setenv("SHOP_PASSWORD", SECRETS["there"])
    own = tmp_path / "own" / "journeys"
    own.mkdir(parents=True)
    (own / "client.pfx").write_text("of the worker")
    (own / "state.json").write_text("of the worker")
    project.cache.local_files = tmp_path / "own"
    worker = project.settings(runs_dir=tmp_path / "of-the-worker", redact=["b+"], location="oregon")
    with project.open(bundle.digest) as opened:
        there = unpack_plan(travel(pack_plan(here, bundle)), opened.folder, worker)
        assert there.secrets_dir is None
        assert there.redact == ("a+", "b+")
        assert there.bundle == bundle.digest
        (journey,) = load_journeys(there.file)
        whole = read_own_options(there, journey)
    expected = {
        "headers": {"authorization": f"Bearer {SECRETS['there']}"},
        "basic_auth": ("me", SECRETS["there"]),
        "storage_state": opened.folder / "journeys" / "state.json",
    }
    assert {name: getattr(whole, name) for name in expected} == expected
    assert whole.context.proxy is not None
    assert whole.context.proxy["password"] == SECRETS["there"]
    assert whole.context.client_certificates[0]["pfxPath"] == str(opened.folder / "journeys" / "client.pfx")
    assert [one.file for one in whole.context.mocks] == [opened.folder / "journeys" / "stock.json", None]
    assert whole.context.blocked == here.context.blocked
    assert set(whole.context.hidden) == {SECRETS["there"]}
    same = replace(
        whole, file=here.file, bundle=None, headers=here.headers, basic_auth=here.basic_auth, storage_state=here.storage_state,
        context=here.context, secrets_dir=here.secrets_dir, redact=here.redact,
    )  # fmt: skip
    assert same == here, "everything else is as the scheduler has planned it"


def test_a_file_that_the_worker_lacks_is_named_with_its_place(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("journeys/buy.py", WITH_SECRETS)
    for name in ("client.pfx", "state.json", "stock.json"):
        project.write(f"journeys/{name}", '{"cookies": [1], "origins": []}' if name == "state.json" else "x")
    monkeypatch.setenv("SHOP_PASSWORD", SECRETS["here"])
    bundle = project.publish()
    packed = pack_plan(planned(project), bundle)
    with project.open(bundle.digest) as opened:
        there = unpack_plan(packed, opened.folder, project.settings())
        (journey,) = load_journeys(there.file)
        with pytest.raises(
            ConfigError, match=r"option storage_state: .*state\.json does not exist; .* bundle_files of this machine"
        ):
            read_own_options(there, journey)


def test_a_plan_and_its_bundle_are_of_one_version(project: Project) -> None:
    bundle = project.make()
    before = planned(project)
    text = before.file.read_text()
    assert pack_plan(replace(before, source=text), bundle).plan.source is None
    with pytest.raises(BundleError, match="has changed between the plan and the bundle"):
        pack_plan(replace(before, source=text + "\n"), bundle)
    with pytest.raises(BundleError, match="is not in the bundle"):
        pack_plan(replace(before, file=project.folder / "journeys" / "new.py"), bundle)
    with pytest.raises(BundleError, match="is outside of"):
        pack_plan(replace(before, file=Path("/etc/passwd")), bundle)
    with pytest.raises(ConfigError, match="base_url of buy contains a password"):
        pack_plan(replace(before, base_url="https://me:oolong@shop.example"), bundle)


@pytest.mark.parametrize(
    "harm",
    [
        {"file": Path("/etc/passwd")},
        {"file": Path("../../outside.py")},
        {"file": Path("journeys/../../outside.py")},
        {"file": Path()},
        {"picture_folder": "../../pictures"},
        {"picture_folder": "/etc"},
        {"file": Path("journeys/none.py")},
    ],
)
def test_a_plan_that_leads_out_of_its_bundle_is_refused(project: Project, harm: dict[str, object]) -> None:
    bundle = project.publish()
    packed = pack_plan(planned(project), bundle)
    with project.open(bundle.digest) as opened, pytest.raises(BundleError, match=r"outside of it|has no file"):
        unpack_plan(replace(packed, plan=replace(packed.plan, **harm)), opened.folder, project.settings())


def test_what_a_message_says_of_code_and_accounts_is_not_followed(project: Project) -> None:
    bundle = project.publish()
    packed = pack_plan(planned(project), bundle)
    forged = replace(
        packed.plan, source="import os", basic_auth=("a", "b"), headers={"a": "b"}, update_pictures=True, redaction=False,
        secrets_file=Path("/etc/passwd"), ca_file=Path("/etc/passwd"), state_file=Path("/etc/passwd"), reads_options=False,
    )  # fmt: skip
    with project.open(bundle.digest) as opened:
        there = unpack_plan(replace(packed, plan=forged), opened.folder, project.settings())
    assert there == unpack_plan(packed, opened.folder, project.settings())
    assert there.redaction


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (None, "sign_in.json"),
        ("sign_in.json", "sign_in.json"),
        ("sign_in-0123456789ab.json", "sign_in-0123456789ab.json"),
        ("other-0123456789ab.json", "sign_in.json"),
        ("..", "sign_in.json"),
    ],
)
def test_a_worker_is_signed_in_to_the_site_that_is_asked_for(project: Project, there: str | None, here: str) -> None:
    known = Path("/scheduler/.state") / there if there else None
    packed = pack_plan(replace(planned(project), signed_in_by="sign_in", state_file=known), project.publish())
    with project.open(packed.bundle) as opened:
        plan = unpack_plan(packed, opened.folder, project.settings())
    assert plan.state_file == project.settings().runs_dir.absolute() / ".state" / here


def test_a_plan_of_this_machine_stays_as_it_is(project: Project) -> None:
    one = planned(project)
    (journey,) = load_journeys(project.folder / "journeys" / "buy.py")
    assert read_own_options(one, journey) is one
