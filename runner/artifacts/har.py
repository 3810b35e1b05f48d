"""Every request and answer as an HTTP archive (HAR 1.2), as Playwright writes it when a context is closed."""

from collections.abc import Iterator, Mapping
from typing import Any

from runner.artifacts.recorder import Recorded, Recorder
from runner.redaction.document_forms import PLAYWRIGHT


class HarRecorder(Recorder):
    """The HAR of one context."""

    def context_options(self) -> Mapping[str, Any]:
        return {"record_har_path": self.workspace.folder / "requests.har", "record_har_content": "embed"}

    def save(self) -> Iterator[Recorded]:
        yield Recorded(self.workspace.redact_json((self.workspace.folder / "requests.har").read_bytes(), PLAYWRIGHT))
