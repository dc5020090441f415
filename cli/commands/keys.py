"""`buurtbode keys`: an officer's signing key, from making it to confirming a colleague's."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from cli import keyfile
from cli.api import Api
from cli.connection import StackOption, connect
from cli.console import say, table
from cli.failures import CommandError
from shared.clock import Clock
from shared.contracts.base import Id, ZoneId

app = typer.Typer(
    help="Your signing key: make it, have it enrolled, confirm a colleague's.",
    no_args_is_help=True,
)

ZoneOption = Annotated[str, typer.Option("--zone", help="The police zone, such as 'demo'.")]
_ID: TypeAdapter[str] = TypeAdapter(Id)
_ZONE_ID: TypeAdapter[str] = TypeAdapter(ZoneId)


@app.command("new")
def new(
    *,
    zone: ZoneOption,
    officer: Annotated[
        str | None,
        typer.Option("--officer", help="Your officer id in the zone, such as 'officer-1'."),
    ] = None,
    system: Annotated[
        bool,
        typer.Option(
            "--system",
            help="The key of a police computer system instead: it signs as itself and can "
            "never approve.",
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option("--out", help="Where to write the private key; never overwritten.")
    ],
    days: Annotated[
        int, typer.Option("--days", min=1, max=1100, help="How long the key is valid.")
    ] = 365,
    enrol: Annotated[
        bool, typer.Option("--enrol", help="Enrol it right away, with an admin's token.")
    ] = False,
    stack: StackOption = None,
) -> None:
    """Make the key that signs your alerts.

    Writes the private key (keep it to yourself) and, beside it, the public half that an admin
    enrols and another police user of your zone confirms. Only then does it count.
    """
    if (officer is None) != system:
        raise CommandError("say whose key it is: --officer ID for yours, --system for a system's")
    _check(_ZONE_ID, zone, "--zone")
    if officer is not None:
        _check(_ID, officer, "--officer")
    clock = Clock()
    now = clock.now()
    kid = f"{zone}-{officer or 'system'}-{now:%Y%m%d}-{clock.token()[:6]}"
    key = keyfile.new_key(zone, officer, kid[-64:])
    enrolment = keyfile.Enrolment(
        jwk=key.public(),
        zone_id=zone,
        officer_id=officer,
        nbf=now - timedelta(minutes=1),  # so that a registry whose clock is behind takes it too
        exp=now + timedelta(days=days),
    )
    public = keyfile.write(key, enrolment, out)
    say(f"Key {key.kid}")
    say(f"  private: {out} (keep it to yourself; whoever has it can send alerts as you)")
    say(f"  public:  {public} (give this to your admin)")
    if enrol:
        _enrol(enrolment, stack)
        say("Enrolled. It counts once another police user of the zone confirms it:")
    else:
        say("Next, an admin enrols it:")
        say(f"  buurtbode keys enrol {public}")
        say("and another police user of the zone, not you, confirms it:")
    say(f"  buurtbode keys confirm {key.kid} --zone {zone}")


@app.command("enrol")
def enrol_key(
    public: Annotated[Path, typer.Argument(help="The public file, which ends in .pub.")],
    *,
    stack: StackOption = None,
) -> None:
    """Enrol a colleague's public key (for an admin). It counts once it is confirmed."""
    enrolment = keyfile.read_enrolment(public)
    _enrol(enrolment, stack)
    say(f"Enrolled {enrolment.jwk['kid']} in zone {enrolment.zone_id}. Not yet confirmed.")


@app.command("confirm")
def confirm(
    kid: Annotated[str, typer.Argument(help="The key's id, as 'keys list' shows it.")],
    *,
    zone: ZoneOption,
    as_: Annotated[
        str, typer.Option("--as", help="Which token of the stack's file confirms.")
    ] = "police",
    stack: StackOption = None,
) -> None:
    """Confirm a colleague's key (for a police user of the zone; never your own)."""
    with _registry(stack, as_) as registry:
        registry.post(f"/v1/zones/{zone}/keys/{kid}/confirm")
    say(f"Confirmed: {kid} may sign for zone {zone} from now on.")


@app.command("revoke")
def revoke(
    kid: Annotated[str, typer.Argument(help="The key's id, as 'keys list' shows it.")],
    *,
    zone: ZoneOption,
    as_: Annotated[
        str, typer.Option("--as", help="Which token of the stack's file revokes.")
    ] = "police",
    stack: StackOption = None,
) -> None:
    """Revoke a key that is lost or no longer needed. Nothing it signs counts from now on."""
    with _registry(stack, as_) as registry:
        registry.delete(f"/v1/zones/{zone}/keys/{kid}")
    say(f"Revoked: nothing that {kid} signs is accepted from now on.")


@app.command("list")
def list_keys(*, zone: ZoneOption, stack: StackOption = None) -> None:
    """List the keys of a zone, with who enrolled and confirmed them, revoked ones too."""
    with _registry(stack, "police") as registry:
        keys = list(registry.pages(f"/v1/zones/{zone}/keys"))
    rows = [
        (
            key["kid"],
            key.get("officer_id") or "(system)",
            key["exp"],
            key.get("confirmed_by") or "not yet",
            key.get("revoked_at") or "",
        )
        for key in keys
    ]
    table(f"Keys of zone {zone}", ("key", "officer", "until", "confirmed by", "revoked"), rows)


def _enrol(enrolment: keyfile.Enrolment, stack: Path | None) -> None:
    with _registry(stack, "admin") as registry:
        registry.put(f"/v1/zones/{enrolment.zone_id}/keys/{enrolment.jwk['kid']}", enrolment.body())


def _registry(stack: Path | None, role: str) -> Api:
    return connect(stack).api("registry", role)


def _check(adapter: TypeAdapter[str], value: str, option: str) -> None:
    try:
        adapter.validate_python(value)
    except ValidationError:
        message = f"{option} {value!r} cannot be an id: letters, digits and hyphens only"
        raise CommandError(message) from None
