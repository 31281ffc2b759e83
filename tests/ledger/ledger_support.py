"""What the tests of the ledger share."""

import datetime as dt
import threading
from contextlib import contextmanager

from chengshu.contexts.ledger import api
from chengshu.contexts.ledger.witness import Witness, serve

NOW = dt.datetime(2026, 11, 21, 8, 0, tzinfo=dt.UTC)


def fill(number, *, kind="case.event", start=0):
    """Deposit some acts and number them."""
    leaves = [api.deposit(kind, f"case:{n}", {"step": n}, now=NOW) for n in range(start, start + number)]
    api.sequence(NOW)
    return leaves


@contextmanager
def running_witness(folder, **options):
    """Run a witness on a free port; yields (witness, its address)."""
    witness = Witness(folder, **options)
    server = serve(witness, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield witness, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        witness.close()
