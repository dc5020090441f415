"""CAP 1.2 as an alert of ours: what it takes over, and what it refuses and why."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import composing
from cli.cap import CapError, Place, parse
from cli.commands.alert import from_cap
from cli.connection import Connection, StackFile
from cli.failures import CommandError
from cli.places import matched
from tests.support.cap import AREA, DUTCH, FRENCH, ID, SQUARE, document

NOW = datetime(2026, 11, 22, 14, 31, tzinfo=UTC)


def test_each_info_block_is_a_language_of_one_alert_that_the_judge_takes() -> None:
    read = parse(document(), NOW)
    assert read.place.municipalities == frozenset()
    (ring,) = read.place.outlines
    assert ring[0] == (3.70, 51.05)  # longitude first, as GeoJSON has it
    own: dict[str, Any] = {"zone_id": "demo", "issued_by": "officer-1", "network_ids": ["n1"]}
    alert = composing.alert({**own, **read.fields})
    assert alert.alert_id == ID
    assert alert.kind == "alert"
    assert alert.event == "burglary"
    assert alert.issued_at == datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
    assert alert.expires_at == datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
    assert set(alert.text) == {"nl", "fr"}
    assert alert.text["nl"] == (
        "Inbraak in de Molenstraat\nTwee personen te voet, donkere kledij.\nSluit deuren en ramen."
    )


@pytest.mark.parametrize(("word", "kind"), [("Update", "update"), ("Cancel", "all_clear")])
def test_a_reference_names_the_first_alert_by_the_id_that_it_got_itself(
    word: str, kind: str
) -> None:
    first = parse(document(identifier="2026/0815"), NOW).fields["alert_id"]
    again = parse(document(identifier="2026/0815", sent="2026-11-22T14:30:00+00:00"), NOW)
    assert again.fields["alert_id"] == first  # the same moment, written otherwise
    other = parse(document(identifier="2026/0816"), NOW).fields["alert_id"]
    assert other != first
    references = "pz-demo.example,2026/0815,2026-11-22T15:30:00+01:00"
    later = parse(document(msgType=word, references=references), NOW).fields
    assert (later["kind"], later["references"]) == (kind, first)


LATER = "<onset>2026-11-22T18:00:00+01:00</onset><expires>"
CIRCLE = "<circle>51.05,3.7 2</circle></area>"
PICTURE = "<resource><resourceDesc>Photo</resourceDesc><mimeType>image/jpeg</mimeType></resource>"
PARAMETER = "<parameter><valueName>BLOCK</valueName><value>SMS</value></parameter>"
SIGNATURE = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'
EMMA = "<geocode><valueName>EMMA_ID</valueName><value>BE001</value></geocode></area>"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (document(status="Draft"), "Draft"),
        (document(status="System"), "System"),
        (document(msgType="Ack"), "Ack"),
        (document(scope="Private", addresses=""), "Private"),
        (document(scope="Restricted"), "Restricted"),
        (document(msgType="Update"), "references"),
        (document(msgType="Cancel", references="a,b,2026-11-22T15:30:00+01:00 c,d,e"), "one"),
        (document(""), "no info"),
        (document(DUTCH + DUTCH), "two info blocks are in nl"),
        (document(DUTCH.replace("nl-BE", "it")), "no member gets messages in it"),
        (document(DUTCH + FRENCH.replace("16:00", "17:00")), "differ in their expires"),
        (document(DUTCH + FRENCH.replace("51.05,3.70", "51.04,3.70")), "differ in their area"),
        (document(DUTCH.replace("<value>burglary", "<value>picnic")), "--event"),
        (document(DUTCH.replace("Immediate", "Future")), "write a bulletin"),
        (document(DUTCH.replace("<expires>", LATER)), "lies ahead"),
        (document(DUTCH.replace("</area>", CIRCLE)), "circle"),
        (document(DUTCH.replace("</area>", EMMA)), "EMMA_ID"),
        (document(DUTCH.replace("<area>", PICTURE + "<area>")), "attachment"),
        (document(DUTCH.replace("Monitor", "AllClear")), "belongs to msgType Cancel"),
        (document(DUTCH.replace("<instruction>Sluit deuren en ramen.</instruction>", "")), "words"),
        (document(DUTCH, note="Niet voor de pers"), "note cannot"),
        (document(DUTCH, code="IPAWSv1.0"), "code cannot"),
        (document(DUTCH, incidents="2026/0815"), "incidents cannot"),
        (document(DUTCH.replace("<area>", PARAMETER + "<area>")), "parameter cannot"),
        (document(DUTCH.replace("Observed", "Unlikely")), "certainty Unlikely"),
        (document(DUTCH + SIGNATURE), "signature"),
        # what the schema itself refuses
        (document(status="Urgent"), "status is one of"),
        (document(sent="2026-11-22T15:30:00Z"), "sent must be like"),
        (document(sent="2026-13-22T15:30:00+01:00"), "sent must be like"),
        (document(DUTCH.replace("<category>Security</category>", "")), "category is missing"),
        (document(DUTCH.replace("</area>", "<height>2</height></area>")), "no element height"),
        (document(DUTCH.replace(SQUARE, "51.05,3.70 51.06,3.71")), "four pairs"),
        (document(DUTCH.replace(SQUARE, "here there")), "four pairs"),
        (document(identifier=""), "identifier is missing"),
        (document().replace(b"cap:1.2", b"cap:1.1"), "no alert of"),
        (document().replace(b"</alert>", b""), "no XML"),
        (document().replace(b"UTF-8", b"klingon"), "CAP:"),
        (b"", "no XML"),
        (document("<info>" * 20 + "</info>" * 20), "too deep"),
    ],
)
def test_what_cannot_be_honoured_or_is_no_cap_is_refused_with_its_reason(
    content: bytes, why: str
) -> None:
    with pytest.raises(CapError, match=why):
        parse(content, NOW)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE alert [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE alert [<!ENTITY file SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE alert SYSTEM "http://127.0.0.1:9/alert.dtd">',
    ],
)
def test_a_document_type_is_refused_so_no_entity_is_expanded_or_fetched(declaration: str) -> None:
    start, _, rest = document().partition(b"\n")
    with pytest.raises(CapError, match="document type"):
        parse(start + declaration.encode() + rest, NOW)


@given(st.data())
def test_however_a_document_is_mangled_the_answer_is_an_alert_or_a_reason(
    data: st.DataObject,
) -> None:
    content = bytearray(document())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(CapError):
        assert parse(bytes(content), NOW).fields["text"]


def network(name: str, west: float | None = None, municipality: str = "44021") -> dict[str, Any]:
    area: dict[str, Any] = {"type": "streets", "streets": ["Molenstraat"]}
    if west is not None:
        ring = [[west, 51.0], [west + 0.01, 51.0], [west + 0.01, 51.1], [west, 51.1], [west, 51.0]]
        area = {"type": "Polygon", "coordinates": [ring]}
    return {"network_id": name, "state": "active", "municipality": municipality, "area": area}


NETWORKS = [
    network("west", 3.50),
    network("overlaps", 3.695),
    network("within", 3.705),
    network("east", 3.90, "23025"),
    network("streets"),
]


def test_a_polygon_means_the_networks_that_it_overlaps_and_streets_are_named_as_unmatched() -> None:
    found = matched(parse(document(), NOW).place, NETWORKS)
    assert found.network_ids == ["overlaps", "within"]
    assert found.without_map == ["streets"]


def test_a_geocode_means_a_municipality_or_a_network() -> None:
    nowhere = frozenset[str]()
    assert matched(Place(frozenset(), frozenset({"23025"}), nowhere), NETWORKS).network_ids == [
        "east"
    ]
    assert matched(Place(frozenset(), nowhere, frozenset({"west"})), NETWORKS).network_ids == [
        "west"
    ]
    for place in (
        Place(frozenset(), frozenset({"99999"}), nowhere),
        Place(frozenset(), nowhere, frozenset({"elsewhere"})),
        Place(frozenset({((9.0, 9.0), (9.1, 9.0), (9.1, 9.1), (9.0, 9.0))}), nowhere, nowhere),
    ):
        with pytest.raises(CapError):
            matched(place, NETWORKS)


def test_networks_on_the_command_line_never_replace_the_documents_own_area(
    tmp_path: Path,
) -> None:
    """They are for a document that leaves the place open, and only then."""
    nowhere = Connection(StackFile(), None, {})
    path = tmp_path / "alert.xml"
    path.write_bytes(document())
    with pytest.raises(CommandError, match="own area"):
        from_cap(path, nowhere, ["n1"], None)
    path.write_bytes(document(DUTCH.replace(AREA, "")))
    assert from_cap(path, nowhere, ["n1"], None)["event"] == "burglary"
    with pytest.raises(CommandError, match="say --network"):
        from_cap(path, nowhere, None, None)
