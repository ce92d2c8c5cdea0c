"""A merge that is as it was judged: the check is published on it, so that a branch may begin there.

What must hold for that is in ``judge/landed.py``; here the facts are put together, without a call.
"""

from github_app import records
from github_app.content import Content
from github_app.gateway.client import Installation
from github_app.gateway.pull_request import Snapshot
from github_app.judge.facts import Repository
from github_app.judge.landed import MAY_BRING_MORE, Landed, doubt, report
from github_app.judge.landing import merged_at, was_green
from github_app.judgement import change_of
from github_app.logs import get_logger
from github_app.publishing import NotYet, Publisher, about
from github_app.rosters import RosterDesk
from github_app.said import holds, last_said, on_head, said_on
from github_app.store.audit import Entry
from github_app.store.claim import Claim
from github_app.store.database import Store

log = get_logger("landed")

# So often what may not be known yet is asked for again: after 1, 2 and 4 seconds.
LATE_READS = 3


class CleanLandings:
    """Says of a merge that it is as it was judged. One per worker."""

    def __init__(self, *, store: Store, rosters: RosterDesk, publisher: Publisher) -> None:
        self._store = store
        self._rosters = rosters
        self._publisher = publisher

    def say(
        self, claim: Claim, installation: Installation, snapshot: Snapshot, content: Content
    ) -> Entry | None:
        """Publish the check on the merge, if nothing of ours is there; what is to be recorded.

        Raises: NotYet where the push that brought it is not known yet; LeaseLost, GitHubError.
        """
        landed = self._landed(installation, snapshot, content)
        pull, oid = landed.pull, landed.made[0].oid
        why = doubt(landed)
        if why == MAY_BRING_MORE and claim.attempts < LATE_READS:
            raise NotYet("the push of the merge is not known yet", seconds=2.0**claim.attempts)
        if why:
            self._publisher.look_again_at_landing(claim, pull.repository.id, oid)
            log.info("nothing said", why=why, **about(claim))
            return None
        said = report(pull)
        outcome = landed.last.outcome if landed.last else None
        entry = records.landed(pull, oid, said, outcome, claim.deliveries)
        return self._publisher.say_landed(claim, installation, pull.repository, oid, said, entry)

    def _landed(self, installation: Installation, snapshot: Snapshot, content: Content) -> Landed:
        pull, found = snapshot.pull, on_head(self._store, snapshot.pull)
        force = self._rosters.in_force(installation, snapshot)
        return Landed(
            pull=pull,
            made=content.made,
            base=content.base,
            likeness=content.likeness,
            then=was_green(said_on(found), merged_at(pull) or pull.updated_at),
            last=last_said(found),
            marked=bool(self._store.memory.read(change_of(pull)).evidence),
            held=self._is_held(installation, pull.repository, pull.base_ref),
            roster=None if force.notes else force.roster,
            was_tip=lambda oid: self._store.memory.was_tip(pull.repository.id, pull.base_ref, oid),
        )

    def _is_held(self, installation: Installation, where: Repository, branch: str) -> bool:
        """Whether all that comes there is demanded to be judged, as it was last looked at: without
        that, what the merge was put on may be anything."""
        last = self._store.protections.of(installation.id).get(where.id)
        return last is not None and holds(dict(last.state), branch)
