"""The demo's people are invented: no number of theirs can ring anywhere."""

import phonenumbers
from phonenumbers import PhoneNumberType, carrier

from cli.demo_people import NETWORKS, PEOPLE, audience, people


def test_no_operator_has_the_range_of_their_numbers() -> None:
    for person in people():
        if person.phone is not None:
            number = phonenumbers.parse(person.phone)
            assert phonenumbers.is_valid_number(number)
            assert phonenumbers.number_type(number) == PhoneNumberType.MOBILE
            assert carrier.name_for_number(number, "en") == ""


def test_addresses_are_in_a_reserved_domain() -> None:
    assert all(person.email.endswith(".example") for person in people())


def test_there_are_as_many_as_promised_each_with_their_own_number_and_address() -> None:
    everybody = list(people())
    assert len(everybody) == PEOPLE == 120
    phones = [person.phone for person in everybody if person.phone]
    assert len(set(phones)) == len(phones)
    assert len({person.email for person in everybody}) == PEOPLE


def test_they_are_as_mixed_as_real_life() -> None:
    everybody = list(people())
    assert {person.language for person in everybody} == {"nl", "fr"}
    assert any(len(person.networks) > 1 for person in everybody)
    assert any(person.phone is None for person in everybody)
    assert any(person.leaves for person in everybody)
    assert {slug for person in everybody for slug in person.networks} == {
        network.slug for network in NETWORKS
    }


def test_the_audience_has_a_mobile_and_has_not_left() -> None:
    assert {person.number for person in people()} - {person.number for person in audience()} == {
        person.number for person in people() if person.phone is None or person.leaves
    }
