"""The parts of a board that need no QEMU."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from runner.board import apt, command, image, initrd, names, recipe, registry, snapshot, tools
from runner.board.errors import BoardError

FILES = command.Files(Path("/i/vmlinuz"), Path("initrd.img"), Path("disk.qcow2"))


def line(name: str, cmdline: str = "") -> list[str]:
    return command.kernel_line(names.PREDEFINED[name], cmdline).split()


def argv(board: names.Board, **more: object) -> list[str]:
    return command.arguments(board, FILES, port=2222, line="root=/dev/vda", **more)


def test_the_four_boards_are_there_by_name() -> None:
    assert list(names.PREDEFINED) == ["virtual", "virtual-v1", "virtual-nomem", "virtual-pi3"]


def test_cgroup_v1_asks_systemd_for_the_legacy_hierarchy() -> None:
    assert "systemd.unified_cgroup_hierarchy=0" in line("virtual-v1")
    assert "systemd.legacy_systemd_cgroup_controller=1" in line("virtual-v1")
    assert not [word for word in line("virtual") if "cgroup" in word]


def test_without_memory_controller_until_cmdline_txt_says_otherwise() -> None:
    """Debian's kernel does not know cgroup_enable: the launcher does what Raspberry Pi's does."""
    assert "cgroup_disable=memory" in line("virtual-nomem")
    told = line("virtual-nomem", "console=tty1 root=PARTUUID=1 cgroup_enable=memory rootwait\n")
    assert "cgroup_disable=memory" not in told
    assert told[-1] == "cgroup_enable=memory"


def test_words_for_the_firmware_stay_out_and_all_others_come_last() -> None:
    told = line("virtual", "console=serial0,115200 root=/dev/sda2 rootwait isolcpus=3 psi=1")
    assert told[-2:] == ["isolcpus=3", "psi=1"]
    assert [word for word in told if word.startswith("root=")] == ["root=/dev/vda"]


@pytest.mark.parametrize("name", names.PREDEFINED)
def test_a_board_listens_on_loopback_only_and_reaches_nothing(name: str) -> None:
    words = argv(names.PREDEFINED[name])
    network = words[words.index("-netdev") + 1]
    assert "restrict=on" in network
    assert [part for part in network.split(",") if part.startswith("hostfwd")] == [
        "hostfwd=tcp:127.0.0.1:2222-:22"
    ]


def test_the_way_to_packages_survives_a_strange_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU splits its option at commas, and the command in it as a shell would."""
    monkeypatch.setattr(sys, "executable", "/a b,c/python")
    words = argv(names.Board("a"))
    network = words[words.index("-netdev") + 1].replace(",,", "\0").split(",")
    (forward,) = [part for part in network if part.startswith("guestfwd")]
    told = forward.replace("\0", ",").partition("-cmd:")
    assert told[0] == "guestfwd=tcp:10.0.2.9:80"
    assert shlex.split(told[2]) == ["/a b,c/python", "-m", "runner.board.archive"]


def test_the_boards_apt_asks_us_for_what_it_was_made_of(tmp_path: Path) -> None:
    """mmdebstrap names the lists after the machine's own mirror."""
    lists = tmp_path / "var/lib/apt/lists"
    lists.mkdir(parents=True)
    (tmp_path / "etc/apt").mkdir(parents=True)
    made = (
        "mirror.example_debian_dists_bookworm_InRelease",
        "mirror.example_debian-security_dists_bookworm-security_main_binary-arm64_Packages",
    )
    for name in made:
        (lists / name).write_text("")
    image.point_apt(tmp_path, ["deb http://mirror.example/debian bookworm main",
                               "deb http://mirror.example/debian-security bookworm-security main"])  # fmt: skip
    assert {file.name for file in lists.iterdir()} == {
        "10.0.2.9_main_dists_bookworm_InRelease",
        "10.0.2.9_security_dists_bookworm-security_main_binary-arm64_Packages",
    }
    assert "mirror.example" not in (tmp_path / "etc/apt/sources.list").read_text()


def test_the_pi3_is_the_pi3_of_qemu() -> None:
    words = argv(names.PREDEFINED["virtual-pi3"])
    assert words[words.index("-M") + 1] == "raspi3b"
    assert "usb-net,netdev=net" in words
    assert "-m" not in words


def test_restore_names_the_snapshot() -> None:
    assert argv(names.Board("a"), restore=True)[-2:] == ["-loadvm", "ready"]


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "../etc"},
        {"name": ""},
        {"name": "A"},
        {"name": "a", "machine": "raspi4b"},
        {"name": "a", "machine": "raspi3b"},
        {"name": "a", "memory_mib": 64},
        {"name": "a", "cpus": 0},
    ],
)
def test_a_board_that_qemu_would_refuse_is_refused_first(asked: dict[str, object]) -> None:
    with pytest.raises(BoardError) as caught:
        names.Board(**asked)
    assert caught.value.fix


def test_a_board_survives_its_file() -> None:
    for board in names.PREDEFINED.values():
        assert names.Board.from_json(board.to_json()) == board


@pytest.mark.parametrize(
    ("text", "mib"), [("4G", 4096), ("512M", 512), ("2GiB", 2048), ("1gb", 1024)]
)
def test_amounts_of_memory(text: str, mib: int) -> None:
    assert names.memory(text) == mib


def test_no_amount_of_memory() -> None:
    with pytest.raises(BoardError):
        names.memory("much")


# --- the machine's apt sources ---

DEB822 = """\
Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: trixie-security
Components: main
"""


def test_both_forms_of_sources_lend_their_archives() -> None:
    wanted = [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian-security bookworm-security main",
    ]
    old = (
        "# deb http://other/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k] http://mirror.example/debian/ bookworm main\n"
        "deb-src http://mirror.example/debian bookworm main\n"
        "deb http://mirror.example/debian-security bookworm-security main contrib # security\n"
        "deb https://packages.example/apt cloud-sdk-bookworm main\n"
    )
    assert apt.lines("bookworm", apt.parse(DEB822)) == wanted
    assert apt.lines("bookworm", apt.parse(old)) == wanted


def test_what_is_switched_off_lends_nothing() -> None:
    assert apt.parse("Types: deb\nEnabled: no\nURIs: http://a\nSuites: bookworm\n") == []


def test_another_distribution_has_to_name_a_mirror() -> None:
    ubuntu = apt.parse("deb http://archive.ubuntu.com/ubuntu noble main universe\n")
    with pytest.raises(BoardError) as caught:
        apt.lines("bookworm", ubuntu)
    assert "--mirror" in caught.value.fix
    assert apt.lines("bookworm", ubuntu, "http://m/debian") == ["deb http://m/debian bookworm main"]


def test_sources_are_read_from_their_folder(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "old.save").write_text(DEB822)
    assert len(apt.read(tmp_path)) == 3


# --- what is missing ---


def test_everything_that_is_missing_is_one_apt_line() -> None:
    lacking = tools.missing(tools.BUILD, machine="x86_64", which=lambda _: None)
    assert lacking == list(tools.BUILD)
    assert tools.apt_line(lacking) == (
        "sudo apt-get install --no-install-recommends arch-test binfmt-support e2fsprogs "
        "mmdebstrap openssh-client qemu-system-arm qemu-user-static qemu-utils"
    )


def test_an_arm_machine_needs_no_emulation_of_programs() -> None:
    lacking = tools.missing(tools.BUILD, machine="aarch64", which=lambda _: None)
    assert "qemu-user-static" not in tools.apt_line(lacking)
    assert tools.missing(tools.BUILD, machine="x86_64", which=lambda name: f"/bin/{name}") == []


def test_root_is_named_with_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(tools, "_SBIN", "/nonexistent")
    with pytest.raises(BoardError) as caught:
        tools.require(tools.BUILD, root=True)
    assert "mmdebstrap" in caught.value.message
    assert "root (" in caught.value.message
    assert "sudo runner board build" in caught.value.fix
    assert caught.value.exit_code == 4


# --- the first root ---


def test_modules_are_loaded_after_what_they_need() -> None:
    dependencies = (
        "kernel/a/virtio-blk.ko: kernel/a/virtio_ring.ko kernel/a/virtio.ko\n"
        "kernel/a/virtio_ring.ko: kernel/a/virtio.ko\n"
        "kernel/a/virtio.ko:\n"
        "kernel/a/ext4.ko.xz: kernel/a/jbd2.ko.xz\n"
        "kernel/a/jbd2.ko.xz:\n"
    )
    order = initrd.load_order(
        ("virtio_blk", "ext4", "af_packet", "unknown"), dependencies, "kernel/net/af_packet.ko\n"
    )
    assert order == [
        "kernel/a/virtio.ko",
        "kernel/a/virtio_ring.ko",
        "kernel/a/virtio-blk.ko",
        "kernel/a/jbd2.ko.xz",
        "kernel/a/ext4.ko.xz",
    ]


def test_the_archive_is_what_cpio_reads(tmp_path: Path) -> None:
    """Busybox or cpio, whichever is there, unpacks what the kernel will be given."""
    import shutil

    made = initrd.archive(
        [("d", 0o040755, b""), ("d/f", 0o100600, b"text"), ("l", 0o120777, b"d/f")]
    )
    assert len(made) % 4 == 0
    assert made.startswith(b"070701")
    assert b"TRAILER!!!" in made[-128:]
    if shutil.which("cpio") is None:
        pytest.skip("no cpio here")
    subprocess.run(["cpio", "-id", "--quiet"], input=made, cwd=tmp_path, check=True)
    assert (tmp_path / "l").read_text() == "text"
    assert (tmp_path / "d/f").stat().st_mode & 0o777 == 0o600


def test_the_first_root_holds_busybox_modules_and_their_order(tmp_path: Path) -> None:
    modules = tmp_path / "lib/modules/6.1"
    (modules / "kernel").mkdir(parents=True)
    (modules / "kernel/ext4.ko").write_bytes(b"EXT4")
    (modules / "modules.dep").write_text("kernel/ext4.ko:\n")
    (modules / "modules.builtin").write_text("")
    with pytest.raises(BoardError):
        initrd.first_root(tmp_path, "6.1", ("ext4",))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/busybox").write_bytes(b"BUSYBOX")
    made = initrd.first_root(tmp_path, "6.1", ("ext4",))
    for part in (b"BUSYBOX", b"mod/ext4.ko\0", b"EXT4", b"mod/order\0", b"switch_root /new"):
        assert part in made


def test_the_seed_holds_key_and_homes() -> None:
    made = initrd.seed(public_key="ssh-ed25519 AAAA me", host_key="KEY", homes={"0:0": "/root"})
    for part in (b"ssh-ed25519 AAAA me", b"seed/host_key\0", b"0:0 /root\n"):
        assert part in made


def test_the_script_of_the_first_root_is_shell() -> None:
    subprocess.run(["sh", "-n"], input=initrd.SCRIPT, text=True, check=True)


# --- image, snapshot, registry ---


def test_the_recipe_names_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipe.identity()
    assert len(before) == 16
    monkeypatch.setattr(recipe, "PACKAGES", (*recipe.PACKAGES, "strace"))
    assert recipe.identity() != before


def test_no_secret_is_in_the_recipe() -> None:
    assert not [name for name in recipe.FILES if "authorized_keys" in name or "host_" in name]


def test_mmdebstrap_is_told_root_packages_and_sources() -> None:
    told = image.command(Path("/p/root"), Path("/p/debs"), ["deb http://m/debian bookworm main"])
    assert told[-3:] == ["bookworm", "/p/root", "deb http://m/debian bookworm main"]
    assert "--architectures=arm64" in told


def test_a_root_with_mounts_in_it_is_not_removed() -> None:
    """Below it would be this machine's own files."""
    with pytest.raises(BoardError) as caught:
        image._unmounted(Path("/dev"))
    assert "umount" in caught.value.fix


def test_there_is_no_image_before_its_last_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNNER_BOARDS", str(tmp_path))
    folder = tmp_path / "images" / recipe.identity()
    folder.mkdir(parents=True)
    assert image.find() is None
    (folder / "image.json").write_text('{"kernel": "6.1"}')
    found = image.find()
    assert found is not None
    assert found.kernel_version == "6.1"


def test_a_snapshot_fits_one_machine_only() -> None:
    def name(version: str, board: names.Board, seed: bytes, port: int = 1) -> str:
        words = command.arguments(board, FILES, port=port, line=command.kernel_line(board))
        return snapshot.identity(version, words, seed, leave_out=("hostfwd=",))

    board = names.Board("a")
    assert name("7.2", board, b"k") == name("7.2", board, b"k", port=2)
    others = [
        name("10", board, b"k"),
        name("7.2", names.Board("a", cpus=2), b"k"),
        name("7.2", names.Board("a", cgroup=1), b"k"),
        name("7.2", board, b"other key"),
    ]
    assert name("7.2", board, b"k") not in others
    assert len(set(others)) == 4


@pytest.fixture
def boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNNER_BOARDS", str(tmp_path))
    return tmp_path / "running"


def started(boards: Path, name: str) -> registry.Entry:
    folder = boards / name
    folder.mkdir(parents=True)
    entry = registry.Entry(names.Board(name), folder, 2222, "image")
    entry.write()
    return entry


def test_a_board_whose_controller_is_gone_is_found(boards: Path) -> None:
    entry = started(boards, "one")
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], cwd=entry.folder, stdin=subprocess.PIPE
    )
    (entry.folder / "qemu.pid").write_text(f"{process.pid}\n")
    found = registry.find("one")
    assert found is not None
    assert found.pid == process.pid
    assert [one.board.name for one in registry.entries()] == ["one"]
    registry.end(entry.folder)
    assert process.wait(timeout=10) != 0
    process.communicate()
    assert registry.find("one") is None


def test_a_pid_that_is_now_somebody_elses_is_left_alone(boards: Path) -> None:
    entry = started(boards, "one")
    process = subprocess.Popen([sys.executable, "-c", "input()"], cwd="/", stdin=subprocess.PIPE)
    (entry.folder / "qemu.pid").write_text(f"{process.pid}\n")
    assert entry.pid is None
    registry.end(entry.folder)
    assert process.poll() is None
    process.communicate(b"\n", timeout=10)
    assert process.returncode == 0


def test_half_a_start_is_no_board(boards: Path) -> None:
    (boards / "half").mkdir(parents=True)
    (boards / "half" / "board.json").write_text("{")
    assert registry.find("half") is None
    assert registry.entries() == []


# --- the command line ---


def parsed(*words: str) -> argparse.Namespace:
    from runner.cli import board

    parser = argparse.ArgumentParser()
    board.configure(parser)
    return parser.parse_args(words)


def test_up_takes_the_named_board_with_what_is_changed(boards: Path) -> None:
    from runner.cli import board

    assert board.asked(parsed("up")) == names.PREDEFINED["virtual"]
    assert board.asked(parsed("up", "virtual-v1")).cgroup == 1
    made = board.asked(
        parsed("up", "--name", "big", "--memory", "8G", "--cpus", "2", "--memory-controller", "off")
    )
    assert made == names.Board("big", memory_mib=8192, cpus=2, memory_controller=False)
    assert board.asked(parsed("up", "--name", "p", "--machine", "raspi3b")) == names.pi3("p")


def test_ssh_and_down_name_what_is_missing(boards: Path) -> None:
    from runner.cli import main

    assert main(["board", "ssh", "virtual"]) == 2
    assert main(["board", "down", "virtual"]) == 2
    assert main(["board", "down"]) == 2
    assert main(["board", "down", "--all"]) == 0
    assert main(["board", "list"]) == 0


def test_a_board_under_a_command_is_ended_only_if_that_is_meant(
    boards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from runner.board import paths
    from runner.cli import main

    folder = paths.running() / "busy"
    folder.mkdir(parents=True)
    entry = registry.Entry(names.Board("busy"), folder, 1, "image")
    entry.write()
    code = (
        "import sys, time; from pathlib import Path; from runner.board import registry\n"
        "registry.use(registry.read(Path(sys.argv[1]))); print('up', flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "up\n"
        assert main(["board", "down", "busy"]) == 5
        assert "runner board down busy --force" in capsys.readouterr().err
        assert main(["board", "down", "--all"]) == 5
        assert folder.exists()
        user.kill()
    assert not registry.is_used(entry)
    registry.use(entry)
    assert main(["board", "down", "busy", "--force"]) == 0
    assert not folder.exists()
