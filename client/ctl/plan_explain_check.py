"""Checks `plan explain --expand -o json` against the rules of ownership, without the planner."""
import itertools
import math


def heads_of(tensor, tp, rank):
    if not tensor["tp_sharded"]:
        return list(range(tensor["heads"]))
    own, base = [], 0
    for block in tensor["sub_blocks"] or [tensor["heads"]]:
        first = rank * block // tp
        own += range(base + first, base + max(first + 1, (rank + 1) * block // tp))
        base += block
    return own


def owns_token(server, group, cp_rank, tp_rank, token, total):
    _, _, cp, tp = server["sizes"]
    kind = server["cp_sharding"]
    page_tokens = server["page_groups"][group]["page_tokens"]
    if kind == "INTERLEAVED_PAGE_TP":
        return token // page_tokens % tp == tp_rank
    if kind == "INTERLEAVED_PAGE_CP_TP":
        return token // page_tokens % (cp * tp) == cp_rank * tp + tp_rank
    if kind in ("REPLICATED", "LAYER_SPLIT") or cp == 1:
        return True
    if kind == "INTERLEAVED_TOKEN":
        return token % cp == cp_rank
    if kind == "INTERLEAVED_PAGE":
        return token // page_tokens % cp == cp_rank
    parts = cp if kind == "CONTIGUOUS" else 2 * cp
    pages = math.ceil(total / page_tokens)
    ends = list(itertools.accumulate(pages // parts + (i < pages % parts) for i in range(parts)))
    part = next(i for i, end in enumerate(ends) if token // page_tokens < end)
    return part == cp_rank or (kind == "ZIGZAG" and part == parts - 1 - cp_rank)


class Rank:
    def __init__(self, server, described, total, first_token):
        self.server, self.total, self.first = server, total, first_token
        self.coord = [int("".join(filter(str.isdigit, x))) for x in described["rank"].split("/")]
        self.regions = described["region_sizes"]
        self.buffers = {(b["tensor"], b["layer"]): b for b in described["buffers"]}
        _, _, cp, tp = self.coord
        self.own = [[t for t in range(total) if owns_token(server, g, cp, tp, t, total)]
                    for g in range(len(server["page_groups"]))]
        self.place = [{t: i for i, t in enumerate(own)} for own in self.own]

    def cells(self, tensor, layer, prefix):
        spec = self.server["tensors"][tensor]
        if (tensor, layer) not in self.buffers:
            return
        tokens = [0] if spec["kind"] in ("STATE", "AUX") else [
            t for t in self.own[spec["page_group"]] if t >= prefix]
        for head in heads_of(spec, self.server["sizes"][3], self.coord[3]):
            for token in tokens:
                yield head, token

    def address(self, tensor, layer, head, token):
        """None when the rank does not hold it."""
        spec = self.server["tensors"][tensor]
        heads = heads_of(spec, self.server["sizes"][3], self.coord[3])
        if (tensor, layer) not in self.buffers or head not in heads:
            return None
        b = self.buffers[tensor, layer]
        page = slot = 0
        if spec["kind"] not in ("STATE", "AUX"):
            place, own = self.place[spec["page_group"]], self.own[spec["page_group"]]
            if token not in place:
                return None
            page_tokens = self.server["page_groups"][spec["page_group"]]["page_tokens"]
            first = place[next(t for t in own if t >= self.first)]
            page = place[token] // page_tokens - first // page_tokens
            slot = place[token] % page_tokens
        return b["region"], (b["offset"] + page * b["page_stride"] + slot * b["entry_stride"] +
                             heads.index(head) * b["head_stride"])


def check(plan):
    """Problems, and the number of cells that were checked. For one token an entry, no window."""
    total, prefix = plan["tokens"], plan["prefix"]
    sources = {r["rank"]: Rank(plan["prefill"], r, total, 0) for r in plan["prefill"]["ranks"]}
    targets = {r["rank"]: Rank(plan["decode"], r, total, prefix) for r in plan["decode"]["ranks"]}
    names = lambda server: {(t["kind"], t["name"]): i for i, t in enumerate(server["tensors"])}
    source_tensors, target_tensors = names(plan["prefill"]), names(plan["decode"])
    problems, written = [], {}
    for row in plan["rows"]:
        name = row["kind"], row["name"]
        st, tt = source_tensors[name], target_tensors[name]
        source, target = sources[row["source"]], targets[row["target"]]
        head_bytes = plan["decode"]["tensors"][tt]["head_bytes"]
        tokens = range(*row["tokens"]) if row["kind"] not in ("STATE", "AUX") else [0]
        at = 0
        for token in tokens:
            for head in range(*row["heads"]):
                want = (source.address(st, row["layer"], head, token),
                        target.address(tt, row["layer"], head, token))
                have = ((row["source_region"], row["source_offset"] + at),
                        (row["target_region"], row["target_offset"] + at))
                if want != have:
                    problems.append("address: %s, head %d, token %d: %s" % (row, head, token, want))
                key = row["target"], tt, row["layer"], head, token
                written[key] = written.get(key, 0) + 1
                at += head_bytes
        if at != row["bytes"]:
            problems.append("bytes: %s" % row)
    needed = {(rank, t, layer, head, token)
              for rank, target in targets.items()
              for t, spec in enumerate(plan["decode"]["tensors"])
              for layer in spec["layers"]
              for head, token in target.cells(t, layer, prefix)}
    problems += ["never written: %s" % (key,) for key in sorted(needed - set(written))]
    problems += ["not needed: %s" % (key,) for key in sorted(set(written) - needed)]
    problems += ["written %d times: %s" % (n, key) for key, n in sorted(written.items()) if n != 1]
    return problems, len(needed)
