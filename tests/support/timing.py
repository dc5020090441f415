"""Time limits that hold on an idle machine, stretched by how busy it is."""

import os


def limit(seconds: float) -> float:
    """Give the limit for this moment: more runnable processes than cores each get less of one."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    return seconds * max(1.0, load / cores)
