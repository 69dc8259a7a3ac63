"""The tooling behind ``./dev``.

Two halves that never mix: modules marked *bootstrap* run under the machine's own Python and
use the standard library only; all others run inside the environment the first half built.
"""
