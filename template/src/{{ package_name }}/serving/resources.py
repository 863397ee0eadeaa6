"""What the service uses of its machine, for Prometheus: processor, memory, disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from prometheus_client import Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


def watch_resources(registry: CollectorRegistry, folder: Path = Path()) -> None:
    """Exports what this process and the disk of a folder use; read whenever Prometheus asks."""
    process = psutil.Process()
    place = str(folder.resolve())
    # The first reading begins the interval that the next one is about.
    process.cpu_percent()
    cpu = Gauge("service_cpu_share", "Processor use since the last reading; 1 is one core", registry=registry)
    cpu.set_function(lambda: process.cpu_percent() / 100)
    memory = Gauge("service_memory_bytes", "Memory of the service", registry=registry)
    memory.set_function(lambda: process.memory_info().rss)
    share = Gauge("service_memory_share", "Its share of the machine's memory", registry=registry)
    share.set_function(lambda: process.memory_percent() / 100)
    disk = Gauge("service_disk_share", "Used share of the disk that holds the predictions", registry=registry)
    disk.set_function(lambda: psutil.disk_usage(place).percent / 100)
