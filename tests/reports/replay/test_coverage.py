"""What real users do and no journey touches."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.collector.figures import Range
from reports.collector.writer import Writer
from reports.replay.coverage import coverage
from runner.cli import main
from runner.store import Store
from tests.reports.collector import arrivals
