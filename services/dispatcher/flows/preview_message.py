"""Preview an alert or a bulletin: how it will look, whom it reaches, what it costs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.dispatcher.domain import texts
from services.dispatcher.domain.judging import needs_two
from services.dispatcher.store.addressed import AddressedNetworks
from services.dispatcher.store.copy import AudienceKey, Copy, Tally
from shared.clock import Clock
from shared.contracts import Alert, BulletinProposed, Network
from shared.contracts.base import LANGUAGES, AlertKind, Language
from shared.contracts.dispatcher import LeftOut
from shared.judging import Candidate, Choice, choose_networks


@dataclass(frozen=True, slots=True)
class TextPreview:
    """What goes out in one language, letter for letter."""

    language: Language
    body: str
    subject: str | None = None
    encoding: texts.Encoding | None = None
    """For an SMS: `gsm7`, or `ucs2`, which has less than half the room."""

    segments: int | None = None
    too_long: bool = False
    """Whether the judge would refuse it."""


@dataclass(frozen=True, slots=True)
class LanguageShare:
    """The people of a network who get one language; `cost` in euro, where the tariff is set."""

    language: Language
    people: int
    unreachable: int
    """Those who would get this language and cannot be reached; they are not among `people`."""

    by_mail: int
    """Of the unreachable by SMS, those who get an alert by e-mail instead."""

    segments: int | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class NetworkPreview:
    """One network that takes the message. Who is in two networks counts in both."""

    network_id: str
    name: str
    people: int
    unreachable: int
    by_mail: int
    languages: tuple[LanguageShare, ...]
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Preview:
    """The whole message. `people` are distinct, the unreachable among them.

    `by_mail` are those of the unreachable by SMS who get an alert by e-mail.
    """

    texts: tuple[TextPreview, ...]
    networks: tuple[NetworkPreview, ...]
    left_out: tuple[LeftOut, ...]
    people: int
    unreachable: int
    by_mail: int
    cost: Decimal | None
    approval_needed: bool
    """Whether another officer would have to approve it, as things stand."""


class PreviewMessage:
    """Works from the copy, like the planner; nothing is stored."""

    def __init__(
        self,
        copy: Copy,
        addressed: AddressedNetworks,
        clock: Clock,
        max_segments: int,
        segment_price: Decimal | None,
    ) -> None:
        """Bind; `segment_price` is in euro."""
        self._copy = copy
        self._addressed = addressed
        self._clock = clock
        self._max_segments = max_segments
        self._price = segment_price

    async def alert(self, alert: Alert) -> Preview:
        """Preview a warm message. Raises `shared.judging.Refused` for networks it cannot go to.

        An all-clear goes to whoever got its alert, so these are the people who may get it at most.
        """
        networks = await self._copy.networks_by_id(alert.network_ids)
        all_clear = alert.kind is AlertKind.ALL_CLEAR
        choice = _choose(alert, networks, none_left=all_clear)
        shown = tuple(
            self._sms(language, alert) for language in LANGUAGES if language in alert.text
        )
        recent = await self._addressed.look(alert.zone_id)
        return await self._preview(
            "sms",
            shown,
            networks,
            choice,
            approval_needed=needs_two(alert, recent, self._clock.now()),
        )

    async def bulletin(self, bulletin: BulletinProposed) -> Preview:
        """Preview a cold message. Raises `shared.judging.Refused` for networks it cannot go to."""
        networks = await self._copy.networks_by_id(bulletin.network_ids)
        choice = _choose(bulletin, networks, none_left=False)
        shown = tuple(
            _mail(language, bulletin) for language in LANGUAGES if language in bulletin.body
        )
        return await self._preview("mail", shown, networks, choice, approval_needed=False)

    def _sms(self, language: Language, alert: Alert) -> TextPreview:
        sms = texts.alert_sms(alert.text[language], language, alert.kind, alert.status)
        return TextPreview(
            language=language,
            body=sms.body,
            encoding=sms.encoding,
            segments=sms.segments,
            too_long=sms.segments > self._max_segments,
        )

    async def _preview(
        self,
        key: AudienceKey,
        shown: Sequence[TextPreview],
        networks: Mapping[str, Network],
        choice: Choice,
        *,
        approval_needed: bool,
    ) -> Preview:
        fall_back = [one for one in choice.takes if networks[one].warm_fallback == "email"]
        by_network = await self._copy.tally(
            key, choice.takes, by_network=True, fall_back=fall_back if key == "sms" else ()
        )
        distinct = await self._copy.tally(
            key, choice.takes, by_network=False, fall_back=fall_back if key == "sms" else ()
        )
        segments: dict[Language, int | None] = {text.language: text.segments for text in shown}
        return Preview(
            texts=tuple(shown),
            networks=tuple(
                self._network(
                    networks[network_id],
                    [one for one in by_network if one.network_id == network_id],
                    segments,
                )
                for network_id in choice.takes
            ),
            left_out=choice.left_out,
            people=sum(one.people for one in distinct),
            unreachable=sum(one.people for one in distinct if one.unreachable),
            by_mail=sum(one.people for one in distinct if one.by_mail),
            cost=_sum(self._shares(distinct, networks, segments)),
            approval_needed=approval_needed,
        )

    def _network(
        self,
        network: Network,
        tallies: Sequence[Tally],
        segments: Mapping[Language, int | None],
    ) -> NetworkPreview:
        shares = self._shares(tallies, {network.network_id: network}, segments)
        return NetworkPreview(
            network_id=network.network_id,
            name=network.name,
            people=sum(one.people for one in tallies),
            unreachable=sum(one.people for one in tallies if one.unreachable),
            by_mail=sum(one.people for one in tallies if one.by_mail),
            languages=tuple(shares),
            cost=_sum(shares),
        )

    def _shares(
        self,
        tallies: Sequence[Tally],
        networks: Mapping[str, Network],
        segments: Mapping[Language, int | None],
    ) -> list[LanguageShare]:
        by_language: dict[Language, list[Tally]] = defaultdict(list)
        for one in tallies:
            own = networks[one.network_id].languages
            by_language[texts.choose_language(one.language, own, segments)].append(one)
        return [
            self._share(language, mine, segments[language])
            for language, mine in sorted(by_language.items())
        ]

    def _share(
        self, language: Language, tallies: Sequence[Tally], segments: int | None
    ) -> LanguageShare:
        people = sum(one.people for one in tallies if not one.unreachable)
        return LanguageShare(
            language=language,
            people=people,
            unreachable=sum(one.people for one in tallies if one.unreachable),
            by_mail=sum(one.people for one in tallies if one.by_mail),
            segments=segments,
            cost=self._cost(people, segments),
        )

    def _cost(self, people: int, segments: int | None) -> Decimal | None:
        if segments is None:
            return Decimal(0)  # mail costs nothing per piece
        return None if self._price is None else self._price * people * segments


def _choose(
    event: Alert | BulletinProposed, networks: Mapping[str, Network], *, none_left: bool
) -> Choice:
    candidates = {name: Candidate.of(network) for name, network in networks.items()}
    return choose_networks(event, candidates, none_left=none_left)


def _mail(language: Language, bulletin: BulletinProposed) -> TextPreview:
    mail = texts.dressed_mail(
        bulletin.subject[language], bulletin.body[language], language, bulletin.status
    )
    return TextPreview(language=language, body=mail.body, subject=mail.subject)


def _sum(shares: Sequence[LanguageShare]) -> Decimal | None:
    costs = [share.cost for share in shares]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None
