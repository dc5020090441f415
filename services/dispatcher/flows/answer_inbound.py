"""Answer who replies to an SMS: nobody reads it. What they wrote is neither read nor kept."""

from collections.abc import Mapping
from typing import Any, cast

from twilio.twiml.messaging_response import (  # pyright: ignore[reportMissingTypeStubs]
    MessagingResponse,
)

from services.dispatcher.store.languages import Languages
from shared.contracts.base import Language

ANSWER: Mapping[Language, str] = {
    "nl": "Dit bericht wordt niet gelezen. Bel 101 of gebruik de app 112 BE.",
    "fr": "Ce message n'est pas lu. Appelez le 101 ou utilisez l'app 112 BE.",
    "de": "Diese Nachricht wird nicht gelesen. Rufen Sie 101 an oder nutzen Sie die App 112 BE.",
    "en": "This message is not read. Call 101 or use the app 112 BE.",
}


class AnswerInbound:
    """Gives the TwiML that Twilio sends back."""

    def __init__(self, *, languages: Languages) -> None:
        """Wire."""
        self._languages = languages

    async def answer(self) -> str:
        """Give the answer in the languages of the networks, one under the other."""
        used = await self._languages.used()
        response = cast("Any", MessagingResponse())  # untyped
        response.message("\n".join(ANSWER[language] for language in ANSWER if language in used))
        return str(response)
