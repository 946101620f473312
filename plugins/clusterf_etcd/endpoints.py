"""Which endpoint is asked, which next when it fails, and what to say when all did. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from clusterf_etcd.failure import EtcdRefused, EtcdUnavailable


class Endpoints:
    """Endpoints in a circle; the one that answered last is asked first."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = list(urls)
        self._first = 0

    def order(self) -> list[str]:
        """Each endpoint once, in the order in which a call tries them."""
        return self._urls[self._first :] + self._urls[: self._first]

    def worked(self, url: str) -> None:
        """It answered: the next call starts with it."""
        self._first = self._urls.index(url)

    def failed(self, url: str) -> None:
        """It did not: the next call starts with another one, if there is one."""
        if self._urls[self._first] == url:
            self._first = (self._first + 1) % len(self._urls)


def none_left(errors: list[EtcdUnavailable | EtcdRefused]) -> EtcdUnavailable | EtcdRefused:
    """One error for a call that failed at every endpoint."""
    if len(errors) == 1:
        return errors[0]
    message = "no endpoint of etcd is usable: " + "; ".join(str(error) for error in errors)
    hint = next((error.hint for error in errors if error.hint), "")
    perhaps = any(isinstance(one, EtcdUnavailable) and one.perhaps_done for one in errors)
    if all(isinstance(error, EtcdRefused) for error in errors):
        return EtcdRefused(message, hint=hint)
    return EtcdUnavailable(message, hint=hint, perhaps_done=perhaps)
