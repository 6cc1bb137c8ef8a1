#!/usr/bin/env python3
"""Makes icons.json from the Lucide icon set.

    pip install fonttools==4.68.0
    npm pack lucide-static@1.62.0
    # unpack it so that FOLDER/lucide/package exists
    python3 assets/icons/build.py FOLDER

Every shape of an icon becomes one path of absolute M, L, C, Q and Z commands, so that a
renderer needs no other primitive and no arcs. Numbers are rounded to a thousandth of the
24 x 24 box; README.md says how the file is read.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from fontTools.pens.basePen import BasePen
from fontTools.svgLib.path import parse_path
from fontTools.svgLib.path.shapes import PathBuilder

HERE = Path(__file__).resolve().parent

# the name in scripts -> the icon of the set that shows it
ICONS = {
    "server": "server",
    "cpu": "cpu",
    "container": "container",
    "database": "database",
    "globe": "globe",
    "router": "router",
    "load-balancer": "network",
    "firewall": "brick-wall-fire",
    "dns": "signpost",
    "cache": "database-zap",
    "browser": "app-window",
    "terminal": "terminal",
    "cloud": "cloud",
    "shield": "shield",
    "lock": "lock",
    "user": "user",
    "code": "code",
    "api": "braces",
    "queue": "list-end",
    "mail": "mail",
    "zap": "zap",
    "alert": "triangle-alert",
    "monitor": "monitor",
    "mobile": "smartphone",
    "key": "key",
    "memory": "memory-stick",
    "hard-drive": "hard-drive",
    "storage": "archive",
    "layers": "layers",
    "chart": "chart-column",
    "clock": "clock",
    "search": "search",
}


class AbsolutePen(BasePen):
    """Writes what it is told to draw as path data."""

    def __init__(self):
        super().__init__(glyphSet=None)
        self.commands = []

    def write(self, letter, *points):
        # Adding zero turns -0.0 into 0.0.
        numbers = [f"{round(value, 3) + 0.0:g}" for point in points for value in point]
        self.commands.append(letter + " ".join(numbers))

    def _moveTo(self, point):
        self.write("M", point)

    def _lineTo(self, point):
        self.write("L", point)

    def _curveToOne(self, first, second, point):
        self.write("C", first, second, point)

    def _qCurveToOne(self, control, point):
        self.write("Q", control, point)

    def _closePath(self):
        self.commands.append("Z")


def shapes(path):
    root = ElementTree.parse(path).getroot()
    builder = PathBuilder()
    for element in root:
        before = len(builder.paths)
        builder.add_path_from_element(element)
        assert len(builder.paths) == before + 1, f"{path}: cannot convert {element.tag}"
    for data in builder.paths:
        pen = AbsolutePen()
        parse_path(data, pen)
        yield " ".join(pen.commands)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    package = Path(sys.argv[1]) / "lucide/package"
    icons = {name: list(shapes(package / "icons" / f"{icon}.svg"))
             for name, icon in sorted(ICONS.items())}
    entries = ",\n".join(f'"{name}": {json.dumps(paths)}' for name, paths in icons.items())
    (HERE / "icons.json").write_text("{\n" + entries + "\n}\n")
    (HERE / "LICENSE.txt").write_text((package / "LICENSE").read_text())


if __name__ == "__main__":
    main()
