"""E-mails that say one thing and are made of no notice: a link to get back in, that the password is another, that who asked to join
was answered. None names the person it is for, nor says anything that somebody typed: an address may be another's."""

from server.actions.notice_words import Line, Written, written


def recovering(name: str, link: str) -> Written:
    """The mail with the link by which a member sets a new password."""
    intro = [
        f"Somebody asked for a link to log in at {name}.",
        "If that was you, open it within an hour and choose a new password. It works once.",
    ]
    outro = [
        "If it was not you, do nothing: your password stays as it is, and whoever asked does not get this mail.",
        "Give the link to nobody. We never ask you for it.",
    ]
    return written(f"A link to log in at {name}", intro, [Line("", "", "", link)], outro)


def changed(name: str, when: str, lost: str) -> Written:
    """The mail that says that the password is another."""
    intro = [
        f"The password of your account at {name} was changed: {when}. Other browsers were logged out.",
        "If that was you, there is nothing to do.",
        "If it was not you, set another one now, and tell a member who may admit people:",
    ]
    return written(f"Your password was changed ({name})", intro, [Line("", "", "", lost)], [])


def answering(name: str, link: str, *, admitted: bool) -> Written:
    """The mail for who asked to join."""
    outro = ["You get no more e-mail from us because of this request, and your address is not kept with it."]
    if admitted:
        intro = [
            f"Your request to join {name} was granted. You are a member now.",
            "Log in with the name and the password that you chose:",
        ]
        return written(f"You are a member of {name}", intro, [Line("", "", "", link)], outro)
    intro = [
        f"Your request to join {name} was declined.",
        "If they wrote why, you can read it when you try to log in with the name and the password that you chose:",
    ]
    return written(f"Your request to join {name}", intro, [Line("", "", "", link)], outro)
