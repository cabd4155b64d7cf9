"""Sources with each bug of a bugs.txt planted, for a test that links them before the libraries."""

def plant(sources):
    """Copies of `sources` in which the bugs of this package's bugs.txt are planted; their names."""
    planted = ["planted_" + source.split(":")[1] for source in sources]
    native.genrule(
        name = "plant",
        testonly = True,
        srcs = ["bugs.txt"] + sources,
        outs = planted,
        cmd = "/usr/bin/python3 $(location //tests/simulation/planted:plant.py) " +
              "$(location bugs.txt) $(RULEDIR) " +
              " ".join(["$(location %s)" % source for source in sources]),
        tools = ["//tests/simulation/planted:plant.py"],
    )
    return planted
