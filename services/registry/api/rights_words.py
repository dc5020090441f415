"""What the privacy notice and the record of a member say, in the four languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.base import Language

SUPERVISOR = (
    "Controleorgaan op de politionele informatie (COC), www.controleorgaan.be / Organe de contrôle "
    "de l'information policière, www.organedecontrole.be"
)
"""The supervisor of the police's processing of personal data (Act of 30 July 2018, title VII)."""


@dataclass(frozen=True, slots=True)
class RightsWords:
    """Everything that the two pages say in one language."""

    notice_title: str
    record_title: str
    purpose: str
    data: str
    recipients: str
    kept: str
    """With `{left}`, `{pending}` and `{measures}` in days."""

    rights: str
    links: str
    ask: str
    labels: dict[str, str]


RIGHTS: Mapping[Language, RightsWords] = {
    "nl": RightsWords(
        notice_title="Privacyverklaring",
        record_title="Wat over u wordt bewaard",
        purpose="Leden van een buurtinformatienetwerk verwittigen van dringende feiten (per sms) "
        "en inlichten over preventie en de werking van het netwerk (per e-mail). Lidmaatschap is "
        "vrijwillig.",
        data="Uw naam, telefoonnummer en/of e-mailadres, taal, band met de buurt, soort lid, de "
        "aanvaarding van het huishoudelijk reglement en eventuele maatregelen. Geen geboortedatum. "
        "Wij kregen ze van uzelf of van de coördinator van uw netwerk.",
        recipients="De coördinatoren van uw netwerk. De dienst die sms'en verstuurt krijgt uw "
        "nummer en de tekst, de maildienst uw adres en de tekst. Niemand anders.",
        kept="Zolang u lid bent, en {left} dagen daarna. Zonder aanvaarding van het reglement "
        "{pending} dagen. Maatregelen {measures} dagen. Na wissen blijven alleen een willekeurig "
        "nummer en data.",
        rights="U mag uw gegevens inkijken, verbeteren, laten wissen, de verwerking beperken en u "
        "ertegen verzetten: vraag het aan uw coördinator of aan de functionaris voor "
        "gegevensbescherming. Mails weigeren of het netwerk verlaten kan met de link in elke mail. "
        "U mag een klacht indienen bij de toezichthouder.",
        links="Twee geheime links (aanvaarden, uitschrijven). Ze worden hier niet getoond: wie ze "
        "heeft, handelt in uw naam.",
        ask="Vraag het aan de politiezone.",
        labels={
            "controller": "Verwerkingsverantwoordelijke",
            "data_protection_officer": "Functionaris voor gegevensbescherming",
            "impact_assessment": "Effectbeoordeling",
            "purpose": "Doel",
            "warm": "Rechtsgrond, dringende berichten",
            "cold": "Rechtsgrond, andere berichten",
            "data": "Gegevens",
            "recipients": "Ontvangers",
            "kept": "Bewaartermijn",
            "rights": "Uw rechten",
            "supervisor": "Toezichthouder",
            "none": "geen",
            "yes": "ja",
            "no": "nee",
            "joined_at": "Lid sinds",
            "asked_rules": "Reglement gevraagd",
            "sms_stopped": "Sms gestopt (STOP)",
            "network_id": "Netwerk",
            "zone_id": "Politiezone",
            "member_id": "Lidnummer (willekeurig)",
            "version": "Versie",
            "state": "Toestand",
            "kind": "Soort",
            "tie": "Band met de buurt",
            "name": "Naam",
            "language": "Taal",
            "phone": "Telefoon",
            "phone_kind": "Soort nummer",
            "sms": "Bereikbaar per sms",
            "email": "E-mailadres",
            "cold_mail": "Krijgt mails",
            "restricted": "Verwerking beperkt",
            "steering_group": "Lid van de stuurgroep",
            "restriction": "Beperking",
            "suspended_until": "Geschorst tot",
            "measures": "Maatregelen",
            "house_rules_version": "Versie van het reglement",
            "accepted_how": "Aanvaard per",
            "accepted_at": "Aanvaard op",
            "created_at": "Op de lijst sinds",
            "left_at": "Vertrokken op",
            "left_by": "Vertrokken door",
            "acceptance": "Aanvaarding",
            "how": "Aanvaard per",
            "at": "Datum",
            "signed_on": "Getekend op",
            "witness": "Getuige",
            "recorded_by": "Ingevoerd door",
            "source": "Herkomst",
            "links": "Links",
            "network": "Netwerk",
            "zone": "Politiezone",
            "reason": "Reden",
            "by": "Beslist door",
            "until": "Tot",
            "ended_at": "Beëindigd op",
            "ended_by": "Beëindigd door",
            "end_reason": "Reden van het einde",
            "appeal_until": "Beroep mogelijk tot",
            "ground": "Grond",
            "asked_on": "Gevraagd op",
        },
    ),
    "fr": RightsWords(
        notice_title="Déclaration de confidentialité",
        record_title="Ce qui est conservé à votre sujet",
        purpose="Avertir les membres d'un partenariat local de prévention de faits urgents (par "
        "SMS) et les informer de la prévention et de la vie du réseau (par e-mail). L'adhésion est "
        "volontaire.",
        data="Votre nom, numéro de téléphone et/ou adresse e-mail, langue, lien avec le quartier, "
        "type de membre, l'acceptation du règlement intérieur et les mesures éventuelles. Pas de "
        "date de naissance. Nous les tenons de vous ou du coordinateur de votre réseau.",
        recipients="Les coordinateurs de votre réseau. Le service qui envoie les SMS reçoit votre "
        "numéro et le texte, le service de courrier votre adresse et le texte. Personne d'autre.",
        kept="Tant que vous êtes membre, et {left} jours ensuite. Sans acceptation du règlement, "
        "{pending} jours. Les mesures {measures} jours. Après effacement ne restent qu'un numéro "
        "aléatoire et des dates.",
        rights="Vous pouvez consulter, corriger et faire effacer vos données, limiter leur "
        "traitement et vous y opposer : adressez-vous à votre coordinateur ou au délégué à la "
        "protection des données. Le lien dans chaque e-mail permet de refuser les e-mails ou de "
        "quitter le réseau. Vous pouvez introduire une plainte auprès de l'autorité de contrôle.",
        links="Deux liens secrets (accepter, se désinscrire). Ils ne sont pas montrés ici : qui "
        "les possède agit en votre nom.",
        ask="Adressez-vous à la zone de police.",
        labels={
            "controller": "Responsable du traitement",
            "data_protection_officer": "Délégué à la protection des données",
            "impact_assessment": "Analyse d'impact",
            "purpose": "Finalité",
            "warm": "Base légale, messages urgents",
            "cold": "Base légale, autres messages",
            "data": "Données",
            "recipients": "Destinataires",
            "kept": "Durée de conservation",
            "rights": "Vos droits",
            "supervisor": "Autorité de contrôle",
            "none": "néant",
            "yes": "oui",
            "no": "non",
            "joined_at": "Membre depuis",
            "asked_rules": "Règlement demandé",
            "sms_stopped": "SMS arrêtés (STOP)",
            "network_id": "Réseau",
            "zone_id": "Zone de police",
            "member_id": "Numéro de membre (aléatoire)",
            "version": "Version",
            "state": "État",
            "kind": "Type",
            "tie": "Lien avec le quartier",
            "name": "Nom",
            "language": "Langue",
            "phone": "Téléphone",
            "phone_kind": "Type de numéro",
            "sms": "Joignable par SMS",
            "email": "Adresse e-mail",
            "cold_mail": "Reçoit des e-mails",
            "restricted": "Traitement limité",
            "steering_group": "Membre du groupe de pilotage",
            "restriction": "Limitation",
            "suspended_until": "Suspendu jusqu'au",
            "measures": "Mesures",
            "house_rules_version": "Version du règlement",
            "accepted_how": "Accepté par",
            "accepted_at": "Accepté le",
            "created_at": "Sur la liste depuis",
            "left_at": "Parti le",
            "left_by": "Parti par",
            "acceptance": "Acceptation",
            "how": "Accepté par",
            "at": "Date",
            "signed_on": "Signé le",
            "witness": "Témoin",
            "recorded_by": "Encodé par",
            "source": "Origine",
            "links": "Liens",
            "network": "Réseau",
            "zone": "Zone de police",
            "reason": "Motif",
            "by": "Décidé par",
            "until": "Jusqu'au",
            "ended_at": "Terminé le",
            "ended_by": "Terminé par",
            "end_reason": "Motif de la fin",
            "appeal_until": "Recours possible jusqu'au",
            "ground": "Fondement",
            "asked_on": "Demandé le",
        },
    ),
    "de": RightsWords(
        notice_title="Datenschutzerklärung",
        record_title="Was über Sie gespeichert ist",
        purpose="Mitglieder eines Nachbarschaftsnetzwerks vor dringenden Ereignissen warnen (per "
        "SMS) und über Vorbeugung und das Netzwerk informieren (per E-Mail). Die Mitgliedschaft "
        "ist freiwillig.",
        data="Ihr Name, Ihre Telefonnummer und/oder E-Mail-Adresse, Sprache, Bindung an das "
        "Viertel, Art der Mitgliedschaft, die Annahme der Hausordnung und etwaige Maßnahmen. Kein "
        "Geburtsdatum. Wir haben sie von Ihnen oder vom Koordinator Ihres Netzwerks.",
        recipients="Die Koordinatoren Ihres Netzwerks. Der SMS-Dienst erhält Ihre Nummer und den "
        "Text, der Maildienst Ihre Adresse und den Text. Sonst niemand.",
        kept="Solange Sie Mitglied sind, und {left} Tage danach. Ohne Annahme der Hausordnung "
        "{pending} Tage. Maßnahmen {measures} Tage. Nach einer Löschung bleiben nur eine zufällige "
        "Nummer und Daten (Zeitpunkte).",
        rights="Sie dürfen Ihre Daten einsehen, berichtigen und löschen lassen, die Verarbeitung "
        "einschränken lassen und ihr widersprechen: fragen Sie Ihren Koordinator oder den "
        "Datenschutzbeauftragten. Über den Link in jeder E-Mail lehnen Sie E-Mails ab oder "
        "verlassen das Netzwerk. Sie dürfen sich bei der Aufsichtsbehörde beschweren.",
        links="Zwei geheime Links (annehmen, abmelden). Sie werden hier nicht gezeigt: wer sie "
        "hat, handelt in Ihrem Namen.",
        ask="Fragen Sie die Polizeizone.",
        labels={
            "controller": "Verantwortlicher",
            "data_protection_officer": "Datenschutzbeauftragter",
            "impact_assessment": "Folgenabschätzung",
            "purpose": "Zweck",
            "warm": "Rechtsgrundlage, dringende Nachrichten",
            "cold": "Rechtsgrundlage, andere Nachrichten",
            "data": "Daten",
            "recipients": "Empfänger",
            "kept": "Aufbewahrung",
            "rights": "Ihre Rechte",
            "supervisor": "Aufsichtsbehörde",
            "none": "keine",
            "yes": "ja",
            "no": "nein",
            "joined_at": "Mitglied seit",
            "asked_rules": "Hausordnung vorgelegt",
            "sms_stopped": "SMS beendet (STOP)",
            "network_id": "Netzwerk",
            "zone_id": "Polizeizone",
            "member_id": "Mitgliedsnummer (zufällig)",
            "version": "Version",
            "state": "Zustand",
            "kind": "Art",
            "tie": "Bindung an das Viertel",
            "name": "Name",
            "language": "Sprache",
            "phone": "Telefon",
            "phone_kind": "Art der Nummer",
            "sms": "Per SMS erreichbar",
            "email": "E-Mail-Adresse",
            "cold_mail": "Erhält E-Mails",
            "restricted": "Verarbeitung eingeschränkt",
            "steering_group": "Mitglied der Lenkungsgruppe",
            "restriction": "Einschränkung",
            "suspended_until": "Gesperrt bis",
            "measures": "Maßnahmen",
            "house_rules_version": "Fassung der Hausordnung",
            "accepted_how": "Angenommen per",
            "accepted_at": "Angenommen am",
            "created_at": "Auf der Liste seit",
            "left_at": "Ausgetreten am",
            "left_by": "Ausgetreten durch",
            "acceptance": "Annahme",
            "how": "Angenommen per",
            "at": "Datum",
            "signed_on": "Unterschrieben am",
            "witness": "Zeuge",
            "recorded_by": "Eingetragen von",
            "source": "Herkunft",
            "links": "Links",
            "network": "Netzwerk",
            "zone": "Polizeizone",
            "reason": "Grund",
            "by": "Entschieden von",
            "until": "Bis",
            "ended_at": "Beendet am",
            "ended_by": "Beendet von",
            "end_reason": "Grund des Endes",
            "appeal_until": "Einspruch möglich bis",
            "ground": "Rechtsgrund",
            "asked_on": "Beantragt am",
        },
    ),
    "en": RightsWords(
        notice_title="Privacy notice",
        record_title="What is held on you",
        purpose="To warn members of a neighbourhood information network of urgent events (by SMS) "
        "and to inform them of prevention and of the network (by e-mail). Membership is voluntary.",
        data="Your name, phone number and/or e-mail address, language, tie to the area, kind of "
        "member, your acceptance of the house rules, and measures if any. No birth date. We have "
        "them from you, or from the coordinator of your network.",
        recipients="The coordinators of your network. The service that sends SMS gets your number "
        "and the text, the mail service your address and the text. Nobody else.",
        kept="As long as you are a member, and {left} days after. Without an acceptance of the "
        "house rules {pending} days. Measures {measures} days. After an erasure only a random id "
        "and dates remain.",
        rights="You may see, correct and erase your data, have their processing restricted and "
        "object to it: ask your coordinator or the data-protection officer. The link in each mail "
        "refuses mails or leaves the network. You may complain to the supervisor.",
        links="Two secret links (accept, unsubscribe). They are not shown here: whoever has them "
        "acts in your name.",
        ask="Ask the police zone.",
        labels={
            "controller": "Controller",
            "data_protection_officer": "Data-protection officer",
            "impact_assessment": "Impact assessment",
            "purpose": "Purpose",
            "warm": "Legal basis, urgent messages",
            "cold": "Legal basis, other messages",
            "data": "Data",
            "recipients": "Recipients",
            "kept": "Kept",
            "rights": "Your rights",
            "supervisor": "Supervisor",
            "none": "none",
            "yes": "yes",
            "no": "no",
            "joined_at": "Member since",
            "asked_rules": "House rules asked",
            "sms_stopped": "SMS stopped (STOP)",
            "network_id": "Network",
            "zone_id": "Police zone",
            "member_id": "Member id (random)",
            "version": "Version",
            "state": "State",
            "kind": "Kind",
            "tie": "Tie to the area",
            "name": "Name",
            "language": "Language",
            "phone": "Phone",
            "phone_kind": "Kind of number",
            "sms": "Reachable by SMS",
            "email": "E-mail address",
            "cold_mail": "Gets mails",
            "restricted": "Processing restricted",
            "steering_group": "Member of the steering group",
            "restriction": "Restriction",
            "suspended_until": "Suspended until",
            "measures": "Measures",
            "house_rules_version": "Version of the house rules",
            "accepted_how": "Accepted by",
            "accepted_at": "Accepted at",
            "created_at": "On the list since",
            "left_at": "Left at",
            "left_by": "Left by",
            "acceptance": "Acceptance",
            "how": "Accepted by",
            "at": "Date",
            "signed_on": "Signed on",
            "witness": "Witness",
            "recorded_by": "Recorded by",
            "source": "Source",
            "links": "Links",
            "network": "Network",
            "zone": "Police zone",
            "reason": "Reason",
            "by": "Decided by",
            "until": "Until",
            "ended_at": "Ended at",
            "ended_by": "Ended by",
            "end_reason": "Reason of the end",
            "appeal_until": "Appeal possible until",
            "ground": "Ground",
            "asked_on": "Asked on",
        },
    ),
}
