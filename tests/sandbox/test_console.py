"""The console of a sandbox: opened by a link, as in a trial, however far its clock was moved."""

import subprocess
import sys

import httpx

from tests.sandbox.integrator import ENVIRONMENT, Integrator

SAME = {"Sec-Fetch-Site": "same-origin"}


async def test_a_link_opens_the_console_of_a_sandbox_also_after_its_clock_was_moved(integrator: Integrator) -> None:
    await integrator.done("POST", "/clock/advance", {"by": "P1D"})
    printed = subprocess.run(  # noqa: ASYNC221 - nothing else waits meanwhile
        [sys.executable, "-m", "app.cli", "sign-in", "uptd-ppa-ppu", "--role", "receiver", "--name", "Ibu Contoh"],
        cwd=integrator.told.place,
        env=ENVIRONMENT | {"LINTAS_DATA_DIR": str(integrator.told.place / ".lintas-sandbox")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    link = printed.stdout.strip()
    assert link.startswith(f"{integrator.told.api}/console/sign-in/link/")

    async with httpx.AsyncClient(trust_env=False, timeout=30) as browser:
        opened = await browser.post(link, headers=SAME)
        token = opened.headers["set-cookie"].partition(";")[0]
        page = await browser.get(f"{integrator.told.api}/console/handoffs", headers={"Cookie": token})

    assert opened.status_code == 303
    assert page.status_code == 200
    assert page.headers["lintas-sandbox"] == "true"
    assert "Ibu Contoh" in page.text
