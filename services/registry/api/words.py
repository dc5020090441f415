"""The words of the public pages, in the four languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.base import Language


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that the pages say in one language."""

    accept_title: str
    accept_intro: str
    accept_voluntary: str
    accept_button: str
    adult: str
    adult_needed: str
    accepted: str
    no_rules: str
    changed: str
    leave_title: str
    leave_intro: str
    refuse_text: str
    refuse_button: str
    leave_text: str
    leave_button: str
    refused: str
    left: str
    not_now: str
    unknown: str


WORDS: Mapping[Language, Words] = {
    "nl": Words(
        accept_title="Huishoudelijk reglement",
        accept_intro="U bent aangemeld voor dit buurtinformatienetwerk. Lees het huishoudelijk "
        "reglement. U krijgt pas berichten nadat u het zelf hebt aanvaard.",
        accept_voluntary="Meedoen is vrijwillig. Doet u niets, dan wordt u geen lid. Stoppen kan "
        "altijd.",
        accept_button="Ik heb dit gelezen en aanvaard het",
        adult="Ik ben meerderjarig.",
        adult_needed="Er is nog niets aanvaard: vink aan dat u meerderjarig bent. "
        "Alleen meerderjarigen worden lid.",
        accepted="U hebt het huishoudelijk reglement aanvaard en bent lid van dit netwerk.",
        no_rules="Dit netwerk heeft nog geen huishoudelijk reglement. U krijgt een nieuwe mail "
        "zodra het er is.",
        changed="Intussen is er een nieuwe versie van het reglement. Lees ze en beslis opnieuw.",
        leave_title="Berichten en lidmaatschap",
        leave_intro="Kies wat u wilt stoppen. Er verandert niets zolang u niet op een knop drukt.",
        refuse_text="Geen mails meer (nieuws, preventietips). Dringende sms'en van de politie "
        "blijven komen.",
        refuse_button="Geen mails meer",
        leave_text="Het netwerk verlaten. U krijgt geen mails en geen dringende sms'en meer.",
        leave_button="Het netwerk verlaten",
        refused="U krijgt geen mails meer van dit netwerk. Dringende sms'en blijven komen.",
        left="U hebt dit netwerk verlaten. U krijgt er geen berichten meer van.",
        not_now="Dit kan nu niet. Vraag het aan de coördinator van uw netwerk.",
        unknown="Deze link is niet of niet meer geldig.",
    ),
    "fr": Words(
        accept_title="Règlement intérieur",
        accept_intro="Vous avez été inscrit à ce partenariat local de prévention. Lisez le "
        "règlement intérieur. Vous ne recevrez de messages qu'après l'avoir accepté vous-même.",
        accept_voluntary="La participation est volontaire. Si vous ne faites rien, vous ne "
        "devenez pas membre. Vous pouvez arrêter à tout moment.",
        accept_button="J'ai lu ce règlement et je l'accepte",
        adult="Je suis majeur.",
        adult_needed="Rien n'est encore accepté : cochez que vous êtes majeur. "
        "Seuls les majeurs deviennent membres.",
        accepted="Vous avez accepté le règlement intérieur et êtes membre de ce réseau.",
        no_rules="Ce réseau n'a pas encore de règlement intérieur. Vous recevrez un nouvel "
        "e-mail dès qu'il existe.",
        changed="Il y a entre-temps une nouvelle version du règlement. Lisez-la et décidez à "
        "nouveau.",
        leave_title="Messages et adhésion",
        leave_intro="Choisissez ce que vous voulez arrêter. Rien ne change tant que vous "
        "n'appuyez pas sur un bouton.",
        refuse_text="Plus d'e-mails (nouvelles, conseils de prévention). Les SMS urgents de la "
        "police continuent.",
        refuse_button="Plus d'e-mails",
        leave_text="Quitter le réseau. Vous ne recevrez plus ni e-mails ni SMS urgents.",
        leave_button="Quitter le réseau",
        refused="Vous ne recevrez plus d'e-mails de ce réseau. Les SMS urgents continuent.",
        left="Vous avez quitté ce réseau. Vous n'en recevrez plus de messages.",
        not_now="Ce n'est pas possible maintenant. Adressez-vous au coordinateur de votre réseau.",
        unknown="Ce lien n'est pas ou plus valable.",
    ),
    "de": Words(
        accept_title="Hausordnung",
        accept_intro="Sie wurden für dieses Nachbarschaftsnetzwerk angemeldet. Lesen Sie die "
        "Hausordnung. Nachrichten erhalten Sie erst, wenn Sie sie selbst angenommen haben.",
        accept_voluntary="Die Teilnahme ist freiwillig. Ohne Ihr Zutun werden Sie kein Mitglied. "
        "Aufhören können Sie jederzeit.",
        accept_button="Ich habe dies gelesen und nehme es an",
        adult="Ich bin volljährig.",
        adult_needed="Noch ist nichts angenommen: Bestätigen Sie, dass Sie volljährig "
        "sind. Mitglied wird nur, wer es ist.",
        accepted="Sie haben die Hausordnung angenommen und sind Mitglied dieses Netzwerks.",
        no_rules="Dieses Netzwerk hat noch keine Hausordnung. Sie erhalten eine neue E-Mail, "
        "sobald es sie gibt.",
        changed="Inzwischen gibt es eine neue Fassung. Lesen Sie sie und entscheiden Sie neu.",
        leave_title="Nachrichten und Mitgliedschaft",
        leave_intro="Wählen Sie, was Sie beenden möchten. Nichts ändert sich, solange Sie keinen "
        "Knopf drücken.",
        refuse_text="Keine E-Mails mehr (Neuigkeiten, Vorbeugung). Dringende SMS der Polizei "
        "kommen weiter.",
        refuse_button="Keine E-Mails mehr",
        leave_text="Das Netzwerk verlassen. Sie erhalten weder E-Mails noch dringende SMS.",
        leave_button="Das Netzwerk verlassen",
        refused="Sie erhalten keine E-Mails mehr von diesem Netzwerk. Dringende SMS kommen weiter.",
        left="Sie haben dieses Netzwerk verlassen und erhalten keine Nachrichten mehr davon.",
        not_now="Das geht jetzt nicht. Fragen Sie den Koordinator Ihres Netzwerks.",
        unknown="Dieser Link ist nicht oder nicht mehr gültig.",
    ),
    "en": Words(
        accept_title="House rules",
        accept_intro="You have been signed up for this neighbourhood information network. Read "
        "the house rules. You get messages only after you have accepted them yourself.",
        accept_voluntary="Taking part is voluntary. If you do nothing, you do not become a "
        "member. You can stop at any time.",
        accept_button="I have read this and accept it",
        adult="I am an adult.",
        adult_needed="Nothing is accepted yet: tick that you are an adult. Only "
        "adults become members.",
        accepted="You have accepted the house rules and are a member of this network.",
        no_rules="This network has no house rules yet. You will get another mail once it has.",
        changed="There is a newer version of the house rules meanwhile. Read it and decide again.",
        leave_title="Messages and membership",
        leave_intro="Choose what you want to stop. Nothing changes until you press a button.",
        refuse_text="No more mails (news, prevention tips). Urgent SMS from the police go on.",
        refuse_button="No more mails",
        leave_text="Leave the network. You get neither mails nor urgent SMS any more.",
        leave_button="Leave the network",
        refused="You get no more mails from this network. Urgent SMS go on.",
        left="You have left this network and get no more messages from it.",
        not_now="This is not possible now. Ask the coordinator of your network.",
        unknown="This link is not valid, or not any more.",
    ),
}
