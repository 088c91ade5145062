"""What the page says about services and their layers; plain text, without a screen."""

from urllib.parse import urlsplit

from pyapp.core.ground.geo import LngLat, resolution_m
from pyapp.core.imagery.date import in_words
from pyapp.core.imagery.service import Offer, Service


def about_service(service: Service) -> str:
    """What was found at an address."""
    count = len(service.offers)
    said = f"{service.title or 'This service'}: {count} {'layer' if count == 1 else 'layers'}"
    if service.left_out:
        said += f", and {service.left_out} that can't be laid on a web map"
    return f"{said} ({service.kind})."


def about_layer(offer: Offer, place: LngLat) -> str:
    """What is known about a layer, and where its pictures will come from."""
    parts = [] if offer.covers(place) else ["Not here"]
    if offer.max_zoom is None:
        parts.append("its finest zoom is not stated, so the one above counts")
    else:
        parts.append(f"as fine as {resolution_m(offer.max_zoom, place.lat):.2f} m per pixel here")
    if offer.date:
        parts.append(f"taken {in_words(offer.date)}")
    if offer.credit:
        parts.append(f"by {offer.credit}")
    parts.append(f"from {urlsplit(offer.template).hostname}")
    said = ", ".join(parts)
    return f"{said[0].upper()}{said[1:]}."
