"""What the doctor says right after a set-up, when webhooks of the installation met nobody."""

from tests.doctor.holes import protected


def test_the_news_of_the_installation_may_have_met_nobody() -> None:
    with protected() as org:
        org.hub.courier.log.clear()
        org.hub.courier.receiver = lambda _headers, _body: 500
        org.act("suspend_installation", app="countersign", account="acme")
        org.act("unsuspend_installation", app="countersign", account="acme")
        org.hub.drain()
        assert [one.event for one in org.hub.courier.log.values()] == ["installation"] * 2
        code, found = org.findings()
        assert [(one["level"], one["code"]) for one in found] == [("unknown", "webhook-unknown")]
        assert code == 0
