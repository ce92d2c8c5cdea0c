"""A merge group is judged by the pull requests in it; what cannot be traced is not green."""

from collections.abc import Callable
from dataclasses import replace

from github_app.content import Contents
from github_app.gateway.client import Installation
from github_app.gateway.pull_request import Snapshot
from github_app.judge.facts import PullRequest
from github_app.judge.outcome import SEVERITY, Verdict, cannot_judge
from github_app.judge.reasons import Code, Reason
from github_app.judge.report import withdrawn
from github_app.judgement import Judged, Judgement
from github_app.merge_group import Group, GroupUnknown, Member, blocking, trace_group
from github_app.publishing import STALE_READS, NotYet, Publisher, StaleRead, Target
from github_app.store.claim import Claim
from github_app.store.database import Store

# So often, and so many seconds in all at least, a merge group is held for the one that is to blame:
# less than any queue waits for a check.
GROUP_HOLDS, GROUP_PATIENCE = 6, 20.0
GROUP_PAUSE = 1.0


class MergeQueue:
    """Judges groups of merge queues and publishes on their commits. ``judge``: of one snapshot."""

    def __init__(
        self,
        *,
        store: Store,
        judgement: Judgement,
        publisher: Publisher,
        contents: Contents,
        judge: Callable[[Installation, Snapshot], Judged],
    ) -> None:
        self._store = store
        self._judgement = judgement
        self._publisher = publisher
        self._contents = contents
        self._judge = judge

    def judge(self, claim: Claim, installation: Installation) -> None:
        """Judge the group of the claim, publish what is said of it, and settle. Raises: NotYet."""
        try:
            group = trace_group(installation, claim.task)
        except GroupUnknown as error:
            if claim.attempts < STALE_READS:
                raise StaleRead(str(error)) from error
            reason = Reason(code=Code.GROUP_UNKNOWN)
            self._publisher.publish_unread(claim, claim.task.subject, withdrawn(reason), reason)
            self._store.queue.settle(claim)
            return
        standing = group.standing(
            installation, app_id=self._judgement.app_id, check_name=self._judgement.check_name
        )
        target = Target(repository=group.repository, oid=group.head_oid, standing=standing)
        found = self._judge_members(installation, group)
        blocked_by = blocking([judged.verdict for judged in found]) if group.traced else None
        if blocked_by is not None:
            judged = self._held_up(claim, installation, group, target, found[0], blocked_by)
        else:
            judged = _decisive(group, found)
        if not judged.verdict.outcome.green:
            # They hold these commits too, and one of them may be green already.
            behind = [group.task(claim.task, oid) for oid in group.behind]
            self._store.queue.add(behind)
        self._publisher.publish(claim, installation, judged, target)

    def _judge_members(self, installation: Installation, group: Group) -> list[Judged]:
        """The group's pull requests, each with the head that was queued, in the group's order."""
        found: list[Judged] = []
        for member in group.members:
            subject = group.subject(member.number)
            judged = self._judge(installation, self._judgement.read(installation, subject))
            odd = self._odd_member(installation, group, member, judged.snapshot.pull)
            if odd is not None:
                reason = Reason(code=odd, detail=f"#{member.number}")
                judged = replace(judged, verdict=cannot_judge(judged.snapshot.pull, reason))
            found.append(judged)
        return found

    def _odd_member(
        self, installation: Installation, group: Group, member: Member, pull: PullRequest
    ) -> Code | None:
        """Why the group does not hold just what was judged of a pull request in it."""
        if pull.head_oid != member.head_oid:
            return Code.GROUP_STALE
        if pull.base_ref != group.branch:
            return Code.GROUP_STACKED
        if self._contents.is_another(installation, pull, member.group_oid):
            return Code.GROUP_DIFFERS
        return None

    def _held_up(
        self,
        claim: Claim,
        installation: Installation,
        group: Group,
        target: Target,
        own: Judged,
        blocked_by: Verdict,
    ) -> Judged:
        """Wait for GitHub to drop the one that is to blame; a group that it rebuilt is judged anew.

        Not green meanwhile. Where it is not dropped (a queue may want only its last group green),
        the group fails in the end. Raises: NotYet.
        """
        number = blocked_by.pull.number
        reason = Reason(code=Code.GROUP_AHEAD, detail=f"#{number}")
        waited = self._store.now() - claim.waiting_since
        if claim.attempts >= GROUP_HOLDS and waited >= GROUP_PATIENCE:
            return replace(own, verdict=cannot_judge(own.snapshot.pull, reason))
        self._publisher.hold(claim, installation, target, reason)
        if not claim.attempts:
            blamed = [member.group_oid for member in group.members if member.number == number]
            self._store.queue.add([group.task(claim.task, oid) for oid in blamed])
        raise NotYet(f"#{number} is ahead of it in the merge queue", seconds=GROUP_PAUSE)


def _decisive(group: Group, found: list[Judged]) -> Judged:
    """The worst verdict; but what is wrong with the group's own pull request is said first."""
    decisive = min(found, key=lambda judged: SEVERITY.index(judged.verdict.outcome))
    if not group.traced:
        unknown = Reason(code=Code.GROUP_UNKNOWN)
        return replace(decisive, verdict=cannot_judge(decisive.snapshot.pull, unknown))
    return decisive if found[0].verdict.outcome.green else found[0]
