"""The content security policy: it lets the page do all it does, and nothing else."""

import pytest

WATCH = """
window.refused = [];
addEventListener("securitypolicyviolation", ({effectiveDirective}) =>
  window.refused.push(effectiveDirective));
"""


@pytest.fixture
def watched(open_page):
    return open_page(before=lambda context: context.add_init_script(WATCH))


def test_nothing_that_the_page_does_is_refused(watched, tile_server):
    watched.classify()
    watched.tab.goto(f"{watched.site}?imagery={tile_server.template}&maxzoom=18")
    watched.wait_ready()
    watched.tab.click("#agree button[value=yes]")
    watched.classify()
    assert watched.tab.evaluate("refused") == []


@pytest.mark.parametrize(
    ("deed", "directive"),
    [
        ("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
         "script-src-elem"),
        ("document.body.append(Object.assign(document.createElement('script'), "
         "{src: 'http://127.0.0.1:9/evil.js'}))", "script-src-elem"),
        ("fetch('http://elsewhere.example/').catch(() => 0)", "connect-src"),
        ("document.body.append(Object.assign(document.createElement('iframe'), "
         "{src: 'http://127.0.0.1:9/'}))", "frame-src"),
    ],
    ids=["inline script", "foreign script", "plain http", "frame"],
)  # fmt: skip
def test_what_it_has_no_need_for_is_refused(watched, deed, directive):
    watched.tab.evaluate(deed)
    watched.tab.wait_for_function("refused.length")
    assert watched.tab.evaluate("refused") == [directive]
