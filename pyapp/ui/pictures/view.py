"""A picture of one's own in the panel, with a square on it that is moved and resized."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyscript import web, when

from pyapp.bridge import canvas
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.address import View
from pyapp.core.imagery.part import Part, middle_part, moved, pulled, resized
from pyapp.core.imagery.photo import Photo
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.square import Square
from pyapp.ui.pictures.wording import about
from pyapp.ui.shell.dom import on
from pyapp.ui.shell.history import History
from pyapp.work.classifier import Answer

# The longer side of what is shown, in pixels; the panel is half as wide.
PREVIEW_PX = 648
STEP, GROWTH = 0.1, 1.1
# Seconds after the last key until the square is classified.
PAUSE_S = 0.15
# What the map shows of a place at least.
CLOSE_ZOOM = 17
ARROWS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}
LARGER, SMALLER = ("+", "="), ("-", "_")
Point = tuple[float, float]


@dataclass
class PictureView:
    """Shows a picture and asks about what is in the square on it.

    Attributes
    ----------
    photo : Photo or None
        The picture that is shown.
    part : Part
        Where the square is on it.
    """

    ground_map: GroundMap
    square: Square
    classify: Classify
    history: History
    photo: Photo | None = None
    part: Part = field(default_factory=lambda: Part(0.0, 0.0, 1.0))
    _name: str = ""
    _asking: "asyncio.TimerHandle | None" = None
    _fingers: dict[int, Point] = field(default_factory=dict)
    _pulls: tuple[int, int] | None = None
    _on_close: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self):
        self._box = web.page["photo"]
        self._frame = web.page["photo-frame"]
        self._canvas = web.page["photo-canvas"]
        self._on_it = web.page["photo-square"]
        self._said = web.page["photo-said"]
        self._go = web.page["photo-go"]
        on("click", web.page["photo-close"], self.close)
        on("click", self._go, self._go_there)
        when("keydown", self._on_it)(self._key)
        when("wheel", self._frame)(self._wheel)
        when("pointerdown", self._frame)(self._down)
        when("pointermove", self._frame)(self._move)
        for event in ("pointerup", "pointercancel"):
            when(event, self._frame)(self._up)
        self.classify.on_answer(self._answered)

    def on_close(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` once no picture is shown any more."""
        self._on_close.append(handler)

    def show(self, name: str, photo: Photo) -> None:
        """Show a picture in place of the last one, and classify its middle."""
        self.photo, self._name = photo, name
        self._fingers.clear()
        canvas.draw(self._canvas._dom_element, photo.preview(PREVIEW_PX))
        self._canvas.setAttribute("aria-label", f"Picture {name}")
        self._go.hidden = photo.facts.place is None
        self._box.hidden = False
        self._lay(middle_part(photo.facts.width, photo.facts.height))
        self._box._dom_element.scrollIntoView()
        self._ask()

    def close(self) -> None:
        """Show no picture any more; the answer stays."""
        if self.photo is None:
            return
        self.photo = None
        self._box.hidden = True
        for handler in self._on_close:
            handler()

    def _answered(self, answer: Answer) -> None:
        # The map was asked, so the panel is about the map again.
        if answer.place is not None:
            self.close()

    def _lay(self, part: Part) -> None:
        if self.photo is None:
            return
        self.part = part
        facts, style = self.photo.facts, self._on_it._dom_element.style
        style.left = f"{100 * part.left / facts.width:.3f}%"
        style.top = f"{100 * part.top / facts.height:.3f}%"
        style.width = f"{100 * part.side / facts.width:.3f}%"
        self._said.textContent = about(self._name, facts, part)

    def _put(self, part: Part) -> None:
        """Lay the square elsewhere because the person wants it, which can be undone."""
        photo, before = self.photo, self.part
        if part != before:
            self.history.add(
                "moving the square on the picture", lambda: self._back(photo, before), self
            )
            self._lay(part)

    def _back(self, photo: Photo | None, part: Part) -> None:
        if photo is not None and self.photo is not None and self.photo.data is photo.data:
            self._lay(part)
            self._ask()

    def _ask(self) -> None:
        """Classify what is in the square."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        if self.photo is not None:
            self.classify.do(self._classify)

    async def _classify(self) -> None:
        photo, part, runner = self.photo, self.part, self.classify.models.runner
        if photo is None or runner is None:
            return
        finer = photo.finer(part, runner.card.chip_px)
        if self.photo is photo:
            self.photo = finer
        await self.classify.answer_part(finer, part)

    def _ask_soon(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._asking = asyncio.get_running_loop().call_later(PAUSE_S, self._ask)

    def _key(self, event) -> None:
        if event.ctrlKey or event.altKey or event.metaKey or self.photo is None:
            return
        key, (width, height) = event.key, self._size
        if key in ARROWS:
            step = self.part.side * (1 if event.shiftKey else STEP)
            right, down = ARROWS[key]
            self._put(moved(self.part, right * step, down * step, width, height))
        elif key in LARGER or key in SMALLER:
            factor = GROWTH if key in LARGER else 1 / GROWTH
            self._put(resized(self.part, factor, width, height))
        elif key != "Enter":
            return
        event.preventDefault()
        event.stopPropagation()
        self._ask_soon()

    def _wheel(self, event) -> None:
        event.preventDefault()
        factor = 1 / GROWTH if event.deltaY > 0 else GROWTH
        self._put(resized(self.part, factor, *self._size))
        self._ask_soon()

    def _down(self, event) -> None:
        if event.button > 0 or self.photo is None:
            return
        event.preventDefault()
        self._on_it._dom_element.focus()
        self._frame._dom_element.setPointerCapture(event.pointerId)
        here = self._point(event)
        self._fingers[event.pointerId] = here
        data = event.target.dataset
        self._pulls = (int(data.right), int(data.down)) if hasattr(data, "right") else None
        if not event.target.closest("#photo-square"):
            centre_x, centre_y = (
                self.part.left + self.part.side / 2,
                self.part.top + self.part.side / 2,
            )
            self._put(moved(self.part, here[0] - centre_x, here[1] - centre_y, *self._size))

    def _move(self, event) -> None:
        if event.pointerId not in self._fingers or self.photo is None:
            return
        before, here = self._fingers[event.pointerId], self._point(event)
        right, down = here[0] - before[0], here[1] - before[1]
        others = [each for key, each in self._fingers.items() if key != event.pointerId]
        self._fingers[event.pointerId] = here
        if others:
            apart = math.dist(before, others[0])
            if apart:
                factor = math.dist(here, others[0]) / apart
                self._put(resized(self.part, factor, *self._size))
        elif self._pulls is not None:
            by = max(right * self._pulls[0], down * self._pulls[1], key=abs)
            self._put(pulled(self.part, *self._pulls, by, *self._size))
        else:
            self._put(moved(self.part, right, down, *self._size))

    def _up(self, event) -> None:
        if self._fingers.pop(event.pointerId, None) is not None and not self._fingers:
            self._ask()

    @property
    def _size(self) -> tuple[int, int]:
        """Width and height of the picture, in its pixels."""
        assert self.photo is not None
        return self.photo.facts.width, self.photo.facts.height

    def _point(self, event) -> Point:
        """Where a pointer is, in pixels of the picture."""
        frame: Any = self._frame._dom_element.getBoundingClientRect()
        width, height = self._size
        return (
            (event.clientX - frame.left) / frame.width * width,
            (event.clientY - frame.top) / frame.height * height,
        )

    def _go_there(self) -> None:
        """Move the map to where the picture says that it was taken."""
        place = None if self.photo is None else self.photo.facts.place
        if place is not None:
            self.ground_map.show(View(place, max(self.ground_map.view.zoom, CLOSE_ZOOM)))
            self.square.bring_here()
