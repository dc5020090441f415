"""The mails that the registry and the audit service ask for: their words, in four languages. Pure.

A notice carries ids, counts and dates only (`about`), never a name or a text; they are listed
below the words. `$link` is where to go on, `$privacy` the zone's privacy notice.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from string import Template
from typing import Self

from pydantic import JsonValue

from services.dispatcher.domain.message import Content
from shared.contracts import Notice
from shared.contracts.base import LANGUAGES, Language
from shared.contracts.registry import Contact, NoticeTemplate


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a notice is for: a member, or whoever holds a role in a network."""

    member_id: str | None = None
    role: str | None = None
    network_id: str | None = None

    @classmethod
    def of(cls, notice: Notice) -> Self:
        """Take it from the notice."""
        role = notice.to_role
        return cls(
            member_id=notice.to_member,
            role=None if role is None else role.role,
            network_id=None if role is None else role.network_id,
        )

    def holds(self, contact: Contact) -> bool:
        """Tell whether a network's contact holds the role now."""
        roles = {"coordinator", "co_coordinator"} if self.role == "coordinator" else {self.role}
        return contact.active and contact.role in roles

    def to_row(self) -> dict[str, str | None]:
        """Give it as the database keeps it."""
        return asdict(self)

    @classmethod
    def of_row(cls, row: Mapping[str, str | None]) -> Self:
        """Take it from the database."""
        return cls(**row)


Words = tuple[str, str]
"""Subject and body."""

TEMPLATES: Mapping[NoticeTemplate, Mapping[Language, Words]] = {
    "accept_house_rules": {
        "nl": (
            "Bevestig uw lidmaatschap van het buurtinformatienetwerk",
            (
                "U bent aangemeld voor een buurtinformatienetwerk (BIN). U krijgt pas berichten "
                "nadat "
                "u zelf het huishoudelijk reglement hebt aanvaard. Lees het en beslis "
                "hier:\n$link\n\n"
                "Tot dan bewaren wij alleen uw contactgegevens. Doet u niets, dan gebeurt er niets."
                "\n\n"
                "Wat wij met uw gegevens doen, en wat uw rechten zijn:\n$privacy"
            ),
        ),
        "fr": (
            "Confirmez votre adhésion au partenariat local de prévention",
            (
                "Vous avez été inscrit à un partenariat local de prévention (PLP). Vous ne "
                "recevrez "
                "de messages qu'après avoir accepté vous-même le règlement intérieur. Lisez-le et "
                "décidez ici :\n$link\n\n"
                "D'ici là, nous ne conservons que vos coordonnées. Sans action de votre part, il "
                "ne "
                "se passe rien.\n\n"
                "Ce que nous faisons de vos données, et vos droits :\n$privacy"
            ),
        ),
        "de": (
            "Bestätigen Sie Ihre Mitgliedschaft im Nachbarschaftsnetzwerk",
            (
                "Sie wurden für ein lokales Informationsnetzwerk (BIN) angemeldet. Nachrichten "
                "erhalten Sie erst, wenn Sie die Hausordnung selbst angenommen haben. Lesen und "
                "entscheiden Sie hier:\n$link\n\n"
                "Bis dahin bewahren wir nur Ihre Kontaktdaten auf. Ohne Ihr Zutun geschieht nichts."
                "\n\nWas wir mit Ihren Daten tun, und Ihre Rechte:\n$privacy"
            ),
        ),
        "en": (
            "Confirm your membership of the neighbourhood information network",
            (
                "You have been signed up for a neighbourhood information network (BIN). You get "
                "messages only after you have accepted the house rules yourself. Read them and "
                "decide "
                "here:\n$link\n\n"
                "Until then we keep your contact details only. If you do nothing, nothing happens."
                "\n\nWhat we do with your data, and your rights:\n$privacy"
            ),
        ),
    },
    "membership_confirmed": {
        "nl": (
            "U bent lid van het buurtinformatienetwerk",
            (
                "Uw lidmaatschap is bevestigd. Dringende berichten krijgt u per sms, andere per "
                "e-mail. Stoppen kan altijd, via de link onderaan elke mail of via de coördinator."
            ),
        ),
        "fr": (
            "Vous êtes membre du partenariat local de prévention",
            (
                "Votre adhésion est confirmée. Les messages urgents vous parviennent par SMS, les "
                "autres par e-mail. Vous pouvez arrêter à tout moment, par le lien au bas de "
                "chaque "
                "e-mail ou auprès du coordinateur."
            ),
        ),
        "de": (
            "Sie sind Mitglied des Nachbarschaftsnetzwerks",
            (
                "Ihre Mitgliedschaft ist bestätigt. Dringende Nachrichten erhalten Sie per SMS, "
                "andere per E-Mail. Aufhören können Sie jederzeit, über den Link unten in jeder "
                "E-Mail oder beim Koordinator."
            ),
        ),
        "en": (
            "You are a member of the neighbourhood information network",
            (
                "Your membership is confirmed. Urgent messages reach you by SMS, others by e-mail. "
                "You can stop at any time, by the link below each mail or through the coordinator."
            ),
        ),
    },
    "bulletin_waiting": {
        "nl": (
            "Een bericht van de politie wacht op u",
            (
                "De politie heeft een bericht voor uw netwerk voorgesteld. Bekijk het en geef "
                "het vrij "
                "of stuur het terug met een reden:\n$link"
            ),
        ),
        "fr": (
            "Un message de la police vous attend",
            (
                "La police propose un message pour votre réseau. Consultez-le et diffusez-le, ou "
                "renvoyez-le avec un motif :\n$link"
            ),
        ),
        "de": (
            "Eine Nachricht der Polizei wartet auf Sie",
            (
                "Die Polizei schlägt eine Nachricht für Ihr Netzwerk vor. Sehen Sie sie an und "
                "geben "
                "Sie sie frei oder senden Sie sie mit einem Grund zurück:\n$link"
            ),
        ),
        "en": (
            "A message from the police waits for you",
            (
                "The police propose a message for your network. Look at it and release it, or "
                "return "
                "it with a reason:\n$link"
            ),
        ),
    },
    "bulletin_reminder": {
        "nl": (
            "Herinnering: een bericht van de politie wacht nog",
            (
                "Het voorgestelde bericht is nog niet vrijgegeven of teruggestuurd. Doe dat hier:\n"
                "$link\n\nBlijft het liggen, dan gaat het naar uw plaatsvervanger en de "
                "gemandateerde."
            ),
        ),
        "fr": (
            "Rappel : un message de la police attend toujours",
            (
                "Le message proposé n'est encore ni diffusé ni renvoyé. Faites-le ici :\n$link\n\n"
                "S'il reste en attente, il passe à votre suppléant et au policier mandaté."
            ),
        ),
        "de": (
            "Erinnerung: Eine Nachricht der Polizei wartet noch",
            (
                "Die vorgeschlagene Nachricht ist weder freigegeben noch zurückgesandt. Tun Sie es "
                "hier:\n$link\n\n"
                "Bleibt sie liegen, geht sie an Ihre Vertretung und den beauftragten Polizisten."
            ),
        ),
        "en": (
            "Reminder: a message from the police still waits",
            (
                "The proposed message has been neither released nor returned. Do so "
                "here:\n$link\n\n"
                "If it is left waiting, it goes to your deputy and the mandated officer."
            ),
        ),
    },
    "bulletin_escalated": {
        "nl": (
            "Een bericht wacht te lang en komt nu bij u",
            "De coördinator heeft een voorgesteld bericht niet behandeld. Beslis hier:\n$link",
        ),
        "fr": (
            "Un message attend trop longtemps et vous est transmis",
            "Le coordinateur n'a pas traité un message proposé. Décidez ici :\n$link",
        ),
        "de": (
            "Eine Nachricht wartet zu lange und kommt nun zu Ihnen",
            (
                "Der Koordinator hat eine vorgeschlagene Nachricht nicht bearbeitet. Entscheiden "
                "Sie "
                "hier:\n$link"
            ),
        ),
        "en": (
            "A message has waited too long and now comes to you",
            "The coordinator has not dealt with a proposed message. Decide here:\n$link",
        ),
    },
    "bulletin_returned": {
        "nl": (
            "De coördinator stuurde een bericht terug",
            "Een door u voorgesteld bericht werd niet vrijgegeven. De reden leest u hier:\n$link",
        ),
        "fr": (
            "Le coordinateur a renvoyé un message",
            "Un message que vous avez proposé n'a pas été diffusé. Le motif se trouve ici :\n$link",
        ),
        "de": (
            "Der Koordinator hat eine Nachricht zurückgesandt",
            (
                "Eine von Ihnen vorgeschlagene Nachricht wurde nicht freigegeben. Den Grund "
                "lesen Sie "
                "hier:\n$link"
            ),
        ),
        "en": (
            "The coordinator returned a message",
            "A message that you proposed was not released. The reason stands here:\n$link",
        ),
    },
    "bulletin_expired": {
        "nl": (
            "Een voorgesteld bericht is vervallen",
            "Een bericht werd niet op tijd vrijgegeven en is aan niemand verstuurd:\n$link",
        ),
        "fr": (
            "Un message proposé a expiré",
            "Un message n'a pas été diffusé à temps et n'a été envoyé à personne :\n$link",
        ),
        "de": (
            "Eine vorgeschlagene Nachricht ist abgelaufen",
            "Eine Nachricht wurde nicht rechtzeitig freigegeben und an niemanden gesandt:\n$link",
        ),
        "en": (
            "A proposed message has expired",
            "A message was not released in time and has been sent to nobody:\n$link",
        ),
    },
    "bulletin_suggested": {
        "nl": (
            "De gemeente stelt een preventietip voor",
            "Bekijk de tip, pas hem aan en neem hem over, of wijs hem af met een reden:\n$link",
        ),
        "fr": (
            "La commune suggère un conseil de prévention",
            "Consultez-le, adaptez-le et reprenez-le, ou refusez-le avec un motif :\n$link",
        ),
        "de": (
            "Die Gemeinde schlägt einen Vorbeugungstipp vor",
            (
                "Sehen Sie ihn an, passen Sie ihn an und übernehmen Sie ihn, oder lehnen Sie ihn "
                "mit einem Grund ab:\n$link"
            ),
        ),
        "en": (
            "The municipality suggests a prevention tip",
            "Look at it, edit and adopt it, or decline it with a reason:\n$link",
        ),
    },
    "house_rules_changed": {
        "nl": (
            "Uw netwerk heeft een nieuw huishoudelijk reglement",
            (
                "Lees de nieuwe versie en aanvaard ze zelf, hier:\n$link\n\n"
                "U blijft intussen lid en u krijgt uw berichten. Stoppen kan altijd."
            ),
        ),
        "fr": (
            "Votre réseau a un nouveau règlement intérieur",
            (
                "Lisez la nouvelle version et acceptez-la vous-même, ici :\n$link\n\n"
                "Entre-temps, vous restez membre et recevez vos messages. Vous pouvez arrêter à "
                "tout moment."
            ),
        ),
        "de": (
            "Ihr Netzwerk hat eine neue Hausordnung",
            (
                "Lesen Sie die neue Fassung und nehmen Sie sie selbst an, hier:\n$link\n\n"
                "Bis dahin bleiben Sie Mitglied und erhalten Ihre Nachrichten. Aufhören können Sie "
                "jederzeit."
            ),
        ),
        "en": (
            "Your network has new house rules",
            (
                "Read the new version and accept it yourself, here:\n$link\n\n"
                "Meanwhile you stay a member and get your messages. You can stop at any time."
            ),
        ),
    },
    "member_unreachable": {
        "nl": (
            "Een lid is niet bereikbaar per sms",
            (
                "Een lid van uw netwerk kan geen sms ontvangen (STOP geantwoord of geen geldig "
                "nummer). Neem contact op en pas de gegevens aan:\n$link"
            ),
        ),
        "fr": (
            "Un membre n'est pas joignable par SMS",
            (
                "Un membre de votre réseau ne peut pas recevoir de SMS (réponse STOP ou numéro non "
                "valable). Prenez contact et corrigez les données :\n$link"
            ),
        ),
        "de": (
            "Ein Mitglied ist per SMS nicht erreichbar",
            (
                "Ein Mitglied Ihres Netzwerks kann keine SMS empfangen (STOP geantwortet oder "
                "keine "
                "gültige Nummer). Nehmen Sie Kontakt auf und berichtigen Sie die Daten:\n$link"
            ),
        ),
        "en": (
            "A member cannot be reached by SMS",
            (
                "A member of your network cannot receive SMS (answered STOP, or no valid "
                "number). Get "
                "in touch and correct the details:\n$link"
            ),
        ),
    },
    "network_without_coordinator": {
        "nl": (
            "Een netwerk heeft geen coördinator",
            "Niemand kan er nog berichten vrijgeven. Stel een coördinator aan:\n$link",
        ),
        "fr": (
            "Un réseau n'a pas de coordinateur",
            "Plus personne ne peut y diffuser de messages. Désignez un coordinateur :\n$link",
        ),
        "de": (
            "Ein Netzwerk hat keinen Koordinator",
            "Niemand kann dort noch Nachrichten freigeben. Bestimmen Sie einen Koordinator:\n$link",
        ),
        "en": (
            "A network has no coordinator",
            "Nobody there can release messages any more. Appoint a coordinator:\n$link",
        ),
    },
    "network_dissolved": {
        "nl": (
            "Het buurtinformatienetwerk is opgeheven",
            (
                "Er worden geen berichten meer verstuurd. Uw gegevens worden gewist zodra de wet "
                "het "
                "toelaat."
            ),
        ),
        "fr": (
            "Le partenariat local de prévention est dissous",
            "Plus aucun message n'est envoyé. Vos données sont effacées dès que la loi le permet.",
        ),
        "de": (
            "Das Nachbarschaftsnetzwerk ist aufgelöst",
            (
                "Es werden keine Nachrichten mehr versandt. Ihre Daten werden gelöscht, sobald das "
                "Gesetz es erlaubt."
            ),
        ),
        "en": (
            "The neighbourhood information network is dissolved",
            "No more messages are sent. Your data are erased as soon as the law allows.",
        ),
    },
    "feedback_due": {
        "nl": (
            "Feedback over een alarm ontbreekt nog",
            (
                "De leden kregen een dringend bericht en hebben nog geen feedback. Stel ze op, of "
                "noteer waarom niet:\n$link"
            ),
        ),
        "fr": (
            "Un retour d'information est attendu",
            (
                "Les membres ont reçu un message urgent et attendent un retour. Rédigez-le, ou "
                "notez "
                "pourquoi il n'y en aura pas :\n$link"
            ),
        ),
        "de": (
            "Eine Rückmeldung zu einem Alarm fehlt noch",
            (
                "Die Mitglieder erhielten eine dringende Nachricht und noch keine Rückmeldung. "
                "Schreiben Sie sie, oder vermerken Sie, warum nicht:\n$link"
            ),
        ),
        "en": (
            "Feedback on an alert is due",
            (
                "The members got an urgent message and no feedback yet. Write it, or note why "
                "not:\n"
                "$link"
            ),
        ),
    },
    "audit_alarm": {
        "nl": (
            "Alarm van de auditdienst",
            "De auditdienst stelde een afwijking vast die iemand moet bekijken.",
        ),
        "fr": (
            "Alarme du service d'audit",
            "Le service d'audit a constaté une anomalie que quelqu'un doit examiner.",
        ),
        "de": (
            "Alarm des Prüfdienstes",
            "Der Prüfdienst hat eine Abweichung festgestellt, die jemand ansehen muss.",
        ),
        "en": (
            "Alarm from the audit service",
            "The audit service found a deviation that somebody must look at.",
        ),
    },
}
"""Subject and body of each template; a test holds it against the contract's list."""

ACCEPT_TEMPLATES = frozenset[NoticeTemplate]({"accept_house_rules", "house_rules_changed"})
"""What leads to the member's own acceptance link."""

ACCEPT_LINK = "{accept_link}"
"""Stands where the planner puts the member's own link, once it knows the member."""

_SHOWN = 100
_PRINTABLE = 0x20


@dataclass(frozen=True, slots=True)
class Links:
    """Where the links of notices lead."""

    registry: str
    """The registry's public address: members accept there, and read what becomes of their data."""

    desk: str | None = None
    """Where coordinators and officers work in a browser, by the registry's own paths. Without it
    their links lead to the registry's interface."""

    def own(self, path: str) -> str:
        """Give the address of one of the registry's pages."""
        return f"{self.registry.rstrip('/')}/v1{path}"

    def work(self, path: str) -> str:
        """Give the address of what a coordinator or officer has to do."""
        return self.own(path) if self.desk is None else f"{self.desk.rstrip('/')}{path}"


def render(notice: Notice, links: Links) -> Content:
    """Give a notice's words in all languages, what it is about listed below."""
    link = link_of(notice, links)
    words = TEMPLATES[notice.template]
    listed = _listed(notice.about)
    return Content(
        subject={language: words[language][0] for language in LANGUAGES},
        body={
            language: Template(words[language][1]).substitute(
                link=link, privacy=privacy_of(notice, links, language)
            )
            + listed
            for language in LANGUAGES
        },
    )


def with_accept_link(content: Content, link: str) -> Content:
    """Put the member's own acceptance link where its place was kept."""
    body: dict[Language, str] = {
        language: text.replace(ACCEPT_LINK, link) for language, text in content.body.items()
    }
    return Content(body=body, subject=content.subject, attachment=content.attachment)


def privacy_of(notice: Notice, links: Links, language: Language) -> str:
    """Give the address of the zone's privacy notice (GDPR, articles 13 and 14)."""
    return links.own(f"/zones/{notice.zone_id}/privacy?language={language}")


def link_of(notice: Notice, links: Links) -> str:
    """Give the address that a notice leads to."""
    if notice.template in ACCEPT_TEMPLATES:
        return ACCEPT_LINK
    network = notice.to_role.network_id if notice.to_role else notice.about.get("network_id")
    bulletin = notice.about.get("bulletin_id")
    if notice.template == "feedback_due":
        return links.work(f"/zones/{notice.zone_id}/feedback-due")
    if not isinstance(network, str):
        return links.work("")
    if isinstance(bulletin, str):
        return links.work(f"/networks/{network}/bulletins/{bulletin}")
    return links.work(f"/networks/{network}")


def _listed(about: Mapping[str, JsonValue]) -> str:
    lines = [
        f"{_plain(name)}: {_plain(str(value))}"
        for name, value in sorted(about.items())
        if isinstance(value, str | int | float)
    ]
    return "\n\n" + "\n".join(lines) if lines else ""


def _plain(text: str) -> str:
    return "".join(char for char in text if ord(char) >= _PRINTABLE)[:_SHOWN]
