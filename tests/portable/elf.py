"""Stand-ins for libraries on systems with ELF files: shared libraries with the
same names and, behind each function, stand_in.h.
"""
import cross

HERE = cross.ROOT / "tests/portable"
LIBRARIES = cross.LIBRARIES + (cross.SECCOMP, cross.EVDNS, cross.MNL)


def source_of(words):
    rows = ["%s(%s)\n" % ("FUNCTION" if is_function else "OBJECT", word)
            for word, is_function in words]
    return '#include "stand_in.h"\n\n' + "".join(rows)


def make_library(cc, made, sources, flags=()):
    if made.exists() and all(made.stat().st_mtime >= path.stat().st_mtime
                             for path in sources):
        return
    cross.must([cc, "-shared", "-fPIC", *flags, "-o", made,
                "-Wl,-soname," + made.name, sources[0]])


def stand_in(cc, folder, name, words):
    """Only Check's can do something."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / ("lib%s.so" % name)
    if name == "check":
        make_library(cc, made, [HERE / "runner.c"],
                     ["-isystem", folder.parent / "include", "-Wall"])
        return
    source = cross.write(folder / (name + ".c"), source_of(words))
    make_library(cc, made, [source, HERE / "stand_in.h"], ["-I", HERE])


def stage(cc, folder):
    cross.stage_all(folder, LIBRARIES, lambda *library: stand_in(cc, *library))
    return folder
