"""What the service uses of its machine, for Prometheus: processor, memory, disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable


class Resources(Collector):
    """Read when Prometheus asks."""

    def __init__(self, folder: Path = Path()) -> None:
        """Looks at this process and at the disk that holds the folder."""
        self.process = psutil.Process()
        self.folder = folder
        # The first reading begins the interval that the next one is about.
        self.process.cpu_percent()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The present use."""
        disk = psutil.disk_usage(str(self.folder.resolve()))
        values = {
            "service_cpu_share": (
                "Processor use since the last reading; 1 is one core",
                self.process.cpu_percent() / 100,
            ),
            "service_memory_bytes": ("Memory of the service", self.process.memory_info().rss),
            "service_memory_share": (
                "Its share of the machine's memory",
                self.process.memory_percent() / 100,
            ),
            "service_disk_free_bytes": ("Free disk where predictions are stored", disk.free),
            "service_disk_share": ("Used share of that disk", disk.percent / 100),
        }
        for name, (meaning, value) in values.items():
            yield GaugeMetricFamily(name, meaning, value=float(value))
