"""NodeInfo: what our server says about itself, and what we read of others. Figures are the caller's."""

from typing import Any, Final

from activitypub import adapter
from activitypub.codec import AS2

Json = dict[str, Any]

WELL_KNOWN: Final = "/.well-known/nodeinfo"
PATHS: Final = {"2.0": "/nodeinfo/2.0", "2.1": "/nodeinfo/2.1"}
SCHEMA: Final = "http://nodeinfo.diaspora.software/ns/schema/"
APPLICATION: Final = f"{AS2}#Application"
SOFTWARE: Final = "jura"


def content_type(schema: str) -> str:
    """The Content-Type of a document of that schema version."""
    return f'application/json; profile="{SCHEMA}{schema}#"'


def links(base: str, instance_actor: str) -> Json:
    """The well-known document: our schemas, and the instance actor (FEP-2677). `base` has no last slash."""
    listed = [{"rel": f"{SCHEMA}{schema}", "href": f"{base}{path}"} for schema, path in PATHS.items()]
    return {"links": [*listed, {"rel": APPLICATION, "href": instance_actor}]}


def document(
    schema: str,
    *,
    version: str,
    users: int,
    posts: int = 0,
    open_registrations: bool = False,
    repository: str | None = None,
    homepage: str | None = None,
    metadata: Json | None = None,
) -> Json:
    """The NodeInfo document of schema "2.0" or "2.1"; KeyError for another."""
    PATHS[schema]
    built = adapter.nodeinfo_20(
        SOFTWARE, version, users=users, posts=posts, open_registrations=open_registrations
    )
    built["version"] = schema
    built["metadata"] = metadata or {}
    if schema == "2.1":
        more = {"repository": repository, "homepage": homepage}
        built["software"] |= {key: value for key, value in more.items() if value}
    return built


def best_link(well_known: Json) -> str | None:
    """Where another server keeps its newest document that we read, or None."""
    listed = well_known.get("links")
    usable = [link for link in listed if isinstance(link, dict)] if isinstance(listed, list) else []
    for schema in ("2.1", "2.0"):
        for link in usable:
            if link.get("rel") == f"{SCHEMA}{schema}" and isinstance(link.get("href"), str):
                return str(link["href"])
    return None


def software(info: Json) -> tuple[str, str] | None:
    """Name and version of another server's software, cut to a sane length, or None if it does not say."""
    said = info.get("software")
    if not isinstance(said, dict):
        return None
    name, version = said.get("name"), said.get("version")
    if not isinstance(name, str) or not isinstance(version, str):
        return None
    return name[:64].lower(), version[:64]
