"""What the readable pages say, in nl, fr, de and en. Codes have words of their own."""

from collections.abc import Mapping

from shared.contracts.base import Language

Words = Mapping[str, str]
InEach = Mapping[Language, str]
"""The same in every language."""


def in_each(nl: str, fr: str, de: str, en: str) -> InEach:
    """Give a text in the four languages."""
    return {"nl": nl, "fr": fr, "de": de, "en": en}


_WORDS: Mapping[str, InEach] = {
    # titles
    "message_title": in_each(
        "Wat er met een bericht gebeurde",
        "Ce qu'est devenu un message",
        "Was aus einer Nachricht wurde",
        "What became of a message",
    ),
    "subject_title": in_each(
        "Wat over u is vastgelegd",
        "Ce qui est enregistré à votre sujet",
        "Was über Sie festgehalten ist",
        "What is on record about you",
    ),
    "processing_title": in_each(
        "Register van de verwerkingsactiviteiten: het auditlogboek",
        "Registre des activités de traitement : le journal d'audit",
        "Verzeichnis von Verarbeitungstätigkeiten: das Prüfprotokoll",
        "Record of processing activities: the audit log",
    ),
    "none": in_each("Geen.", "Néant.", "Keine Einträge.", "None."),
    # a message
    "said": in_each("Wat er stond", "Ce qui était écrit", "Was darin stand", "What it said"),
    "text_gone": in_each(
        "De tekst is op zijn einddatum gewist, of was niet leesbaar. De controlewaarde ervan "
        "blijft.",
        "Le texte a été effacé à son échéance, ou n'était pas lisible. Son empreinte demeure.",
        "Der Text wurde fristgemäß gelöscht oder war nicht lesbar. Sein Prüfwert bleibt erhalten.",
        "The text was erased on its date, or could not be read. Its hash stays.",
    ),
    "notice_text": in_each(
        "Een dienstbericht uit een vast sjabloon: de soort zegt welk. De tekst wordt niet bewaard.",
        "Un avis de service selon un modèle fixe : le type dit lequel. Le texte n'est pas "
        "conservé.",
        "Eine Dienstmitteilung nach fester Vorlage: Die Art sagt, nach welcher. Der Text wird "
        "nicht aufbewahrt.",
        "A service notice from a fixed template: the kind says which. Its text is not kept.",
    ),
    "message_id": in_each("Bericht", "Message", "Nachricht", "Message"),
    "kind": in_each("Soort", "Type", "Art", "Kind"),
    "status": in_each("Status", "Statut", "Status", "Status"),
    "verdict": in_each("Oordeel", "Décision", "Entscheidung", "Verdict"),
    "reason": in_each("Reden", "Motif", "Grund", "Reason"),
    "issued_by": in_each("Opgesteld door", "Rédigé par", "Verfasst von", "Issued by"),
    "signer": in_each(
        "Ondertekend met sleutel",
        "Signé avec la clé",
        "Signiert mit Schlüssel",
        "Signed with key",
    ),
    "approver": in_each(
        "Goedgekeurd met sleutel",
        "Approuvé avec la clé",
        "Genehmigt mit Schlüssel",
        "Approved with key",
    ),
    "networks": in_each("Netwerken", "Réseaux", "Netzwerke", "Networks"),
    "references": in_each("Gaat over", "Se rapporte à", "Bezieht sich auf", "Is about"),
    "judged_at": in_each("Beoordeeld op", "Jugé le", "Beurteilt am", "Judged at"),
    "expires_at": in_each("Geldig tot", "Valable jusqu'au", "Gültig bis", "Valid until"),
    "became": in_each(
        "Wat ervan werd", "Ce qu'il est devenu", "Was daraus wurde", "What became of it"
    ),
    "closings": in_each(
        "Slotverklaringen", "Déclarations de clôture", "Abschlusserklärungen", "Closing statements"
    ),
    "timeline": in_each("Verloop", "Chronologie", "Verlauf", "Timeline"),
    "time": in_each("Tijdstip", "Date et heure", "Zeitpunkt", "Time"),
    "what": in_each("Wat", "Événement", "Vorgang", "What"),
    "state": in_each("Toestand", "État", "Zustand", "State"),
    "state_or_kind": in_each(
        "Toestand of soort", "État ou type", "Zustand oder Art", "State or kind"
    ),
    "reason_or_action": in_each(
        "Reden of handeling", "Motif ou action", "Grund oder Handlung", "Reason or action"
    ),
    "count": in_each("Aantal", "Nombre", "Anzahl", "Number"),
    "entry": in_each("Nummer", "Numéro", "Nummer", "Entry"),
    "release": in_each("Vrijgave", "Diffusion", "Freigabe", "Release"),
    "answer": in_each("Antwoord", "Réponse", "Antwort", "Answer"),
    "proof": in_each(
        "Elk nummer is een plaats in het auditlogboek van de zone. Het bewijs dat er niets aan "
        "gewijzigd is, staat los van deze pagina: haal de bundel op en voer 'buurtbode verify' "
        "uit.",
        "Chaque numéro est une position dans le journal d'audit de la zone. La preuve que rien n'y "
        "a été modifié ne dépend pas de cette page : téléchargez le journal et lancez 'buurtbode "
        "verify'.",
        "Jede Nummer ist eine Stelle im Prüfprotokoll der Zone. Der Beweis, dass daran nichts "
        "geändert wurde, hängt nicht von dieser Seite ab: Laden Sie das Protokoll herunter und "
        "starten Sie 'buurtbode verify'.",
        "Each number is a place in the zone's audit log. The proof that nothing in it was changed "
        "does not rest on this page: download the bundle and run 'buurtbode verify'.",
    ),
    # a person
    "subject_intro": in_each(
        "Dit is alles wat het auditlogboek van {zone} bevat over dit telefoonnummer of "
        "e-mailadres, opgevraagd op {now} (AVG, artikel 15). Uw nummer of adres zelf staat er niet "
        "in, alleen een pseudoniem dat ervan is afgeleid.",
        "Voici tout ce que contient le journal d'audit ({zone}) à propos de ce numéro de téléphone "
        "ou de cette adresse e-mail, à la date du {now} (RGPD, article 15). Votre numéro ou "
        "adresse n'y figure pas, seulement un pseudonyme qui en est dérivé.",
        "Dies ist alles, was das Prüfprotokoll von {zone} zu dieser Telefonnummer oder "
        "E-Mail-Adresse enthält, abgefragt am {now} (DSGVO, Artikel 15). Ihre Nummer oder Adresse "
        "selbst steht nicht darin, nur ein daraus abgeleitetes Pseudonym.",
        "This is everything that the audit log of {zone} holds about this phone number or e-mail "
        "address, asked for on {now} (GDPR, article 15). Your number or address itself is not in "
        "it, only a pseudonym made from it.",
    ),
    "held_elsewhere": in_each(
        "Wat de zone over haar leden bijhoudt (naam, contactgegevens, lidmaatschap), staat niet "
        "hier maar in haar ledenregister: vraag de politiezone ook uw dossier daaruit.",
        "Ce que la zone conserve sur ses membres (nom, coordonnées, adhésion) ne se trouve pas ici "
        "mais dans son registre des membres : demandez aussi votre dossier à la zone de police.",
        "Was die Zone über ihre Mitglieder speichert (Name, Kontaktdaten, Mitgliedschaft), steht "
        "nicht hier, sondern in ihrem Mitgliederregister: Fragen Sie die Polizeizone auch nach "
        "Ihrer Akte daraus.",
        "What the zone holds on its members (name, contact details, membership) is not here but in "
        "its member registry: ask the police zone for your record from there as well.",
    ),
    "nothing": in_each(
        "Er is niets gevonden. Van jaren waarvan de sleutel vernietigd is, kan niets meer gevonden "
        "worden.",
        "Rien n'a été trouvé. Pour les années dont la clé a été détruite, plus rien ne peut "
        "l'être.",
        "Es wurde nichts gefunden. Zu Jahren, deren Schlüssel vernichtet wurde, lässt sich nichts "
        "mehr finden.",
        "Nothing was found. Of years whose key was destroyed, nothing can be found any more.",
    ),
    "sent_to_you": in_each(
        "Wat u gestuurd is",
        "Ce qui vous a été envoyé",
        "Was Ihnen gesendet wurde",
        "What was sent to you",
    ),
    "looked_up": in_each(
        "Wie uw gegevens inkeek of wijzigde",
        "Qui a consulté ou modifié vos données",
        "Wer Ihre Daten eingesehen oder geändert hat",
        "Who looked at or changed your data",
    ),
    "reader_unnamed": in_each(
        "Deze lijst noemt de dienst, niet de persoon. Hebt u diens naam nodig om uw rechten uit te "
        "oefenen, vraag die dan aan de politiezone.",
        "Cette liste nomme le service, pas la personne. S'il vous faut son nom pour exercer vos "
        "droits, demandez-le à la zone de police.",
        "Diese Liste nennt den Dienst, nicht die Person. Brauchen Sie deren Namen, um Ihre Rechte "
        "auszuüben, so fragen Sie die Polizeizone danach.",
        "This list names the service, not the person. Where you need their name to use your "
        "rights, ask the police zone for it.",
    ),
    "service": in_each("Dienst", "Service", "Dienst", "Service"),
    "action": in_each("Handeling", "Action", "Handlung", "Action"),
    "why": in_each("Waarom", "Pourquoi", "Warum", "Why"),
    "channel": in_each("Kanaal", "Canal", "Kanal", "Channel"),
    "basis": in_each("Rechtsgrond", "Base légale", "Rechtsgrundlage", "Legal basis"),
    "house_rules": in_each(
        "Huishoudelijk reglement, versie",
        "Règlement intérieur, version",
        "Hausordnung, Fassung",
        "House rules, version",
    ),
    "communication_plan": in_each(
        "Communicatieplan, versie",
        "Plan de communication, version",
        "Kommunikationsplan, Fassung",
        "Communication plan, version",
    ),
    "history": in_each(
        "Het hele verloop", "Toute la chronologie", "Der ganze Verlauf", "The whole history"
    ),
    "about": in_each(
        "Over deze verwerking",
        "À propos de ce traitement",
        "Über diese Verarbeitung",
        "About this processing",
    ),
    "source": in_each("Herkomst", "Origine", "Herkunft", "Source"),
    "source_text": in_each(
        "De diensten van Buurtbode zelf, die vastleggen wat zij doen. Uw nummer of adres kregen "
        "zij uit het ledenregister: van uzelf, of van de coördinator van uw netwerk.",
        "Les services de Buurtbode eux-mêmes, qui enregistrent ce qu'ils font. Ils tiennent votre "
        "numéro ou adresse du registre des membres : de vous-même, ou du coordinateur de votre "
        "réseau.",
        "Die Dienste von Buurtbode selbst, die festhalten, was sie tun. Ihre Nummer oder Adresse "
        "erhielten sie aus dem Mitgliederregister: von Ihnen selbst oder vom Koordinator Ihres "
        "Netzwerks.",
        "The services of Buurtbode themselves, which record what they do. They had your number or "
        "address from the member registry: from you, or from the coordinator of your network.",
    ),
    "recipients_of_sends": in_each(
        "Voor wat u gestuurd is, kreeg de sms-provider uw nummer en de tekst, of de mailserver uw "
        "adres en de tekst, als verwerker van de zone.",
        "Pour ce qui vous a été envoyé, le fournisseur de SMS a reçu votre numéro et le texte, ou "
        "le serveur de messagerie votre adresse et le texte, comme sous-traitant de la zone.",
        "Für das, was Ihnen gesendet wurde, erhielt der SMS-Anbieter Ihre Nummer und den Text oder "
        "der Mailserver Ihre Adresse und den Text, als Auftragsverarbeiter der Zone.",
        "For what was sent to you, the SMS provider got your number and the text, or the mail "
        "server your address and the text, as a processor of the zone.",
    ),
    "transfers_of_sends": in_each(
        "De functionaris voor gegevensbescherming kan u zeggen waar de sms-provider en de "
        "mailserver uw nummer of adres verwerken.",
        "Le délégué à la protection des données vous dira où le fournisseur de SMS et le serveur "
        "de messagerie traitent votre numéro ou adresse.",
        "Der Datenschutzbeauftragte kann Ihnen sagen, wo der SMS-Anbieter und der Mailserver Ihre "
        "Nummer oder Adresse verarbeiten.",
        "The data-protection officer can tell you where the SMS provider and the mail server "
        "process your number or address.",
    ),
    "decisions": in_each(
        "Automatische besluiten",
        "Décisions automatisées",
        "Automatisierte Entscheidungen",
        "Automated decisions",
    ),
    "decisions_text": in_each(
        "Geen: over u wordt niets automatisch beslist, en er wordt geen profiel van u gemaakt "
        "(AVG, artikel 22).",
        "Aucune : rien n'est décidé automatiquement à votre sujet, et aucun profil de vous n'est "
        "établi (RGPD, article 22).",
        "Keine: Über Sie wird nichts automatisch entschieden und kein Profil erstellt (DSGVO, "
        "Artikel 22).",
        "None: nothing is decided about you automatically, and no profile of you is made (GDPR, "
        "article 22).",
    ),
    "rights": in_each("Uw rechten", "Vos droits", "Ihre Rechte", "Your rights"),
    "rights_text": in_each(
        "U kunt de politiezone vragen uw gegevens te verbeteren of te wissen of de verwerking te "
        "beperken, u tegen de verwerking verzetten, en een klacht indienen bij de toezichthouder.",
        "Vous pouvez demander à la zone de police de rectifier ou d'effacer vos données ou d'en "
        "limiter le traitement, vous opposer au traitement, et introduire une plainte auprès de "
        "l'autorité de contrôle.",
        "Sie können von der Polizeizone die Berichtigung oder Löschung Ihrer Daten und die "
        "Einschränkung der Verarbeitung verlangen, der Verarbeitung widersprechen und Beschwerde "
        "bei der Aufsichtsbehörde einlegen.",
        "You can ask the police zone to correct or erase your data or to restrict the processing, "
        "object to the processing, and lodge a complaint with the supervisory authority.",
    ),
    "supervisor": in_each(
        "Toezichthouder", "Autorité de contrôle", "Aufsichtsbehörde", "Supervisory authority"
    ),
    "supervisor_text": in_each(
        "Controleorgaan op de politionele informatie (COC), www.controleorgaan.be",
        "Organe de contrôle de l'information policière (COC), www.organedecontrole.be",
        "Kontrollorgan für polizeiliche Informationen (COC), www.organedecontrole.be",
        "Supervisory Body for Police Information (COC), www.controleorgaan.be",
    ),
    # the record of processing
    "processing_intro": in_each(
        "Dit is het register (AVG, artikel 30) van één verwerking van de politiezone: het "
        "auditlogboek, dat rekenschap geeft van elke verzending en van elke inzage. De ledenlijst "
        "en het versturen zelf staan er niet in: zie daarvoor de privacyverklaring van de zone in "
        "het ledenregister (/v1/zones/{zone_id}/privacy).",
        "Voici le registre (RGPD, article 30) d'un seul traitement de la zone de police : le "
        "journal d'audit, qui rend compte de chaque envoi et de chaque consultation. La liste des "
        "membres et l'envoi lui-même n'y figurent pas : voyez la déclaration de confidentialité de "
        "la zone dans le registre des membres (/v1/zones/{zone_id}/privacy).",
        "Dies ist das Verzeichnis (DSGVO, Artikel 30) einer einzigen Verarbeitung der Polizeizone: "
        "des Prüfprotokolls, das über jede Sendung und jede Einsicht Rechenschaft ablegt. Die "
        "Mitgliederliste und das Versenden selbst stehen nicht darin: siehe dazu die "
        "Datenschutzerklärung der Zone im Mitgliederregister (/v1/zones/{zone_id}/privacy).",
        "This is the record (GDPR, article 30) of one processing of the police zone: the audit "
        "log, which accounts for every send and for every access to personal data. The member list "
        "and the sending itself are not in it: see the zone's privacy notice in the member "
        "registry (/v1/zones/{zone_id}/privacy).",
    ),
    "controller": in_each(
        "Verwerkingsverantwoordelijke",
        "Responsable du traitement",
        "Verantwortlicher",
        "Controller",
    ),
    "controller_address": in_each(
        "Adres van de verantwoordelijke",
        "Adresse du responsable",
        "Anschrift des Verantwortlichen",
        "Controller's address",
    ),
    "data_protection_officer": in_each(
        "Functionaris voor gegevensbescherming",
        "Délégué à la protection des données",
        "Datenschutzbeauftragter",
        "Data-protection officer",
    ),
    "not_stated": in_each(
        "nog niet vermeld", "pas encore indiqué", "noch nicht angegeben", "not stated yet"
    ),
    "year": in_each("Jaar", "Année", "Jahr", "Year"),
    "purposes": in_each("Doeleinden", "Finalités", "Zwecke", "Purposes"),
    "purposes_text": in_each(
        "Rekenschap geven aan leden, toezicht en rechter: kunnen aantonen wat wanneer aan wie "
        "verstuurd werd, op welke rechtsgrond, en wie gegevens inkeek of wijzigde; nagaan of van "
        "elke verzending vastligt wat ervan werd.",
        "Rendre compte aux membres, aux autorités de contrôle et au juge : pouvoir démontrer ce "
        "qui a été envoyé, quand, à qui et sur quelle base légale, et qui a consulté ou modifié "
        "des données ; vérifier que le sort de chaque envoi est enregistré.",
        "Rechenschaft gegenüber Mitgliedern, Aufsicht und Gericht: nachweisen können, was wann an "
        "wen und auf welcher Rechtsgrundlage gesendet wurde und wer Daten eingesehen oder geändert "
        "hat; prüfen, ob von jeder Sendung festgehalten ist, was aus ihr wurde.",
        "Accounting to members, oversight and courts: being able to show what was sent to whom and "
        "when, on what legal basis, and who looked at or changed data; checking that what became "
        "of every send is on record.",
    ),
    "basis_warm": in_each(
        "Rechtsgrond van warme (dringende) berichten",
        "Base légale des messages chauds (urgents)",
        "Rechtsgrundlage warmer (dringender) Nachrichten",
        "Legal basis of warm (urgent) messages",
    ),
    "basis_cold": in_each(
        "Rechtsgrond van koude (andere) berichten",
        "Base légale des messages froids (autres)",
        "Rechtsgrundlage kalter (anderer) Nachrichten",
        "Legal basis of cold (other) messages",
    ),
    "subjects": in_each(
        "Betrokkenen", "Personnes concernées", "Betroffene Personen", "Data subjects"
    ),
    "subjects_text": in_each(
        "Leden, coördinatoren en gemandateerde politieambtenaren; wie gegevens inkijkt of wijzigt.",
        "Membres, coordinateurs et fonctionnaires de police mandatés ; quiconque consulte ou "
        "modifie des données.",
        "Mitglieder, Koordinatoren und beauftragte Polizeibeamte; wer Daten einsieht oder ändert.",
        "Members, coordinators and mandated police officers; whoever looks at or changes data.",
    ),
    "data": in_each(
        "Categorieën van gegevens",
        "Catégories de données",
        "Kategorien von Daten",
        "Categories of data",
    ),
    "data_text": in_each(
        "Van elke verzending: een pseudoniem van telefoonnummer of e-mailadres, een willekeurig "
        "lidnummer, netwerk, taal, kanaal, toestand en kenmerk bij de provider. Van elk bericht: "
        "de tekst, wie het opstelde en wie het ondertekende. Van elke inzage en handeling: wie, "
        "wanneer, wat en waarom. Van sleutels: van wie ze zijn en wie ze inschreef en bevestigde.",
        "De chaque envoi : un pseudonyme du numéro de téléphone ou de l'adresse e-mail, un "
        "identifiant aléatoire du membre, le réseau, la langue, le canal, l'état et la référence "
        "chez le fournisseur. De chaque message : le texte, son auteur et son signataire. De "
        "chaque consultation et action : qui, quand, quoi et pourquoi. De chaque clé : à qui elle "
        "appartient, et qui l'a inscrite et confirmée.",
        "Von jeder Sendung: ein Pseudonym der Telefonnummer oder E-Mail-Adresse, eine zufällige "
        "Mitgliedsnummer, Netzwerk, Sprache, Kanal, Zustand und Kennung beim Anbieter. Von jeder "
        "Nachricht: der Text, wer sie verfasst und wer sie signiert hat. Von jeder Einsicht und "
        "Handlung: wer, wann, was und warum. Von Schlüsseln: wem sie gehören und wer sie "
        "eingetragen und bestätigt hat.",
        "Of each send: a pseudonym of the phone number or e-mail address, a random member id, "
        "network, language, channel, state and the provider's reference. Of each message: the "
        "text, who issued and who signed it. Of each access and action: who, when, what and why. "
        "Of keys: whose they are, and who enrolled and confirmed them.",
    ),
    "recipients": in_each("Ontvangers", "Destinataires", "Empfänger", "Recipients"),
    "recipients_text": in_each(
        "De auditors van de zone; wie de servers beheert, als verwerker; ieder over zichzelf, op "
        "vraag. Federaal en provinciaal toezicht krijgt alleen aantallen, getuigen van het "
        "logboek alleen controlepunten.",
        "Les auditeurs de la zone ; le gestionnaire des serveurs, comme sous-traitant ; chacun, "
        "sur demande, pour ce qui le concerne. La tutelle fédérale et provinciale ne reçoit que "
        "des nombres, les témoins du journal que des points de contrôle.",
        "Die Prüfer der Zone; wer die Server betreibt, als Auftragsverarbeiter; jede Person auf "
        "Anfrage über sich selbst. Die föderale und provinziale Aufsicht erhält nur Zahlen, Zeugen "
        "des Protokolls nur Prüfpunkte.",
        "The zone's auditors; whoever runs the servers, as a processor; everybody about "
        "themselves, on request. Federal and provincial oversight gets counts only, witnesses of "
        "the log checkpoints only.",
    ),
    "recipients_not": in_each(
        "De sms-provider en de mailserver krijgen niets uit dit logboek; nummer, adres en tekst "
        "krijgen zij bij het versturen.",
        "Le fournisseur de SMS et le serveur de messagerie ne reçoivent rien de ce journal ; le "
        "numéro, l'adresse et le texte leur parviennent lors de l'envoi.",
        "Der SMS-Anbieter und der Mailserver erhalten nichts aus diesem Protokoll; Nummer, Adresse "
        "und Text erhalten sie beim Versenden.",
        "The SMS provider and the mail server get nothing from this log; number, address and text "
        "reach them when a message is sent.",
    ),
    "transfers": in_each(
        "Doorgifte aan derde landen",
        "Transferts vers des pays tiers",
        "Übermittlung in Drittländer",
        "Transfers to third countries",
    ),
    "transfers_text": in_each(
        "Geen: uit dit logboek gaat niets naar een land buiten de Europese Economische Ruimte of "
        "naar een internationale organisatie, zolang de servers van de zone binnen die ruimte "
        "staan.",
        "Aucun : rien de ce journal n'est transmis à un pays hors de l'Espace économique européen "
        "ou à une organisation internationale, tant que les serveurs de la zone s'y trouvent.",
        "Keine: Aus diesem Protokoll geht nichts in ein Land außerhalb des Europäischen "
        "Wirtschaftsraums oder an eine internationale Organisation, solange die Server der Zone in "
        "diesem Raum stehen.",
        "None: nothing of this log goes to a country outside the European Economic Area or to an "
        "international organisation, as long as the zone's servers stand within that area.",
    ),
    "retention": in_each("Bewaartermijn", "Durée de conservation", "Aufbewahrung", "Retention"),
    "retention_text": in_each(
        "Teksten {days} dagen; wie iets kreeg en wie iets inkeek of wijzigde {private_days} dagen. "
        "De pseudoniemen van een jaar verliezen hun betekenis zodra de sleutel van dat jaar "
        "vernietigd is. Het logboek zelf blijft: er staat geen naam, nummer of adres in, alleen "
        "codes, pseudoniemen en controlewaarden. De oordelen over berichten en de sleutels van de "
        "politie blijven erbij.",
        "Textes : {days} jours ; qui a reçu et qui a consulté ou modifié : {private_days} jours. "
        "Les pseudonymes d'une année perdent leur sens dès que la clé de cette année est détruite. "
        "Le journal lui-même demeure : il ne contient ni nom, ni numéro, ni adresse, seulement des "
        "codes, des pseudonymes et des empreintes. Les décisions sur les messages et les clés de "
        "la police y restent jointes.",
        "Texte {days} Tage; wer etwas erhielt und wer etwas einsah oder änderte {private_days} "
        "Tage. Die Pseudonyme eines Jahres verlieren ihre Bedeutung, sobald der Schlüssel dieses "
        "Jahres vernichtet ist. Das Protokoll selbst bleibt: Es enthält weder Namen noch Nummern "
        "noch Adressen, nur Codes, Pseudonyme und Prüfwerte. Die Entscheidungen über Nachrichten "
        "und die Schlüssel der Polizei bleiben dabei.",
        "Texts for {days} days; who was sent something, and who viewed or changed something, for "
        "{private_days} days. The pseudonyms of a year lose their meaning once that year's key is "
        "destroyed. The log itself stays: it holds no name, number or address, only codes, "
        "pseudonyms and hashes. The verdicts on messages and the keys of the police stay with it.",
    ),
    "year_key": in_each(
        "Pseudoniemsleutel van dit jaar",
        "Clé des pseudonymes de cette année",
        "Pseudonymschlüssel dieses Jahres",
        "Pseudonym key of this year",
    ),
    "year_key_there": in_each("aanwezig", "présente", "vorhanden", "present"),
    "year_key_gone": in_each(
        "vernietigd of nooit gemaakt",
        "détruite ou jamais créée",
        "vernichtet oder nie erstellt",
        "destroyed or never made",
    ),
    "security": in_each("Beveiliging", "Sécurité", "Sicherheit", "Security"),
    "security_text": in_each(
        "Berichten van de politie zijn ondertekend; het logboek is een Merkle-boom met "
        "ondertekende controlepunten; elke inzage staat erin; private delen worden apart bewaard "
        "en kunnen gewist worden.",
        "Les messages de la police sont signés ; le journal est un arbre de Merkle à points de "
        "contrôle signés ; chaque consultation y figure ; les parties privées sont conservées à "
        "part et peuvent être effacées.",
        "Nachrichten der Polizei sind signiert; das Protokoll ist ein Merkle-Baum mit signierten "
        "Prüfpunkten; jede Einsicht steht darin; private Teile werden getrennt aufbewahrt und "
        "können gelöscht werden.",
        "Police messages are signed; the log is a Merkle tree with signed checkpoints; every "
        "access is in it; private parts are kept apart and can be erased.",
    ),
    "sends": in_each("Verzendingen", "Envois", "Sendungen", "Sends"),
    "other_entries": in_each(
        "Andere vermeldingen", "Autres inscriptions", "Andere Einträge", "Other entries"
    ),
}


def words(language: Language) -> Words:
    """Give every text of the pages in a language."""
    return {name: said[language] for name, said in _WORDS.items()}
