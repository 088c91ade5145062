"""GeoTIFF files, on the device or at an address, read block by block through geotiff.js.

The library is fetched when the first file is opened. It decompresses in workers of its own.
"""

from typing import Any

import js
from pyodide.code import run_js
from pyodide.ffi import JsException

from pyapp.bridge import browser
from pyapp.core.errors import RasterAddressError, UnreadableRasterError
from pyapp.work.ports import UnreachableError

LIBRARY = "./runtime/geotiff/geotiff.js"
END_BYTES = 1 << 16
# Little- and big-endian TIFF, and BigTIFF.
SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_import = run_js("(address) => import(new URL(address, document.baseURI)).then(() => GeoTIFF)")
# What `core.imagery.raster.raster_from_json` takes; tags that a file lacks are null.
_open = run_js(
    """async (library, given, name) => {
      const tiff = typeof given === "string"
        ? await library.fromUrl(given, { allowFullFile: false, cacheSize: 200 })
        : await library.fromBlob(given);
      const images = [];
      const count = Math.min(await tiff.getImageCount(), 64);
      for (let index = 0; index < count; index++) images.push(await tiff.getImage(index));
      const [first] = images, tags = first.getFileDirectory();
      const value = async (tag) => tags.hasTag(tag) ? await tags.loadValue(tag) : null;
      const list = async (tag) => {
        const found = await value(tag);
        return found && Array.from(found, Number);
      };
      const bands = first.getSamplesPerPixel();
      const facts = {
        name, bands,
        images: images.map((image) => ({
          width: image.getWidth(), height: image.getHeight(),
          block_width: image.getTileWidth(), block_height: image.getTileHeight(),
          kind: Number(image.getFileDirectory().getValue("NewSubfileType") ?? 0),
          bands: image.getSamplesPerPixel(),
        })),
        bits: await list("BitsPerSample") ?? [1],
        formats: await list("SampleFormat") ?? [1],
        extra: await list("ExtraSamples"),
        photometric: Number(await value("PhotometricInterpretation") ?? 1),
        planar: Number(await value("PlanarConfiguration") ?? 1),
        nodata: await value("GDAL_NODATA"),
        palette: await list("ColorMap"),
        made: await value("DateTime"),
        little: first.littleEndian,
        keys: first.getGeoKeys() ?? {},
        scale: await list("ModelPixelScale"),
        tie: await list("ModelTiepoint"),
        matrix: await list("ModelTransformation"),
      };
      return { images, facts: JSON.stringify(facts) };
    }"""
)
_block = run_js(
    """async (image, pool, column, row, band) =>
      new Uint8Array((await image.getTileOrStrip(column, row, band, pool)).data)"""
)
# What decompresses the blocks of a picture, in workers; the library tells it only when it reads.
_decoders = run_js(
    """(library) => {
      const pool = new library.Pool(Math.min(navigator.hardwareConcurrency || 2, 4));
      return async (image) => {
        let decoder;
        const bindParameters = (...given) => decoder = pool.bindParameters(...given);
        await image.readRasters({ window: [0, 0, 0, 0], samples: [0], pool: { bindParameters } });
        return decoder;
      };
    }"""
)


class GeoTiff:
    """Fulfils `RasterReader`.

    Parameters
    ----------
    given : File of the browser, or str
        The file, or its address.
    name : str
        As the person knows it.
    """

    # One set of workers for all files.
    _decoder_of: Any = None

    def __init__(self, given, name: str):
        self._given = given
        self._name = name
        self._images: Any = None
        self._bound: dict[int, Any] = {}

    async def describe(self) -> str:
        """What the file says about itself, as JSON.

        Raises
        ------
        UnreadableRasterError
            If it is no TIFF, or a damaged one.
        RasterAddressError
            If its server doesn't let a page read parts of it.
        """
        try:
            library = await _import(browser.absolute(LIBRARY))
            if GeoTiff._decoder_of is None:
                GeoTiff._decoder_of = _decoders(library)
            opened = await _open(library, self._given, self._name)
        except JsException as error:
            if isinstance(self._given, str) and _is_refusal(error):
                raise RasterAddressError(js.URL.new(self._given).origin) from error
            raise UnreadableRasterError(
                self._name, "it is damaged, cut short, or no TIFF"
            ) from error
        self._images = opened.images
        return opened.facts

    async def block(self, index: int, column: int, row: int, band: int) -> bytes:
        """The samples of a tile or strip, decompressed.

        Raises
        ------
        UnreachableError
            If it is not there or can't be decompressed.
        """
        try:
            image = self._images[index]
            if index not in self._bound:
                self._bound[index] = await GeoTiff._decoder_of(image)
            return (await _block(image, self._bound[index], column, row, band)).to_bytes()
        except JsException as error:
            raise UnreachableError(str(error)) from error


def _is_refusal(error: JsException) -> bool:
    """Whether it was the server that failed, rather than the file."""
    return not any(word in str(error) for word in ("byte order", "magic number"))


async def ends_of(file) -> bytes:
    """The beginning and the end of a file, and its size: what differs for another file."""
    size = int(file.size)
    parts = [file.slice(0, END_BYTES), file.slice(max(size - END_BYTES, 0), size)]
    read = [(await each.arrayBuffer()).to_bytes() for each in parts]
    return b"".join([*read, str(size).encode()])


async def is_tiff(file) -> bool:
    """Whether a file begins as a TIFF does."""
    beginning = await file.slice(0, 4).arrayBuffer()
    return beginning.to_bytes() in SIGNATURES
