"""The yearly evaluation as a page to print, in the four languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from jinja2 import Environment, PackageLoader, select_autoescape

from services.registry.domain.days import BRUSSELS
from services.registry.domain.evaluation import Evaluation
from shared.contracts.base import BulletinKind, Language


@dataclass(frozen=True, slots=True)
class Labels:
    """Everything that the page says in one language."""

    title: str
    members: str
    joined: str
    left: str
    alerts: str
    bulletins: Mapping[BulletinKind, str]
    relay_median: str
    relay_longest: str
    returned: str
    expired: str
    feedback_given: str
    feedback_waived: str
    feedback_due: str
    by_sms: str
    by_mail: str
    sms_reached: str
    mail_reached: str
    not_reached: str
    meetings: str
    attendance: str
    minutes: str
    segments: str
    cost: str
    unknown: str
    yes: str
    no: str
    hours: str


_LABELS: Mapping[Language, Labels] = {
    "nl": Labels(
        title="Jaarlijkse evaluatie",
        members="Leden",
        joined="Nieuwe leden",
        left="Vertrokken leden",
        alerts="Dringende berichten",
        bulletins={
            BulletinKind.FEEDBACK: "Feedbackberichten",
            BulletinKind.PREVENTION: "Preventieberichten",
            BulletinKind.ORGANISATION: "Berichten over de organisatie",
        },
        relay_median="Tijd tot het doorgeven, mediaan",
        relay_longest="Tijd tot het doorgeven, langste",
        returned="Teruggestuurde berichten",
        expired="Vervallen berichten",
        feedback_given="Alarmen met feedback",
        feedback_waived="Alarmen zonder feedback, met reden",
        feedback_due="Alarmen waarvoor feedback ontbreekt",
        by_sms="Nu bereikbaar per sms",
        by_mail="Nu bereikbaar per e-mail",
        sms_reached="Aangekomen sms'en",
        mail_reached="Aangekomen e-mails",
        not_reached="Niet aangekomen",
        meetings="Vergaderingen",
        attendance="Aanwezigen",
        minutes="Verslag",
        segments="Sms-segmenten",
        cost="Kosten",
        unknown="niet bekend",
        yes="ja",
        no="nee",
        hours="uur",
    ),
    "fr": Labels(
        title="Évaluation annuelle",
        members="Membres",
        joined="Nouveaux membres",
        left="Membres partis",
        alerts="Messages urgents",
        bulletins={
            BulletinKind.FEEDBACK: "Messages de retour d'information",
            BulletinKind.PREVENTION: "Messages de prévention",
            BulletinKind.ORGANISATION: "Messages d'organisation",
        },
        relay_median="Délai de diffusion, médiane",
        relay_longest="Délai de diffusion, le plus long",
        returned="Messages renvoyés",
        expired="Messages expirés",
        feedback_given="Alertes avec retour d'information",
        feedback_waived="Alertes sans retour, avec motif",
        feedback_due="Alertes dont le retour manque",
        by_sms="Joignables par SMS actuellement",
        by_mail="Joignables par e-mail actuellement",
        sms_reached="SMS arrivés",
        mail_reached="E-mails arrivés",
        not_reached="Non arrivés",
        meetings="Réunions",
        attendance="Présents",
        minutes="Procès-verbal",
        segments="Segments SMS",
        cost="Coût",
        unknown="inconnu",
        yes="oui",
        no="non",
        hours="heures",
    ),
    "de": Labels(
        title="Jährliche Auswertung",
        members="Mitglieder",
        joined="Neue Mitglieder",
        left="Ausgetretene Mitglieder",
        alerts="Dringende Nachrichten",
        bulletins={
            BulletinKind.FEEDBACK: "Rückmeldungen",
            BulletinKind.PREVENTION: "Nachrichten zur Vorbeugung",
            BulletinKind.ORGANISATION: "Nachrichten zur Organisation",
        },
        relay_median="Zeit bis zur Weitergabe, Median",
        relay_longest="Zeit bis zur Weitergabe, längste",
        returned="Zurückgesandte Nachrichten",
        expired="Abgelaufene Nachrichten",
        feedback_given="Alarme mit Rückmeldung",
        feedback_waived="Alarme ohne Rückmeldung, mit Grund",
        feedback_due="Alarme, deren Rückmeldung fehlt",
        by_sms="Derzeit per SMS erreichbar",
        by_mail="Derzeit per E-Mail erreichbar",
        sms_reached="Angekommene SMS",
        mail_reached="Angekommene E-Mails",
        not_reached="Nicht angekommen",
        meetings="Versammlungen",
        attendance="Anwesende",
        minutes="Protokoll",
        segments="SMS-Segmente",
        cost="Kosten",
        unknown="nicht bekannt",
        yes="ja",
        no="nein",
        hours="Stunden",
    ),
    "en": Labels(
        title="Yearly evaluation",
        members="Members",
        joined="Members who joined",
        left="Members who left",
        alerts="Urgent messages",
        bulletins={
            BulletinKind.FEEDBACK: "Feedback bulletins",
            BulletinKind.PREVENTION: "Prevention bulletins",
            BulletinKind.ORGANISATION: "Organisation bulletins",
        },
        relay_median="Time to relay, median",
        relay_longest="Time to relay, longest",
        returned="Returned bulletins",
        expired="Expired bulletins",
        feedback_given="Alerts with feedback",
        feedback_waived="Alerts without feedback, with a reason",
        feedback_due="Alerts with feedback due",
        by_sms="Reachable by SMS now",
        by_mail="Reachable by e-mail now",
        sms_reached="SMS that arrived",
        mail_reached="Mails that arrived",
        not_reached="Not arrived",
        meetings="Meetings",
        attendance="Present",
        minutes="Minutes",
        segments="SMS segments",
        cost="Cost",
        unknown="not known",
        yes="yes",
        no="no",
        hours="hours",
    ),
}

_HOUR = timedelta(hours=1)


class EvaluationPages:
    """Renders the evaluation from its template."""

    def __init__(self) -> None:
        """Load the template from the package."""
        environment = Environment(
            loader=PackageLoader("services.registry.api"),
            autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        )
        self._template = environment.get_template("evaluation.html.j2")

    def show(self, language: Language, found: Evaluation) -> str:
        """Give the page as HTML."""
        labels = _LABELS[language]
        return self._template.render(
            language=language,
            labels=labels,
            name=found.name,
            year=found.year,
            rows=_rows(labels, found),
            meetings=_meetings(labels, found),
        )


def _rows(labels: Labels, found: Evaluation) -> list[tuple[str, str]]:
    numbers: list[tuple[str, int]] = [
        (labels.members, found.members),
        (labels.joined, found.joined),
        (labels.left, found.left),
        (labels.by_sms, found.reach.by_sms),
        (labels.by_mail, found.reach.by_mail),
        (labels.alerts, found.alerts),
        *((labels.bulletins[kind], count) for kind, count in found.bulletins.items()),
        (labels.returned, found.returned),
        (labels.expired, found.expired),
        (labels.feedback_given, found.feedback.given),
        (labels.feedback_waived, found.feedback.waived),
        (labels.feedback_due, found.feedback.due),
        (labels.sms_reached, found.sms_reached),
        (labels.mail_reached, found.mail_reached),
        (labels.not_reached, found.not_reached),
        (labels.segments, found.segments),
    ]
    rows = [(label, str(number)) for label, number in numbers]
    rows.append((labels.relay_median, _hours(labels, found.relay_median)))
    rows.append((labels.relay_longest, _hours(labels, found.relay_longest)))
    rows.append((labels.cost, _euro(labels, found.cost)))
    return rows


def _meetings(labels: Labels, found: Evaluation) -> Sequence[tuple[str, str, str]]:
    return [
        (
            f"{held.starts_at.astimezone(BRUSSELS):%d/%m/%Y %H:%M}",
            labels.unknown if held.attendance is None else str(held.attendance),
            labels.yes if held.has_minutes else labels.no,
        )
        for held in found.meetings
    ]


def _hours(labels: Labels, waited: timedelta | None) -> str:
    return labels.unknown if waited is None else f"{waited / _HOUR:.1f} {labels.hours}"


def _euro(labels: Labels, cost: Decimal | None) -> str:
    return labels.unknown if cost is None else f"{cost:.2f} EUR"
