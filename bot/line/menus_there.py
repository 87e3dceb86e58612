"""The rich menus that LINE has for the channel, and how they become the ones that should be there.

The order is what makes a failure harmless: nobody sees a menu before both are complete, an old one goes only when
nobody is led to it any more, and whatever is left over is found by its name the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linebot.v3.messaging import CreateRichMenuAliasRequest, UpdateRichMenuAliasRequest

from bot.errors import DeliveryError, DeliveryFailed
from bot.findings import Finding
from bot.line.api import LineApi, NotFound, Odd, object_of
from bot.line.channel import reason
from bot.line.menu import OURS, Menu

_MENUS, _ALIASES, _DEFAULT = "/v2/bot/richmenu", "/v2/bot/richmenu/alias", "/v2/bot/user/all/richmenu"


@dataclass(frozen=True, slots=True)
class Standing:
    """What LINE has: names by menu id, menu ids by alias, and the id of the menu that everybody sees, if it is ours
    to know.
    """

    names: Mapping[str, str]
    aliases: Mapping[str, str]
    default: str

    def id_of(self, menu: Menu) -> str:
        """The id under which this very menu can be seen; nothing where it is not there, or not complete.

        LINE gives an alias only to a menu that has its picture.
        """
        menu_id = self.aliases.get(menu.alias, "")
        return menu_id if self.names.get(menu_id) == menu.name else ""

    def others_of_ours(self, kept: Sequence[str]) -> list[str]:
        """The ids of menus that this program made, but for those."""
        return [menu_id for menu_id, name in self.names.items() if OURS.fullmatch(name) and menu_id not in kept]


class MenusThere:
    """Reads and changes them. Every method raises `DeliveryError`.

    Args:
        data_api: LINE's host of media, which takes the pictures.
    """

    def __init__(self, api: LineApi, data_api: LineApi) -> None:
        self._api = api
        self._data_api = data_api

    def look(self) -> Standing:
        """What is there now."""
        menus = self._api.get(f"{_MENUS}/list").get("richmenus")
        aliases = self._api.get(f"{_ALIASES}/list").get("aliases")
        names = _pairs(menus, "richMenuId", "name")
        return Standing(names, _pairs(aliases, "richMenuAliasId", "richMenuId"), self._default())

    def _default(self) -> str:
        try:
            return str(self._api.get(_DEFAULT).get("richMenuId", ""))
        except NotFound:
            return ""
        except DeliveryFailed:  # 403: it was set in the Official Account Manager, which does not tell which
            return ""

    def create(self, menu: Menu) -> str:
        """Make a menu with its picture, which nobody sees yet; its id. 100 an hour at most."""
        menu_id = object_of(self._api.post(_MENUS, menu.request)).get("richMenuId")
        if not isinstance(menu_id, str) or not menu_id:
            raise Odd("LINE tells no id of the rich menu")
        self._data_api.upload(f"{_MENUS}/{menu_id}/content", menu.picture, "image/png")
        return menu_id

    def give_alias(self, alias: str, menu_id: str, *, is_new: bool) -> None:
        """Have the items that lead to this alias show the menu."""
        if is_new:
            self._api.post(_ALIASES, CreateRichMenuAliasRequest(richMenuAliasId=alias, richMenuId=menu_id))
        else:
            self._api.post(f"{_ALIASES}/{alias}", UpdateRichMenuAliasRequest(richMenuId=menu_id))

    def show_to_all(self, menu_id: str) -> None:
        """Show the menu to everybody who has not switched to another."""
        self._api.post(f"{_DEFAULT}/{menu_id}")

    def delete(self, menu_id: str) -> None:
        """Take a menu away; who had switched to it sees the one for everybody. 100 an hour at most."""
        try:
            self._api.delete(f"{_MENUS}/{menu_id}")
        except NotFound:
            return


def _pairs(listed: Any, key: str, value: str) -> dict[str, str]:
    """Two texts of every object in the list. Not by the SDK's models: they know not every action of others' menus."""
    if not isinstance(listed, list):
        raise Odd("LINE's list of rich menus is none")
    objects = [one for one in listed if isinstance(one, dict)]
    return {str(one[key]): str(one[value]) for one in objects if key in one and value in one}


def put_up(there: MenusThere, wanted: Sequence[Menu], *, dry_run: bool) -> Iterator[Finding]:
    """Have LINE show the wanted menus, the first of them to everybody, and take away ours of before.

    Nothing is called but to look where all is as it should be, or with `dry_run`.
    """
    try:
        standing = there.look()
        if dry_run:
            yield from _plan(standing, wanted)
        else:
            yield from _carry_out(there, standing, wanted)
    except DeliveryError as error:
        yield Finding("bad", f"rich menu: {reason(error)}; what is told above stands, and running it again mends")


def _plan(standing: Standing, wanted: Sequence[Menu]) -> Iterator[Finding]:
    ids = [standing.id_of(menu) for menu in wanted]
    for menu, menu_id in zip(wanted, ids, strict=True):
        yield _is_there(menu) if menu_id else Finding("would", f"make rich menu {menu.name}")
    if standing.default != ids[0] or not ids[0]:
        yield Finding("would", f"show rich menu {wanted[0].name} to everybody{_in_place_of(standing)}")
    for menu_id in standing.others_of_ours(ids):
        yield Finding("would", f"delete rich menu {standing.names[menu_id]}")


def _carry_out(there: MenusThere, standing: Standing, wanted: Sequence[Menu]) -> Iterator[Finding]:
    ids = []
    for menu in wanted:
        if menu_id := standing.id_of(menu):
            yield _is_there(menu)
        else:
            menu_id = there.create(menu)
            yield Finding("done", f"rich menu {menu.name} made")
        ids.append(menu_id)
    for menu, menu_id in zip(wanted, ids, strict=True):
        if standing.aliases.get(menu.alias) != menu_id:
            there.give_alias(menu.alias, menu_id, is_new=menu.alias not in standing.aliases)
    if standing.default != ids[0]:
        there.show_to_all(ids[0])
        yield Finding("done", f"rich menu {wanted[0].name} is shown to everybody{_in_place_of(standing)}")
    for menu_id in standing.others_of_ours(ids):
        there.delete(menu_id)
        yield Finding("done", f"rich menu {standing.names[menu_id]} deleted")


def _is_there(menu: Menu) -> Finding:
    return Finding("ok", f"rich menu {menu.name} is there")


def _in_place_of(standing: Standing) -> str:
    """Whose place it takes, where that is a menu that somebody else made."""
    name = standing.names.get(standing.default, "")
    return f", in the place of {name!r}, which stays" if name and not OURS.fullmatch(name) else ""
