"""C++ and gRPC code from .proto files, made by Debian's protoc and grpc_cpp_plugin."""

load("@rules_cc//cc:defs.bzl", "cc_library")

_PROTOC = "/usr/bin/protoc"
_PLUGIN = "/usr/bin/grpc_cpp_plugin"

ProtoFilesInfo = provider(
    doc = "The .proto files of a target and of what it imports.",
    fields = {"files": "depset of .proto files"},
)

def _cc_proto_gen_impl(ctx):
    root = ctx.label.package
    imports = depset(ctx.files.srcs, transitive = [d[ProtoFilesInfo].files for d in ctx.attr.deps])
    hdrs, srcs = [], []
    for src in ctx.files.srcs:
        stem = src.short_path[len(root) + 1:-len(".proto")]
        for ext in [".pb"] + ([".grpc.pb"] if ctx.attr.grpc else []):
            hdrs.append(ctx.actions.declare_file(stem + ext + ".h"))
            srcs.append(ctx.actions.declare_file(stem + ext + ".cc"))
        if ctx.attr.grpc:
            hdrs.append(ctx.actions.declare_file(stem + "_mock.grpc.pb.h"))
    out = ctx.bin_dir.path + "/" + root
    args = ctx.actions.args()
    args.add("--proto_path=" + root)
    args.add("--cpp_out=" + out)
    if ctx.attr.grpc:
        args.add("--plugin=protoc-gen-grpc=" + _PLUGIN)
        args.add("--grpc_out=generate_mock_code=true:" + out)
    args.add_all(ctx.files.srcs)
    ctx.actions.run(
        executable = _PROTOC,
        arguments = [args],
        inputs = imports,
        outputs = hdrs + srcs,
        mnemonic = "ProtoCc",
        progress_message = "Generating C++ for %s" % ctx.label,
    )
    return [
        DefaultInfo(files = depset(hdrs + srcs)),
        OutputGroupInfo(hdrs = depset(hdrs), srcs = depset(srcs)),
        ProtoFilesInfo(files = imports),
    ]

_cc_proto_gen = rule(
    implementation = _cc_proto_gen_impl,
    attrs = {
        "deps": attr.label_list(providers = [ProtoFilesInfo]),
        "grpc": attr.bool(default = True),
        "srcs": attr.label_list(allow_files = [".proto"]),
    },
)

def cc_grpc_library(name, srcs, deps = [], grpc = True, **kwargs):
    """A cc_library of the messages, services and mock stubs in srcs.

    Imports and #includes are relative to the package that holds the BUILD file.

    Args:
      name: the cc_library.
      srcs: .proto files of this package.
      deps: cc_grpc_library targets of this package that srcs import.
      grpc: whether srcs hold services.
      **kwargs: passed on to cc_library.
    """
    _cc_proto_gen(name = name + "_gen", srcs = srcs, deps = [d + "_gen" for d in deps], grpc = grpc)
    native.filegroup(name = name + "_hdrs", srcs = [name + "_gen"], output_group = "hdrs")
    native.filegroup(name = name + "_srcs", srcs = [name + "_gen"], output_group = "srcs")
    cc_library(
        name = name,
        srcs = [name + "_srcs"],
        hdrs = [name + "_hdrs"],
        copts = ["-w"],
        includes = ["."],
        deps = deps + ["//third_party/grpc:grpc++" if grpc else "//third_party/protobuf"],
        **kwargs
    )
