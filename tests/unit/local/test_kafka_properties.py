"""What the local broker is told."""

import uuid

from deploy.local.kafka_properties import new_cluster_id


def test_a_cluster_id_never_looks_like_an_option() -> None:
    drawn = iter([uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=bytes(16))])
    assert new_cluster_id(lambda: next(drawn)) == "A" * 22
