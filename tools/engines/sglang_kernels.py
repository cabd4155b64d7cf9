"""Stands in for the package `sgl_kernel`, whose wheel holds CUDA objects alone. SGLang imports its
names all over, but its CPU path of a plain model calls none: each name is a function that raises.

The installer copies this file to site-packages/sgl_kernel/__init__.py.
"""
import importlib.abc
import importlib.machinery
import types

__version__ = "0.0.0"
__path__: list[str] = []

# Absent on purpose: SGLang has stand-ins of its own for what it does not find there.
_ABSENT = ("sgl_kernel.scalar_type",)


def _kernel(name: str):
    def missing(*_args, **_kwargs):
        raise NotImplementedError(
            "%s is a CUDA kernel and this is an engine without one: choose another backend" % name)

    missing.__name__ = name.rpartition(".")[2]
    return missing


class _Module(types.ModuleType):
    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return _kernel("%s.%s" % (self.__name__, name))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module below sgl_kernel."""

    def find_spec(self, fullname, _path=None, _target=None):
        if not fullname.startswith("sgl_kernel.") or fullname in _ABSENT:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        module.__path__ = []


def __getattr__(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    return _kernel("sgl_kernel." + name)


import sys  # noqa: E402  the finder goes in last, when all of the above stands

sys.meta_path.append(_Finder())
