"""The built site on a bare file server, below a path: what GitHub Pages is."""


def test_it_works_without_headers_and_below_a_path(open_page, host):
    page = open_page(ready=False)
    page.site = host.address
    page.open("#map=17/27.62900/85.52468")
    assert page.tab.evaluate("crossOriginIsolated") is False
    assert page.classify().label == "medium residential area"
    assert page.tab.evaluate("location.pathname") == "/some/where/"
    answered = [url for url in page.asked if url.startswith(host.address)]
    assert len(answered) > 20
