"""`switchboard key` as a person types it: what is printed where, what is kept, and what it refuses."""

import re
import stat
import subprocess
import threading

import pytest
from harness.gateway import BINARY

pytestmark = [pytest.mark.gateway, pytest.mark.quick]

KEY = re.compile(r"sb_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}\n")


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "gateway.yaml").write_text("identity: { keys_file: keys.yaml }\nupstreams: { a: { command: cat } }\n")
    return tmp_path


def key(folder, *arguments):
    return subprocess.run([BINARY, "key", *arguments], capture_output=True, text=True, timeout=60, cwd=folder)


def test_a_new_key_is_printed_once_and_only_its_hash_is_kept(desk):
    done = key(desk, "new", "pr-bot", "--group", "engineers", "--group", "ops", "--expires", "2100-01-31")
    assert done.returncode == 0 and KEY.fullmatch(done.stdout)
    assert "client:pr-bot" in done.stderr and done.stdout.strip() not in done.stderr
    kept = (desk / "keys.yaml").read_text()
    assert done.stdout.strip() not in kept and done.stdout.strip()[-49:] not in kept
    assert stat.S_IMODE((desk / "keys.yaml").stat().st_mode) == 0o600
    listed = key(desk, "list").stdout
    assert "pr-bot" in listed and "engineers,ops" in listed and "2100-01-31T00:00:00Z" in listed
    assert done.stdout.strip()[-49:] not in listed


def test_revoking_ends_all_keys_of_a_name_and_no_other(desk):
    for name in ("a", "a", "b"):
        assert key(desk, "new", name).returncode == 0
    done = key(desk, "revoke", "a")
    assert (done.returncode, done.stdout) == (0, "") and "2 keys" in done.stderr
    assert [line.split()[0] for line in key(desk, "list").stdout.splitlines()] == ["NAME", "b"]
    again = key(desk, "revoke", "a")
    assert (again.returncode, again.stdout) == (1, "") and "did you mean" in again.stderr


def test_it_says_what_to_write_where_keys_are_not_configured(tmp_path):
    (tmp_path / "gateway.yaml").write_text("upstreams: { a: { command: cat } }\n")
    done = key(tmp_path, "new", "a")
    assert done.returncode == 0 and KEY.fullmatch(done.stdout)
    assert "identity:\n  keys_file: keys.yaml\n" in done.stderr


def test_the_file_lies_where_the_configuration_says(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "gateway.yaml").write_text("identity: { keys_file: ../other.yaml }\n")
    assert key(tmp_path, "new", "a", "--config", "conf/gateway.yaml").returncode == 0
    assert (tmp_path / "other.yaml").exists()


def test_many_at_once_lose_nothing(desk):
    threads = [threading.Thread(target=key, args=(desk, "new", f"k{number}")) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(key(desk, "list").stdout.splitlines()) == 13
    assert sorted(path.name for path in desk.iterdir()) == ["gateway.yaml", "keys.yaml", "keys.yaml.lock"]


@pytest.mark.parametrize("arguments", [
    [], ["new"], ["revoke"], ["new", "a", "b"], ["list", "a"], ["lst"], ["new", "a b"], ["new", "a", "--group", "x,y"], ["new", ""],
    ["new", "a", "--expires", "yesterday"], ["new", "a", "--expires", "2001-01-01"], ["new", "a", "--expires", "2100-02-30"], ["list", "--group", "a"],
    ["new", "a", "--groups", "b"],
])
def test_a_wrong_command_line_is_status_2_and_changes_nothing(desk, arguments):
    done = key(desk, *arguments)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr
    assert not (desk / "keys.yaml").exists()


def test_a_broken_file_is_told_with_its_place_and_left_alone(desk):
    (desk / "keys.yaml").write_text("keys:\n  - { id: a }\n")
    for arguments in (["new", "a"], ["list"], ["revoke", "a"]):
        done = key(desk, *arguments)
        assert (done.returncode, done.stdout) == (1, "") and "keys.yaml:2:5: a key has no `name`" in done.stderr
    assert (desk / "keys.yaml").read_text() == "keys:\n  - { id: a }\n"


def test_without_a_configuration_it_says_so(tmp_path):
    done = key(tmp_path, "list")
    assert done.returncode == 1 and "gateway.yaml" in done.stderr
