"""The few words that the mail templates add to a message, in four languages."""

from collections.abc import Mapping

from shared.contracts.base import Language, Status

PHRASES: Mapping[Language, Mapping[str, str]] = {
    "nl": {
        "why": "U krijgt dit bericht als lid van een buurtinformatienetwerk (BIN).",
        "unsubscribe": "Geen niet-dringende berichten meer, of het netwerk verlaten:",
    },
    "fr": {
        "why": "Vous recevez ce message comme membre d'un partenariat local de prévention (PLP).",
        "unsubscribe": "Ne plus recevoir de messages non urgents, ou quitter le réseau :",
    },
    "de": {
        "why": "Sie erhalten diese Nachricht als Mitglied eines Nachbarschaftsnetzwerks (BIN).",
        "unsubscribe": "Keine nicht dringenden Nachrichten mehr, oder das Netzwerk verlassen:",
    },
    "en": {
        "why": "You receive this as a member of a neighbourhood information network (BIN).",
        "unsubscribe": "No more non-urgent messages, or leave the network:",
    },
}

WARNINGS: Mapping[Status, Mapping[Language, str]] = {
    Status.ACTUAL: {},
    Status.EXERCISE: {
        "nl": "Dit is een oefening.",
        "fr": "Ceci est un exercice.",
        "de": "Dies ist eine Übung.",
        "en": "This is an exercise.",
    },
    Status.TEST: {
        "nl": "Dit is een test.",
        "fr": "Ceci est un test.",
        "de": "Dies ist ein Test.",
        "en": "This is a test.",
    },
}
