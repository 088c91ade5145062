"""What can go wrong with a map service (WMS, WMTS, OpenAerialMap), as the person reads it."""

from __future__ import annotations

from pyapp.core.errors import LookdownError


class ServiceError(LookdownError):
    """A map service can't be used."""


class UnreachableServiceError(ServiceError):
    """No answer that a page may read."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"{origin} can't be read: it is out of reach, or it doesn't let a page of another site "
            "read its answers (no CORS). Check the address and the connection, or ask the provider "
            "to allow it."
        )


class RefusingServiceError(ServiceError):
    """The server answers with an error of HTTP."""

    def __init__(self, origin: str, status: int) -> None:
        super().__init__(
            f"{origin} refused the request (HTTP {status}). "
            "Check the address, and whether it needs a key or an account."
        )


class SlowServiceError(ServiceError):
    """The answer did not arrive within the time limit."""

    def __init__(self, origin: str, limit_s: float) -> None:
        super().__init__(
            f"{origin} did not answer within {limit_s:g} seconds. "
            "Check the connection and try again."
        )


class WebPageError(ServiceError):
    """There is a web page where a service was expected."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"What {origin} sent is a web page, not a description of a map service. Use the "
            "address that the provider gives for WMS or WMTS; if it asks for a login, it can't be "
            "used here."
        )


class NotAServiceError(ServiceError):
    """The answer is no capabilities document that can be read."""

    def __init__(self, origin: str, reason: str) -> None:
        super().__init__(
            f"What {origin} sent is no description of a WMS or WMTS: {reason}. "
            "Check the address; for plain tiles, write it with {z}, {x} and {y}."
        )


class OldServiceError(ServiceError):
    """A version of WMS that is not spoken here."""

    def __init__(self, origin: str, version: str) -> None:
        super().__init__(
            f"{origin} speaks WMS {version}; this page speaks 1.1.1 and 1.3.0. "
            "Ask the provider for a newer service, or for one with WMTS."
        )


class UnsuitedServiceError(ServiceError):
    """None of its layers can be laid on a web map."""

    def __init__(self, origin: str, has: str) -> None:
        super().__init__(
            f"No layer of {origin} can be shown here: {has}. "
            "This page needs pictures in Web Mercator (EPSG:3857) or, from a WMS, degrees "
            "(EPSG:4326); ask the provider for such a layer."
        )


class PlainPictureError(ServiceError):
    """A picture of one colour, which may be how a service says that something is wrong."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} sent a picture that is nearly all one colour: it has nothing here, or this is "
            "how it reports an error. Look at the map; move it, or choose another layer."
        )


class NoImageryFoundError(ServiceError):
    """A catalogue of pictures has none of the place."""

    def __init__(self, catalogue: str) -> None:
        super().__init__(
            f"{catalogue} has no pictures of what the map shows. "
            "Zoom out or move the map, and look again."
        )


class WrongCatalogueError(ServiceError):
    """A catalogue answers with something else than a list of pictures."""

    def __init__(self, catalogue: str) -> None:
        super().__init__(
            f"{catalogue} answered with something that is no list of pictures. "
            "Its service may have changed or be under repair: try again later."
        )
