"""The words of every code that a log may hold, in nl, fr, de and en: a table for each closed list.

The same code means different things in different lists (`bulletin` is an entry of a release and a
kind of action), so each is looked up in its own. A code that is in no table is shown as a code.
"""

from collections.abc import Mapping

from markupsafe import Markup

from services.audit.api.report_actions import ACTIONS, FAMILIES, PURPOSES
from services.audit.api.report_words import InEach, in_each
from services.audit.domain.entries import EntryType
from shared.contracts.base import Language

Table = Mapping[str, InEach]

LANGUAGE_NAMES: Table = {
    "nl": in_each("Nederlands", "Néerlandais", "Niederländisch", "Dutch"),
    "fr": in_each("Frans", "Français", "Französisch", "French"),
    "de": in_each("Duits", "Allemand", "Deutsch", "German"),
    "en": in_each("Engels", "Anglais", "Englisch", "English"),
}

CHANNELS: Table = {
    "sms": in_each("sms", "SMS", "SMS", "SMS"),
    "email": in_each("e-mail", "e-mail", "E-Mail", "e-mail"),
}

SERVICES: Table = {
    "registry": in_each(
        "ledenregister", "registre des membres", "Mitgliederregister", "member registry"
    ),
    "dispatcher": in_each("verzenddienst", "service d'envoi", "Versanddienst", "sending service"),
    "audit": in_each("auditdienst", "service d'audit", "Prüfdienst", "audit service"),
}

STATUSES: Table = {
    "actual": in_each("echt", "réel", "echt", "actual"),
    "exercise": in_each("oefening", "exercice", "Übung", "exercise"),
    "test": in_each("test", "test", "Test", "test"),
}

NOTICES: Table = {
    "accept_house_rules": in_each(
        "vraag om het huishoudelijk reglement te aanvaarden",
        "demande d'accepter le règlement intérieur",
        "Bitte um Annahme der Hausordnung",
        "request to accept the house rules",
    ),
    "membership_confirmed": in_each(
        "bevestiging van het lidmaatschap",
        "confirmation de l'adhésion",
        "Bestätigung der Mitgliedschaft",
        "confirmation of membership",
    ),
    "bulletin_waiting": in_each(
        "een koud bericht wacht op vrijgave",
        "un message froid attend sa diffusion",
        "eine kalte Nachricht wartet auf Freigabe",
        "a bulletin waits for its release",
    ),
    "bulletin_reminder": in_each(
        "herinnering: een koud bericht wacht nog",
        "rappel : un message froid attend toujours",
        "Erinnerung: Eine kalte Nachricht wartet noch",
        "reminder: a bulletin still waits",
    ),
    "bulletin_escalated": in_each(
        "een koud bericht wachtte te lang",
        "un message froid a attendu trop longtemps",
        "eine kalte Nachricht hat zu lange gewartet",
        "a bulletin waited too long",
    ),
    "bulletin_returned": in_each(
        "een koud bericht werd teruggestuurd",
        "un message froid a été renvoyé",
        "eine kalte Nachricht wurde zurückgesandt",
        "a bulletin was returned",
    ),
    "bulletin_expired": in_each(
        "een koud bericht is vervallen",
        "un message froid a expiré",
        "eine kalte Nachricht ist verfallen",
        "a bulletin expired",
    ),
    "bulletin_suggested": in_each(
        "de gemeente stelt een preventietip voor",
        "la commune propose un conseil de prévention",
        "die Gemeinde schlägt einen Präventionstipp vor",
        "the municipality suggests a prevention tip",
    ),
    "house_rules_changed": in_each(
        "het huishoudelijk reglement is gewijzigd",
        "le règlement intérieur a changé",
        "die Hausordnung wurde geändert",
        "the house rules changed",
    ),
    "member_unreachable": in_each(
        "een lid is niet meer bereikbaar",
        "un membre n'est plus joignable",
        "ein Mitglied ist nicht mehr erreichbar",
        "a member can no longer be reached",
    ),
    "network_without_coordinator": in_each(
        "een netwerk heeft geen coördinator",
        "un réseau n'a pas de coordinateur",
        "ein Netzwerk hat keinen Koordinator",
        "a network has no coordinator",
    ),
    "network_dissolved": in_each(
        "het netwerk is opgeheven",
        "le réseau est dissous",
        "das Netzwerk ist aufgelöst",
        "the network is dissolved",
    ),
    "feedback_due": in_each(
        "feedback over een warm bericht ontbreekt",
        "un retour d'information est attendu",
        "eine Rückmeldung zu einer warmen Nachricht fehlt",
        "feedback on an alert is due",
    ),
    "audit_alarm": in_each(
        "alarm van de auditdienst",
        "alarme du service d'audit",
        "Alarm des Prüfdienstes",
        "alarm from the audit service",
    ),
}
"""The templates of notices, of which a log keeps no text."""

KINDS: Table = {
    "alert": in_each("warm bericht", "message chaud", "warme Nachricht", "alert"),
    "update": in_each("bijgewerkt bericht", "mise à jour", "Aktualisierung", "update"),
    "all_clear": in_each("einde alarm", "fin d'alerte", "Entwarnung", "all-clear"),
    "feedback": in_each("feedback", "retour d'information", "Rückmeldung", "feedback"),
    "prevention": in_each("preventie", "prévention", "Prävention", "prevention"),
    "organisation": in_each("organisatie", "organisation", "Organisation", "organisation"),
    **NOTICES,
}
"""Of alerts, bulletins and notices, whose kinds differ."""

ENTRY_TYPES: Table = {
    "original": in_each(
        "ontvangen van de politie",
        "reçu de la police",
        "von der Polizei erhalten",
        "received from the police",
    ),
    "verdict": in_each("oordeel", "décision", "Entscheidung", "verdict"),
    "bulletin": in_each("koud bericht", "message froid", "kalte Nachricht", "bulletin"),
    "notice": in_each("kennisgeving", "avis de service", "Mitteilung", "notice"),
    "send": in_each("verzending", "envoi", "Sendung", "send"),
    "planned": in_each(
        "verzendingen gepland", "envois planifiés", "Sendungen geplant", "sends planned"
    ),
    "closed": in_each(
        "slotverklaring", "déclaration de clôture", "Abschlusserklärung", "closing statement"
    ),
    "answer": in_each(
        "antwoord op de slotverklaring",
        "réponse à la déclaration de clôture",
        "Antwort auf die Abschlusserklärung",
        "answer to the closing statement",
    ),
    "access": in_each(
        "inzage of handeling",
        "consultation ou action",
        "Einsicht oder Handlung",
        "access or action",
    ),
    "key": in_each("sleutel", "clé", "Schlüssel", "key"),
    "erasure": in_each("wissing", "effacement", "Löschung", "erasure"),
    "alarm": in_each("alarm", "alarme", "Alarm", "alarm"),
}

ACCESS_KINDS: Table = {
    "read": in_each("inzage", "consultation", "Einsicht", "viewing"),
    "change": in_each("wijziging", "modification", "Änderung", "change"),
    "export": in_each("export", "exportation", "Export", "export"),
    "lookup": in_each(
        "opzoeking op nummer of adres",
        "recherche par numéro ou adresse",
        "Suche nach Nummer oder Adresse",
        "look-up of a number or address",
    ),
    "bulletin": in_each(
        "handeling rond een bericht",
        "action concernant un message",
        "Handlung zu einer Nachricht",
        "action on a message",
    ),
    "key": in_each(
        "handeling rond een sleutel",
        "action concernant une clé",
        "Handlung zu einem Schlüssel",
        "action on a key",
    ),
    "erasure": in_each("wissing", "effacement", "Löschung", "erasure"),
    "dead_letter": in_each(
        "afgekeurd record", "enregistrement rejeté", "abgewiesener Datensatz", "rejected record"
    ),
    "replay": in_each(
        "opnieuw aangeboden", "soumis à nouveau", "erneut vorgelegt", "submitted again"
    ),
}

SEND_STATES: Table = {
    "planned": in_each("gepland", "planifié", "geplant", "planned"),
    "claimed": in_each("in behandeling", "en traitement", "in Bearbeitung", "claimed"),
    "attempting": in_each(
        "wordt verstuurd", "en cours d'envoi", "wird gesendet", "being attempted"
    ),
    "accepted": in_each(
        "aanvaard door de provider",
        "accepté par le fournisseur",
        "vom Anbieter angenommen",
        "accepted by the provider",
    ),
    "delivered": in_each("afgeleverd", "remis", "zugestellt", "delivered"),
    "undelivered": in_each("niet afgeleverd", "non remis", "nicht zugestellt", "not delivered"),
    "failed": in_each("mislukt", "échoué", "fehlgeschlagen", "failed"),
    "unknown": in_each("niet bekend", "inconnu", "nicht bekannt", "not known"),
    "suppressed": in_each("niet verstuurd", "non envoyé", "nicht gesendet", "not sent"),
    "expired": in_each(
        "te laat, niet verstuurd",
        "trop tard, non envoyé",
        "zu spät, nicht gesendet",
        "too late, not sent",
    ),
    "cancelled": in_each("ingetrokken", "annulé", "zurückgezogen", "cancelled"),
    "unreachable": in_each("niet bereikbaar", "injoignable", "nicht erreichbar", "unreachable"),
}

VERDICTS: Table = {
    "accepted": in_each("aanvaard", "accepté", "angenommen", "accepted"),
    "refused": in_each("geweigerd", "refusé", "abgelehnt", "refused"),
    "duplicate": in_each("dubbel", "en double", "doppelt", "duplicate"),
    "expired": in_each("te laat", "trop tard", "zu spät", "expired"),
}

ANSWERS: Table = {
    "agreed": in_each("klopt", "concorde", "stimmt überein", "agreed"),
    "resend": in_each(
        "klopt niet, opnieuw gevraagd",
        "ne concorde pas, redemandé",
        "stimmt nicht überein, erneut angefordert",
        "differs, asked for again",
    ),
}

KEY_STATES: Table = {
    "enrolled": in_each("ingeschreven", "inscrite", "eingetragen", "enrolled"),
    "confirmed": in_each("bevestigd", "confirmée", "bestätigt", "confirmed"),
    "revoked": in_each("ingetrokken", "révoquée", "widerrufen", "revoked"),
    "log_key_changed": in_each(
        "sleutel van het logboek vervangen",
        "clé du journal remplacée",
        "Schlüssel des Protokolls ersetzt",
        "key of the log replaced",
    ),
}

BULLETIN_STATES: Table = {
    "released": in_each("vrijgegeven", "diffusé", "freigegeben", "released"),
}

ALARM_STATES: Table = {
    "raised": in_each("gemeld", "déclenchée", "ausgelöst", "raised"),
}

ALARMS: Table = {
    "no_verdict": in_each(
        "geen oordeel over een bericht van de politie",
        "aucune décision sur un message de la police",
        "keine Entscheidung über eine Nachricht der Polizei",
        "no verdict on a message from the police",
    ),
    "no_closing": in_each(
        "slotverklaring ontbreekt",
        "déclaration de clôture manquante",
        "Abschlusserklärung fehlt",
        "closing statement missing",
    ),
    "closing_differs": in_each(
        "slotverklaring en logboek verschillen",
        "la déclaration de clôture et le journal diffèrent",
        "Abschlusserklärung und Protokoll weichen voneinander ab",
        "closing statement and log differ",
    ),
    "closing_stays_different": in_each(
        "slotverklaring en logboek blijven verschillen",
        "la déclaration de clôture et le journal diffèrent toujours",
        "Abschlusserklärung und Protokoll weichen weiterhin voneinander ab",
        "closing statement and log still differ",
    ),
    "low_coverage": in_each(
        "te weinig verzendingen op tijd aanvaard",
        "trop peu d'envois acceptés à temps",
        "zu wenige Sendungen rechtzeitig angenommen",
        "too few sends accepted in time",
    ),
    "restored": in_each(
        "logboek teruggezet uit een back-up",
        "journal rétabli depuis une sauvegarde",
        "Protokoll aus einer Sicherung wiederhergestellt",
        "log restored from a backup",
    ),
}

VERDICT_REASONS: Table = {
    "not_json": in_each("is geen JSON", "n'est pas du JSON", "ist kein JSON", "is no JSON"),
    "not_a_cloudevent": in_each(
        "is geen CloudEvent", "n'est pas un CloudEvent", "ist kein CloudEvent", "is no CloudEvent"
    ),
    "wrong_type": in_each(
        "verkeerd type gebeurtenis",
        "mauvais type d'événement",
        "falscher Ereignistyp",
        "wrong type of event",
    ),
    "invalid_field": in_each(
        "ongeldig veld", "champ non valable", "ungültiges Feld", "invalid field"
    ),
    "unknown_zone": in_each("onbekende zone", "zone inconnue", "unbekannte Zone", "unknown zone"),
    "key_not_zone": in_each(
        "aangeleverd onder een andere zone dan die in het bericht",
        "transmis sous une autre zone que celle du message",
        "unter einer anderen Zone als der in der Nachricht übermittelt",
        "sent under another zone than the message's own",
    ),
    "no_signature": in_each("niet ondertekend", "pas signé", "nicht signiert", "no signature"),
    "malformed_signature": in_each(
        "handtekening in verkeerde vorm",
        "signature mal formée",
        "Signatur in falscher Form",
        "malformed signature",
    ),
    "wrong_signature": in_each(
        "de handtekening klopt niet",
        "la signature ne correspond pas",
        "die Signatur stimmt nicht",
        "the signature does not fit",
    ),
    "signature_for_other_zone": in_each(
        "handtekening voor een andere zone",
        "signature pour une autre zone",
        "Signatur für eine andere Zone",
        "signature for another zone",
    ),
    "signature_for_other_topic": in_each(
        "handtekening voor een ander kanaal van aanlevering",
        "signature pour un autre canal de transmission",
        "Signatur für einen anderen Übermittlungskanal",
        "signature for another topic",
    ),
    "unknown_key": in_each(
        "onbekende sleutel", "clé inconnue", "unbekannter Schlüssel", "unknown key"
    ),
    "key_not_confirmed": in_each(
        "sleutel nog niet bevestigd",
        "clé pas encore confirmée",
        "Schlüssel noch nicht bestätigt",
        "key not confirmed yet",
    ),
    "key_not_current": in_each(
        "sleutel nu niet geldig",
        "clé non valable actuellement",
        "Schlüssel derzeit nicht gültig",
        "key not valid now",
    ),
    "key_revoked": in_each(
        "sleutel ingetrokken", "clé révoquée", "Schlüssel widerrufen", "key revoked"
    ),
    "not_the_signer": in_each(
        "opsteller en ondertekenaar verschillen",
        "l'auteur n'est pas le signataire",
        "Verfasser und Unterzeichner sind verschieden",
        "the issuer is not the signer",
    ),
    "approval_needed": in_each(
        "goedkeuring door een tweede gemandateerde nodig",
        "approbation d'un second policier mandaté nécessaire",
        "Genehmigung durch einen zweiten beauftragten Polizisten nötig",
        "approval by a second mandated officer needed",
    ),
    "approval_invalid": in_each(
        "ongeldige goedkeuring",
        "approbation non valable",
        "ungültige Genehmigung",
        "invalid approval",
    ),
    "approver_is_issuer": in_each(
        "goedgekeurd door de opsteller zelf",
        "approuvé par l'auteur lui-même",
        "vom Verfasser selbst genehmigt",
        "approved by the issuer",
    ),
    "unknown_network": in_each(
        "onbekend netwerk", "réseau inconnu", "unbekanntes Netzwerk", "unknown network"
    ),
    "network_not_active": in_each(
        "netwerk niet actief", "réseau non actif", "Netzwerk nicht aktiv", "network not active"
    ),
    "no_exercises": in_each(
        "geen oefeningen in het communicatieplan",
        "pas d'exercices dans le plan de communication",
        "keine Übungen im Kommunikationsplan",
        "no exercises in the communication plan",
    ),
    "no_network_left": in_each(
        "geen enkel netwerk kan het nu ontvangen",
        "aucun réseau ne peut le recevoir actuellement",
        "kein Netzwerk kann sie derzeit empfangen",
        "no network can take it now",
    ),
    "issued_in_future": in_each(
        "opgesteld in de toekomst",
        "rédigé dans le futur",
        "in der Zukunft verfasst",
        "issued in the future",
    ),
    "issued_too_long_ago": in_each(
        "te lang geleden opgesteld",
        "rédigé il y a trop longtemps",
        "vor zu langer Zeit verfasst",
        "issued too long ago",
    ),
    "expired": in_each(
        "te laat om nog te versturen",
        "trop tard pour être envoyé",
        "zu spät, um noch gesendet zu werden",
        "too late to be sent",
    ),
    "id_taken": in_each(
        "kenmerk hoort bij een ander bericht",
        "identifiant d'un autre message",
        "Kennung gehört zu einer anderen Nachricht",
        "id belongs to another message",
    ),
    "too_long": in_each("te lang", "trop long", "zu lang", "too long"),
    "not_your_kind": in_each(
        "deze soort verstuurt de politie niet",
        "la police n'envoie pas ce type de message",
        "diese Art sendet die Polizei nicht",
        "the police do not send this kind",
    ),
    "status_differs": in_each(
        "andere status dan het bericht waar het over gaat",
        "statut différent de celui du message auquel il se rapporte",
        "anderer Status als die Nachricht, auf die sie sich bezieht",
        "another status than the alert that it is about",
    ),
}

SEND_REASONS: Table = {
    "left": in_each(
        "heeft het netwerk verlaten",
        "a quitté le réseau",
        "hat das Netzwerk verlassen",
        "left the network",
    ),
    "not_active": in_each(
        "lidmaatschap niet actief",
        "adhésion non active",
        "Mitgliedschaft nicht aktiv",
        "membership not active",
    ),
    "restricted": in_each(
        "verwerking beperkt",
        "traitement limité",
        "Verarbeitung eingeschränkt",
        "processing restricted",
    ),
    "refuses_cold": in_each(
        "weigert koude berichten",
        "refuse les messages froids",
        "lehnt kalte Nachrichten ab",
        "refuses cold messages",
    ),
    "erased": in_each("gegevens gewist", "données effacées", "Daten gelöscht", "data erased"),
    "changed_destination": in_each(
        "nummer of adres intussen gewijzigd",
        "numéro ou adresse modifié entre-temps",
        "Nummer oder Adresse inzwischen geändert",
        "number or address changed meanwhile",
    ),
    "no_address": in_each(
        "geen e-mailadres", "pas d'adresse e-mail", "keine E-Mail-Adresse", "no e-mail address"
    ),
    "other_network": in_each(
        "kreeg het via een ander netwerk",
        "l'a reçu par un autre réseau",
        "erhielt sie über ein anderes Netzwerk",
        "got it through another network",
    ),
    "network_not_active": in_each(
        "netwerk niet actief", "réseau non actif", "Netzwerk nicht aktiv", "network not active"
    ),
    "no_mobile": in_each(
        "geen mobiel nummer", "pas de numéro mobile", "keine Mobilnummer", "no mobile number"
    ),
    "stopped": in_each(
        "stopte sms'en (STOP)",
        "a arrêté les SMS (STOP)",
        "hat SMS beendet (STOP)",
        "stopped SMS (STOP)",
    ),
    "updated": in_each(
        "vervangen door een nieuwer bericht",
        "remplacé par un message plus récent",
        "durch eine neuere Nachricht ersetzt",
        "replaced by a newer message",
    ),
    "all_clear": in_each("einde alarm", "fin d'alerte", "Entwarnung", "all-clear"),
    "expired": in_each(
        "bericht niet meer geldig",
        "message plus valable",
        "Nachricht nicht mehr gültig",
        "message no longer valid",
    ),
    "restored": in_each(
        "hersteld uit een back-up",
        "rétabli depuis une sauvegarde",
        "aus einer Sicherung wiederhergestellt",
        "restored from a backup",
    ),
    "settled": in_each(
        "vastgesteld door een beheerder",
        "établi par un opérateur",
        "von einem Betreiber festgestellt",
        "settled by an operator",
    ),
    "timed_out": in_each(
        "geen antwoord op tijd",
        "pas de réponse à temps",
        "keine rechtzeitige Antwort",
        "no answer in time",
    ),
    "connection_lost": in_each(
        "verbinding verbroken", "connexion perdue", "Verbindung abgebrochen", "connection lost"
    ),
    "provider_fault": in_each(
        "storing bij de provider",
        "panne chez le fournisseur",
        "Störung beim Anbieter",
        "fault at the provider",
    ),
    "bad_answer": in_each(
        "onbegrijpelijk antwoord van de provider",
        "réponse incompréhensible du fournisseur",
        "unverständliche Antwort des Anbieters",
        "unreadable answer from the provider",
    ),
    "sender_fault": in_each(
        "fout bij het versturen",
        "erreur lors de l'envoi",
        "Fehler beim Senden",
        "fault while sending",
    ),
    "lease_over": in_each(
        "verzendproces onderbroken",
        "processus d'envoi interrompu",
        "Sendevorgang unterbrochen",
        "sending process interrupted",
    ),
    "not_connected": in_each(
        "geen verbinding met de provider",
        "pas de connexion avec le fournisseur",
        "keine Verbindung zum Anbieter",
        "no connection to the provider",
    ),
    "rate_limited": in_each(
        "afgeremd door de provider",
        "ralenti par le fournisseur",
        "vom Anbieter gedrosselt",
        "slowed down by the provider",
    ),
    "too_late": in_each(
        "poging begon niet op tijd",
        "la tentative n'a pas débuté à temps",
        "Versuch begann nicht rechtzeitig",
        "attempt did not begin in time",
    ),
    "invalid_number": in_each(
        "ongeldig nummer", "numéro non valable", "ungültige Nummer", "invalid number"
    ),
    "not_a_mobile": in_each(
        "geen mobiel nummer", "pas un numéro mobile", "keine Mobilnummer", "not a mobile number"
    ),
    "region_not_allowed": in_each(
        "land niet toegelaten", "pays non autorisé", "Land nicht zugelassen", "country not allowed"
    ),
    "blocked": in_each(
        "geblokkeerd door de operator",
        "bloqué par l'opérateur",
        "vom Netzbetreiber gesperrt",
        "blocked by the carrier",
    ),
    "unreachable_handset": in_each(
        "toestel niet bereikbaar",
        "appareil injoignable",
        "Gerät nicht erreichbar",
        "handset unreachable",
    ),
    "unknown_handset": in_each(
        "nummer niet in gebruik",
        "numéro non attribué",
        "Nummer nicht vergeben",
        "number not in use",
    ),
    "landline_or_carrier": in_each(
        "vaste lijn, of operator zonder sms",
        "ligne fixe, ou opérateur sans SMS",
        "Festnetz, oder Netzbetreiber ohne SMS",
        "landline, or carrier without SMS",
    ),
    "carrier_filtered": in_each(
        "tegengehouden door de operator",
        "filtré par l'opérateur",
        "vom Netzbetreiber gefiltert",
        "filtered by the carrier",
    ),
    "carrier_fault": in_each(
        "storing bij de operator",
        "panne chez l'opérateur",
        "Störung beim Netzbetreiber",
        "fault at the carrier",
    ),
    "validity_over": in_each(
        "niet afgeleverd binnen de geldigheid",
        "non remis pendant sa validité",
        "innerhalb der Gültigkeit nicht zugestellt",
        "not delivered while valid",
    ),
    "queue_full": in_each(
        "wachtrij van de provider vol",
        "file du fournisseur pleine",
        "Warteschlange des Anbieters voll",
        "provider's queue full",
    ),
    "sender_invalid": in_each(
        "afzender niet aanvaard",
        "expéditeur refusé",
        "Absender nicht angenommen",
        "sender not accepted",
    ),
    "request_invalid": in_each(
        "aanvraag niet aanvaard door de provider",
        "demande refusée par le fournisseur",
        "Anfrage vom Anbieter nicht angenommen",
        "request not accepted by the provider",
    ),
    "not_authorised": in_each(
        "geen toegang bij de provider",
        "accès refusé par le fournisseur",
        "kein Zugang beim Anbieter",
        "not authorised at the provider",
    ),
    "account_suspended": in_each(
        "account bij de provider geschorst",
        "compte suspendu chez le fournisseur",
        "Konto beim Anbieter gesperrt",
        "account suspended at the provider",
    ),
    "cancelled_at_provider": in_each(
        "ingetrokken bij de provider",
        "annulé chez le fournisseur",
        "beim Anbieter zurückgezogen",
        "cancelled at the provider",
    ),
    "mailbox_refused": in_each(
        "mailbox bestaat niet of weigert",
        "boîte inexistante ou qui refuse",
        "Postfach besteht nicht oder lehnt ab",
        "mailbox does not exist or refuses",
    ),
    "mailbox_busy": in_each(
        "mailbox vol of bezet",
        "boîte pleine ou occupée",
        "Postfach voll oder belegt",
        "mailbox full or busy",
    ),
    "mail_refused": in_each("mail geweigerd", "e-mail refusé", "E-Mail abgelehnt", "mail refused"),
    "server_busy": in_each(
        "mailserver bezet",
        "serveur de messagerie occupé",
        "Mailserver ausgelastet",
        "mail server busy",
    ),
    "invalid_address": in_each(
        "ongeldig e-mailadres",
        "adresse e-mail non valable",
        "ungültige E-Mail-Adresse",
        "invalid e-mail address",
    ),
    "unknown_code": in_each(
        "onbekende foutcode van de provider",
        "code d'erreur inconnu du fournisseur",
        "unbekannter Fehlercode des Anbieters",
        "unknown error code from the provider",
    ),
}

STATES: Mapping[str, Table] = {
    EntryType.VERDICT: VERDICTS,
    EntryType.BULLETIN: BULLETIN_STATES,
    EntryType.SEND: SEND_STATES,
    EntryType.ANSWER: ANSWERS,
    EntryType.ACCESS: ACCESS_KINDS,
    EntryType.KEY: KEY_STATES,
    EntryType.ALARM: ALARM_STATES,
}
"""What `state` means, by the type of the entry; the others have none."""

REASONS: Mapping[str, Table] = {
    EntryType.VERDICT: VERDICT_REASONS,
    EntryType.SEND: SEND_REASONS,
    EntryType.ANSWER: ALARMS,
    EntryType.ACCESS: ACTIONS,
    EntryType.ALARM: ALARMS,
}
"""What `reason` means, by the type of the entry; the others have none."""


def say(language: Language, table: Table, code: str | None) -> str:
    """Say a code in words; one without words visibly as a code, and nothing for none."""
    if not code:
        return ""
    known = table.get(code)
    if known is not None:
        return known[language]
    for family, said in FAMILIES.items() if table is ACTIONS else ():
        if code.startswith(family):
            return Markup("{} <code>{}</code>").format(said[language], code[len(family) :])
    return Markup("<code>{}</code>").format(code)


def say_state(language: Language, kind: str, state: str | None) -> str:
    """Say the state of an entry of some type."""
    return say(language, STATES.get(kind, {}), state)


def say_reason(language: Language, kind: str, reason: str | None) -> str:
    """Say why, or for an access what was done."""
    return say(language, REASONS.get(kind, {}), reason)


_COLON = in_each(": ", " : ", ": ", ": ")


def say_purpose(language: Language, reason: str | None) -> str:
    """Say why somebody looked: as they wrote it, the registry's own codes in words."""
    if reason is None:
        return ""
    code, colon, own = reason.partition(": ")
    known = PURPOSES.get(code)
    if known is None:
        return reason
    return f"{known[language]}{_COLON[language] if colon else ''}{own}"
