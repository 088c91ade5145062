"""The one place where the page says that something went wrong."""

from pyscript import web

from pyapp.core.errors import LookdownError
from pyapp.ui.shell.dom import on

# What a message may be about.
ANSWER, IMAGERY, BACKEND, CELL, MODEL = "answer", "imagery", "backend", "cell", "model"


class Notice:
    """A message that stays until it is dismissed or no longer true."""

    def __init__(self):
        self._box = web.page["notice"]
        self._text = self._box.find("p")[0]
        self._about = ""
        on("click", self._box.find("button")[0], self.dismiss)

    def say(self, sentence: str, about: str = "") -> None:
        """Show a sentence in place of the last one.

        Parameters
        ----------
        sentence : str
        about : str
            What it is about: `clear` takes it away for that only.
        """
        self._text.textContent = sentence
        self._about = about
        self._box.hidden = False

    def tell(self, error: LookdownError, about: str = "") -> None:
        """Show what an error has to say to the person."""
        self.say(str(error), about)

    def is_about(self, about: str) -> bool:
        """Whether the message that stands there is about this."""
        return self._about == about

    def clear(self, about: str) -> None:
        """Take the message away if it is about this, which has gone well now."""
        if self.is_about(about):
            self.dismiss()

    def dismiss(self) -> None:
        """Take the message away."""
        self._box.hidden = True
        self._text.textContent = ""
        self._about = ""
