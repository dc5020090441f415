"""How fast a message reached its audience. Pure."""

import math
from collections.abc import Sequence
from datetime import datetime


def seconds_until(
    share: float, owed: int, accepted: Sequence[tuple[datetime, int]], since: datetime
) -> float | None:
    """Give the seconds until a share of what was owed had been accepted; None until then.

    `accepted`: how many at what time, in order. The share counts everyone who should have been
    reached, so a message that did not reach them all never has its last figure.
    """
    wanted = math.ceil(share * owed)
    if wanted == 0:
        return None
    so_far = 0
    for at, count in accepted:
        so_far += count
        if so_far >= wanted:
            return round((at - since).total_seconds(), 3)
    return None
