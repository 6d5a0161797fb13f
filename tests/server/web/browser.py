"""A browser without script: cookies, forms and pages as the standard library reads them.

`Browser.get` and `Browser.send` follow redirects as browsers do and give a `Page`. It says of itself what browsers say: which site
a form comes from. Tests that pretend to be another site pass other headers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from server.cli.stage import Instance

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
INLINE = {"a", "bdi", "code", "small", "span", "strong", "svg", "time"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What can be read, with single spaces; words of neighbouring blocks do not run together."""
        return " ".join(self._words().split())

    def _words(self) -> str:
        words = "".join(c if isinstance(c, str) else c._words() for c in self.children)
        return words if self.tag in INLINE else f" {words} "

    def all(self, *tags: str) -> list["Element"]:
        """Every element of these kinds inside, in their order."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += ([child] if not tags or child.tag in tags else []) + child.all(*tags)
        return found

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


@dataclass
class Page:
    """An answer, read as HTML where it is."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: str

    def __post_init__(self) -> None:
        reader = _Reader()
        if self.headers.get("Content-Type", "").startswith("text/html"):
            reader.feed(self.body)
            assert len(reader.open) == 1, f"{self.url}: <{reader.open[-1].tag}> is never closed"
        self.root = reader.root

    def all(self, *tags: str) -> list[Element]:
        return self.root.all(*tags)

    @property
    def path(self) -> str:
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def text(self) -> str:
        """What a reader sees of the main part."""
        return " ".join(element.text for element in self.all("main"))

    @property
    def title(self) -> str:
        return " ".join(element.text for element in self.all("title"))

    @property
    def heading(self) -> str:
        return " ".join(element.text for element in self.all("h1"))

    def by_id(self, name: str) -> Element:
        (found,) = [element for element in self.all() if element.get("id") == name]
        return found

    def links(self) -> dict[str, str]:
        """Links of the main part: words → address."""
        return {a.text: a.attributes["href"] for main in self.all("main") for a in main.all("a")}

    def form(self, action: str) -> Element:
        """The form that is sent to an address ending so."""
        forms = [form for form in self.all("form") if (form.get("action") or self.path).endswith(action)]
        assert len(forms) == 1, f"{self.url} has {len(forms)} forms for {action}"
        return forms[0]

    def has_form(self, action: str) -> bool:
        return any((form.get("action") or self.path).endswith(action) for form in self.all("form"))

    @property
    def problems(self) -> list[str]:
        """What the page says is wrong, at the fields and in the summary."""
        return [e.text.removeprefix("Problem: ") for e in self.all("p") if e.get("class") == "problem"]

    @property
    def alert(self) -> str:
        return " ".join(element.text for element in self.all("div") if element.get("role") == "alert")

    @property
    def said(self) -> str:
        """The message that what was sent is done."""
        return " ".join(element.text for element in self.all("div") if element.get("role") == "status")


def filled(form: Element) -> list[tuple[str, str]]:
    """The fields of a form as a browser would send them untouched."""
    pairs = []
    for one in form.all("input", "textarea", "select"):
        name = one.get("name")
        if not name:
            continue
        if one.tag == "textarea":
            pairs.append((name, "".join(c for c in one.children if isinstance(c, str)).removeprefix("\n")))
        elif one.tag == "select":
            options = one.all("option")
            chosen = [o for o in options if "selected" in o.attributes] or options[:1]
            pairs.append((name, chosen[0].attributes["value"]))
        elif one.get("type") not in ("radio", "checkbox") or "checked" in one.attributes:
            pairs.append((name, one.get("value") or ""))
    return pairs


def with_answers(
    pairs: Sequence[tuple[str, str]], answers: Mapping[str, str | Sequence[str]]
) -> list[tuple[str, str]]:
    """The fields with some filled in; a sequence gives a field several values."""
    kept = [(name, value) for name, value in pairs if name not in answers]
    for name, value in answers.items():
        kept += [(name, value)] if isinstance(value, str) else [(name, one) for one in value]
    return kept


class Browser:
    """`async with Browser(instance) as ana:`; cookies are its own."""

    def __init__(self, instance: Instance) -> None:
        self.home = instance.settings.url
        self.base = f"http://127.0.0.1:{instance.settings.listen_port}"
        self.jar = aiohttp.CookieJar(unsafe=True)
        self.session = aiohttp.ClientSession(cookie_jar=self.jar)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def get(self, path: str, headers: Mapping[str, str] | None = None, *, follow: bool = True) -> Page:
        all_headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", **(headers or {})}
        url = path if path.startswith("http") else self.base + path
        async with self.session.get(url, headers=all_headers, allow_redirects=follow) as response:
            return Page(
                response.status, str(response.url), response.headers, await response.text(errors="replace")
            )

    async def post(
        self,
        path: str,
        pairs: Sequence[tuple[str, str]],
        headers: Mapping[str, str] | None = None,
        *,
        follow: bool = True,
    ) -> Page:
        """Send a form, saying (unless `headers` say otherwise) that it is from a page of the site itself."""
        said = {"Accept": "text/html", "Origin": self.home, "Sec-Fetch-Site": "same-origin"}
        all_headers = said if headers is None else {"Accept": "text/html", **headers}
        data = aiohttp.FormData(pairs)
        url = urljoin(self.base, path)
        async with self.session.post(url, data=data, headers=all_headers, allow_redirects=follow) as response:
            return Page(
                response.status, str(response.url), response.headers, await response.text(errors="replace")
            )

    async def send(
        self, page: Page, action: str, *, follow: bool = True, **answers: str | Sequence[str]
    ) -> Page:
        """Fill in the form of a page that goes to `action`, and send it. `my_note` stands for the field `my-note`."""
        form = page.form(action)
        given = {name.replace("__", "-"): value for name, value in answers.items()}
        return await self.post(
            form.get("action") or page.path, with_answers(filled(form), given), follow=follow
        )

    def cookie(self, name: str = "jura") -> str | None:
        return next((cookie.value for cookie in self.jar if cookie.key == name), None)

    def set_cookie(self, value: str, name: str = "jura") -> None:
        self.jar.update_cookies({name: value}, URL(self.base))
