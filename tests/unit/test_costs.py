"""The table of monthly costs: the page says what the code computes, and the code what one can."""

import pytest

from bench import blocks, costs
from bench.costs import Month
from bench.standing import Standing
from celeryconfig import QUEUES
from deploy.scaling import GROUPS

IDLE = Month("small", 0)


def test_the_page_shows_what_the_command_prints() -> None:
    assert blocks.read(costs.PAGE, "costs") == costs.table()


def test_an_idle_stack_has_the_machines_that_never_sleep() -> None:
    assert IDLE.running() == {
        "Web": 1,
        "Beat": 1,
        "Annotate": 0,
        "Copies": 0,
        "Deliver": 0,
        "Short": 1,
    }
    assert IDLE.machines()["site"] == pytest.approx(730 * 0.0208)
    assert IDLE.machines()["workers"] == pytest.approx(730 * 0.0208)


def test_what_stands_is_counted_in_the_templates() -> None:
    small, large = Standing("small"), Standing("large")
    assert small.kinds["AWS::ElasticLoadBalancingV2::LoadBalancer"] == 1
    tiers = len(GROUPS) + 2
    assert small.kinds["AWS::AutoScaling::AutoScalingGroup"] == tiers
    assert small.kinds["AWS::CloudWatch::Alarm"] >= len(QUEUES) + tiers
    assert (small.kinds["AWS::EC2::NatGateway"], large.kinds["AWS::EC2::NatGateway"]) == (0, 2)


def test_the_stack_around_the_machines_costs_what_one_computes_by_hand() -> None:
    assert IDLE.around() == pytest.approx(
        {"database": 730 * 0.032 + 20 * 0.115, "load balancer": 730 * 0.0225, "NAT": 0}
    )
    assert Month("large", 0).around()["NAT"] == pytest.approx(2 * 730 * 0.045)


def test_the_machines_of_the_table_are_those_of_the_templates() -> None:
    for name, group in GROUPS.items():
        assert Standing("small").tier(name.title())["Machine"] == group.machine


def test_nothing_is_asked_for_jobs_without_jobs_but_by_sweeps_and_polls() -> None:
    asked = IDLE.asking()
    assert asked.pop("SQS") > 0
    assert set(asked.values()) == {0}


def test_ten_times_the_jobs_cost_ten_times_the_mails_and_files() -> None:
    few, many = Month("small", 1_000).asking(), Month("small", 10_000).asking()
    for name in ("mails", "S3 requests", "S3, a month of this month's files", "job events"):
        assert many[name] == pytest.approx(10 * few[name])


def test_a_subscribers_job_is_kept_at_hand_and_a_free_one_in_the_archive() -> None:
    free, premium = (IDLE.job(archives=archives) for archives in (True, False))
    assert (premium.archive, free.archive > 0) == (0, True)
    assert free.storage < premium.storage
    assert free.messages > premium.messages


def test_the_mean_job_has_the_mean_of_each_kind_of_file_by_its_share() -> None:
    assert costs.mean_variants() == pytest.approx(1.02e6, rel=0.01)
