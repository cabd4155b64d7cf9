"""A prefill server that does not fit the suite's decode server, without an engine behind it."""
import contextlib
import os
import sys

from tests.engines.sglang import bed as beds
from tests.engines.sglang import engines

PORT = 8997
LAYERS = [0, 1, 2, 3]
HEADS, HEAD_BYTES, PAGES = 4, 64, 8


@contextlib.contextmanager
def prefill_with_pages_of(tokens: int, bed: beds.Bed):
    """Registered as 127.0.0.1:8997, with the model's K and V in pages of so many tokens."""
    os.environ["BATON_C_LIBRARY"] = beds.LIBRARY
    if beds.PACKAGE not in sys.path:
        sys.path.insert(0, beds.PACKAGE)
    import baton

    page = tokens * HEADS * HEAD_BYTES
    kinds = (baton.Kind.K, baton.Kind.V)
    spec = baton.ServerSpec(
        stages=[LAYERS], page_groups=[baton.PageGroup(tokens)],
        tensors=[baton.TensorSpec(kind, LAYERS, "float32", HEAD_BYTES, heads=HEADS, tp_sharded=True)
                 for kind in kinds])
    places = [(tensor, layer) for tensor in range(len(kinds)) for layer in LAYERS]
    layout = [baton.Buffer(tensor, layer, PAGES, page, HEADS * HEAD_BYTES, HEAD_BYTES,
                           offset=number * PAGES * page)
              for number, (tensor, layer) in enumerate(places)]
    with baton.HostPool(len(places) * PAGES * page) as pool, baton.Engine(
            agent_socket=bed.path("prefill.sock"), server="prefill-odd", launch_id="1",
            role=baton.Role.PREFILL, model=engines.folder() + "/model", spec=spec, layout=layout,
            regions=[pool.region()], aliases=["127.0.0.1:%d" % PORT]):
        bed.wait_listed("prefill-odd")
        yield
