"""What can be wrong with a picture of one's own, each with the message that a person reads."""

from pyapp.core.errors import NotAPictureError


class LargePhotoError(NotAPictureError):
    """A picture has more pixels than there is room for; it was not decoded."""

    def __init__(self, megapixels: float, most: float) -> None:
        super(NotAPictureError, self).__init__(
            f"This picture has {megapixels:,.0f} megapixels, and there is room for {most:,.0f} of "
            "its kind. Save it smaller and try again."
        )


class LargeFileError(NotAPictureError):
    """A file is too large to be read as a picture."""

    def __init__(self, name: str, size_bytes: int, most_bytes: int) -> None:
        super(NotAPictureError, self).__init__(
            f"{name} has {size_bytes / 1e6:,.0f} MB, which is too much for a picture: up to "
            f"{most_bytes / 1e6:,.0f} MB can be read. Save it smaller and try again."
        )


class UnknownFormatError(NotAPictureError):
    """The browser can't decode a format that Pillow doesn't know here either."""

    def __init__(self, kind: str) -> None:
        super(NotAPictureError, self).__init__(
            f"This browser can't read {kind} pictures. JPEG, PNG, WebP, GIF and TIFF work "
            "everywhere: save it as one of these and try again."
        )
