"""```topomotion blocks in Markdown that Python reads: MkDocs, and whoever uses Python-Markdown.

MkDocs (mkdocs.yml):

    hooks: [topomotion_fence.py]
    extra_javascript:
      - { path: topomotion-viewer.js, type: module }

Python-Markdown, with films in the folder `out`, which the site serves under `url`:

    markdown.markdown(text, extensions=[topomotion_fence.makeExtension(out="site/topomotion", url="/topomotion/")])

The command line `topomotion` draws; TOPOMOTION says where it is. A block that does not compile fails the build.
"""

import hashlib
import html
import json
import os
import re
import subprocess

FENCE = re.compile(r"^(?P<indent> {0,3})(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
PAIR = re.compile(r'([\w-]+)=(?:"([^"]*)"|(\S+))')


class BlockError(Exception):
    """A block that cannot be drawn: why, and where in the document."""

    def __init__(self, message, path, line, column):
        super().__init__(f"{path}:{line}:{column}: topomotion: {message}")
        self.line, self.column = line, column


class _Undrawn(Exception):
    def __init__(self, message):
        super().__init__(message)
        place = re.search(r"^\S*?:(\d+):(\d+): error", message, re.M)
        self.line, self.column = map(int, place.groups()) if place else (0, 1)


def _run(code, *words):
    binary = os.environ.get("TOPOMOTION", "topomotion")
    command = [binary, "--color=never", "render", "-", "-o", "-", *words]
    try:
        done = subprocess.run(command, input=code.encode(), capture_output=True)
    except OSError as error:
        raise _Undrawn(f"there is no {binary} ({error.strerror}): install topomotion, or set TOPOMOTION") from error
    if done.returncode:
        raise _Undrawn(done.stderr.decode(errors="replace").strip())
    return done.stdout


def _draw(code, info, out, url):
    """Draws a block, unless this very block was drawn before; gives the player's HTML."""
    pairs = {name: quoted or plain for name, quoted, plain in PAIR.findall(info)}
    theme = ["--theme", pairs["theme"]] if "theme" in pairs else []
    scenario = ["--scenario", pairs["scenario"]] if "scenario" in pairs else []
    key = json.dumps([code, scenario, theme])
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    film, still = f"{name}.topo.json", f"{name}.svg"
    if not all(os.path.exists(os.path.join(out, file)) for file in (film, still)):
        files = {
            film: _run(code, "--format=bundle", *scenario, *theme),
            still: _run(code, "--format=svg", "--still", *theme),
        }
        os.makedirs(out, exist_ok=True)
        for file, data in files.items():
            with open(os.path.join(out, file), "wb") as sink:
                sink.write(data)
    text = lambda words: html.escape(words, quote=True)  # noqa: E731
    title = pairs.get("title", "A diagram that moves")
    return (
        f'<div><topomotion-viewer src="{text(url + film)}" controls loading="lazy">'
        f'<img src="{text(url + still)}" alt="{text(title)}"></topomotion-viewer></div>'
    )


def replace(lines, out, url, path="document", before=0):
    """The lines of a document with players for blocks; `before` lines of it were taken away at its head."""
    result, at = [], 0
    while at < len(lines):
        opening = FENCE.match(lines[at])
        if not opening:
            result.append(lines[at])
            at += 1
            continue
        mark = opening["mark"]
        closing = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
        end = next((end for end in range(at + 1, len(lines)) if closing.match(lines[end])), len(lines))
        language, _, info = opening["info"].strip().partition(" ")
        if language != "topomotion":
            result += lines[at:end + 1]
        else:
            try:
                code = "".join(f"{line}\n" for line in lines[at + 1:end])
                result += ["", *_draw(code, info, out, url).split("\n"), ""]
            except _Undrawn as error:
                raise BlockError(str(error), path, before + at + 1 + error.line, error.column) from error
        at = end + 1
    return result


def on_page_markdown(markdown, page, config, files, **_):
    """MkDocs calls this for each page."""
    from mkdocs.exceptions import PluginError
    from mkdocs.utils import get_relative_url

    # What stood above the text, MkDocs has read already: front matter is part of the document all the same.
    with open(page.file.abs_src_path, encoding="utf-8-sig") as source:
        whole = source.read().splitlines()
    lines = markdown.splitlines()
    out = os.path.join(config["site_dir"], "topomotion")
    url = get_relative_url("topomotion/", page.url)
    url = url if url.endswith("/") else url + "/"
    try:
        return "\n".join(replace(lines, out, url, page.file.src_uri, max(0, len(whole) - len(lines))))
    except BlockError as error:
        raise PluginError(str(error)) from error


def makeExtension(out="topomotion", url="/topomotion/"):
    """The extension of Python-Markdown."""
    from markdown.extensions import Extension
    from markdown.preprocessors import Preprocessor

    class Blocks(Preprocessor):
        def run(self, lines):
            return replace(lines, out, url)

    class Topomotion(Extension):
        def extendMarkdown(self, md):
            # Before fenced code (25) takes the blocks.
            md.preprocessors.register(Blocks(md), "topomotion", 28)

    return Topomotion()
