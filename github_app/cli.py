"""``countersign ...``: the list of commands.

Each lives in ``commands/`` and is imported when it is called, so that the quick ones stay quick.
"""

import importlib
import sys

import click

from github_app.judge.errors import CountersignError

# Command -> module and attribute, and the line that --help shows.
COMMANDS: dict[str, tuple[str, str]] = {
    "audit": ("github_app.commands.audit:audit", "Show the audit log, or verify its chain."),
    "backup": ("github_app.commands.backup:backup", "Copy the SQLite database while it is used."),
    "detect": ("github_app.commands.detect:detect", "Find marks of AI tools in commits."),
    "doctor": ("github_app.commands.doctor:doctor", "Say whether the check is really required."),
    "judge": ("github_app.commands.judge:judge_command", "Judge a pull request; publish nothing."),
    "migrate": ("github_app.commands.migrate:migrate", "Make or update the database's tables."),
    "protect": ("github_app.commands.protect:protect", "Require the check by one ruleset."),
    "roster": ("github_app.commands.roster:roster", "Check reviewers.yaml, or pin its ids."),
    "serve": ("github_app.commands.serve:serve", "Run web and worker on this machine."),
    "setup": ("github_app.commands.setup:setup", "Register a GitHub App in two clicks."),
    "sweep": ("github_app.commands.sweep:sweep_command", "Look once for what was missed."),
    "work": ("github_app.commands.work:work", "Show what is waiting, leased or parked."),
    "worker": ("github_app.commands.worker:worker_command", "Run workers only."),
}


class LazyGroup(click.Group):
    """Knows the names of its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in sorted(COMMANDS.items())])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="countersign", prog_name="countersign")
def countersign() -> None:
    """Hold AI-assisted pull requests until a senior engineer has signed them off.

    Exit codes: 0 fine, 1 a finding or a refusal, 2 wrong usage.
    """


def main() -> None:
    """The entry point: our own errors become one line and what to do about it."""
    try:
        countersign()
    except CountersignError as error:
        click.echo(f"countersign: {error}\n{error.advice}", err=True)
        sys.exit(1)
