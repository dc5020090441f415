"""The words of every action that `bin.access` tells of, in nl, fr, de and en."""

from collections.abc import Mapping

from services.audit.api.report_words import InEach, in_each

ACTIONS: Mapping[str, InEach] = {
    "access.export": in_each(
        "lijst van inzagen exporteren",
        "exporter la liste des consultations",
        "Liste der Einsichten exportieren",
        "export the list of accesses",
    ),
    "access.list": in_each(
        "lijst van inzagen bekijken",
        "voir la liste des consultations",
        "Liste der Einsichten ansehen",
        "view the list of accesses",
    ),
    "bulletin.adopt": in_each(
        "preventietip overnemen",
        "reprendre un conseil de prévention",
        "Präventionstipp übernehmen",
        "adopt a prevention tip",
    ),
    "bulletin.decline": in_each(
        "preventietip afwijzen",
        "refuser un conseil de prévention",
        "Präventionstipp ablehnen",
        "decline a prevention tip",
    ),
    "bulletin.delete": in_each(
        "koud bericht na zijn bewaartermijn wissen",
        "effacer un message froid au terme de sa conservation",
        "kalte Nachricht nach ihrer Aufbewahrungsfrist löschen",
        "delete a bulletin after its retention",
    ),
    "bulletin.escalate": in_each(
        "koud bericht aan de gemandateerde voorleggen",
        "transmettre un message froid au policier mandaté",
        "kalte Nachricht dem beauftragten Polizisten vorlegen",
        "pass a bulletin to the mandated officer",
    ),
    "bulletin.expire": in_each(
        "koud bericht laten vervallen",
        "laisser expirer un message froid",
        "kalte Nachricht verfallen lassen",
        "let a bulletin expire",
    ),
    "bulletin.pass_to_deputy": in_each(
        "koud bericht aan de plaatsvervanger voorleggen",
        "transmettre un message froid au suppléant",
        "kalte Nachricht der Vertretung vorlegen",
        "pass a bulletin to the deputy",
    ),
    "bulletin.recorded": in_each(
        "noteren dat alle verzendingen vastliggen",
        "noter que tous les envois sont enregistrés",
        "vermerken, dass alle Sendungen festgehalten sind",
        "note that every send is on record",
    ),
    "bulletin.release": in_each(
        "koud bericht vrijgeven",
        "diffuser un message froid",
        "kalte Nachricht freigeben",
        "release a bulletin",
    ),
    "bulletin.remind": in_each(
        "aan een wachtend koud bericht herinneren",
        "rappeler un message froid en attente",
        "an eine wartende kalte Nachricht erinnern",
        "remind of a waiting bulletin",
    ),
    "bulletin.return": in_each(
        "koud bericht terugsturen",
        "renvoyer un message froid",
        "kalte Nachricht zurücksenden",
        "return a bulletin",
    ),
    "bulletin.sent": in_each(
        "noteren dat een koud bericht verstuurd is",
        "noter qu'un message froid a été envoyé",
        "vermerken, dass eine kalte Nachricht gesendet ist",
        "note that a bulletin was sent",
    ),
    "bulletin.suggest": in_each(
        "preventietip voorstellen",
        "proposer un conseil de prévention",
        "Präventionstipp vorschlagen",
        "suggest a prevention tip",
    ),
    "bulletin.wait": in_each(
        "koud bericht ter vrijgave voorleggen",
        "soumettre un message froid à la diffusion",
        "kalte Nachricht zur Freigabe vorlegen",
        "put a bulletin up for release",
    ),
    "bulletin.withdraw": in_each(
        "koud bericht intrekken",
        "retirer un message froid",
        "kalte Nachricht zurückziehen",
        "withdraw a bulletin",
    ),
    "coordinator.add": in_each(
        "coördinator toevoegen",
        "ajouter un coordinateur",
        "Koordinator hinzufügen",
        "add a coordinator",
    ),
    "coordinator.deputise": in_each(
        "plaatsvervanger aanstellen",
        "désigner un suppléant",
        "Vertretung bestellen",
        "appoint a deputy",
    ),
    "coordinator.forget": in_each(
        "gegevens van een gewezen coördinator wissen",
        "effacer les données d'un ancien coordinateur",
        "Daten eines ehemaligen Koordinators löschen",
        "erase the data of a former coordinator",
    ),
    "coordinator.list": in_each(
        "coördinatoren bekijken",
        "voir les coordinateurs",
        "Koordinatoren ansehen",
        "view the coordinators",
    ),
    "coordinator.remove": in_each(
        "coördinator ontheffen",
        "relever un coordinateur de sa fonction",
        "Koordinator abberufen",
        "remove a coordinator",
    ),
    "coordinator.screen": in_each(
        "screening van een coördinator noteren",
        "noter le contrôle d'un coordinateur par la police",
        "Überprüfung eines Koordinators vermerken",
        "note the screening of a coordinator",
    ),
    "coordinator.turn": in_each(
        "begin of einde van een vervanging noteren",
        "noter le début ou la fin d'une suppléance",
        "Beginn oder Ende einer Vertretung vermerken",
        "note the begin or end of a deputy's period",
    ),
    "coverage.failures": in_each(
        "bekijken wie een bericht niet kreeg",
        "voir qui n'a pas reçu un message",
        "ansehen, wer eine Nachricht nicht erhielt",
        "view whom a message did not reach",
    ),
    "document.charter": in_each(
        "nieuwe versie van het charter invoeren",
        "introduire une nouvelle version de la charte",
        "neue Fassung der Charta eingeben",
        "add a version of the charter",
    ),
    "document.communication_plan": in_each(
        "nieuwe versie van het communicatieplan invoeren",
        "introduire une nouvelle version du plan de communication",
        "neue Fassung des Kommunikationsplans eingeben",
        "add a version of the communication plan",
    ),
    "document.house_rules": in_each(
        "nieuwe versie van het huishoudelijk reglement invoeren",
        "introduire une nouvelle version du règlement intérieur",
        "neue Fassung der Hausordnung eingeben",
        "add a version of the house rules",
    ),
    "erasure.applied": in_each(
        "gegevens in het auditlogboek wissen",
        "effacer des données du journal d'audit",
        "Daten im Prüfprotokoll löschen",
        "erase data in the audit log",
    ),
    "erasure.apply": in_each(
        "wissing in het ledenregister uitvoeren",
        "effacer des données du registre des membres",
        "Daten im Mitgliederregister löschen",
        "erase data in the member registry",
    ),
    "feedback.waive": in_each(
        "noteren waarom er geen feedback komt",
        "noter pourquoi il n'y aura pas de retour d'information",
        "vermerken, warum es keine Rückmeldung gibt",
        "note why there is no feedback",
    ),
    "key.confirm": in_each(
        "sleutel bevestigen", "confirmer une clé", "Schlüssel bestätigen", "confirm a key"
    ),
    "key.enrol": in_each(
        "sleutel inschrijven", "inscrire une clé", "Schlüssel eintragen", "enrol a key"
    ),
    "key.revoke": in_each(
        "sleutel intrekken", "révoquer une clé", "Schlüssel widerrufen", "revoke a key"
    ),
    "ledger.recover": in_each(
        "verzendingen na een back-up herstellen",
        "rétablir les envois après une sauvegarde",
        "Sendungen nach einer Sicherung wiederherstellen",
        "recover the sends after a backup",
    ),
    "log.bundle": in_each(
        "auditlogboek ophalen",
        "télécharger le journal d'audit",
        "Prüfprotokoll herunterladen",
        "download the audit log",
    ),
    "log.recover": in_each(
        "auditlogboek na een back-up herstellen",
        "rétablir le journal d'audit après une sauvegarde",
        "Prüfprotokoll nach einer Sicherung wiederherstellen",
        "recover the audit log after a backup",
    ),
    "meeting.call": in_each(
        "vergadering bijeenroepen",
        "convoquer une réunion",
        "Versammlung einberufen",
        "call a meeting",
    ),
    "meeting.cancel": in_each(
        "vergadering afzeggen", "annuler une réunion", "Versammlung absagen", "cancel a meeting"
    ),
    "meeting.delete": in_each(
        "vergadering na haar bewaartermijn wissen",
        "effacer une réunion au terme de sa conservation",
        "Versammlung nach ihrer Aufbewahrungsfrist löschen",
        "delete a meeting after its retention",
    ),
    "meeting.list": in_each(
        "vergaderingen bekijken",
        "voir les réunions",
        "Versammlungen ansehen",
        "view the meetings",
    ),
    "meeting.move": in_each(
        "vergadering verplaatsen",
        "déplacer une réunion",
        "Versammlung verlegen",
        "move a meeting",
    ),
    "meeting.report": in_each(
        "verslag van een vergadering invoeren",
        "introduire le procès-verbal d'une réunion",
        "Protokoll einer Versammlung eingeben",
        "add the minutes of a meeting",
    ),
    "member.accept": in_each(
        "huishoudelijk reglement aanvaarden",
        "accepter le règlement intérieur",
        "Hausordnung annehmen",
        "accept the house rules",
    ),
    "member.ask_rules": in_each(
        "vragen om het huishoudelijk reglement te aanvaarden",
        "demander d'accepter le règlement intérieur",
        "um Annahme der Hausordnung bitten",
        "ask to accept the house rules",
    ),
    "member.create": in_each(
        "lid toevoegen", "ajouter un membre", "Mitglied hinzufügen", "add a member"
    ),
    "member.edit": in_each(
        "gegevens van een lid wijzigen",
        "modifier les données d'un membre",
        "Daten eines Mitglieds ändern",
        "change a member's data",
    ),
    "member.erase": in_each(
        "gegevens van een lid wissen",
        "effacer les données d'un membre",
        "Daten eines Mitglieds löschen",
        "erase a member's data",
    ),
    "member.exclude": in_each(
        "lid uitsluiten", "exclure un membre", "Mitglied ausschließen", "exclude a member"
    ),
    "member.export": in_each(
        "ledenlijst exporteren",
        "exporter la liste des membres",
        "Mitgliederliste exportieren",
        "export the member list",
    ),
    "member.forget_measures": in_each(
        "oude maatregelen tegen een lid wissen",
        "effacer d'anciennes mesures envers un membre",
        "alte Maßnahmen gegen ein Mitglied löschen",
        "erase old measures against a member",
    ),
    "member.import": in_each(
        "ledenlijst invoeren",
        "importer une liste de membres",
        "Mitgliederliste importieren",
        "import a member list",
    ),
    "member.import_check": in_each(
        "ledenlijst nakijken zonder ze in te voeren",
        "vérifier une liste de membres sans l'importer",
        "Mitgliederliste prüfen, ohne sie zu importieren",
        "check a member list without importing it",
    ),
    "member.leave": in_each(
        "netwerk verlaten", "quitter le réseau", "Netzwerk verlassen", "leave the network"
    ),
    "member.lift_restriction": in_each(
        "beperking van de verwerking opheffen",
        "lever la limitation du traitement",
        "Einschränkung der Verarbeitung aufheben",
        "lift the restriction of processing",
    ),
    "member.list": in_each(
        "ledenlijst bekijken",
        "voir la liste des membres",
        "Mitgliederliste ansehen",
        "view the member list",
    ),
    "member.read": in_each(
        "gegevens van een lid bekijken",
        "voir les données d'un membre",
        "Daten eines Mitglieds ansehen",
        "view a member's data",
    ),
    "member.record": in_each(
        "dossier van een lid opvragen",
        "demander le dossier d'un membre",
        "Akte eines Mitglieds abrufen",
        "obtain a member's record",
    ),
    "member.refuse_cold": in_each(
        "koude berichten weigeren",
        "refuser les messages froids",
        "kalte Nachrichten ablehnen",
        "refuse cold messages",
    ),
    "member.reinstate": in_each(
        "schorsing van een lid opheffen",
        "lever la suspension d'un membre",
        "Sperre eines Mitglieds aufheben",
        "reinstate a member",
    ),
    "member.reprimand": in_each(
        "lid berispen", "réprimander un membre", "Mitglied verwarnen", "reprimand a member"
    ),
    "member.restrict": in_each(
        "verwerking beperken",
        "limiter le traitement",
        "Verarbeitung einschränken",
        "restrict processing",
    ),
    "member.search": in_each(
        "leden opzoeken", "rechercher des membres", "Mitglieder suchen", "search members"
    ),
    "member.stop_sms": in_each(
        "sms'en stoppen (antwoord STOP)",
        "arrêter les SMS (réponse STOP)",
        "SMS beenden (Antwort STOP)",
        "stop SMS (answer STOP)",
    ),
    "member.suspend": in_each(
        "lid schorsen", "suspendre un membre", "Mitglied sperren", "suspend a member"
    ),
    "member.suspension_ends": in_each(
        "einde van een schorsing noteren",
        "noter la fin d'une suspension",
        "Ende einer Sperre vermerken",
        "note the end of a suspension",
    ),
    "message.page": in_each(
        "verloop van een bericht als pagina bekijken",
        "voir la chronologie d'un message sur une page",
        "Verlauf einer Nachricht als Seite ansehen",
        "view a message's life as a page",
    ),
    "message.show": in_each(
        "verloop van een bericht bekijken",
        "voir la chronologie d'un message",
        "Verlauf einer Nachricht ansehen",
        "view a message's life",
    ),
    "network.activate": in_each(
        "netwerk activeren", "activer un réseau", "Netzwerk aktivieren", "activate a network"
    ),
    "network.create": in_each(
        "netwerk aanmaken", "créer un réseau", "Netzwerk anlegen", "create a network"
    ),
    "network.dissolve": in_each(
        "netwerk opheffen", "dissoudre un réseau", "Netzwerk auflösen", "dissolve a network"
    ),
    "network.edit": in_each(
        "netwerk wijzigen", "modifier un réseau", "Netzwerk ändern", "change a network"
    ),
    "network.steering_group": in_each(
        "stuurgroep samenstellen",
        "composer le groupe de pilotage",
        "Lenkungsgruppe zusammenstellen",
        "set the steering group",
    ),
    "network.suspend": in_each(
        "netwerk schorsen", "suspendre un réseau", "Netzwerk aussetzen", "suspend a network"
    ),
    "officer.appoint": in_each(
        "gemandateerde toevoegen",
        "ajouter un policier mandaté",
        "beauftragten Polizisten hinzufügen",
        "add a mandated officer",
    ),
    "officer.list": in_each(
        "gemandateerden bekijken",
        "voir les policiers mandatés",
        "beauftragte Polizisten ansehen",
        "view the mandated officers",
    ),
    "processing.report": in_each(
        "register van de verwerkingsactiviteiten bekijken",
        "voir le registre des activités de traitement",
        "Verzeichnis von Verarbeitungstätigkeiten ansehen",
        "view the record of processing activities",
    ),
    "send.settle.accepted": in_each(
        "verzending als aanvaard vaststellen",
        "établir qu'un envoi a été accepté",
        "Sendung als angenommen feststellen",
        "settle a send as accepted",
    ),
    "send.settle.failed": in_each(
        "verzending als mislukt vaststellen",
        "établir qu'un envoi a échoué",
        "Sendung als fehlgeschlagen feststellen",
        "settle a send as failed",
    ),
    "send.show": in_each(
        "verloop van een verzending bekijken",
        "voir la chronologie d'un envoi",
        "Verlauf einer Sendung ansehen",
        "view a send's history",
    ),
    "sends.export": in_each(
        "lijst van verzendingen exporteren",
        "exporter la liste des envois",
        "Liste der Sendungen exportieren",
        "export the list of sends",
    ),
    "steering_group.leave": in_each(
        "stuurgroep verlaten",
        "quitter le groupe de pilotage",
        "Lenkungsgruppe verlassen",
        "leave the steering group",
    ),
    "steering_group.read": in_each(
        "stuurgroep bekijken",
        "voir le groupe de pilotage",
        "Lenkungsgruppe ansehen",
        "view the steering group",
    ),
    "subject.lookup": in_each(
        "opzoeken wat een nummer of adres kreeg",
        "rechercher ce qu'un numéro ou une adresse a reçu",
        "suchen, was eine Nummer oder Adresse erhielt",
        "look up what a number or address was sent",
    ),
    "subject.page": in_each(
        "pagina over een nummer of adres opvragen",
        "demander la page d'un numéro ou d'une adresse",
        "Seite zu einer Nummer oder Adresse abrufen",
        "obtain the page about a number or address",
    ),
    "subject.record": in_each(
        "alles over een nummer of adres opvragen",
        "demander tout sur un numéro ou une adresse",
        "alles zu einer Nummer oder Adresse abrufen",
        "obtain everything about a number or address",
    ),
    "zone.create": in_each("zone aanmaken", "créer une zone", "Zone anlegen", "create a zone"),
    "zone.edit": in_each(
        "instellingen van de zone wijzigen",
        "modifier les paramètres de la zone",
        "Einstellungen der Zone ändern",
        "change the zone's settings",
    ),
}

FAMILIES: Mapping[str, InEach] = {
    "dead_letter.drop.": in_each(
        "afgekeurd record laten vallen",
        "abandonner un enregistrement rejeté",
        "abgewiesenen Datensatz verwerfen",
        "drop a rejected record",
    ),
    "dead_letter.replay.": in_each(
        "afgekeurd record opnieuw aanbieden",
        "soumettre à nouveau un enregistrement rejeté",
        "abgewiesenen Datensatz erneut vorlegen",
        "submit a rejected record again",
    ),
    "recover.": in_each(
        "na een back-up terugnemen uit",
        "reprendre, après une sauvegarde, de",
        "nach einer Sicherung zurückholen aus",
        "take back after a backup from",
    ),
    "republish.": in_each(
        "opnieuw publiceren op",
        "publier à nouveau sur",
        "erneut veröffentlichen auf",
        "republish on",
    ),
}
"""Actions that end in an id or the name of a topic, which follows as a code."""

PURPOSES: Mapping[str, InEach] = {
    "as admin": in_each("als beheerder", "comme administrateur", "als Verwalter", "as admin"),
    "as police": in_each("als politie", "comme police", "als Polizei", "as police"),
    "as coordinator": in_each(
        "als coördinator", "comme coordinateur", "als Koordinator", "as coordinator"
    ),
    "as municipality": in_each("als gemeente", "comme commune", "als Gemeinde", "as municipality"),
    "escalation acceptance": in_each(
        "de politie, bij gebrek aan een coördinator: aanvaarding op papier",
        "la police, faute de coordinateur : acceptation sur papier",
        "die Polizei, mangels Koordinator: Annahme auf Papier",
        "the police, for want of a coordinator: an acceptance on paper",
    ),
    "escalation data_right": in_each(
        "de politie, bij gebrek aan een coördinator: vraag van de betrokkene over zijn gegevens",
        "la police, faute de coordinateur : demande de l'intéressé sur ses données",
        "die Polizei, mangels Koordinator: Anfrage der betroffenen Person zu ihren Daten",
        "the police, for want of a coordinator: a question of the person about their data",
    ),
    "escalation incident": in_each(
        "de politie, bij gebrek aan een coördinator: een incident",
        "la police, faute de coordinateur : un incident",
        "die Polizei, mangels Koordinator: ein Vorfall",
        "the police, for want of a coordinator: an incident",
    ),
    "escalation leaving": in_each(
        "de politie, bij gebrek aan een coördinator: vertrek van een lid",
        "la police, faute de coordinateur : départ d'un membre",
        "die Polizei, mangels Koordinator: Austritt eines Mitglieds",
        "the police, for want of a coordinator: somebody leaves",
    ),
}
"""What the registry writes as the reason of a look, where the reader gave none of their own.

Of an escalation the reader's own words may follow after a colon.
"""
