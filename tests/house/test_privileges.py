"""What cannot run on this machine is skipped with its reason, and is no failure."""

from __future__ import annotations

import platform
import subprocess
import sys

import privileges
import pytest


def test_what_needs_linux_is_skipped_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(pytest.skip.Exception, match="needs Linux"):
        privileges.need_root_on_linux()


@pytest.mark.parametrize("sudo", ["/usr/bin/sudo", None])
def test_what_needs_root_is_skipped_without_it(
    monkeypatch: pytest.MonkeyPatch, sudo: str | None
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(privileges, "AS_ROOT", [sys.executable, "-c", "raise SystemExit(1)"])
    monkeypatch.setattr(privileges.shutil, "which", lambda _: sudo)
    with pytest.raises(pytest.skip.Exception, match="passwordless sudo"):
        privileges.need_root_on_linux()


def test_with_root_or_sudo_nothing_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(privileges.shutil, "which", lambda _: "/usr/bin/sudo")
    monkeypatch.setattr(
        subprocess, "run", lambda *args, **_: subprocess.CompletedProcess(args, returncode=0)
    )
    privileges.need_root_on_linux()
