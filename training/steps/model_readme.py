"""What a person reads beside a model: ``README.md`` as Hugging Face has it, and its STAC item."""

import json
import re
from pathlib import Path
from typing import Any

import jinja2

from pyapp.core.errors import CardError
from pyapp.core.model.card import Card
from training.errors import TrainingError
from training.files import write_text
from training.steps import stac

HERE = Path(__file__).resolve().parent
README_FILE, ITEM_FILE = "README.md", "stac-item.json"
# Not the semicolons inside brackets.
BETWEEN_SOURCES = re.compile(r"; (?![^(]*\))")


def write(card_file: Path, model: Path) -> None:
    """Write ``README.md`` and ``stac-item.json`` beside a model, from its card.

    Parameters
    ----------
    card_file : Path
        The ``card.json`` of the model.
    model : Path
        The model's file.

    Raises
    ------
    TrainingError
        If the card or the model can't be read, or a file can't be written.
    """
    place = card_file.parent
    try:
        text = card_file.read_text(encoding="utf-8")
        card = Card.from_json(place.name, text)
        facts = json.loads(text)
        item = stac.item(facts, card, model)
        page = readme(facts, card, stac.output_shapes(model))
    except CardError as error:
        raise TrainingError(str(error)) from error
    except KeyError as error:
        raise TrainingError(f"{card_file} lacks {error.args[0]}.") from error
    except OSError as error:
        raise TrainingError(f"The model in {place} can't be read: {error}.") from error
    write_text(place / README_FILE, page)
    write_text(place / ITEM_FILE, json.dumps(item, indent=1, ensure_ascii=False) + "\n")


def readme(facts: dict[str, Any], card: Card, shapes: dict[str, list[int]]) -> str:
    """The page of a model.

    Parameters
    ----------
    facts : dict
        What ``card.json`` holds.
    card : Card
        The same, as the page reads it.
    shapes : dict of str to list of int
        The shape of each output; -1 for a dimension that varies.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": _percent, "yaml": _yaml}
    recipe = HERE / "recipes" / f"{card.name}.toml"
    return environment.get_template("model_readme.md.j2").render(
        facts=facts,
        card=card,
        shapes=shapes,
        tree=facts.get("tree"),
        datasets=_datasets(facts["training_data"]),
        measured=facts["measured"],
        abroad=facts.get("abroad"),
        project=facts.get("project"),
        recipe=f"training/recipes/{recipe.name}" if recipe.exists() else None,
    )


def _datasets(said: str) -> list[str]:
    """Short names of the sources that a card names; each is a title, then a citation in brackets.

    >>> _datasets("UC Merced Land Use (Yang; ACM), cut from USGS; AID (Xia; Google)")
    ['uc-merced-land-use', 'aid']
    """
    titles = [each.partition("(")[0].partition(",")[0] for each in BETWEEN_SOURCES.split(said)]
    return [re.sub(r"[^a-z0-9]+", "-", each.lower()).strip("-") for each in titles]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _yaml(value: object) -> str:
    """A value for YAML, of which JSON is a part."""
    return json.dumps(value, ensure_ascii=False)
