"""E-mails that say one thing and are made of no notice: a link to get back in, that a way into an account or the address is
another, that who asked to join was answered. None names the person it is for, nor says anything that somebody typed: an address
may be another's.
"""

from models.rules.phrases import phrase
from server.actions.notice_words import Line, Written, written


def recovering(name: str, link: str) -> Written:
    """The mail with the link by which a member sets a new password."""
    intro = [
        phrase("Somebody asked for a link to log in at {name}.", name=name),
        phrase("If that was you, open it within an hour and choose a new password. It works once."),
    ]
    outro = [
        phrase(
            "If it was not you, do nothing: your password stays as it is, and whoever asked does not get this mail."
        ),
        phrase("Give the link to nobody. We never ask you for it."),
    ]
    subject = phrase("A link to log in at {name}", name=name)
    return written(subject, intro, [Line("", "", "", link)], outro)


def warning(what: str, name: str, when: str, home: str) -> Written:
    """The mail that says that a way into an account is another; `what` is the kind of the notice that says so too."""
    tell = phrase(
        "If it was not you, log in, set a new password, remove passkeys that are not yours, and tell a member who may admit people:"
    )
    where = f"{home}/me"
    if what == "password-changed":
        subject = phrase("Your password was changed ({name})", name=name)
        said = phrase(
            "The password of your account at {name} was changed: {when}. Other browsers were logged out.",
            name=name,
            when=when,
        )
        tell = phrase("If it was not you, set another one now, and tell a member who may admit people:")
        where = f"{home}/login/lost"
    elif what == "passkey-added":
        subject = phrase("A passkey was added ({name})", name=name)
        said = phrase(
            "A passkey was added to your account at {name}: {when}. Who has it can log in as you.",
            name=name,
            when=when,
        )
    elif what == "passkey-removed":
        subject = phrase("A passkey was removed ({name})", name=name)
        said = phrase(
            "A passkey was removed from your account at {name}: {when}. Nobody can log in with it any more.",
            name=name,
            when=when,
        )
    else:
        subject = phrase("Your second factor was turned off ({name})", name=name)
        said = phrase(
            "The second factor of your account at {name} was turned off: {when}. The password alone is enough to log in now.",
            name=name,
            when=when,
        )
    intro = [said, phrase("If that was you, there is nothing to do."), tell]
    return written(subject, intro, [Line("", "", "", where)], [])


def moved(name: str, when: str, settings: str) -> Written:
    """The mail to an address that its member has replaced, or had forgotten."""
    intro = [
        phrase(
            "Since {when} your account at {name} does not have this e-mail address any more. No more mail comes to it.",
            name=name,
            when=when,
        ),
        phrase("If that was you, there is nothing to do."),
        phrase(
            "If it was not you, log in, set a new password and put your address back, and tell a member who may admit people:"
        ),
    ]
    subject = phrase("Your e-mail address was changed ({name})", name=name)
    return written(subject, intro, [Line("", "", "", settings)], [])


def answering(name: str, link: str, *, admitted: bool) -> Written:
    """The mail for who asked to join."""
    outro = [
        phrase(
            "You get no more e-mail from us because of this request, and your address is not kept with it."
        )
    ]
    if admitted:
        subject = phrase("You are a member of {name}", name=name)
        intro = [
            phrase("Your request to join {name} was granted. You are a member now.", name=name),
            phrase("Log in with the name and the password that you chose:"),
        ]
    else:
        subject = phrase("Your request to join {name}", name=name)
        intro = [
            phrase("Your request to join {name} was declined.", name=name),
            phrase(
                "If they wrote why, you can read it when you try to log in with the name and the password that you chose:"
            ),
        ]
    return written(subject, intro, [Line("", "", "", link)], outro)
