"""stub"""


def install(app: object) -> None: ...
