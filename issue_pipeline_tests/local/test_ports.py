import socket

from issue_pipeline.local.ports import LOOPBACK, ReservedPort
from issue_pipeline_tests.support.process_watching import LIMIT_S, python_parent

RESERVE_THE_SAME = """
import sys
from issue_pipeline.local import ports
offers = [int(sys.argv[1]), int(sys.argv[1]), int(sys.argv[2])]
ports._any_free_port = lambda: offers.pop(0)
print(ports.ReservedPort().number)
"""


def test_a_reserved_port_is_not_given_to_another_process():
    with ReservedPort() as mine, ReservedPort() as other:
        free = other.number
        other.release()
        with python_parent(RESERVE_THE_SAME, str(mine.number), str(free)) as process:
            assert process.stdout.read() == f"{free}\n"
            assert process.wait(LIMIT_S) == 0


def test_a_port_is_bindable_until_somebody_listens():
    with ReservedPort() as port:
        assert port.is_bindable()
        with socket.create_server((LOOPBACK, port.number)):
            assert not port.is_bindable()
        assert port.is_bindable()
