"""Check it: how right a survey is, and areas with intervals, from squares that a person judged."""

import asyncio
import re
from dataclasses import dataclass, field

from pyscript import web

from pyapp.bridge import browser
from pyapp.core.accuracy.check import CLASSES, NOT_SURE_NAME, Check, ground_name, name_of
from pyapp.core.accuracy.findings import Findings, to_csv, to_json
from pyapp.core.errors import LookdownError
from pyapp.core.imagery.source import Source
from pyapp.ui.shell.dom import fill, on, option, worded
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import IMAGERY
from pyapp.ui.survey.check_teach import TeachFrom
from pyapp.ui.survey.check_wording import (
    accuracies,
    area,
    before_the_draw,
    how_far,
    more_squares,
    notes,
    share,
)
from pyapp.ui.survey.judging import Judging
from pyapp.ui.survey.panel import SurveyPanel
from pyapp.work.check import Checker, Pictures
from pyapp.work.ground import Ground
from pyapp.work.store import Store
from pyapp.work.teach.judged import Judgements

# Figures wait until the person has stopped for so long: a key comes first.
REST_S = 0.5
COUNTS = (10, 2000)


@dataclass
class CheckPanel:
    """The section of the survey's panel in which it is checked."""

    panel: SurveyPanel
    judging: Judging
    ground: Ground
    store: Store
    history: History
    teach: TeachFrom
    _checker: Checker | None = None
    _figures: "asyncio.Task[None] | None" = None
    _said_overall: str = ""
    _more_of: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self):
        self._button = web.page["check"]
        self._section = web.page["checking"]
        self._said = web.page["check-said"]
        self._by = web.page["check-by"]
        self._count = web.page["check-count"]
        self._for = web.page["check-for"]
        self._more = web.page["check-more"]
        on("click", web.page["check-start"], self._draw)
        on("click", web.page["check-go-on"], self._judge)
        on("click", web.page["check-anew"], self._anew)
        on("click", web.page["check-teach"], self._teach)
        on("click", self._more, self._judge_more)
        on("change", self._for, self._offer_more)
        on("click", web.page["check-csv"], lambda: self._save("csv"))
        on("click", web.page["check-json"], lambda: self._save("json"))
        self.panel.layer.on_change(self._another)

    def toggle(self) -> None:
        """Open or close the section; if the survey can't be checked, say why."""
        if not self._section.hidden:
            self._close()
            return
        why_not = self.panel.why_not("check")
        if why_not:
            self.panel.notice.say(why_not)
            return
        survey = self.panel.layer.original
        assert survey is not None
        if self._checker is None or self._checker.survey is not survey:
            self._checker = Checker(self.store, survey)
        if self._checker.damage is not None:
            self.panel.notice.tell(self._checker.damage)
        self.panel.open()
        self._section.hidden = False
        self._button.setAttribute("aria-expanded", "true")
        self._refresh()
        self._section.scrollIntoView()

    def _close(self) -> None:
        self._section.hidden = True
        self._button.setAttribute("aria-expanded", "false")

    def _another(self) -> None:
        """Another survey lies on the map, or none."""
        if self._checker is not None and self._checker.survey is not self.panel.layer.original:
            self._checker = None
            self._close()

    @property
    def _source(self) -> Source | None:
        """The survey's imagery, or ``None`` with a sentence on the page."""
        assert self._checker is not None
        imagery = self._checker.survey.imagery
        source = self.panel.imagery.find(imagery)
        if source is None:
            self.panel.notice.say(
                f"The survey was made on {imagery.name}, which is not chosen now, so its squares "
                "can't be shown. Choose that imagery first.",
                IMAGERY,
            )
        return source

    def _draw(self) -> None:
        """Draw a sample, which can be undone, and judge it."""
        checker, source = self._checker, None if self._checker is None else self._source
        if checker is None or source is None:
            return
        try:
            wanted = int(self._count.value)
        except ValueError:
            wanted = 0
        if not COUNTS[0] <= wanted <= COUNTS[1]:
            self._said.textContent = f"Choose from {COUNTS[0]} to {COUNTS[1]:,} squares to judge."
            return
        by = CLASSES if checker.survey.model.tree.is_flat else self._by.value
        before = checker.check
        try:
            checker.draw(by, wanted, web.page["check-allocation"].value)
        except LookdownError as error:
            self._said.textContent = str(error)
            return
        self.history.add("the sample", lambda: self._take(checker, before))
        self._judge()

    def _take(self, checker: Checker, check: Check | None) -> None:
        checker.take(check)
        self.panel.tasks.start(checker.save())
        if checker is self._checker:
            self._refresh()

    def _anew(self) -> None:
        """Offer another draw; the judgements stay until it is made."""
        web.page["check-draw"].hidden = False
        web.page["check-found"].hidden = True
        self._said.textContent = (
            "A new sample takes the place of this one and its judgements. Undo brings them back."
        )

    def _judge(self) -> None:
        checker, source = self._checker, None if self._checker is None else self._source
        if checker is None or source is None or checker.check is None:
            return
        self.panel.notice.clear(IMAGERY)
        self._said_overall = ""
        checker.note()
        self._refresh()
        if checker.check.left:
            pictures = Pictures(self.ground, source, checker.survey)
            self.judging.open(checker, pictures, self._judged)

    def _teach(self) -> None:
        """Offer to teach from what is judged."""
        checker, source = self._checker, None if self._checker is None else self._source
        if checker is None or source is None or checker.check is None:
            return
        self.teach.open(Judgements(checker.survey, checker.check, source), self._close)

    def _judged(self) -> None:
        """Store a judgement, and work out the figures once there is time."""
        if self._checker is not None and self._checker.check is not None:
            self._tell(self._checker.check)
            self._checker.note()
            self.panel.tasks.start(self._checker.save())
            self._refresh(REST_S)

    def _refresh(self, rest_s: float = 0.0) -> None:
        """Show what there is; begun anew, an earlier working out ends."""
        if self._figures is not None:
            self._figures.cancel()
        self._figures = self.panel.tasks.start(self._show(rest_s))

    async def _show(self, rest_s: float) -> None:
        await asyncio.sleep(rest_s)
        checker = self._checker
        if checker is None:
            return
        check, start_ms = checker.check, browser.now_ms()
        found = await checker.find(browser)
        if checker is not self._checker or check is not checker.check:
            return
        web.page["check-draw"].hidden = check is not None
        web.page["check-found"].hidden = check is None
        flat = checker.survey.model.tree.is_flat
        web.page["check-by-row"].hidden = flat
        if check is None or found is None:
            survey = checker.survey
            learned = len(survey.learned or ())
            self._said.textContent = before_the_draw(flat, learned, survey.unknown_examples)
            return
        browser.measure("lookdown:estimate", start_ms, browser.now_ms())
        self._said.textContent = how_far(check)
        go_on = web.page["check-go-on"]
        go_on.hidden = not found.left
        go_on.textContent = "Go on judging" if check.judgements else "Judge"
        web.page["check-teach"].hidden = not check.judgements
        self._show_figures(check, found, checker)
        self._said_overall = self._overall(found)
        self._tell(check)

    def _tell(self, check: Check) -> None:
        """Say beside the squares how far it is; the number follows a little later."""
        self.judging.tell(f"{how_far(check)} {self._said_overall}")

    @staticmethod
    def _overall(found: Findings) -> str:
        if found.estimate is None:
            return ""
        return f"The map is right on {share(found.estimate.overall)} of the area."

    def _show_figures(self, check: Check, found: Findings, checker: Checker) -> None:
        survey, result = checker.survey, found.estimate
        web.page["check-overall"].textContent = self._overall(found)
        web.page["check-table"].hidden = web.page["check-more-row"].hidden = result is None
        fill(web.page["check-notes"], [worded(web.li(), each) for each in notes(found, check)])
        if result is None:
            return
        map_ha = dict(zip(found.answers, found.map_ha.tolist(), strict=True))
        users = dict(zip(found.answers, result.users, strict=True))
        rows = [
            self._row(ground_name(survey, node), map_ha.get(node, 0.0), area(figure),
                      f"{figure.value:,.1f}", accuracies(users.get(node), producers))
            for node, figure, producers in zip(
                found.grounds, result.areas, result.producers, strict=True
            )
        ]  # fmt: skip
        rows += [
            self._row(name_of(survey, node), map_ha[node], "", "", accuracies(users[node])
                      if name_of(survey, node) != NOT_SURE_NAME else "")
            for node in found.answers
            if node not in found.grounds
        ]  # fmt: skip
        fill(web.page.find("#check-table tbody")[0], rows)
        self._more_of = {
            node: more
            for node, more in zip(found.grounds, result.more, strict=True)
            if more is not None and any(more)
        }
        chosen = self._for.value
        fill(self._for, [option(ground_name(survey, each), str(each)) for each in self._more_of])
        if chosen in [str(each) for each in self._more_of]:
            self._for.value = chosen
        self._offer_more()

    @staticmethod
    def _row(name: str, map_ha: float, interval: str, value: str, said: str):
        first = worded(web.td(), name)
        first.append(worded(web.small(), said))
        last = worded(web.td(), value)
        last.append(worded(web.small(), interval))
        return web.tr(first, worded(web.td(), f"{map_ha:,.1f}"), last)

    def _offer_more(self) -> None:
        chosen = self._for.value
        web.page["check-more-row"].hidden = not chosen
        if chosen:
            self._more.textContent = more_squares(sum(self._more_of[int(chosen)]))

    def _judge_more(self) -> None:
        """Draw more squares where they help the chosen class most, and judge them."""
        checker = self._checker
        if checker is None or checker.check is None or not self._for.value:
            return
        checker.check.extend(self._more_of[int(self._for.value)])
        self._judge()

    def _save(self, kind: str) -> None:
        checker = self._checker
        if checker is None or checker.check is None:
            return
        make, media = {"csv": (to_csv, "text/csv"), "json": (to_json, "application/json")}[kind]
        name = re.sub(r"[^\w.-]+", "-", checker.survey.name).strip("-.") or "survey"
        text = make(checker.check, checker.survey)
        browser.save_file(f"{name}-check.{kind}", text.encode(), media)
