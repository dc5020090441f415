"""Which networks a place on the map means: by their areas, as the registry has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from cli.api import Json
from cli.cap import CapError, Place
from cli.connection import Connection
from shared.geometry import Ring, areas_meet

_ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Matched:
    """The networks of a place, and those that no map can tell about."""

    network_ids: list[str]
    without_map: list[str]
    """Active networks whose area is a list of streets: they are reached by name only."""


def networks_at(place: Place, connection: Connection) -> Matched:
    """Ask the registry. Raises `CapError` where no active network lies there."""
    with connection.api("registry", "police") as registry:
        listed = [one for one in registry.pages("/v1/networks") if one["state"] == _ACTIVE]
        networks = listed
        if place.outlines:
            networks = [registry.get(f"/v1/networks/{one['network_id']}") for one in listed]
    return matched(place, networks)


def matched(place: Place, networks: Sequence[Json]) -> Matched:
    """Choose among active networks. Raises `CapError` for what none of them answers to."""
    known = {str(one["network_id"]) for one in networks}
    municipalities = {str(one["municipality"]) for one in networks}
    for what, named, there in (
        ("network", place.networks, known),
        ("municipality", place.municipalities, municipalities),
    ):
        missing = sorted(named - there)
        if missing:
            message = f"CAP: the zone has no active network for {what} {missing[0]}"
            raise CapError(message)
    found = {
        str(one["network_id"])
        for one in networks
        if one["network_id"] in place.networks
        or one["municipality"] in place.municipalities
        or _lies_in(one, place)
    }
    if not found:
        raise CapError("CAP: no active network of the zone lies in its area")
    blind = [str(one["network_id"]) for one in networks if place.outlines and _rings(one) is None]
    return Matched(sorted(found), sorted(set(blind) - found))


def _lies_in(network: Json, place: Place) -> bool:
    rings = _rings(network)
    return rings is not None and any(areas_meet([outline], rings) for outline in place.outlines)


def _rings(network: Json) -> list[Ring] | None:
    area: dict[str, Any] | None = network.get("area")
    if area is None or area.get("type") != "Polygon":
        return None
    rings = cast("list[list[list[float]]]", area["coordinates"])
    return [tuple((x, y) for x, y in ring) for ring in rings]
