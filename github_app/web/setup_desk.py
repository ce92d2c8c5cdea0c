"""One set-up, from the code in the terminal to the stored credentials: who may do what, and when.

One browser at a time: the code works once and is exchanged for a session. Each form for GitHub
carries a state that works once, within the hour that GitHub's own code lives. Nothing here knows
HTTP. Safe for any number of threads.
"""

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from github_app.app_manifest import Choice
from github_app.gateway.registration import Registered
from github_app.judge.errors import CountersignError

# No letter that is read as another one. 12 of them: 59 bits, and few tries.
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_CODE_LENGTH, _GROUP = 12, 4
MOST_TRIES = 10
STATE_SECONDS = 3600.0  # as long as GitHub's code lives
MOST_STATES = 20  # forms that are open at once, in tabs


class Refusal(CountersignError):
    """A step that is not allowed now. The message is for the page and quotes nothing."""

    advice = "Begin again at /setup."


class Phase(Enum):
    OPEN = "open"
    REGISTERING = "registering"  # GitHub is being asked: nothing else may begin
    DONE = "done"
    CLOSED = "closed"  # given up, or too many wrong codes


@dataclass(slots=True)
class Session:
    """The one browser that knew the code. ``form``: what its own forms carry."""

    cookie: str = field(repr=False)
    form: str = field(repr=False)
    problem: str = ""  # told once, on the next page

    def made(self, form: str) -> bool:
        """Whether a form that came back is one of this session's."""
        return _same(form, self.form)


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it. A value that exists is stored."""

    registered: Registered
    choice: Choice


class Desk:
    """``register``: GitHub's code -> the app; ``keep``: stores its credentials.

    Both raise CountersignError. ``code`` is for the terminal, and for nowhere else.
    """

    def __init__(
        self,
        choice: Choice,
        *,
        register: Callable[[str], Registered],
        keep: Callable[[Registered, Choice], None],
        clock: Callable[[], float],
    ) -> None:
        self._choice = choice
        self._register = register
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        self._phase = Phase.OPEN
        self._code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
        self._tries = 0
        self._session: Session | None = None
        self._states: dict[str, float] = {}
        self.made: Made | None = None
        self.shown = threading.Event()  # the last page was sent, or nobody can go on

    @property
    def code(self) -> str:
        groups = range(0, _CODE_LENGTH, _GROUP)
        return "-".join(self._code[start : start + _GROUP] for start in groups)

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def choice(self) -> Choice:
        return self._choice

    def unlock(self, typed: str) -> Session:
        """Exchange the terminal's code for a session, once. Raises: Refusal."""
        given = "".join(typed.upper().replace("-", "").split())
        with self._lock:
            if self._phase is not Phase.OPEN or self._session is not None:
                raise Refusal("The code was used already. Run the command again for a new one.")
            if not _same(given, self._code):
                self._tries += 1
                left = MOST_TRIES - self._tries
                if left == 0:
                    self._close()
                    raise Refusal("Too many wrong codes. Run the command again for a new one.")
                raise Refusal(
                    f"That is not the code. {left} more {'try' if left == 1 else 'tries'}."
                )
            self._session = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
            return self._session

    def session(self, cookie: str) -> Session | None:
        """The session of this cookie, if it is the one."""
        found = self._session
        return found if found is not None and _same(cookie, found.cookie) else None

    def choose(self, choice: Choice) -> None:
        """Register this instead. Forms that are open already are not good any more."""
        with self._lock:
            self._must_be_open()
            self._choice = choice
            self._states.clear()

    def new_state(self) -> str:
        """For one form: it comes back from GitHub with the code."""
        now = self._clock()
        with self._lock:
            self._must_be_open()
            alive = {one: made for one, made in self._states.items() if now - made < STATE_SECONDS}
            while len(alive) >= MOST_STATES:
                del alive[min(alive, key=alive.__getitem__)]
            state = secrets.token_urlsafe(32)
            self._states = alive | {state: now}
        return state

    def register(self, state: str, code: str) -> Made:
        """Exchange GitHub's code, store what comes, close the door.

        Raises: Refusal; GitHubError; whatever ``keep`` raises. After these it can be begun again.
        """
        with self._lock:
            self._must_be_open()
            self._use_up(state)
            self._phase, choice = Phase.REGISTERING, self._choice
        made: Made | None = None
        try:
            registered = self._register(code)
            self._keep(registered, choice)
            made = Made(registered, choice)
        finally:
            with self._lock:
                self.made = made
                self._phase = Phase.OPEN if made is None else Phase.DONE
        return made

    def close(self) -> bool:
        """Let nothing begin any more. False while GitHub is being asked: then it is not closed."""
        with self._lock:
            if self._phase is Phase.REGISTERING:
                return False
            self._close()
            return True

    def _close(self) -> None:
        if self._phase is Phase.OPEN:
            self._phase = Phase.CLOSED
        self.shown.set()

    def _must_be_open(self) -> None:
        if self._phase is Phase.REGISTERING:
            raise Refusal("GitHub is being asked already. Wait a moment.")
        if self._phase is not Phase.OPEN:
            raise Refusal("Countersign is set up.")

    def _use_up(self, state: str) -> None:
        """Every state is looked at, so that the time taken tells nothing. Raises: Refusal."""
        found = [known for known in self._states if _same(known, state)]
        if not found:
            raise Refusal("GitHub's answer does not belong to this set-up, or came twice.")
        if self._clock() - self._states.pop(found[0]) >= STATE_SECONDS:
            raise Refusal("GitHub's answer came after more than an hour.")


def _same(one: str, other: str) -> bool:
    """In constant time."""
    encode = "surrogatepass"
    return hmac.compare_digest(one.encode("utf-8", encode), other.encode("utf-8", encode))
