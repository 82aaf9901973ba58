"""Keys: closed files, made once, told publicly without their private half."""

import stat
from pathlib import Path

import pytest

from shared.auth.keys import KeyFileError, load_client_key, load_or_make_keys


class TestKeys:
    def test_are_made_once_in_closed_files(self, tmp_path: Path) -> None:
        folder = tmp_path / "data" / "keys"
        first = load_or_make_keys(folder, clients=["family-practice"])
        again = load_or_make_keys(folder, clients=["family-practice"])
        assert first.issuer.kid == again.issuer.kid
        assert first.clients == again.clients
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
        assert {file.name for file in folder.iterdir()} == {"issuer.pem", "client-family-practice.pem"}

    def test_publish_no_private_half(self, tmp_path: Path) -> None:
        keys = load_or_make_keys(tmp_path, clients=["family-practice"])
        for jwk in (keys.issuer.jwk, keys.clients["family-practice"]):
            assert not {"d", "p", "q", "dp", "dq", "qi"} & set(jwk)

    def test_that_others_can_read_are_refused(self, tmp_path: Path) -> None:
        load_or_make_keys(tmp_path, clients=["family-practice"])
        (tmp_path / "client-family-practice.pem").chmod(0o644)
        with pytest.raises(KeyFileError, match="chmod 600"):
            load_client_key(tmp_path, "family-practice")

    def test_that_are_missing_or_broken_are_told_in_one_line(self, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError, match="lumbar up"):
            load_client_key(tmp_path, "nobody")
        broken = tmp_path / "client-broken.pem"
        broken.write_text("no key")
        broken.chmod(0o600)
        with pytest.raises(KeyFileError, match="no private key"):
            load_client_key(tmp_path, "broken")
