"""``python -m sandbox``: a GitHub on localhost to play with, until Ctrl-C."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from sandbox import play
from sandbox.server import Sandbox


@click.command()
@click.option("--port", default=8480, show_default=True, help="0 takes a free one.")
@click.option("--webhook-url", default="", help="Where the app's webhooks go.")
@click.option("--latency", default=0.0, help="Milliseconds added to every API call.")
@click.option("--seed", default=0, help="Of the dice that lose and delay webhooks.")
@click.option("--state", type=click.Path(path_type=Path), help="Directory for key and env.json.")
@click.option("--rate-limit", default=5000, show_default=True, help="API calls an hour.")
@click.option("--no-app", is_flag=True, help="Leave the app out: for a set-up from nothing.")
@click.option("--public", is_flag=True, help="Make acme/shop public.")
def main(
    port: int, webhook_url: str, latency: float, seed: int, state: Path | None, rate_limit: int, public: bool, no_app: bool,  # noqa: E501, FBT001
) -> None:  # fmt: skip
    """Run a stateful GitHub for one machine. A toy: no passwords, loopback only."""
    sandbox = Sandbox(
        port=port, webhook_url=webhook_url, latency_ms=latency, seed_number=seed, state_dir=state,
        rate_limit=rate_limit, private=not public, with_app=not no_app, extend=play.install,
    )  # fmt: skip
    with sandbox:
        click.echo(f"GitHub sandbox at {sandbox.url} (API {sandbox.api_url})")
        click.echo(f"environment for the app: {sandbox.write_env()}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("bye")


if __name__ == "__main__":
    main()
