"""The simulated schedule: days wait for what is taken, and more nodes make none slower."""

import pytest

from benchmarks.scale import Constants, Machines, pairs, simulate, stages

NOTHING_ELSE = Constants(
    embed_s=1.0, pair_s=0, tree_s=0, read_s=0, write_s=0, label_s=0, driver_bytes=0
)


def test_days_share_the_cluster_and_nodes_divide_their_time():
    one = simulate(4, 100, NOTHING_ELSE, Machines(nodes=1, cores=10))
    two = simulate(4, 100, NOTHING_ELSE, Machines(nodes=2, cores=10))
    assert (one.seconds, two.seconds) == (40, 20)
    assert one.busy["cluster"] == 1
    assert one.binds == "cluster"


def test_labels_of_several_days_are_asked_at_once_and_no_more_days_than_may_go_on():
    labels = Constants(
        embed_s=0, pair_s=0, tree_s=0, read_s=0, write_s=0, label_s=1, clusters=10, labels_at_once=4
    )
    assert simulate(8, 10, labels, Machines(runs=8)).seconds == 20
    assert simulate(8, 10, labels, Machines(runs=2)).seconds == 40


def test_what_a_day_needs_is_all_that_it_takes_when_it_is_alone():
    constants = Constants()
    alone = simulate(1, 20_000, constants, Machines())
    assert alone.seconds == pytest.approx(sum(s for _, s in stages(20_000, constants, Machines())))


def test_pairs_grow_with_the_square_until_each_post_has_enough_around_it():
    assert pairs(20_000) == 4 * pairs(10_000)
    assert pairs(2_000_000) == 2 * pairs(1_000_000)
