"""``python -m github_app`` is ``countersign``."""

from github_app.cli import main

main()
