"""The one place where the page says that something went wrong."""

from pyscript import web, when

from pyapp.core.errors import LookdownError


class Notice:
    """A message that stays until it is dismissed or no longer true."""

    def __init__(self):
        self._box = web.page["notice"]
        self._text = self._box.find("p")[0]
        when("click", self._box.find("button")[0])(lambda _event: self.clear())

    def say(self, sentence: str) -> None:
        """Show a sentence in place of the last one."""
        self._text.textContent = sentence
        self._box.hidden = False

    def tell(self, error: LookdownError) -> None:
        """Show what an error has to say to the person."""
        self.say(str(error))

    def clear(self) -> None:
        """Take the message away."""
        self._box.hidden = True
        self._text.textContent = ""

    @property
    def stands(self) -> bool:
        """Whether there is a message."""
        return not self._box.hidden
