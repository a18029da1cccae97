"""Models of the Hub: fetched once, refused before their weights come, and clear when not there."""

import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from hashlib import sha1
from pathlib import Path

import numpy as np
import pytest

import tokenjourney as tj
from tests.checkpoints import change_config
from tokenjourney.errors import CheckpointError, ModelNotFoundError

COMMIT = "a" * 40


class FakeHub(http.server.BaseHTTPRequestHandler):
    """As much of the Hub as a download asks for: the commit, the list of files, the files."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        hub = self.server
        path = self.path.split("?")[0].strip("/")
        hub.asked.append(path)
        is_api = path.startswith("api/models/")
        path = path.removeprefix("api/models/")
        name = next((name for name in hub.repositories if path.startswith(name + "/")), None)
        if path.split("/")[0] == "gated":
            return self.refuse(403, "GatedRepo")
        if name is None:
            return self.refuse(404, "RepoNotFound")
        action, revision, *rest = path.removeprefix(name + "/").split("/")
        if revision not in ("main", COMMIT):
            return self.refuse(404, "RevisionNotFound")
        folder = hub.repositories[name]
        if is_api and action == "revision":
            return self.answer(json.dumps({"id": name, "sha": COMMIT}).encode())
        if is_api and action == "tree":
            files = [
                {
                    "type": "file",
                    "path": str(file.relative_to(folder)),
                    "size": file.stat().st_size,
                    "oid": sha1(file.read_bytes()).hexdigest(),
                }
                for file in folder.rglob("*")
                if file.is_file()
            ]
            return self.answer(json.dumps(files).encode())
        file = folder.joinpath(*rest)
        if not file.is_file():
            return self.refuse(404, "EntryNotFound")
        return self.answer(file.read_bytes(), "application/octet-stream")

    def answer(self, body, kind="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{sha1(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def refuse(self, status, code):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path, tiny_folder, monkeypatch):
    """A Hub on this machine with a few repositories, and an empty cache."""
    from huggingface_hub import constants

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    server.asked = []
    server.repositories = {}
    for name in ("owner/tiny", "gpt2", "other/llama", "other/pickled"):
        server.repositories[name] = shutil.copytree(tiny_folder, tmp_path / "hub" / name)
    extra = server.repositories["owner/tiny"] / "onnx"
    extra.mkdir()
    (extra / "model.safetensors").write_bytes(b"not wanted")
    change_config(server.repositories["other/llama"], model_type="llama")
    (server.repositories["other/pickled"] / "model.safetensors").rename(
        server.repositories["other/pickled"] / "pytorch_model.bin"
    )
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    point_to(f"http://127.0.0.1:{server.server_address[1]}", monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield server
    server.shutdown()
    server.server_close()


def point_to(address, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        address + "/{repo_id}/resolve/{revision}/{filename}",
    )


def files_asked(hub):
    return {Path(path).name for path in hub.asked if "/resolve/" in path}


@pytest.mark.parametrize("name", ["owner/tiny", "gpt2"])
def test_a_hub_model_is_fetched_and_is_the_one_that_was_published(hub, tiny_model, name):
    model = tj.load_model(name)
    assert model.name == name
    assert model.tokenizer.encode("the cat") == tiny_model.tokenizer.encode("the cat")
    np.testing.assert_array_equal(
        tj.trace(model, "the cat").logits, tj.trace(tiny_model, "the cat").logits
    )


def test_what_is_in_the_cache_is_not_fetched_again_and_needs_no_network(hub, monkeypatch):
    tj.load_model("owner/tiny")
    hub.asked.clear()
    tj.load_model("owner/tiny")
    assert files_asked(hub) == set()
    hub.asked.clear()
    tj.load_model("owner/tiny", local_files_only=True)
    assert hub.asked == []
    with socket.socket() as free:  # an address where nobody listens
        free.bind(("127.0.0.1", 0))
        point_to(f"http://127.0.0.1:{free.getsockname()[1]}", monkeypatch)
        assert tj.load_model("owner/tiny").name == "owner/tiny"


def test_only_the_files_of_the_checkpoint_are_fetched(hub):
    tj.load_model("owner/tiny")
    assert not any("onnx" in path for path in hub.asked)
    assert files_asked(hub) <= {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_a_revision_can_be_asked_for(hub):
    assert tj.load_model("owner/tiny", revision=COMMIT).name == "owner/tiny"
    with pytest.raises(ModelNotFoundError, match="no revision 'v2'"):
        tj.load_model("owner/tiny", revision="v2")


def test_another_architecture_is_refused_by_name_before_its_weights_are_fetched(hub):
    with pytest.raises(CheckpointError, match="'llama'"):
        tj.load_model("other/llama")
    assert "model.safetensors" not in files_asked(hub)


def test_a_repository_without_safetensors_is_refused_and_its_pickle_never_fetched(hub):
    with pytest.raises(CheckpointError, match=r"no model\.safetensors"):
        tj.load_model("other/pickled")
    assert "pytorch_model.bin" not in files_asked(hub)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("owner/nothing", "no public model 'owner/nothing'"),
        ("gated/model", "granted access"),
        ("two words", "neither a folder nor a Hub id"),
        ("", "neither a folder nor a Hub id"),
        ("-bad-/-id-", "no valid Hub id"),
    ],
)
def test_a_model_that_is_not_there_says_why_and_names_the_ways_out(hub, name, reason):
    with pytest.raises(ModelNotFoundError, match=reason) as caught:
        tj.load_model(name)
    for way_out in ("bundled model", "local folder", "HF_HUB_OFFLINE"):
        assert way_out in str(caught.value)


def test_no_network_and_nothing_in_the_cache(hub, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        point_to(f"http://127.0.0.1:{free.getsockname()[1]}", monkeypatch)
        with pytest.raises(ModelNotFoundError, match="the Hub cannot be reached") as caught:
            tj.load_model("owner/tiny")
    assert "HF_HUB_OFFLINE" in str(caught.value)
    with pytest.raises(ModelNotFoundError, match="not to be asked"):
        tj.load_model("owner/tiny", local_files_only=True)


def test_offline_mode_for_real_and_no_hub_client_where_none_is_needed(tmp_path, tiny_folder):
    """In a process of its own, because the Hub's client reads its settings when it is imported."""
    code = """
import sys
import tokenjourney as tj
tj.load_model(sys.argv[1])
assert "huggingface_hub" not in sys.modules and "transformers" not in sys.modules
try:
    tj.load_model("gpt2")
except tj.ModelNotFoundError as error:
    print(error)
"""
    settings = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    root = Path(tj.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_folder)],
        env=settings,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "not in the Hub's cache" in done.stdout
    assert "bundled model" in done.stdout
