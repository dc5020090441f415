"""CAP 1.2 documents, as a control room writes them."""

ID = "6f1c2a34-9b1e-4d27-8a5e-0c2f6d1b7e90"
SQUARE = "51.05,3.70 51.05,3.72 51.06,3.72 51.06,3.70 51.05,3.70"

AREA = f"<area><areaDesc>Molenwijk</areaDesc><polygon>{SQUARE}</polygon></area>"
DUTCH = f"""
  <info>
    <language>nl-BE</language>
    <category>Security</category>
    <event>Burglary</event>
    <responseType>Monitor</responseType>
    <urgency>Immediate</urgency><severity>Moderate</severity><certainty>Observed</certainty>
    <eventCode><valueName>buurtbode</valueName><value>burglary</value></eventCode>
    <expires>2026-11-22T16:00:00+01:00</expires>
    <headline>Inbraak in de Molenstraat</headline>
    <description>Twee personen te voet, donkere kledij.</description>
    <instruction>Sluit deuren en ramen.</instruction>
    {AREA}
  </info>"""
FRENCH = (
    DUTCH.replace("nl-BE", "fr-BE")
    .replace("Inbraak in de Molenstraat", "Cambriolage rue du Moulin")
    .replace("Twee personen te voet, donkere kledij.", "Deux personnes à pied.")
    .replace("Sluit deuren en ramen.", "Fermez portes et fenêtres.")
    .replace("<areaDesc>Molenwijk", "<areaDesc>Quartier du Moulin")
)


def document(infos: str = DUTCH + FRENCH, **changes: str) -> bytes:
    """Give a document; `changes` are elements of the alert, an empty one is left out."""
    head = {
        "identifier": ID,
        "sender": "pz-demo.example",
        "sent": "2026-11-22T15:30:00+01:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "references": "",
        **changes,
    }
    order = ("code", "note", "references", "incidents")  # as the schema has them
    ordered = sorted(head, key=lambda name: order.index(name) if name in order else -1)
    parts = "".join(f"<{name}>{head[name]}</{name}>" for name in ordered if head[name])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">{parts}{infos}</alert>'
    ).encode()
