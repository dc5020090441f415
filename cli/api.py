"""The services' HTTP interfaces as the commands use them; a problem document becomes a sentence."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, cast

import httpx

from cli.failures import CommandError

TIMEOUT_S = 30.0
_UNAUTHORISED = 401
Json = dict[str, Any]


class RefusedError(CommandError):
    """A service answered with a problem document."""

    def __init__(self, message: str, status: int) -> None:
        """Keep the status for those who know what to do about it."""
        super().__init__(message)
        self.status = status


class Api:
    """One service, called as one person."""

    def __init__(
        self, service: str, url: str, token: str | None, *, timeout: float = TIMEOUT_S
    ) -> None:
        """`service` is what complaints call it; without a token, only public pages answer.

        `timeout` is how many seconds an answer may take.
        """
        self._service = service
        self._url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        """Keep connections open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        self._http.close()

    def get(self, path: str, **query: object) -> Json:
        """Read an object. Raises `RefusedError`, or `CommandError` where nobody answers."""
        return cast("Json", self.request("GET", path, params=_given(query)).json())

    def post(self, path: str, body: object | None = None, **query: object) -> Json:
        """Create or do something. Raises the same."""
        return self._change("POST", path, body, query)

    def put(self, path: str, body: object) -> Json:
        """Set something. Raises the same."""
        return self._change("PUT", path, body, {})

    def delete(self, path: str) -> Json:
        """Remove something. Raises the same."""
        return self._change("DELETE", path, None, {})

    def pages(self, path: str, **query: object) -> Iterator[Json]:
        """Read a whole list, page by page. Raises the same."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call, and give a good answer whatever its type. Raises the same."""
        with self._explained():
            answer = self._http.request(method, path, **options)
        self._check(answer)
        return answer

    @contextmanager
    def chunks(self, path: str, **query: object) -> Generator[Iterator[bytes]]:
        """Read a long answer as it comes, in chunks of any length. Raises the same."""
        with self._explained(), self._http.stream("GET", path, params=_given(query)) as answer:
            if answer.is_error:
                answer.read()
            self._check(answer)
            yield answer.iter_bytes()

    def _change(self, method: str, path: str, body: object, query: Mapping[str, object]) -> Json:
        answer = self.request(method, path, json=body, params=_given(query))
        return cast("Json", answer.json()) if answer.content else {}

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            message = (
                f"the {self._service} at {self._url} does not answer ({type(error).__name__}): "
                "is the stack up? 'buurtbode status' tells"
            )
            raise CommandError(message) from None

    def _check(self, answer: httpx.Response) -> None:
        if answer.is_error:
            raise RefusedError(self._complaint(answer), answer.status_code)

    def _complaint(self, answer: httpx.Response) -> str:
        try:
            problem = answer.json()
        except ValueError:
            return f"the {self._service} answered {answer.status_code} without an explanation"
        field = f" (field {problem['field']})" if problem.get("field") else ""
        text = f"the {self._service} says: {problem.get('detail', answer.status_code)}{field}"
        if answer.status_code == _UNAUTHORISED:
            return f"{text} Make a new one with 'buurtbode token'."
        return text


def _given(query: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}
