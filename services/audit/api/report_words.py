"""What the readable pages say, in nl, fr, de and en."""

from collections.abc import Mapping

from shared.contracts.base import Language

Words = Mapping[str, str]


def _in(nl: str, fr: str, de: str, en: str) -> Mapping[Language, str]:
    return {"nl": nl, "fr": fr, "de": de, "en": en}


_WORDS: Mapping[str, Mapping[Language, str]] = {
    # titles
    "message_title": _in(
        "Wat er met een bericht gebeurde",
        "Ce qu'est devenu un message",
        "Was aus einer Nachricht wurde",
        "What became of a message",
    ),
    "subject_title": _in(
        "Wat over u bewaard is",
        "Ce qui est conservé sur vous",
        "Was über Sie gespeichert ist",
        "What is on record about you",
    ),
    "processing_title": _in(
        "Register van de verwerkingsactiviteiten",
        "Registre des activités de traitement",
        "Verzeichnis von Verarbeitungstätigkeiten",
        "Record of processing activities",
    ),
    # a message
    "said": _in("Wat er stond", "Ce qui était écrit", "Was darin stand", "What it said"),
    "text_gone": _in(
        "De tekst is op zijn einddatum gewist, of was niet leesbaar. Zijn controlegetal blijft.",
        "Le texte a été effacé à son échéance, ou n'était pas lisible. Son empreinte demeure.",
        "Der Text wurde fristgemäß gelöscht oder war nicht lesbar. Sein Prüfwert bleibt.",
        "The text was erased on its date, or could not be read. Its hash stays.",
    ),
    "notice_text": _in(
        "Een dienstbericht uit een vast sjabloon: de soort zegt welk. De tekst is niet bewaard.",
        "Un avis de service selon un modèle fixe : le genre dit lequel. Le texte n'est pas gardé.",
        "Eine Mitteilung nach fester Vorlage: die Art sagt welche. Der Text ist nicht bewahrt.",
        "A service notice from a fixed template: the kind says which. Its text is not kept.",
    ),
    "message_id": _in("Bericht", "Message", "Nachricht", "Message"),
    "kind": _in("Soort", "Genre", "Art", "Kind"),
    "status": _in("Status", "Statut", "Status", "Status"),
    "verdict": _in("Oordeel", "Décision", "Urteil", "Verdict"),
    "reason": _in("Reden", "Motif", "Grund", "Reason"),
    "issued_by": _in("Opgesteld door", "Rédigé par", "Verfasst von", "Issued by"),
    "signer": _in(
        "Getekend met sleutel", "Signé avec la clé", "Signiert mit Schlüssel", "Signed with key"
    ),
    "approver": _in(
        "Goedgekeurd met sleutel",
        "Approuvé avec la clé",
        "Genehmigt mit Schlüssel",
        "Approved with key",
    ),
    "networks": _in("Netwerken", "Réseaux", "Netzwerke", "Networks"),
    "references": _in("Gaat over", "Se rapporte à", "Bezieht sich auf", "Is about"),
    "judged_at": _in("Beoordeeld op", "Jugé le", "Beurteilt am", "Judged at"),
    "expires_at": _in("Geldig tot", "Valable jusqu'au", "Gültig bis", "Valid until"),
    "became": _in("Wat ervan werd", "Ce qu'il est devenu", "Was daraus wurde", "What became of it"),
    "people": _in("Bestemmingen", "Destinataires", "Ziele", "Destinations"),
    "closings": _in(
        "Slotverklaringen", "Déclarations de clôture", "Abschlusserklärungen", "Closing statements"
    ),
    "timeline": _in("Verloop", "Chronologie", "Verlauf", "Timeline"),
    "time": _in("Tijdstip", "Moment", "Zeitpunkt", "Time"),
    "what": _in("Wat", "Quoi", "Was", "What"),
    "state": _in("Toestand", "État", "Zustand", "State"),
    "count": _in("Aantal", "Nombre", "Anzahl", "Number"),
    "entry": _in("Nummer", "Numéro", "Nummer", "Entry"),
    "release": _in("Vrijgave", "Diffusion", "Freigabe", "Release"),
    "answer": _in("Antwoord", "Réponse", "Antwort", "Answer"),
    "proof": _in(
        "Elk nummer is een plaats in het auditlogboek van de zone. Het bewijs dat er niets aan "
        "gewijzigd is, staat los van deze pagina: haal de bundel op en voer 'buurtbode "
        "verify' uit.",
        "Chaque numéro est une place dans le journal d'audit de la zone. La preuve que rien n'y a "
        "été modifié ne dépend pas de cette page : téléchargez le journal et lancez "
        "'buurtbode verify'.",
        "Jede Nummer ist ein Platz im Prüfprotokoll der Zone. Der Beweis, dass daran nichts "
        "geändert wurde, hängt nicht von dieser Seite ab: Laden Sie das Protokoll herunter und "
        "starten Sie 'buurtbode verify'.",
        "Each number is a place in the zone's audit log. The proof that nothing in it was changed "
        "does not rest on this page: download the bundle and run 'buurtbode verify'.",
    ),
    # a person
    "subject_intro": _in(
        "Dit is alles wat het auditlogboek van {zone} bevat over dit telefoonnummer of "
        "e-mailadres, "
        "opgevraagd op {now} (AVG, artikel 15). Uw nummer of adres zelf staat er niet in, alleen "
        "een pseudoniem dat ervan is afgeleid.",
        "Voici tout ce que le journal d'audit de {zone} contient sur ce numéro de téléphone "
        "ou cette "
        "adresse e-mail, demandé le {now} (RGPD, article 15). Votre numéro ou adresse n'y figure "
        "pas, seulement un pseudonyme qui en est dérivé.",
        "Dies ist alles, was das Prüfprotokoll von {zone} zu dieser Telefonnummer oder "
        "E-Mail-Adresse enthält, abgefragt am {now} (DSGVO, Artikel 15). Ihre Nummer oder Adresse "
        "selbst steht nicht darin, nur ein daraus abgeleitetes Pseudonym.",
        "This is everything that the audit log of {zone} holds about this phone number or e-mail "
        "address, asked for on {now} (GDPR, article 15). Your number or address itself is not in "
        "it, only a pseudonym made from it.",
    ),
    "rights": _in(
        "U kunt uw gegevens laten verbeteren of wissen, de verwerking laten beperken of er bezwaar "
        "tegen maken bij de politiezone, en klacht indienen bij het Controleorgaan op de "
        "politionele "
        "informatie of de Gegevensbeschermingsautoriteit.",
        "Vous pouvez demander à la zone de police de rectifier ou d'effacer vos données, de "
        "limiter "
        "le traitement ou vous y opposer, et porter plainte auprès de l'Organe de contrôle de "
        "l'information policière ou de l'Autorité de protection des données.",
        "Sie können bei der Polizeizone die Berichtigung oder Löschung Ihrer Daten, die "
        "Einschränkung der Verarbeitung oder Widerspruch verlangen und Beschwerde beim "
        "Kontrollorgan "
        "für polizeiliche Informationen oder bei der Datenschutzbehörde einlegen.",
        "You can ask the police zone to correct or erase your data, to restrict the processing, or "
        "object to it, and complain to the Supervisory Body for Police Information or the Data "
        "Protection Authority.",
    ),
    "nothing": _in(
        "Er is niets gevonden. Van jaren waarvan de sleutel vernietigd is, kan niets meer gevonden "
        "worden.",
        "Rien n'a été trouvé. Pour les années dont la clé a été détruite, plus rien ne peut "
        "l'être.",
        "Es wurde nichts gefunden. Zu Jahren, deren Schlüssel vernichtet wurde, lässt sich nichts "
        "mehr finden.",
        "Nothing was found. Of years whose key was destroyed, nothing can be found any more.",
    ),
    "sent_to_you": _in(
        "Wat u gestuurd is",
        "Ce qui vous a été envoyé",
        "Was Ihnen gesendet wurde",
        "What was sent to you",
    ),
    "looked_up": _in(
        "Wie u opgezocht heeft",
        "Qui vous a recherché",
        "Wer nach Ihnen gesucht hat",
        "Who looked you up",
    ),
    "who": _in("Wie", "Qui", "Wer", "Who"),
    "why": _in("Waarom", "Pourquoi", "Warum", "Why"),
    "channel": _in("Kanaal", "Canal", "Kanal", "Channel"),
    "basis": _in("Rechtsgrond", "Base légale", "Rechtsgrundlage", "Legal basis"),
    "house_rules": _in(
        "Huishoudelijk reglement, versie",
        "Règlement intérieur, version",
        "Hausordnung, Fassung",
        "House rules, version",
    ),
    "communication_plan": _in(
        "Communicatieplan, versie",
        "Plan de communication, version",
        "Kommunikationsplan, Fassung",
        "Communication plan, version",
    ),
    "history": _in(
        "Het hele verloop", "Toute la chronologie", "Der ganze Verlauf", "The whole history"
    ),
    # the record of processing
    "controller": _in(
        "Verwerkingsverantwoordelijke",
        "Responsable du traitement",
        "Verantwortlicher",
        "Controller",
    ),
    "year": _in("Jaar", "Année", "Jahr", "Year"),
    "purposes": _in("Doeleinden", "Finalités", "Zwecke", "Purposes"),
    "purposes_text": _in(
        "Leden van buurtinformatienetwerken dringend waarschuwen (warme berichten), hen informeren "
        "over preventie en afloop (koude berichten), en van elke verzending verantwoording "
        "afleggen.",
        "Avertir d'urgence les membres des partenariats locaux de prévention (messages "
        "chauds), les "
        "informer sur la prévention et les suites (messages froids), et rendre compte de chaque "
        "envoi.",
        "Mitglieder der Nachbarschaftsnetzwerke dringend warnen (warme Nachrichten), sie über "
        "Vorbeugung und Ausgang informieren (kalte Nachrichten) und über jede Sendung Rechenschaft "
        "ablegen.",
        "Warning members of neighbourhood information networks urgently (warm messages), informing "
        "them of prevention and outcomes (cold messages), and accounting for every send.",
    ),
    "basis_warm": _in(
        "Rechtsgrond van warme berichten",
        "Base légale des messages chauds",
        "Rechtsgrundlage warmer Nachrichten",
        "Legal basis of warm messages",
    ),
    "basis_cold": _in(
        "Rechtsgrond van koude berichten",
        "Base légale des messages froids",
        "Rechtsgrundlage kalter Nachrichten",
        "Legal basis of cold messages",
    ),
    "subjects": _in("Betrokkenen", "Personnes concernées", "Betroffene Personen", "Data subjects"),
    "subjects_text": _in(
        "Leden, coördinatoren en mandaathouders bij de politie; wie gegevens inkijkt.",
        "Membres, coordinateurs et mandataires de la police ; quiconque consulte des données.",
        "Mitglieder, Koordinatoren und Beauftragte der Polizei; wer Daten einsieht.",
        "Members, coordinators and mandated officers; whoever looks at data.",
    ),
    "data": _in("Gegevens", "Données", "Daten", "Data"),
    "data_text": _in(
        "Pseudoniem van telefoonnummer of e-mailadres, willekeurig lidnummer, netwerk, "
        "taal, kanaal "
        "en toestand van elke verzending; teksten van berichten; wie wat inkeek en waarom.",
        "Pseudonyme du numéro de téléphone ou de l'adresse e-mail, identifiant aléatoire du "
        "membre, "
        "réseau, langue, canal et état de chaque envoi ; textes des messages ; qui a consulté quoi "
        "et pourquoi.",
        "Pseudonym der Telefonnummer oder E-Mail-Adresse, zufällige Mitgliedsnummer, Netzwerk, "
        "Sprache, Kanal und Zustand jeder Sendung; Texte der Nachrichten; wer was einsah "
        "und warum.",
        "Pseudonym of the phone number or e-mail address, random member id, network, language, "
        "channel and state of each send; texts of messages; who looked at what and why.",
    ),
    "recipients": _in("Ontvangers", "Destinataires", "Empfänger", "Recipients"),
    "recipients_text": _in(
        "De sms-provider en de mailserver van de zone als verwerkers, per bericht. Federaal en "
        "provinciaal toezicht krijgt alleen aantallen.",
        "Le fournisseur de SMS et le serveur de messagerie de la zone comme sous-traitants, par "
        "message. La tutelle fédérale et provinciale ne reçoit que des nombres.",
        "Der SMS-Anbieter und der Mailserver der Zone als Auftragsverarbeiter, je Nachricht. Die "
        "föderale und provinziale Aufsicht erhält nur Zahlen.",
        "The SMS provider and the zone's mail server as processors, per message. Federal and "
        "provincial oversight gets counts only.",
    ),
    "retention": _in("Bewaring", "Conservation", "Aufbewahrung", "Retention"),
    "retention_text": _in(
        "Teksten {days} dagen; wie iets kreeg en wie iets inkeek {private_days} dagen. "
        "De pseudoniemen van een jaar verliezen hun betekenis zodra de "
        "sleutel van dat jaar vernietigd is. Het logboek zelf bevat geen persoonsgegevens "
        "en blijft.",
        "Textes : {days} jours ; qui a reçu et qui a consulté : {private_days} jours. "
        "Les pseudonymes d'une année perdent leur sens dès que la clé de "
        "cette année est détruite. Le journal lui-même ne contient pas de données personnelles et "
        "demeure.",
        "Texte {days} Tage; wer etwas erhielt und wer Einsicht nahm {private_days} Tage. "
        "Die Pseudonyme eines Jahres verlieren ihre Bedeutung, sobald der "
        "Schlüssel dieses Jahres vernichtet ist. Das Protokoll selbst enthält keine "
        "personenbezogenen Daten und bleibt.",
        "Texts for {days} days; who was sent and who looked for {private_days} days. "
        "The pseudonyms of a year lose their meaning once that "
        "year's key is "
        "destroyed. The log itself holds no personal data and stays.",
    ),
    "year_key": _in(
        "Sleutel van dit jaar", "Clé de cette année", "Schlüssel dieses Jahres", "Key of this year"
    ),
    "year_key_there": _in("aanwezig", "présente", "vorhanden", "present"),
    "year_key_gone": _in(
        "vernietigd of nooit gemaakt",
        "détruite ou jamais créée",
        "vernichtet oder nie erstellt",
        "destroyed or never made",
    ),
    "security": _in("Beveiliging", "Sécurité", "Sicherheit", "Security"),
    "security_text": _in(
        "Berichten van de politie zijn getekend; het logboek is een Merkle-boom met getekende "
        "controlepunten; elke inzage staat erin; private delen zijn apart bewaard en wisbaar.",
        "Les messages de la police sont signés ; le journal est un arbre de Merkle à points de "
        "contrôle signés ; chaque consultation y figure ; les parties privées sont "
        "conservées à part "
        "et effaçables.",
        "Nachrichten der Polizei sind signiert; das Protokoll ist ein Merkle-Baum mit signierten "
        "Prüfpunkten; jede Einsicht steht darin; private Teile sind getrennt gespeichert und "
        "löschbar.",
        "Police messages are signed; the log is a Merkle tree with signed checkpoints; every "
        "reading is in it; private parts are kept apart and can be erased.",
    ),
    "sends": _in("Verzendingen", "Envois", "Sendungen", "Sends"),
    "other_entries": _in(
        "Andere vermeldingen", "Autres inscriptions", "Andere Einträge", "Other entries"
    ),
    "unknown": _in("niet bekend", "inconnu", "nicht bekannt", "not known"),
    # codes
    "sms": _in("sms", "SMS", "SMS", "SMS"),
    "email": _in("e-mail", "e-mail", "E-Mail", "e-mail"),
    "accepted": _in("aanvaard", "accepté", "angenommen", "accepted"),
    "delivered": _in("afgeleverd", "remis", "zugestellt", "delivered"),
    "undelivered": _in("niet afgeleverd", "non remis", "nicht zugestellt", "not delivered"),
    "failed": _in("mislukt", "échoué", "fehlgeschlagen", "failed"),
    "suppressed": _in("niet verstuurd", "non envoyé", "nicht gesendet", "not sent"),
    "expired": _in(
        "te laat, niet verstuurd",
        "trop tard, non envoyé",
        "zu spät, nicht gesendet",
        "too late, not sent",
    ),
    "cancelled": _in("ingetrokken", "annulé", "zurückgezogen", "cancelled"),
    "unreachable": _in("niet bereikbaar", "injoignable", "nicht erreichbar", "unreachable"),
    "refused": _in("geweigerd", "refusé", "abgelehnt", "refused"),
    "duplicate": _in("dubbel", "doublon", "doppelt", "duplicate"),
    "original": _in(
        "ontvangen van de politie",
        "reçu de la police",
        "von der Polizei erhalten",
        "received from the police",
    ),
    "bulletin": _in("vrijgegeven", "diffusé", "freigegeben", "released"),
    "notice": _in("kennisgeving", "avis", "Mitteilung", "notice"),
    "planned": _in("gepland", "planifié", "geplant", "planned"),
    "closed": _in("afgesloten", "clôturé", "abgeschlossen", "closed"),
    "access": _in(
        "inzage of handeling",
        "consultation ou action",
        "Einsicht oder Handlung",
        "reading or action",
    ),
    "key": _in("sleutel", "clé", "Schlüssel", "key"),
    "erasure": _in("wissing", "effacement", "Löschung", "erasure"),
    "alarm": _in("alarm", "alarme", "Alarm", "alarm"),
    "send": _in("verzending", "envoi", "Sendung", "send"),
    "agreed": _in("klopt", "concorde", "stimmt", "agreed"),
    "resend": _in(
        "klopt niet, opnieuw gevraagd",
        "ne concorde pas, redemandé",
        "stimmt nicht, erneut angefordert",
        "differs, asked for again",
    ),
    "alert": _in("warm bericht", "message chaud", "warme Nachricht", "alert"),
    "update": _in("aanvulling", "mise à jour", "Ergänzung", "update"),
    "all_clear": _in("einde alarm", "fin d'alerte", "Entwarnung", "all-clear"),
    "feedback": _in("afloop", "suites", "Rückmeldung", "feedback"),
    "prevention": _in("preventie", "prévention", "Vorbeugung", "prevention"),
    "organisation": _in("organisatie", "organisation", "Organisation", "organisation"),
    "actual": _in("echt", "réel", "echt", "actual"),
    "exercise": _in("oefening", "exercice", "Übung", "exercise"),
    "test": _in("test", "test", "Test", "test"),
}


def words(language: Language) -> Words:
    """Give every word in a language."""
    return {name: said[language] for name, said in _WORDS.items()}


def code(spoken: Words, value: str | None) -> str:
    """Say a code in words; one without a word as it is, and nothing for none."""
    return "" if value is None else spoken.get(value, value)
