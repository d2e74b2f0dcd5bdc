"""zig cc, a compiler that brings the headers and the names in the C libraries
of other systems; from npm, checked against zig/package-lock.json.
"""
import os
import platform
import shutil

import cross

HERE = cross.ROOT / "tests/portable"
MACHINES = {"x86_64": "zig-linux-x64", "aarch64": "zig-linux-arm64"}


def fetch_zig():
    """The compiler; npm checks it against the lock file."""
    if platform.machine() not in MACHINES:
        raise cross.Unavailable("npm has no zig for " + platform.machine())
    folder = cross.CACHE / "zig"
    zig = folder / "node_modules/@oven" / MACHINES[platform.machine()] / "zig"
    lock = (HERE / "zig/package-lock.json").read_text(encoding="utf-8")
    mark = folder / "fetched"
    if zig.exists() and mark.exists() and mark.read_text() == lock:
        return zig
    npm = cross.need("npm")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(HERE / "zig" / name, folder)
    print("fetching zig through npm", flush=True)
    cross.must([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
               cwd=str(folder))
    if not zig.exists():
        raise cross.Unavailable("npm did not bring zig")
    cross.write(mark, lock)
    return zig


def use_cache(folder):
    """zig's own cache, which does not survive being moved."""
    place = folder / "place"
    if place.exists() and place.read_text(encoding="utf-8") != str(folder):
        shutil.rmtree(folder)
    cross.write(place, str(folder))
    os.environ["ZIG_GLOBAL_CACHE_DIR"] = str(folder)
    os.environ["ZIG_LOCAL_CACHE_DIR"] = str(folder)


def zig():
    """The compiler, ready for use; on Linux only."""
    if platform.system() != "Linux":
        raise cross.Unavailable("this is for Linux; here, build as usual")
    found = fetch_zig()
    use_cache(cross.CACHE / "zig/cache")
    return found


def tools(folder, target, *words):
    """Settings that make CMake use it for `target`. It always makes code that
    may be loaded anywhere, and does not take -fPIE."""
    found = zig()
    return {
        "CMAKE_C_COMPILER": cross.wrapper(
            folder / ("cc-" + target), found, "cc", "-target", target, *words,
            without="-fPIE"),
        "CMAKE_AR": cross.wrapper(folder / "ar", found, "ar"),
        "CMAKE_RANLIB": cross.wrapper(folder / "ranlib", found, "ranlib"),
    }
