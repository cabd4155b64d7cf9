"""@rules_cc from Debian's bazel-rules-cc 0.0.4, adapted to Debian's Bazel 4.2.3."""

_ROOT = "/usr/share/bazel/rules/cc"

_FILES = [
    "BUILD",
    "action_names.bzl",
    "cc_toolchain_config_lib.bzl",
    "defs.bzl",
    "find_cc_toolchain.bzl",
    "repositories.bzl",
    "system_library.bzl",
    "toolchain_utils.bzl",
]

def _copy_patched(rctx, path):
    text = rctx.read(_ROOT + "/" + path)
    text = text.replace(', "use_cpp_toolchain")', ")")
    text = text.replace("use_cpp_toolchain()", '["@bazel_tools//tools/cpp:toolchain_type"]')
    rctx.file(path, text, executable = False)

def _impl(rctx):
    if not rctx.path(_ROOT).exists:
        fail("Debian's package bazel-rules-cc is not installed: run make setup")
    rctx.file("WORKSPACE", 'workspace(name = "rules_cc")\n')
    for f in _FILES:
        rctx.symlink(_ROOT + "/cc/" + f, "cc/" + f)
    rctx.symlink(_ROOT + "/cc/private/toolchain", "cc/private/toolchain")
    for f in ["BUILD", "native.bzl", "cc_flags_supplier_lib.bzl"]:
        rctx.symlink(_ROOT + "/cc/private/rules_impl/" + f, "cc/private/rules_impl/" + f)
    for f in ["compiler_flag.bzl", "cc_flags_supplier.bzl"]:
        _copy_patched(rctx, "cc/private/rules_impl/" + f)

debian_rules_cc = repository_rule(implementation = _impl, local = True)
