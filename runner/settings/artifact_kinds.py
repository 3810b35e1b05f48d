"""The kinds of artifacts, one row each: everything that lists kinds reads this table."""

from pkgutil import resolve_name
from typing import Any, Literal, TypedDict

from msgspec import Struct

Policy = Literal["off", "on", "retain-on-failure", "on-first-retry"]
POLICIES: tuple[Policy, ...] = ("off", "on", "retain-on-failure", "on-first-retry")


class ArtifactKind(Struct, frozen=True, kw_only=True):
    """One kind of artifact."""

    option: str
    """Its name as a setting and as an option of a journey."""
    name: str
    """Its name in results and in the store, at most 20 characters."""
    policy: Policy
    """The default."""
    recorder: str
    """The subclass of `runner.artifacts.recorder.Recorder` that records it, as `module:Class`; imported by those who run journeys."""
    file: str
    """The path in the run's folder. `<step>` stands for the step's name; without it, a second file gets a number."""
    media_type: str
    """Of its files; it decides how the dashboard shows them, see `shown_as`."""
    order: int
    """Kinds are kept in this order, the small and telling ones first: `artifact_limit` drops what comes last."""
    title: str = ""
    """The heading above its lines in the dashboard."""
    folded: bool = False
    """Whether its lines are hidden until somebody opens them."""
    pictures: bool = False
    """Whether it shows the page as pictures, so that a field has to be masked before a secret is typed into it."""

    filmed: bool = True
    """Of images: whether they show the page at some time, and belong in a row of them."""

    @property
    def shown_as(self) -> Literal["image", "video", "lines", "download"]:
        """How the dashboard shows its files: as images or videos, line by line (`application/jsonl`), or for download only."""
        if self.media_type == "application/jsonl":
            return "lines"
        return (
            "image" if self.media_type.startswith("image/") else "video" if self.media_type.startswith("video/") else "download"
        )

    def load_recorder(self) -> Any:
        """The class that records it. Raises ImportError or AttributeError when `recorder` names none."""
        return resolve_name(self.recorder)


class ArtifactPolicies(TypedDict, total=False):
    """The options of a journey that set a policy, for type checkers: the `option` of each row below."""

    trace: str | None
    screenshots: str | None
    video: str | None
    har: str | None
    console: str | None
    page_errors: str | None
    failed_requests: str | None
    aria: str | None
    replay: str | None
    pictures: str | None
    accessibility_pictures: str | None
    coverage: str | None
    cpu_profile: str | None


_ROWS = (
    ArtifactKind(
        option="trace",
        name="trace",
        policy="on-first-retry",
        recorder="runner.artifacts.trace:TraceRecorder",
        file="trace.zip",
        media_type="application/zip",
        order=7,
        pictures=True,
    ),
    ArtifactKind(
        option="screenshots",
        name="screenshot",
        policy="retain-on-failure",
        recorder="runner.artifacts.screenshot:ScreenshotRecorder",
        file="screenshots/<step>.png",
        media_type="image/png",
        order=1,
        pictures=True,
    ),
    ArtifactKind(
        option="video",
        name="video",
        policy="off",
        recorder="runner.artifacts.video:VideoRecorder",
        file="video.webm",
        media_type="video/webm",
        order=9,
        pictures=True,
    ),
    ArtifactKind(
        option="har",
        name="har",
        policy="off",
        recorder="runner.artifacts.har:HarRecorder",
        file="requests.har",
        media_type="application/json",
        order=8,
    ),
    ArtifactKind(
        option="console",
        name="console",
        policy="retain-on-failure",
        recorder="runner.artifacts.logs:ConsoleRecorder",
        file="console.jsonl",
        media_type="application/jsonl",
        order=3,
        title="Console",
        folded=True,
    ),
    ArtifactKind(
        option="page_errors",
        name="page_errors",
        policy="retain-on-failure",
        recorder="runner.artifacts.logs:PageErrorRecorder",
        file="page-errors.jsonl",
        media_type="application/jsonl",
        order=4,
        title="Errors of the page's scripts",
    ),
    ArtifactKind(
        option="failed_requests",
        name="failed_requests",
        policy="retain-on-failure",
        recorder="runner.artifacts.logs:FailedRequestRecorder",
        file="failed-requests.jsonl",
        media_type="application/jsonl",
        order=5,
        title="Failed requests",
    ),
    ArtifactKind(
        option="aria",
        name="aria",
        policy="retain-on-failure",
        recorder="runner.artifacts.aria:AriaRecorder",
        file="aria/<step>.yaml",
        media_type="text/plain; charset=utf-8",
        order=2,
    ),
    ArtifactKind(
        option="replay",
        name="replay",
        policy="on-first-retry",
        recorder="runner.artifacts.replay:ReplayRecorder",
        file="replay.json.gz",
        media_type="application/gzip",
        order=6,
    ),
    ArtifactKind(
        option="pictures",
        name="picture",
        policy="off",
        recorder="runner.artifacts.pictures:PictureRecorder",
        file="pictures/<step>.png",
        media_type="image/png",
        order=10,
        pictures=True,
    ),
    ArtifactKind(
        option="accessibility_pictures",
        name="accessibility",
        policy="on",
        recorder="runner.artifacts.recorder:Recorder",
        file="accessibility/<step>.png",
        media_type="image/png",
        order=11,
        pictures=True,
        filmed=False,
    ),
    ArtifactKind(
        option="coverage",
        name="coverage",
        policy="off",
        recorder="runner.artifacts.coverage:CoverageRecorder",
        file="coverage.jsonl",
        media_type="application/jsonl",
        order=12,
        title="Scripts and style sheets that are not used",
        folded=True,
    ),
    ArtifactKind(
        option="cpu_profile",
        name="cpu_profile",
        policy="off",
        recorder="runner.artifacts.cpu_profile:CpuProfileRecorder",
        file="cpu-profiles/<step>.cpuprofile",
        media_type="application/json",
        order=13,
    ),
)
ARTIFACT_KINDS: dict[str, ArtifactKind] = {row.option: row for row in _ROWS}
"""The kinds by their `option`, in the order in which they are listed to users."""


def default_policies() -> dict[str, Policy]:
    """The default policy of each kind, by its option."""
    return {option: kind.policy for option, kind in ARTIFACT_KINDS.items()}


def list_shown_as(how: str) -> list[ArtifactKind]:
    """The kinds that are shown in this way (see `ArtifactKind.shown_as`), the folded ones last."""
    return sorted((kind for kind in ARTIFACT_KINDS.values() if kind.shown_as == how), key=lambda kind: kind.folded)


def find_kind(name: str) -> ArtifactKind | None:
    """The kind of this name in results; None for the kind of another version."""
    return next((kind for kind in ARTIFACT_KINDS.values() if kind.name == name), None)
