"""Fixtures that several test files share."""

import os
import shutil

# Tests run in several processes, one to a core. Threads that wait for each other on top of that
# would spin most of the time away. Servers started by tests inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest
from hypothesis import settings

import tokenjourney as tj
from tests import checkpoints

# No deadlines: what a test promises has nothing to do with how busy the machine is.
settings.register_profile("tokenjourney", deadline=None, database=None)
settings.load_profile("tokenjourney")


@pytest.fixture(scope="session")
def model():
    """The bundled model."""
    return tj.load_model()


@pytest.fixture(scope="session")
def data_folder():
    """The training text and GPT-2's tokenizer files, which do not come with the project."""
    folder = os.environ.get("TOKENJOURNEY_DATA")
    if not folder:
        pytest.skip("TOKENJOURNEY_DATA does not name the folder with the data")
    return Path(folder)


@pytest.fixture(scope="session")
def gpt2_files(data_folder, tmp_path_factory):
    """A folder with GPT-2's real vocab.json and merges.txt."""
    folder = tmp_path_factory.mktemp("gpt2")
    shutil.copy(data_folder / "gpt2_bpe" / "encoder.json", folder / "vocab.json")
    shutil.copy(data_folder / "gpt2_bpe" / "vocab.bpe", folder / "merges.txt")
    return folder


@pytest.fixture(scope="session")
def gpt2_tokenizer(gpt2_files):
    return tj.Tokenizer.from_folder(gpt2_files)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A small GPT-2 with random weights and its tokenizer, both saved by transformers itself."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    checkpoints.save_by_transformers(folder, tokenizer=True)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_folder):
    return tj.load_model(tiny_folder)
