"""Pixels onto a canvas, and pictures that only the browser can decode."""

import js
import numpy as np
from pyodide.ffi import JsException
from pyscript.ffi import to_js

from pyapp.core.imagery.mosaic import UndecodableError


def draw(canvas, pixels: np.ndarray) -> None:
    """Show ``pixels``, uint8 [rows, columns, 3], on a canvas element of the page."""
    rgba = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    rgba[..., :3] = pixels
    draw_clear(canvas, rgba)


def draw_clear(canvas, rgba: np.ndarray) -> None:
    """Show ``rgba``, uint8 [rows, columns, 4], on a canvas element; what is clear stays clear."""
    rows, columns = rgba.shape[:2]
    data = js.Uint8ClampedArray.new(to_js(np.ascontiguousarray(rgba).ravel().data))
    if (canvas.width, canvas.height) != (columns, rows):
        canvas.width, canvas.height = columns, rows
    canvas.getContext("2d").putImageData(js.ImageData.new(data, columns, rows), 0, 0)


async def draw_encoded(canvas, data: bytes, left: float, top: float, share: float) -> None:
    """Show a square part of an encoded picture on a square canvas element.

    Parameters
    ----------
    canvas
    data : bytes
    left, top, share : float
        The part, as shares of the picture's side: its corner, and its side.

    Raises
    ------
    UndecodableError
    """
    bitmap = await _bitmap(data)
    side = bitmap.width * share
    canvas.getContext("2d").drawImage(
        bitmap, bitmap.width * left, bitmap.height * top, side, bitmap.height * share,
        0, 0, canvas.width, canvas.height,
    )  # fmt: skip


async def _bitmap(data: bytes):
    try:
        return await js.createImageBitmap(js.Blob.new(to_js([to_js(data)])))
    except JsException as error:
        raise UndecodableError(str(error)) from error


async def decode(data: bytes) -> np.ndarray:
    """Decode with the browser what Pillow cannot (AVIF, for one).

    Returns
    -------
    uint8 [rows, columns, 3]
        RGB; transparency is laid on white.

    Raises
    ------
    UndecodableError
        When the browser cannot either.
    """
    bitmap = await _bitmap(data)
    canvas = js.OffscreenCanvas.new(bitmap.width, bitmap.height)
    context = canvas.getContext("2d")
    context.fillStyle = "white"
    context.fillRect(0, 0, bitmap.width, bitmap.height)
    context.drawImage(bitmap, 0, 0)
    rgba = context.getImageData(0, 0, bitmap.width, bitmap.height).data.to_bytes()
    shape = (bitmap.height, bitmap.width, 4)
    return np.ascontiguousarray(np.frombuffer(rgba, np.uint8).reshape(shape)[..., :3])
