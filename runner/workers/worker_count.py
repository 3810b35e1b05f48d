"""How many workers a machine has room for."""

import psutil

from runner.browser import memory
from runner.settings.settings import Settings


def count_workers(settings: Settings) -> int:
    """The workers of the settings, else as many as fit."""
    return settings.workers if settings.origin("workers") != "default" else _count_fitting(settings.min_free_memory)


def _count_fitting(min_free_memory: int) -> int:
    """The number of workers: one per two cores, as more slow each other down, and at most one per gigabyte of free memory."""
    cores = max((psutil.cpu_count() or 1) // 2, 1)
    return max(min(cores, (memory.available() - min_free_memory) // 1_000_000_000), 1)
