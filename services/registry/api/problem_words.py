"""What problems say, by their kind, in en, nl and fr: what is wrong, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.registry.domain.member_list import ListLanguage


@dataclass(frozen=True, slots=True)
class Said:
    """What is wrong, and the next step. Never a value of the input."""

    reason: str
    next_step: str


def say(kind: str, language: ListLanguage) -> Said:
    """Give what a kind of problem says in a language; a general word where there is none."""
    said = PROBLEMS.get(kind, PROBLEMS["refused"])
    return said[language]


def _in(
    en: tuple[str, str], nl: tuple[str, str], fr: tuple[str, str]
) -> Mapping[ListLanguage, Said]:
    return {"en": Said(*en), "nl": Said(*nl), "fr": Said(*fr)}


PROBLEMS: Mapping[str, Mapping[ListLanguage, Said]] = {
    "refused": _in(
        ("This was refused.", "See `detail` and `field`, correct it and try again."),
        ("Dit is geweigerd.", "Zie `type` en `field`, verbeter het en probeer opnieuw."),
        ("Ceci est refusé.", "Voyez `type` et `field`, corrigez et réessayez."),
    ),
    "escalation-reason-needed": _in(
        (
            "The network has no active coordinator; the police look at its members with a reason.",
            "Send acceptance, data_right, incident or leaving in `Escalation-Reason`.",
        ),
        (
            "Het netwerk heeft geen actieve coördinator; de politie kijkt met een reden.",
            "Stuur acceptance, data_right, incident of leaving in `Escalation-Reason`.",
        ),
        (
            "Le réseau n'a pas de coordinateur actif ; la police consulte avec un motif.",
            "Envoyez acceptance, data_right, incident ou leaving dans `Escalation-Reason`.",
        ),
    ),
    "no-name": _in(
        ("There is no name.", "Fill in a name of at most 120 characters."),
        ("Er is geen naam.", "Vul een naam in van hoogstens 120 tekens."),
        ("Il n'y a pas de nom.", "Indiquez un nom de 120 caractères au plus."),
    ),
    "no-contact": _in(
        ("There is neither a number nor an address.", "Fill in at least one of the two."),
        ("Er is geen nummer en geen e-mailadres.", "Vul minstens een van de twee in."),
        ("Il n'y a ni numéro ni adresse e-mail.", "Indiquez au moins l'un des deux."),
    ),
    "no-phone-number": _in(
        ("This is not a personal phone number.", "Write it as 0475 12 34 56 or +32 475 12 34 56."),
        ("Dit is geen persoonlijk telefoonnummer.", "Schrijf 0475 12 34 56 of +32 475 12 34 56."),
        ("Ce n'est pas un numéro personnel.", "Écrivez 0475 12 34 56 ou +32 475 12 34 56."),
    ),
    "no-email-address": _in(
        ("This is not an e-mail address.", "Write it as name@domain.be."),
        ("Dit is geen e-mailadres.", "Schrijf het als naam@domein.be."),
        ("Ce n'est pas une adresse e-mail.", "Écrivez-la comme nom@domaine.be."),
    ),
    "unknown-word": _in(
        ("This word is not known.", "Use one of the words of an export, or leave it empty."),
        ("Dit woord is niet bekend.", "Gebruik een woord uit een export, of laat het leeg."),
        ("Ce mot n'est pas connu.", "Utilisez un mot d'une exportation, ou laissez vide."),
    ),
    "not-adult": _in(
        ("A member is an adult.", "Take this row out."),
        ("Een lid is meerderjarig.", "Haal deze rij weg."),
        ("Un membre est majeur.", "Supprimez cette ligne."),
    ),
    "adult-not-confirmed": _in(
        ("It is not confirmed that they are an adult.", "Write yes in the column for that."),
        ("De meerderjarigheid is niet bevestigd.", "Schrijf ja in de kolom daarvoor."),
        ("La majorité n'est pas confirmée.", "Écrivez oui dans la colonne prévue."),
    ),
    "no-date": _in(
        ("This is not a date.", "Write it as 31/12/2026."),
        ("Dit is geen datum.", "Schrijf ze als 31/12/2026."),
        ("Ce n'est pas une date.", "Écrivez-la comme 31/12/2026."),
    ),
    "no-witness": _in(
        ("A signature on paper has a witness.", "Fill in who saw it."),
        ("Een handtekening op papier heeft een getuige.", "Vul in wie ze zag zetten."),
        ("Une signature sur papier a un témoin.", "Indiquez qui y a assisté."),
    ),
    "twice-in-file": _in(
        ("The same number or person stands twice in the file.", "Take one of the rows out."),
        ("Hetzelfde nummer of dezelfde persoon staat twee keer.", "Haal een van de rijen weg."),
        ("Le même numéro ou la même personne y figure deux fois.", "Supprimez l'une des lignes."),
    ),
    "phone-taken": _in(
        ("Another member of this network has this number.", "Correct it, or open that member."),
        ("Een ander lid van dit netwerk heeft dit nummer.", "Verbeter het, of open dat lid."),
        ("Un autre membre de ce réseau a ce numéro.", "Corrigez-le, ou ouvrez ce membre."),
    ),
    "signed-in-future": _in(
        ("The paper cannot have been signed after today.", "Correct the date."),
        ("Het papier kan niet na vandaag getekend zijn.", "Verbeter de datum."),
        ("Le papier ne peut être signé après aujourd'hui.", "Corrigez la date."),
    ),
    "paper-before-rules": _in(
        (
            "The paper was signed before the first house rules held.",
            "Correct the date, or add the house rules with the day from which they held.",
        ),
        (
            "Het papier is getekend voor het eerste huishoudelijk reglement gold.",
            "Verbeter de datum, of voeg het reglement toe met de dag vanaf wanneer het gold.",
        ),
        (
            "Le papier a été signé avant que le premier règlement ne soit en vigueur.",
            "Corrigez la date, ou ajoutez le règlement avec sa date d'entrée en vigueur.",
        ),
    ),
    "in-force-later": _in(
        ("A version cannot hold from a day to come.", "Add it on its day."),
        ("Een versie kan niet vanaf een latere dag gelden.", "Voeg ze op die dag toe."),
        ("Une version ne peut valoir à partir d'un jour futur.", "Ajoutez-la ce jour-là."),
    ),
    "in-force-before-former": _in(
        ("The version before this one holds from a later day.", "Give that day or a later one."),
        ("De vorige versie geldt vanaf een latere dag.", "Geef die dag of een latere."),
        (
            "La version précédente vaut à partir d'un jour ultérieur.",
            "Indiquez ce jour ou un jour ultérieur.",
        ),
    ),
    "no-house-rules": _in(
        ("The network has no house rules yet.", "Its coordinator adds them first."),
        ("Het netwerk heeft nog geen huishoudelijk reglement.", "Voeg dat eerst toe."),
        ("Le réseau n'a pas encore de règlement intérieur.", "Ajoutez-le d'abord."),
    ),
    "import-has-problems": _in(
        ("Nobody was imported, since some rows have a problem.", "Correct the rows and try again."),
        (
            "Niemand is ingevoerd: sommige rijen hebben een probleem.",
            "Verbeter de rijen en stuur het bestand opnieuw.",
        ),
        (
            "Personne n'a été importé : certaines lignes posent problème.",
            "Corrigez les lignes et renvoyez le fichier.",
        ),
    ),
    "no-header": _in(
        (
            "No row names the columns.",
            "Put a first row with at least Naam (Nom) and GSM or E-mail.",
        ),
        ("Geen rij noemt de kolommen.", "Zet bovenaan een rij met minstens Naam en GSM of E-mail."),
        (
            "Aucune ligne ne nomme les colonnes.",
            "Mettez en tête une ligne avec au moins Nom et GSM ou E-mail.",
        ),
    ),
    "old-spreadsheet": _in(
        ("This is a file of an old Excel.", "Save it as .xlsx or .csv and send that."),
        ("Dit is een bestand van een oude Excel.", "Bewaar het als .xlsx of .csv."),
        ("C'est un fichier d'un ancien Excel.", "Enregistrez-le en .xlsx ou .csv."),
    ),
    "empty-file": _in(
        ("The file has no rows.", "Choose another one."),
        ("Het bestand heeft geen rijen.", "Kies een ander."),
        ("Le fichier n'a pas de lignes.", "Choisissez-en un autre."),
    ),
    "unreadable-file": _in(
        ("This is neither a CSV nor an XLSX file.", "Save the list as one of these."),
        ("Dit is geen CSV- of XLSX-bestand.", "Bewaar de lijst als een van beide."),
        ("Ce n'est ni un fichier CSV ni XLSX.", "Enregistrez la liste dans l'un des deux."),
    ),
    "file-too-large": _in(
        ("The file is too large.", "Split it: at most 20,000 rows, 60 columns and 10 MB."),
        ("Het bestand is te groot.", "Splits het: hoogstens 20.000 rijen, 60 kolommen en 10 MB."),
        ("Le fichier est trop grand.", "Divisez-le : 20 000 lignes, 60 colonnes et 10 Mo au plus."),
    ),
    "no-file": _in(
        ("There is no file.", "Send the list in a field named `file`."),
        ("Er is geen bestand.", "Stuur de lijst in een veld met de naam `file`."),
        ("Il n'y a pas de fichier.", "Envoyez la liste dans un champ nommé `file`."),
    ),
    "period-over": _in(
        ("This period is over.", "Choose a later end."),
        ("Deze periode is voorbij.", "Kies een later einde."),
        ("Cette période est passée.", "Choisissez une fin plus tardive."),
    ),
    "member-not-active": _in(
        ("Only an active member is suspended.", "Reinstate a suspended one first."),
        ("Alleen een actief lid wordt geschorst.", "Herstel een geschorst lid eerst."),
        ("Seul un membre actif est suspendu.", "Rétablissez d'abord un membre suspendu."),
    ),
    "member-left": _in(
        ("This person left the network.", "To come back they join as a new member."),
        ("Deze persoon verliet het netwerk.", "Terugkomen kan als nieuw lid."),
        ("Cette personne a quitté le réseau.", "Pour revenir, elle adhère à nouveau."),
    ),
    "not-informed": _in(
        ("A member is told before a restriction is lifted.", "Give the date in `informed_on`."),
        (
            "Een lid wordt verwittigd voor een beperking wordt opgeheven.",
            "Geef de datum in `informed_on`.",
        ),
        (
            "Un membre est informé avant la levée d'une limitation.",
            "Indiquez la date dans `informed_on`.",
        ),
    ),
    "informed-in-future": _in(
        ("They must have been told by today.", "Correct the date."),
        ("Het lid moet al verwittigd zijn.", "Verbeter de datum."),
        ("Le membre doit déjà être informé.", "Corrigez la date."),
    ),
    "asked-in-future": _in(
        ("They cannot have asked after today.", "Correct the date."),
        ("Ze kunnen dit niet na vandaag gevraagd hebben.", "Verbeter de datum."),
        ("La demande ne peut dater d'après aujourd'hui.", "Corrigez la date."),
    ),
    "no-ground": _in(
        ("A restriction has a ground and a date.", "Give `ground` and `asked_on`."),
        ("Een beperking heeft een grond en een datum.", "Geef `ground` en `asked_on`."),
        ("Une limitation a un fondement et une date.", "Indiquez `ground` et `asked_on`."),
    ),
    "not-found": _in(
        ("There is nothing here that you may see.", "Check the address, or ask for access."),
        ("Hier is niets dat u mag zien.", "Controleer het adres, of vraag toegang."),
        ("Il n'y a rien ici que vous puissiez voir.", "Vérifiez l'adresse, ou demandez l'accès."),
    ),
    "changed-meanwhile": _in(
        ("Somebody else changed this.", "Read it again and repeat your change."),
        ("Iemand anders wijzigde dit intussen.", "Lees het opnieuw en herhaal uw wijziging."),
        ("Quelqu'un d'autre l'a modifié entre-temps.", "Relisez et refaites votre changement."),
    ),
    "if-match-needed": _in(
        ("The version that you read is missing.", "Send its ETag in the If-Match header."),
        ("De versie die u las ontbreekt.", "Stuur de ETag ervan in de header If-Match."),
        ("La version que vous avez lue manque.", "Envoyez son ETag dans l'en-tête If-Match."),
    ),
    "invalid-request": _in(
        ("The request has a field that is not right.", "Correct it and send it again."),
        ("Een veld van de aanvraag is niet juist.", "Verbeter het en stuur het opnieuw."),
        ("Un champ de la demande n'est pas correct.", "Corrigez-le et renvoyez."),
    ),
    "unauthorised": _in(
        ("The token is missing, not valid here, or expired.", "Log in again."),
        ("Het token ontbreekt, geldt hier niet of is verlopen.", "Meld u opnieuw aan."),
        ("Le jeton manque, n'est pas valable ici ou a expiré.", "Reconnectez-vous."),
    ),
    "unavailable": _in(
        ("A part does not answer now; nothing was changed.", "Try again."),
        ("Een onderdeel antwoordt nu niet; er is niets gewijzigd.", "Probeer opnieuw."),
        ("Une partie ne répond pas ; rien n'a été modifié.", "Réessayez."),
    ),
    "no-pseudonym-key": _in(
        (
            "A key is missing, without which your reading cannot be put on record.",
            "Tell the operator: trying again does not help.",
        ),
        (
            "Er ontbreekt een sleutel, zonder dewelke uw inzage niet geregistreerd kan worden.",
            "Verwittig de beheerder: opnieuw proberen helpt niet.",
        ),
        (
            "Il manque une clé, sans laquelle votre consultation ne peut être enregistrée.",
            "Prévenez l'opérateur : réessayer n'aide pas.",
        ),
    ),
    "fault": _in(
        ("Something is wrong on our side.", "The operator has been told; try again later."),
        ("Er is iets mis bij ons.", "De beheerder is verwittigd; probeer later opnieuw."),
        ("Il y a un problème chez nous.", "L'opérateur est prévenu ; réessayez plus tard."),
    ),
    "already-over": _in(
        ("This moment has passed.", "Choose a later one."),
        ("Dit moment is voorbij.", "Kies een later."),
        ("Ce moment est passé.", "Choisissez-en un plus tardif."),
    ),
    "another-police-user": _in(
        ("This key is yours, or you enrolled it.", "Another police user of the zone confirms it."),
        (
            "Deze sleutel is de uwe, of u schreef hem in.",
            "Laat een andere politiegebruiker van de zone hem bevestigen.",
        ),
        (
            "Cette clé est la vôtre, ou vous l'avez inscrite.",
            "Faites-la confirmer par un autre utilisateur de police de la zone.",
        ),
    ),
    "bulletin-expired": _in(
        ("The bulletin is past its end.", "The officer can propose a new one."),
        ("Het bericht is voorbij zijn einde.", "De gemandateerde kan een nieuw voorstellen."),
        ("Le message a dépassé sa fin.", "L'officier peut en proposer un nouveau."),
    ),
    "bulletin-not-suggested": _in(
        ("Only a municipality's tip is adopted or declined.", "Read the bulletin again."),
        (
            "Alleen een tip van de gemeente wordt overgenomen of afgewezen.",
            "Lees het bericht opnieuw.",
        ),
        ("Seul un conseil de la commune est repris ou refusé.", "Relisez le message."),
    ),
    "bulletin-not-waiting": _in(
        ("Only a waiting bulletin can be acted on.", "Read the bulletin again."),
        ("Dit kan alleen met een bericht dat wacht.", "Lees het bericht opnieuw."),
        ("Seul un message en attente peut être traité.", "Relisez le message."),
    ),
    "coordinator-removed": _in(
        ("This person is no coordinator any more.", "Add them again first."),
        ("Deze persoon is geen coördinator meer.", "Voeg die eerst opnieuw toe."),
        ("Cette personne n'est plus coordinateur.", "Ajoutez-la d'abord à nouveau."),
    ),
    "id-not-yours-to-choose": _in(
        ("Only an admin chooses this id.", "Leave `network_id` out."),
        ("Alleen een beheerder kiest dit nummer.", "Laat `network_id` weg."),
        ("Seul un administrateur choisit cet identifiant.", "Omettez `network_id`."),
    ),
    "issuer-unavailable": _in(
        ("The token issuer does not answer.", "Try again."),
        ("De uitgever van tokens antwoordt niet.", "Probeer opnieuw."),
        ("L'émetteur de jetons ne répond pas.", "Réessayez."),
    ),
    "key-known": _in(
        ("This key is enrolled under another id.", "Make a new one: `buurtbode keys new`."),
        ("Deze sleutel staat er onder een andere naam.", "Maak een nieuwe: `buurtbode keys new`."),
        (
            "Cette clé est inscrite sous un autre identifiant.",
            "Créez-en une : `buurtbode keys new`.",
        ),
    ),
    "key-never-valid": _in(
        ("The key is never valid.", "Choose `exp` later than `nbf`."),
        ("De sleutel is nooit geldig.", "Kies `exp` later dan `nbf`."),
        ("La clé n'est jamais valable.", "Choisissez `exp` après `nbf`."),
    ),
    "key-over": _in(
        ("This key is revoked or past its end.", "Enrol a new one."),
        ("Deze sleutel is ingetrokken of verlopen.", "Schrijf een nieuwe in."),
        ("Cette clé est révoquée ou expirée.", "Inscrivez-en une nouvelle."),
    ),
    "kid-differs": _in(
        ("`kid` in the key differs from the URL's.", "Make them equal."),
        ("`kid` in de sleutel verschilt van die in de URL.", "Maak ze gelijk."),
        ("`kid` dans la clé diffère de celui de l'URL.", "Rendez-les identiques."),
    ),
    "kid-taken": _in(
        ("This key id belongs to another key.", "Choose another."),
        ("Deze naam hoort bij een andere sleutel.", "Kies een andere."),
        ("Cet identifiant appartient à une autre clé.", "Choisissez-en un autre."),
    ),
    "languages-differ": _in(
        ("Subject and body have different languages.", "Give both in the same languages."),
        ("Onderwerp en tekst hebben andere talen.", "Geef beide in dezelfde talen."),
        (
            "L'objet et le texte ont des langues différentes.",
            "Donnez les deux dans les mêmes langues.",
        ),
    ),
    "meeting-ahead": _in(
        ("The meeting is yet to come.", "Note attendance and minutes after it."),
        ("De vergadering moet nog komen.", "Noteer aanwezigheid en verslag erna."),
        ("La réunion est à venir.", "Notez les présences et le compte rendu ensuite."),
    ),
    "meeting-begun": _in(
        ("The meeting has begun.", "Only a meeting that is yet to come is moved or cancelled."),
        (
            "De vergadering is begonnen.",
            "Alleen een vergadering die nog moet komen wordt verplaatst of afgelast.",
        ),
        (
            "La réunion a commencé.",
            "Seule une réunion à venir peut être déplacée ou annulée.",
        ),
    ),
    "meeting-cancelled": _in(
        ("The meeting was cancelled.", "Call a new one."),
        ("De vergadering is afgelast.", "Roep een nieuwe bijeen."),
        ("La réunion est annulée.", "Convoquez-en une nouvelle."),
    ),
    "one-at-a-time": _in(
        (
            "This asks for several things at once.",
            "Move the meeting, cancel it, or note attendance and minutes: one at a time.",
        ),
        (
            "Dit vraagt verschillende dingen tegelijk.",
            "Verplaats de vergadering, gelast ze af, of noteer aanwezigheid en verslag.",
        ),
        (
            "Plusieurs choses sont demandées à la fois.",
            "Déplacez la réunion, annulez-la, ou notez présences et compte rendu.",
        ),
    ),
    "catching-up": _in(
        ("The service has just started.", "Try again in a moment."),
        ("De dienst is net gestart.", "Probeer zo dadelijk opnieuw."),
        ("Le service vient de démarrer.", "Réessayez dans un instant."),
    ),
    "not-behind": _in(
        ("The database knows all that was published.", "There is nothing to recover."),
        ("De databank kent alles wat gepubliceerd werd.", "Er is niets te herstellen."),
        ("La base connaît tout ce qui a été publié.", "Il n'y a rien à récupérer."),
    ),
    "restored-backup": _in(
        (
            "The database is older than what was published.",
            "Nothing is changed until an operator has recovered it; try again later.",
        ),
        (
            "De databank is ouder dan wat gepubliceerd werd.",
            "Er verandert niets tot een beheerder ze herstelde; probeer later opnieuw.",
        ),
        (
            "La base est plus ancienne que ce qui a été publié.",
            "Rien ne change avant qu'un opérateur l'ait récupérée ; réessayez plus tard.",
        ),
    ),
    "network-dissolved": _in(
        ("The network is dissolved.", "Nothing in it changes any more; create a new one."),
        ("Het netwerk is ontbonden.", "Er verandert niets meer; maak een nieuw."),
        ("Le réseau est dissous.", "Plus rien n'y change ; créez-en un nouveau."),
    ),
    "network-not-active": _in(
        ("The network is not active.", "Activate it first."),
        ("Het netwerk is niet actief.", "Activeer het eerst."),
        ("Le réseau n'est pas actif.", "Activez-le d'abord."),
    ),
    "network-not-ready": _in(
        ("The network cannot become active yet; it lacks: {missing}.", "Add what is missing."),
        (
            "Het netwerk kan nog niet actief worden; er ontbreekt: {missing}.",
            "Voeg toe wat ontbreekt.",
        ),
        (
            "Le réseau ne peut pas encore devenir actif ; il manque : {missing}.",
            "Ajoutez ce qui manque.",
        ),
    ),
    "no-coordinator": _in(
        ("Only a coordinator of the network has a deputy.", "Name a coordinator."),
        (
            "Alleen een coördinator van het netwerk heeft een plaatsvervanger.",
            "Noem een coördinator.",
        ),
        ("Seul un coordinateur du réseau a un suppléant.", "Désignez un coordinateur."),
    ),
    "no-duration": _in(
        ("A meeting ends after its start, within 24 hours.", "Correct `ends_at`."),
        ("Een vergadering eindigt na haar begin, binnen 24 uur.", "Verbeter `ends_at`."),
        ("Une réunion finit après son début, dans les 24 heures.", "Corrigez `ends_at`."),
    ),
    "no-ed25519-key": _in(
        ("Only Ed25519 keys are taken (RFC 8037).", "Make one: `buurtbode keys new`."),
        (
            "Alleen Ed25519-sleutels worden aanvaard (RFC 8037).",
            "Maak er een: `buurtbode keys new`.",
        ),
        (
            "Seules les clés Ed25519 sont acceptées (RFC 8037).",
            "Créez-en une : `buurtbode keys new`.",
        ),
    ),
    "no-feedback-due": _in(
        ("Feedback on this alert is not due in one of these networks.", "Read the list again."),
        ("Voor een van deze netwerken ontbreekt geen terugkoppeling.", "Lees de lijst opnieuw."),
        ("Aucun retour n'est dû pour l'un de ces réseaux.", "Relisez la liste."),
    ),
    "no-officer": _in(
        ("A mandated officer of the zone adopts a tip.", "An admin adds officers."),
        (
            "Een gemandateerde van de zone neemt een tip over.",
            "Een beheerder voegt gemandateerden toe.",
        ),
        (
            "Un officier mandaté de la zone reprend un conseil.",
            "Un administrateur ajoute les officiers.",
        ),
    ),
    "no-period": _in(
        ("The period has no length.", "Choose `until` later than `since`."),
        ("De periode heeft geen duur.", "Kies `until` later dan `since`."),
        ("La période n'a pas de durée.", "Choisissez `until` après `since`."),
    ),
    "no-public-key": _in(
        ("This is no public key as RFC 8037 has it.", "Send the file that ends in .pub."),
        (
            "Dit is geen publieke sleutel volgens RFC 8037.",
            "Stuur het bestand dat op .pub eindigt.",
        ),
        ("Ce n'est pas une clé publique selon RFC 8037.", "Envoyez le fichier qui finit par .pub."),
    ),
    "not-a-member": _in(
        ("A steering group is made of active members of this network.", "Take the others out."),
        ("Een stuurgroep bestaat uit actieve leden van dit netwerk.", "Haal de anderen eruit."),
        ("Un groupe de pilotage se compose de membres actifs du réseau.", "Retirez les autres."),
    ),
    "not-your-kind": _in(
        ("This kind of bulletin is not yours to write.", "Choose a kind that is."),
        ("Dit soort bericht mag u niet schrijven.", "Kies een soort dat wel mag."),
        ("Ce type de message n'est pas le vôtre.", "Choisissez un type permis."),
    ),
    "officer-id-taken": _in(
        ("Another officer has this id.", "Choose another."),
        ("Een andere gemandateerde heeft dit nummer.", "Kies een ander."),
        ("Un autre officier a cet identifiant.", "Choisissez-en un autre."),
    ),
    "officer-needed": _in(
        ("An active network has a mandated officer.", "Name another one instead."),
        ("Een actief netwerk heeft een gemandateerde.", "Noem een andere in de plaats."),
        ("Un réseau actif a un officier mandaté.", "Désignez-en un autre."),
    ),
    "officer-without-address": _in(
        ("This officer has no e-mail address.", "Name one who has, or add it."),
        ("Deze gemandateerde heeft geen e-mailadres.", "Noem een andere, of voeg het toe."),
        ("Cet officier n'a pas d'adresse e-mail.", "Désignez-en un autre, ou ajoutez-la."),
    ),
    "own-deputy": _in(
        ("Nobody is their own deputy.", "Name somebody else."),
        ("Niemand vervangt zichzelf.", "Noem iemand anders."),
        ("Nul n'est son propre suppléant.", "Désignez quelqu'un d'autre."),
    ),
    "own-screening": _in(
        ("Nobody screens themselves.", "Another police user does it."),
        ("Niemand screent zichzelf.", "Laat een andere politiegebruiker het doen."),
        ("Nul ne se contrôle soi-même.", "Un autre utilisateur de police le fait."),
    ),
    "plan-misplaced": _in(
        (
            "Only a communication plan has `plan`, and it always has.",
            "Add it there, or leave it out.",
        ),
        (
            "Alleen een communicatieplan heeft `plan`, en altijd.",
            "Voeg het daar toe, of laat het weg.",
        ),
        ("Seul un plan de communication a `plan`, et toujours.", "Ajoutez-le là, ou omettez-le."),
    ),
    "private-key": _in(
        (
            "This is a private key, and compromised now.",
            "Make a new one, and send only the file that ends in .pub.",
        ),
        (
            "Dit is een geheime sleutel, en nu gelekt.",
            "Maak een nieuwe en stuur alleen het bestand dat op .pub eindigt.",
        ),
        (
            "C'est une clé privée, désormais compromise.",
            "Créez-en une autre et n'envoyez que le fichier .pub.",
        ),
    ),
    "reserved-zone-id": _in(
        ("That id is reserved.", "Choose another one."),
        ("Die naam is voorbehouden.", "Kies een andere."),
        ("Cet identifiant est réservé.", "Choisissez-en un autre."),
    ),
    "subject-taken": _in(
        ("This person has this role already.", "Open that entry instead."),
        ("Deze persoon heeft deze rol al.", "Open die in de plaats."),
        ("Cette personne a déjà ce rôle.", "Ouvrez plutôt cette entrée."),
    ),
    "taken": _in(
        ("Something that must be unique is taken already.", "Choose something else."),
        ("Iets dat uniek moet zijn, bestaat al.", "Kies iets anders."),
        ("Quelque chose d'unique existe déjà.", "Choisissez autre chose."),
    ),
    "zone-id-taken": _in(
        ("There is a zone with this id.", "Choose another."),
        ("Er is een zone met deze naam.", "Kies een andere."),
        ("Une zone porte cet identifiant.", "Choisissez-en un autre."),
    ),
    "network-id-taken": _in(
        ("There is a network with this id.", "Choose another."),
        ("Er is een netwerk met deze naam.", "Kies een andere."),
        ("Un réseau porte cet identifiant.", "Choisissez-en un autre."),
    ),
    "bulletin-id-taken": _in(
        ("The network has a bulletin with this id.", "Take a new one."),
        ("Het netwerk heeft een bericht met dit nummer.", "Neem een nieuw."),
        ("Le réseau a un message avec cet identifiant.", "Prenez-en un nouveau."),
    ),
    "too-long": _in(
        ("The text is too long.", "Shorten it."),
        ("De tekst is te lang.", "Kort hem in."),
        ("Le texte est trop long.", "Raccourcissez-le."),
    ),
    "unknown-cursor": _in(
        ("This cursor is none that the list gave.", "Begin again without one."),
        ("Deze cursor komt niet van de lijst.", "Begin opnieuw zonder."),
        ("Ce curseur ne vient pas de la liste.", "Recommencez sans curseur."),
    ),
    "unknown-officer": _in(
        ("The zone has no such officer.", "An admin adds them first."),
        ("De zone heeft die gemandateerde niet.", "Een beheerder voegt die eerst toe."),
        ("La zone n'a pas cet officier.", "Un administrateur l'ajoute d'abord."),
    ),
    "method-not-allowed": _in(
        ("This address does not take this method.", "See the documentation at /docs."),
        ("Dit adres aanvaardt deze methode niet.", "Zie de documentatie op /docs."),
        ("Cette adresse n'accepte pas cette méthode.", "Voyez la documentation sur /docs."),
    ),
    "http-error": _in(
        ("The request cannot be answered.", "See the documentation at /docs."),
        ("De aanvraag kan niet beantwoord worden.", "Zie de documentatie op /docs."),
        ("La demande ne peut recevoir de réponse.", "Voyez la documentation sur /docs."),
    ),
}

MISSING: Mapping[str, Mapping[ListLanguage, str]] = {
    "officer": {"en": "an officer", "nl": "een gemandateerde", "fr": "un officier mandaté"},
    "coordinator": {
        "en": "a screened coordinator",
        "nl": "een gescreende coördinator",
        "fr": "un coordinateur contrôlé",
    },
    "charter": {"en": "a charter", "nl": "een charter", "fr": "une charte"},
    "house_rules": {
        "en": "house rules",
        "nl": "een huishoudelijk reglement",
        "fr": "un règlement intérieur",
    },
    "communication_plan": {
        "en": "a communication plan",
        "nl": "een communicatieplan",
        "fr": "un plan de communication",
    },
    "pseudonym_keys": {
        "en": "pseudonym keys",
        "nl": "pseudoniemsleutels",
        "fr": "des clés de pseudonymes",
    },
}
"""What a network may lack, as `network-not-ready` names it."""

FIELDS: Mapping[str, Mapping[ListLanguage, str]] = {
    "missing": {"en": "is missing", "nl": "ontbreekt", "fr": "manque"},
    "extra_forbidden": {"en": "is not known", "nl": "is niet bekend", "fr": "n'est pas connu"},
    "literal_error": {
        "en": "is none of the values allowed",
        "nl": "is geen van de toegelaten waarden",
        "fr": "n'est pas une des valeurs admises",
    },
    "string_too_short": {"en": "is too short", "nl": "is te kort", "fr": "est trop court"},
    "string_too_long": {"en": "is too long", "nl": "is te lang", "fr": "est trop long"},
    "too_long": {"en": "has too many items", "nl": "telt te veel", "fr": "en compte trop"},
    "too_short": {"en": "has too few items", "nl": "telt te weinig", "fr": "en compte trop peu"},
    "json_invalid": {"en": "is not JSON", "nl": "is geen JSON", "fr": "n'est pas du JSON"},
    "other": {
        "en": "does not have the form that is asked for",
        "nl": "heeft niet de gevraagde vorm",
        "fr": "n'a pas la forme demandée",
    },
}
"""What is wrong with a field, by pydantic's code for it."""
