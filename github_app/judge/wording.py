"""The words and shapes by which people and tools say that AI took part, or did not.

Everything is matched against normalised text in lower case. No pattern backtracks over more than a
bounded number of characters: repetition is possessive, or has a limit. Where a pattern can begin
with plain letters it does, for the engine finds those much faster than a choice of words.
"""

import re
from functools import lru_cache

PICTURE = "\xa4"  # stands for every character that is neither a letter of Latin-1 nor below
_WIDE = re.compile(r"[^\x00-\xff]++")
_PLAIN = {ord(wide): plain for wide, plain in zip("•“”‘’✓✔–—…", "*\"\"''xx--.", strict=True)}  # noqa: RUF001
_SHORT = 16


def narrow(text: str) -> str:
    """``text`` in characters of one byte, as long as before: what all patterns are matched against.

    Searching is several times slower in a text with a single wider character, such as a picture.
    """
    return text if text.isascii() else _WIDE.sub(_narrowed, text)


def _narrowed(run: re.Match[str]) -> str:
    wide = run[0]
    return _narrow_short(wide) if len(wide) <= _SHORT else _narrow(wide)


def _narrow(wide: str) -> str:
    return _WIDE.sub(lambda run: PICTURE * len(run[0]), wide.translate(_PLAIN))


_narrow_short = lru_cache(maxsize=1024)(_narrow)


def _either(words: str) -> str:
    """One of these words; an underscore stands for a space."""
    return "(?:" + "|".join(word.replace("_", " ") for word in words.split()) + ")"


# -- credit lines ----------------------------------------------------------------------------------

LEADS = " \t>*+|\\_`\"'#-"  # what may stand before a key
KEY = re.compile(
    rf"^(?P<lead>[{re.escape(LEADS)}]*+)(?P<key>[a-z][a-z0-9]*+(?:[ -][a-z0-9]++){{0,4}}+)"
    r"[*_`]{0,3}+[ \t]*+:(?!//)[*_]{0,3}+",
    re.MULTILINE,
)
SESSION_KEYS = ("-session", "-session-id", "-session-url", "-thread-id", "-conversation-id")
SESSION_ID = re.compile(r"https?://[^\s]{8,}+|[a-z]{0,12}[_-]?(?=[a-z]{0,40}[0-9])[0-9a-z_-]{8,}+")

# -- "generated with ..." -------------------------------------------------------------------------

_ADVERB = _either(
    "entirely mostly largely automatically partly in_part fully primarily solely completely"
)
_HELP = rf"(?: the)?(?: {_either('help assistance aid support')} (?:of|from))?"
BY_MEANS_OF = tuple(
    (stem, re.compile(rf"{stem}[ -](?:{_ADVERB} )?{_either('with by using via')}(?![a-z]){_HELP}"
                      r"[ \t]*+(?P<colon>:?)[ \t]*+"))
    for stem in ("ed", "written", "made", "built")
)  # fmt: skip
# What "ed" may be the end of. A literal \n before it counts as the beginning of a line.
VERB_LENGTH = 14
VERB = re.compile(
    r"(?:(?<![\w-])|(?<=\\n))(?:(?P<credit>co-?author|assist|generat)|"
    + _either(
        "creat implement author vibe[-_]cod cod develop draft produc craft ultrawork fix "
        "pair-programm paired-programm co-creat "
        "refactor translat open submitt post"
    )
    + ")$"
)  # fmt: skip
OF_TOOLS = ("generated", "assisted", "vibe")  # said of tools, seldom of people
OF_PRODUCTS = ("built", "made", "opened", "submitted", "translated", "fixed")
# The part of a change that was made so: "This PR was mostly ...", "Unit tests ...".
SUBJECT_OF_MADE = re.compile(
    r"(?:^[^a-z0-9]*+|[.,;:!?(][ ]?)(?:"
    + _either(
        "this the these all some most mostly unit new initial and of both e2e integration a "
        "regression parts? its first docs? pr commits? changes? patch code tests? pull request "
        "files? implementation fix version migration script documentation description draft "
        "feature work functions? series mr branch project app was were is are been has have "
        "largely predominantly mainly entirely fully partly initially originally automatically "
        "primarily completely everything cases? added refactoring automated automatic security 100%"
    )
    + r"(?![a-z0-9])[ :]*+){0,12}+$"
)
CLAUSE_END = re.compile(
    r"[.!](?:\s|$)|\]\(|[;:]| - | and then | "
    + _either("for to in on at under during after while but from per based because")
    + " "
)
TAG = re.compile(
    r"(?:\(via |\[(?:via|with) )(?P<name>[a-z][a-z0-9 .-]{0,40})[)\]](?=[ \t.]*+$)", re.MULTILINE
)
PRODUCT = re.compile(r"\[?[a-z][\w.]*+(?: [\w.]++){0,2}+(?:\]\(|[.!]?$)")
PICTURED_LINE = re.compile(rf"^[ \t>*_-]*+{PICTURE}[^\n]{{1,300}}", re.MULTILINE)
# Generators, automation and feelings, of which people say the same.
NOT_AI_MAKER = re.compile(
    r"`|\.(?:py|sh|js|ts|rb|pl|go|rs|ya?ml|toml|json|mk|proto|txt|md)\b|"
    + _either(
        r"github_actions? release mergify renovate dependabot protoc openapi swagger stainless "
        r"make\b cargo npm script love cliff changeset semantic weblate crowdin hand\b mistake "
        r"default hugo sphinx doxygen mkdocs jekyll gradle maven cmake bazel webpack vite rollup "
        r"typedoc rustdoc javadoc snyk sonar pre-commit whitesource mend pyup transifex poeditor"
    )
)

# -- links -----------------------------------------------------------------------------------------

LINK = re.compile(r"https?://(?:www\.)?(?P<rest>(?P<host>[a-z0-9.-]++)(?P<path>[^\s)>\]\"'<`]*+))")
SESSION_PATH = re.compile(
    "/"
    + _either("sessions? tasks? threads? conversations? agents? runs? traces? chats?")
    + r"/[a-z0-9_-]{8}"
)

# -- declarations ----------------------------------------------------------------------------------

_AI = _either("ai llm genai")
_TOOLS = _either("ai llm claude copilot chatgpt cursor codex gemini")
BOXES = ("- [", "* [", "+ [")
BOX = re.compile(r"^[ \t>]*+[-*+] \[x\][ \t]*+(?P<text>[^\n]{1,300})", re.MULTILINE)
HEADING = re.compile(
    rf"^#{{1,6}}+ [^\n]{{0,40}}?\b{_AI}\b[- ]"
    + _either("disclosure usage use assistance assisted tools attribution involvement")
    + r"[^\n]*+\n\s*+(?P<text>[^\n]{1,300})",
    re.MULTILINE,
)
AI_MADE = tuple(
    (word, re.compile(word + r"[- ](?:generated|assisted|written|authored|coded)(?![a-z])"))
    for word in ("ai", "llm", "vibe")
)
# What must stand before "AI-generated" to make it a statement about this change, not a topic.
HOW_MUCH = re.compile(
    _either(
        "mostly largely predominantly mainly primarily entirely fully partially partly completely "
        "heavily 100%"
    )
    + r"[ -](?:gen)?$"
    + rf"|(?<![a-z])(?:this|the) {_either('pr pull_request commit change patch code mr branch')} "
    r"(?:is|was|has been) [a-z ]{0,20}$"
    r"|[\[(](?:gen)?$"
    r"|^[^a-z0-9]*+(?:note|notice|warning|disclaimer|disclosure): (?:this is |all )?(?:gen)?$"
)
VIBED = (" was ", " is ", "ly ")  # what stands before "vibe coded" when it is about this change
I_USED = re.compile(r"(?<![a-z])i (?:have )?$")
USED = re.compile(
    rf"used (?:an? )?{_TOOLS}[a-z ]{{0,30}} to "
    + _either("write generate create implement help draft assist code develop")
)
CLAIMS = re.compile(
    r"\b"
    + _either(
        "ai llm genai copilot claude chatgpt cursor codex gemini agent devin jules warp windsurf "
        "aider gpt"
    )
    + r"\b"
)
SAYS_MADE = re.compile(
    r"\b"
    + _either(
        "generated created written authored assisted assistance implemented used using made coded "
        "produced drafted helped help yes via by tools? with"
    )
    + r"\b"
)
ABOUT_RULES = re.compile(
    r"\b"
    + _either(
        "polic guideline read disclos if_ any_ review responsib understand agree complies comply "
        "ensure checked labelled labeled documented link"
    )
)
NO = re.compile(
    _either("no none false never 0 not? n/?a - nil without nope not_used not_applicable unused")
    + r"(?![a-z0-9/])|no[,.;: ]|not |none[,.;: ]|did not|didn't"
)
DENIES = re.compile(
    r"\b"
    + _either("no not without never none neither isn't wasn't didn't doesn't nothing")
    + r"\b[^\n]{0,60}?\b"
    + _either("ai llms? genai generat assist copilot claude chatgpt tool")
    + rf"|\b{_AI}\b[^\n]{{0,30}}?\b(?:not|none|no|never|n/a)\b"
)

# -- quotation -------------------------------------------------------------------------------------

SQUASHED = "squashed commit of the following"
FENCE = re.compile(r"^[ \t>]*+(?:```|~~~)", re.MULTILINE)
DIFF = re.compile(r"^(?:diff --git |@@ -[0-9])", re.MULTILINE)
