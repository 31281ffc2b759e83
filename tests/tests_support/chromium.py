"""Debian's Chromium: where it is and how it is started, for maps by software GL."""

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--no-first-run",
]  # fmt: skip
