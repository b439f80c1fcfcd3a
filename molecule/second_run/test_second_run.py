from tests.support.environment import Environment, say

def test_hosts(prod: Environment) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    say(str(before))
    with prod.writer() as writer:
        writer.wait_for_acks()
        prod.lab.off(before.master, hard=True)
        new = orders.wait_master(other_than=before.master)
        say(f"new master {new}")
        prod.lab.on(before.master)
        after = orders.wait_healthy()
        say(str(after))
    say(str(writer.verdict()))
    with prod.writer() as writer:
        run = prod.play("../molecule/shared/converge.yml")
        assert run.changed == {}
        assert orders.state() == after
        writer.wait_for_acks()
    say(str(writer.verdict(max_gap_ms=1000)))
    r = prod.play("../molecule/shared/converge.yml", "--check", "-e", "fresh=true", "--limit=h1")
    assert set(r.changed) == {"h1"}
